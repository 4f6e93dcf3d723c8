//! Recordings that lie on web servers, object stores with signed URLs among them.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, StatusCode, redirect};
use url::{Host, Url};

use super::StoreError;
use super::host::{HostPattern, is_allowed};
use crate::config::{self, ByteSize};
use crate::recording::{Recording, RecordingWriter};

/// A host that takes longer to accept a connection is as good as down; the attempt is repeated.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A host that sends nothing for so long has forgotten us.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Fetches recordings from the allowed hosts.
#[derive(Debug)]
pub struct Web {
    client: Client,
    hosts: Vec<HostPattern>,
    plain_http: bool,
    networks: Arc<[IpNet]>,
}

impl Web {
    /// Prepares to fetch.
    ///
    /// # Errors
    /// Where the system has no working TLS library.
    pub fn new(config: &config::Store) -> Result<Self, reqwest::Error> {
        let networks: Arc<[IpNet]> = config.private_networks.clone().into();
        let client = Client::builder()
            .user_agent(concat!("callqa/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            // Behind a proxy the addresses would be resolved, and so checked, by nobody.
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .dns_resolver(CheckingResolver { networks: Arc::clone(&networks) })
            .build()?;
        Ok(Self { client, hosts: config.hosts.clone(), plain_http: config.plain_http, networks })
    }

    /// Fetches a recording of at most `limit` bytes.
    ///
    /// # Errors
    /// Where the host may not be asked, does not answer, or answers with something else.
    pub async fn fetch(&self, url: &Url, limit: ByteSize, spool: &Path) -> Result<Recording, StoreError> {
        self.permit(url)?;
        let mut response = self.client.get(url.clone()).send().await.map_err(failure)?;
        expect_ok(&response)?;
        if let Some(length) = response.content_length().filter(|length| *length > limit.0) {
            return Err(StoreError::TooLarge { actual: Some(ByteSize(length)), limit });
        }
        let mut writer = RecordingWriter::new(spool);
        while let Some(piece) = response.chunk().await.map_err(failure)? {
            if writer.bytes() + piece.len() as u64 > limit.0 {
                return Err(StoreError::TooLarge { actual: None, limit });
            }
            writer.push(&piece).map_err(StoreError::Copy)?;
        }
        Ok(writer.finish())
    }

    fn permit(&self, url: &Url) -> Result<(), StoreError> {
        if url.scheme() == "http" && !self.plain_http {
            let allowed = "https (store.plain_http is false)";
            return Err(StoreError::SchemeForbidden { scheme: "http".to_owned(), allowed });
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || !self.hosts.iter().any(|pattern| pattern.allows(url)) {
            return Err(StoreError::HostForbidden);
        }
        // An address in the URL is never resolved, so the resolver does not see it.
        let address = match url.host() {
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
            _ => None,
        };
        if address.is_some_and(|address| !is_allowed(address, &self.networks)) {
            return Err(StoreError::AddressForbidden);
        }
        Ok(())
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

/// What went wrong, without the URL that `reqwest` writes into its errors.
fn failure(error: reqwest::Error) -> StoreError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if inner.is::<ForbiddenAddress>() {
            return StoreError::AddressForbidden;
        }
        cause = inner.source();
    }
    StoreError::Unreachable(if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    })
}

/// Some address of the host is not allowed.
#[derive(Debug, thiserror::Error)]
#[error("forbidden address")]
struct ForbiddenAddress;

/// Resolves a host and hands on its addresses only if all of them are allowed: the connection goes to
/// the very addresses that were checked.
struct CheckingResolver {
    networks: Arc<[IpNet]>,
}

impl Resolve for CheckingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = Arc::clone(&self.networks);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().all(|address| is_allowed(address.ip(), &networks)) {
                Ok(Box::new(found.into_iter()) as Addrs)
            } else {
                Err(ForbiddenAddress.into())
            }
        })
    }
}
