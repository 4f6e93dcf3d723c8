//! Where recordings may come from: the settings under `store`.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::reader::Reader;
use super::setting::{ByteSize, Secret};
use crate::store::HostPattern;

/// Where recordings may come from, and at what cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// `file:` recordings must lie under one of these folders.
    pub file_roots: Vec<PathBuf>,
    /// `https:` recordings must lie on one of these hosts.
    pub hosts: Vec<HostPattern>,
    /// `http:` is allowed too, on the same hosts.
    pub plain_http: bool,
    /// Private networks in which these hosts may have their addresses.
    pub private_networks: Vec<IpNet>,
    /// Certificates that are trusted besides the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// `s3:` recordings.
    pub objects: ObjectStore,
    /// Where large recordings lie while they are judged; the files have no name there.
    pub spool: PathBuf,
    /// Recordings of all calls in flight together.
    pub bytes_in_flight: ByteSize,
    /// The longest that one attempt to fetch a recording may take.
    pub fetch_timeout: Duration,
    /// For how long a recording that can't be had is asked for again without giving up the call's seat.
    pub patience: Duration,
}

/// An S3-compatible object store.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectStore {
    /// Where it answers; Amazon's own for the region where absent.
    pub endpoint: Option<Url>,
    /// What requests are signed for.
    pub region: String,
    /// Recordings must lie in one of these.
    pub buckets: Vec<String>,
    /// Who asks. Without it requests are not signed.
    pub access_key_id: Option<Secret>,
    /// With which key.
    pub secret_access_key: Option<Secret>,
    /// The third part of credentials that are valid for a while only.
    pub session_token: Option<Secret>,
}

impl Store {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            file_roots: reader.or("store.file_roots", Vec::new()),
            hosts: reader.or("store.hosts", Vec::new()),
            plain_http: reader.or("store.plain_http", false),
            private_networks: reader.or("store.private_networks", Vec::new()),
            ca_file: reader.or("store.ca_file", None),
            objects: ObjectStore::read(reader),
            spool: reader.or("store.spool", std::env::temp_dir()),
            bytes_in_flight: reader.or("store.bytes_in_flight", ByteSize::mebibytes(2048)),
            fetch_timeout: reader.or("store.fetch_timeout", Duration::from_secs(300)),
            patience: reader.or("store.patience", Duration::from_secs(5)),
        }
    }
}

impl ObjectStore {
    fn read(reader: &mut Reader) -> Self {
        // Where nothing is set, the variables that every S3 client knows.
        let region = std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned());
        let mut secret = |key: &str, variable: &str| reader.or(key, Secret::of_variable(variable));
        Self {
            access_key_id: secret("store.s3.access_key_id", "AWS_ACCESS_KEY_ID"),
            secret_access_key: secret("store.s3.secret_access_key", "AWS_SECRET_ACCESS_KEY"),
            session_token: secret("store.s3.session_token", "AWS_SESSION_TOKEN"),
            endpoint: reader.or("store.s3.endpoint", None),
            region: reader.or("store.s3.region", region),
            buckets: reader.or("store.s3.buckets", Vec::new()),
        }
    }
}
