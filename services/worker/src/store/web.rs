//! Recordings that lie on web servers, object stores with signed URLs among them.

use reqwest::{Method, Request, Response, StatusCode};
use std::path::Path;
use url::Url;

use super::StoreError;
use super::guard::{Guard, HttpFailure};
use super::host::HostPattern;
use crate::config::{self, ByteSize};
use crate::recording::{Recording, RecordingWriter};

/// Fetches recordings from the allowed hosts.
#[derive(Debug)]
pub struct Web {
    guard: Guard,
    hosts: Vec<HostPattern>,
}

impl Web {
    /// Prepares to fetch.
    #[must_use]
    pub fn new(config: &config::Store, guard: Guard) -> Self {
        Self { guard, hosts: config.hosts.clone() }
    }

    /// Fetches a recording of at most `limit` bytes.
    ///
    /// # Errors
    /// Where the host may not be asked, does not answer, or answers with something else.
    pub async fn fetch(&self, url: &Url, limit: ByteSize, spool: &Path) -> Result<Recording, StoreError> {
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || !self.hosts.iter().any(|pattern| pattern.allows(url)) {
            return Err(StoreError::HostForbidden);
        }
        let mut response = self.guard.ask(Request::new(Method::GET, url.clone())).await?;
        expect_ok(&response)?;
        if let Some(length) = response.content_length().filter(|length| *length > limit.0) {
            return Err(StoreError::TooLarge { actual: Some(ByteSize(length)), limit });
        }
        let mut writer = RecordingWriter::new(spool);
        while let Some(piece) = response.chunk().await.map_err(|error| HttpFailure::of(&error))? {
            if writer.bytes() + piece.len() as u64 > limit.0 {
                return Err(StoreError::TooLarge { actual: None, limit });
            }
            writer.push(&piece).map_err(StoreError::Copy)?;
        }
        Ok(writer.finish())
    }
}

fn expect_ok(response: &Response) -> Result<(), StoreError> {
    let status = response.status();
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(StoreError::Missing),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(StoreError::NotPermitted(format!("HTTP status {}", status.as_u16())))
        }
        _ if status.is_redirection() => Err(StoreError::Redirected { status: status.as_u16() }),
        _ => Err(StoreError::Status { status: status.as_u16() }),
    }
}
