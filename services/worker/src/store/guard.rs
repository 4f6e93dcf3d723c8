//! The one HTTP client: whoever asks through it asks allowed addresses only.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, Request, Response, redirect};
use url::{Host, Url};

use super::address::is_allowed;
use super::{StoreError, StoreOpenError};
use crate::config;

/// A host that takes longer to accept a connection is as good as down; the attempt is repeated.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A host that sends nothing for so long has forgotten us.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A name's addresses, on their way.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
/// How names become addresses.
pub type Lookup = Arc<dyn Fn(&str) -> Addresses + Send + Sync>;

/// The system's own way.
pub fn system_lookup() -> Lookup {
    Arc::new(|name| {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// An HTTP client that connects to allowed addresses only, follows no redirect and trusts no certificate
/// but those that the system or the operator vouches for.
#[derive(Debug, Clone)]
pub struct Guard {
    client: Client,
    plain_http: bool,
    networks: Arc<[IpNet]>,
}

impl Guard {
    /// Prepares to ask.
    ///
    /// # Errors
    /// Where the system has no working TLS library, or the operator's certificates can't be read.
    pub fn new(config: &config::Store, lookup: Lookup) -> Result<Self, StoreOpenError> {
        let networks: Arc<[IpNet]> = config.private_networks.clone().into();
        let mut builder = Client::builder()
            .user_agent(concat!("callqa/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            // Behind a proxy the addresses would be resolved, and so checked, by nobody.
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .dns_resolver(CheckingResolver { networks: Arc::clone(&networks), lookup });
        if let Some(file) = &config.ca_file {
            builder = builder.tls_certs_merge(certificates(file)?);
        }
        let client = builder.build().map_err(StoreOpenError::Tls)?;
        Ok(Self { client, plain_http: config.plain_http, networks })
    }

    /// Asks, and hands on whatever is answered.
    ///
    /// # Errors
    /// Where the address may not be asked, or nobody answers.
    pub async fn ask(&self, request: Request) -> Result<Response, HttpFailure> {
        self.permit(request.url())?;
        self.client.execute(request).await.map_err(|error| HttpFailure::of(&error))
    }

    fn permit(&self, url: &Url) -> Result<(), HttpFailure> {
        if url.scheme() != "https" && !self.plain_http {
            return Err(HttpFailure::PlainHttp);
        }
        // An address in the URL is never resolved, so the resolver does not see it.
        let address = match url.host() {
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
            _ => None,
        };
        let is_forbidden = address.is_some_and(|address| !is_allowed(address, &self.networks));
        if is_forbidden { Err(HttpFailure::Address) } else { Ok(()) }
    }
}

pub fn certificates(file: &Path) -> Result<Vec<Certificate>, StoreOpenError> {
    let unreadable =
        |source: Box<dyn Error + Send + Sync>| StoreOpenError::Certificates { path: file.to_owned(), source };
    let pem = std::fs::read(file).map_err(|error| unreadable(error.into()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(error.into()))?;
    if found.is_empty() { Err(unreadable("it holds no certificate in PEM".into())) } else { Ok(found) }
}

/// Why nothing was answered. Small and without the URL that `reqwest` writes into its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFailure {
    /// `http:` is not allowed.
    PlainHttp,
    /// The host has an address that it should not have.
    Address,
    /// An answer with this status, which is not the recording.
    Status(u16),
    /// An answer with this status, which refuses our credentials.
    Login(u16),
    /// Nobody answers, or not to the end.
    Unreachable(&'static str),
}

impl HttpFailure {
    /// What went wrong, found among an error and its causes.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        let mut what = Self::Unreachable("the connection broke");
        while let Some(inner) = cause {
            if let Some(failure) = inner.downcast_ref::<Self>() {
                return *failure;
            }
            if let Some(error) = inner.downcast_ref::<reqwest::Error>() {
                what = Self::Unreachable(if error.is_timeout() {
                    "it took too long"
                } else if error.is_connect() {
                    "no connection"
                } else {
                    "the connection broke"
                });
            }
            if inner.to_string().contains("certificate verify failed") {
                return Self::Unreachable(
                    "its TLS certificate is not trusted, or is for another name (store.ca_file adds an authority)",
                );
            }
            cause = inner.source();
        }
        what
    }
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PlainHttp => "plain http",
            Self::Address => "forbidden address",
            Self::Status(_) => "another status",
            Self::Login(_) => "login refused",
            Self::Unreachable(why) => why,
        })
    }
}

impl Error for HttpFailure {}

impl From<HttpFailure> for StoreError {
    fn from(failure: HttpFailure) -> Self {
        match failure {
            HttpFailure::PlainHttp => {
                let allowed = "https (store.plain_http is false)";
                Self::SchemeForbidden { scheme: "http".to_owned(), allowed }
            }
            HttpFailure::Address => Self::AddressForbidden,
            HttpFailure::Status(status) => Self::Status { status },
            HttpFailure::Login(status) => Self::Denied { status },
            HttpFailure::Unreachable(why) => Self::Unreachable(why),
        }
    }
}

/// Resolves a host and hands on its addresses only if all of them are allowed: the connection goes to
/// the very addresses that were checked.
struct CheckingResolver {
    networks: Arc<[IpNet]>,
    lookup: Lookup,
}

impl Resolve for CheckingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = Arc::clone(&self.networks);
        let found = (self.lookup)(name.as_str());
        Box::pin(async move {
            let found = found.await?;
            if found.iter().all(|address| is_allowed(*address, &networks)) {
                let places: Vec<_> = found.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
                Ok(Box::new(places.into_iter()) as Addrs)
            } else {
                Err(HttpFailure::Address.into())
            }
        })
    }
}
