//! Recordings that lie in an S3-compatible object store.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use object_store::path::Path as ObjectKey;
use object_store::{ClientOptions, GetResult, ObjectStoreExt, RetryConfig};
use reqwest::{Request, Response, StatusCode};
use tracing::warn;

use super::guard::{Guard, HttpFailure};
use super::{StoreError, StoreOpenError};
use crate::config::{self, ByteSize};
use crate::recording::{Recording, RecordingWriter};

/// What an object store says with status 400, where it means the login: temporary credentials that have expired or
/// are incomplete, and a region that is not the bucket's.
const OF_THE_LOGIN: [&str; 4] =
    ["ExpiredToken", "InvalidToken", "TokenRefreshRequired", "AuthorizationHeaderMalformed"];
/// So much of a refusal is read: the code stands near its beginning.
const REFUSAL_READ: usize = 4 << 10;

/// Fetches recordings from the allowed buckets.
#[derive(Debug, Default)]
pub struct Buckets(BTreeMap<String, AmazonS3>);

impl Buckets {
    /// Prepares to fetch from each of the operator's buckets.
    ///
    /// # Errors
    /// Where the settings make no client.
    pub fn open(config: &config::ObjectStore, guard: &Guard) -> Result<Self, StoreOpenError> {
        if !config.buckets.is_empty() && config.access_key_id.is_none() {
            let buckets = config.buckets.join(", ");
            warn!(buckets, "store.s3 has no credentials: only buckets that anybody may read will answer");
        }
        let open = |bucket: &String| {
            let built = bucket_client(config, bucket, guard).map_err(StoreOpenError::ObjectStore)?;
            Ok((bucket.clone(), built))
        };
        config.buckets.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Fetches a recording of at most `limit` bytes.
    ///
    /// # Errors
    /// Where the bucket may not be asked, does not answer, or answers with something else.
    pub async fn fetch(
        &self,
        bucket: &str,
        key: &ObjectKey,
        limit: ByteSize,
        spool: &Path,
    ) -> Result<Recording, StoreError> {
        let client = self.0.get(bucket).ok_or(StoreError::BucketForbidden)?;
        let object = client.get(key).await.map_err(|error| refusal(&error))?;
        copy(object, limit, spool).await
    }
}

async fn copy(object: GetResult, limit: ByteSize, spool: &Path) -> Result<Recording, StoreError> {
    let size = object.meta.size;
    if size > limit.0 {
        return Err(StoreError::TooLarge { actual: Some(ByteSize(size)), limit });
    }
    let mut writer = RecordingWriter::new(spool);
    let mut pieces = object.into_stream();
    while let Some(piece) = pieces.try_next().await.map_err(|error| refusal(&error))? {
        if writer.bytes() + piece.len() as u64 > limit.0 {
            return Err(StoreError::TooLarge { actual: None, limit });
        }
        writer.push(&piece).map_err(StoreError::Copy)?;
    }
    Ok(writer.finish())
}

fn bucket_client(
    config: &config::ObjectStore,
    bucket: &str,
    guard: &Guard,
) -> object_store::Result<AmazonS3> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&config.region)
        .with_virtual_hosted_style_request(false)
        .with_allow_http(true) // `Guard` knows whether it is allowed
        // The store has its own waits between attempts, and a budget for them.
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
        .with_http_connector(Guarded(guard.clone()));
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    builder = match (&config.access_key_id, &config.secret_access_key) {
        (Some(id), Some(key)) => builder.with_access_key_id(id.expose()).with_secret_access_key(key.expose()),
        // Without credentials nothing is signed; asking a metadata service for some is never allowed.
        _ => builder.with_skip_signature(true),
    };
    if let Some(token) = &config.session_token {
        builder = builder.with_token(token.expose());
    }
    builder.build()
}

/// What went wrong, without the address and the answer that `object_store` writes into its errors.
fn refusal(error: &object_store::Error) -> StoreError {
    match HttpFailure::of(error) {
        HttpFailure::Status(404) => StoreError::Missing,
        failure => failure.into(),
    }
}

/// Lets `object_store` ask through our client only.
#[derive(Debug, Clone)]
struct Guarded(Guard);

impl HttpConnector for Guarded {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl HttpService for Guarded {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // `Unknown` is the kind that `object_store` does not repeat by itself.
        let failed = |failure| HttpError::new(HttpErrorKind::Unknown, failure);
        let (parts, _no_body) = request.into_parts();
        let url = parts.uri.to_string().parse();
        let url = url.map_err(|_| failed(HttpFailure::Unreachable("store.s3.endpoint is no address")))?;
        let mut request = Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        let response = self.0.ask(request).await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(failed(refused(response).await));
        }
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let body = http_body_util::BodyExt::map_err(body, move |error| failed(HttpFailure::of(&error)));
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

async fn refused(mut response: Response) -> HttpFailure {
    let status = response.status();
    let is_of_the_login = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => true,
        StatusCode::BAD_REQUEST => {
            let mut said = Vec::new();
            while let Ok(Some(piece)) = response.chunk().await
                && said.len() < REFUSAL_READ
            {
                said.extend_from_slice(&piece);
            }
            let said = String::from_utf8_lossy(&said);
            OF_THE_LOGIN.iter().any(|code| said.contains(&format!("<Code>{code}</Code>")))
        }
        _ => false,
    };
    let status = status.as_u16();
    if is_of_the_login { HttpFailure::Login(status) } else { HttpFailure::Status(status) }
}
