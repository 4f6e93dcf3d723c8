//! A server with a certificate: only one that somebody vouches for, for this very name and time, is believed.

use std::io::{Read, Write};
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use super::*;

/// An authority, and certificates of it.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        // Told apart by name: a certificate whose issuer has its own name is taken for self-signed.
        params.distinguished_name.push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("signed").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server for `name`, believed until the end of a year.
    fn server(&self, name: &str, until: i32) -> SocketAddr {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed").pem();
        let identity =
            native_tls::Identity::from_pkcs8(certificate.as_bytes(), key.serialize_pem().as_bytes());
        let acceptor = native_tls::TlsAcceptor::new(identity.expect("an identity")).expect("TLS");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(mut stream) = acceptor.accept(stream) else { continue };
                let _ = stream.read(&mut [0; 4096]);
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nyes");
                let _ = stream.shutdown();
            }
        });
        address
    }
}

async fn ask(address: SocketAddr, ca_file: Option<PathBuf>) -> Result<u64, String> {
    let mut config = config(&["127.0.0.0/8", "::1/128"]);
    config.ca_file = ca_file;
    config.plain_http = false;
    fetch(&config, &wanted(format!("https://localhost:{}/a.wav", address.port()))).await
}

#[tokio::test]
async fn a_certificate_must_be_vouched_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, others) = (Authority::new(), Authority::new());
    let trusted = folder.path().join("ca.pem");
    std::fs::write(&trusted, &ours.pem).expect("written");
    let refused = "Unreachable(\"its TLS certificate is not trusted, or is for another name (store.ca_file adds an \
                   authority)\")";
    let refused = Err(refused.to_owned());
    assert_eq!(ask(ours.server("localhost", 2090), Some(trusted.clone())).await, Ok(3));
    assert_eq!(ask(ours.server("localhost", 2090), None).await, refused, "nobody vouches for it");
    assert_eq!(
        ask(others.server("localhost", 2090), Some(trusted.clone())).await,
        refused,
        "another authority"
    );
    assert_eq!(ask(ours.server("media.example", 2090), Some(trusted.clone())).await, refused, "another name");
    assert_eq!(ask(ours.server("localhost", 2021), Some(trusted)).await, refused, "too old");
}

#[tokio::test]
async fn certificates_that_can_not_be_read_stop_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").expect("written");
    for (file, why) in [(empty, "it holds no certificate in PEM"), ("/nowhere/ca.pem".into(), "No such file")]
    {
        let mut config = config(&[]);
        config.ca_file = Some(file.clone());
        let opened = Store::open(&config, LIMIT, Arc::new(Metrics::new().expect("metrics")));
        let error = opened.map(drop).expect_err("refused").to_string();
        let begin = format!("store.ca_file: `{}` can't be used: {why}", file.display());
        assert!(error.starts_with(&begin), "{error}");
    }
}
