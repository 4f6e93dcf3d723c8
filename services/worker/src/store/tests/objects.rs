//! An S3-compatible store in this process: what it answers, and what becomes of the call.

use std::sync::Mutex;

use super::trap::Trap;
use super::*;
use crate::config::{Secret, Setting};

/// What the store was asked: request lines and headers.
type Asked = Arc<Mutex<Vec<String>>>;

/// Answers `/bucket/key` by the key: `200-100` with so many bytes, `403-AccessDenied` with an error as S3 words it.
async fn s3() -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&log)));
        }
    });
    (address, asked)
}

async fn serve(mut stream: TcpStream, asked: Asked) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.expect("a request");
        request.push(byte);
    }
    let request = String::from_utf8(request).expect("text");
    let path = request.split(' ').nth(1).expect("a path").to_owned();
    asked.lock().expect("not poisoned").push(request);
    let key = path.rsplit('/').next().expect("a key");
    let (status, what) = key.split_once('-').unwrap_or(("404", "NoSuchKey"));
    let (promised, body) = match (status, what.parse::<usize>()) {
        ("200", Ok(bytes)) => (bytes, vec![7; bytes]),
        ("200", Err(_)) => (100, vec![7; 50]), // cut
        _ => {
            let body = format!("<Error><Code>{what}</Code><Resource>{path}</Resource></Error>").into_bytes();
            (body.len(), body)
        }
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {promised}\r\nlast-modified: Mon, 05 Jan 2026 09:30:00 GMT\r\n\
         etag: \"x\"\r\nlocation: http://127.0.0.1:9/SECRET\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
}

fn secret(text: &str) -> Option<Secret> {
    Some(Secret::read(&toml::Value::from(text)).expect("text"))
}

fn buckets_at(endpoint: &str, private_networks: &[&str]) -> config::Store {
    let objects = config::ObjectStore {
        endpoint: Some(endpoint.parse().expect("an address")),
        region: "eu-central-1".to_owned(),
        buckets: vec!["recordings".to_owned(), "old.recordings".to_owned()],
        access_key_id: secret("AKIATEST"),
        secret_access_key: secret("hunter2"),
        session_token: None,
    };
    config::Store { objects, ..config(private_networks) }
}

#[tokio::test]
async fn what_an_object_store_may_answer() {
    let (address, _) = s3().await;
    let config = buckets_at(&format!("http://{address}"), &["127.0.0.0/8"]);
    use Disposition::{DeadLetter, Retry};
    for (key, expect, disposition) in [
        ("200-100", Ok(100), None),
        ("2026/01/05/200-100", Ok(100), None),
        ("200-1000", Ok(1000), None),
        ("200-1001", Err("TooLarge"), Some(DeadLetter)),
        ("200-cut", Err("Unreachable"), Some(Retry)),
        ("206-100", Err("Status"), Some(Retry)),
        ("301-PermanentRedirect", Err("Status"), Some(Retry)),
        ("307-TemporaryRedirect", Err("Status"), Some(Retry)),
        ("400-InvalidRequest", Err("Status"), Some(Retry)),
        ("400-ExpiredToken", Err("Denied"), Some(Retry)),
        ("400-AuthorizationHeaderMalformed", Err("Denied"), Some(Retry)),
        ("401-Unauthorized", Err("Denied"), Some(Retry)),
        ("403-AccessDenied", Err("Denied"), Some(Retry)),
        ("403-SignatureDoesNotMatch", Err("Denied"), Some(Retry)),
        ("404-NoSuchKey", Err("Missing"), Some(Retry)),
        ("404-NoSuchBucket", Err("Missing"), Some(Retry)),
        ("429-SlowDown", Err("Status"), Some(Retry)),
        ("500-InternalError", Err("Status"), Some(Retry)),
        ("503-SlowDown", Err("Status"), Some(Retry)),
    ] {
        let store = open(&config);
        let outcome = store.fetch(&wanted(format!("s3://recordings/{key}"))).await;
        assert_eq!(outcome.as_ref().err().map(StoreError::disposition), disposition, "{key}: {outcome:?}");
        check(outcome.map(|it| it.recording.bytes()).map_err(|error| format!("{error:?}")), expect);
    }
}

#[tokio::test]
async fn an_object_is_asked_for_by_path_and_signed() {
    let (address, asked) = s3().await;
    let config = buckets_at(&format!("http://{address}"), &["127.0.0.0/8"]);
    check(fetch(&config, &wanted("s3://old.recordings/two%20words/%25/200-7")).await, Ok(7));
    let unsigned =
        config::ObjectStore { access_key_id: None, secret_access_key: None, ..config.objects.clone() };
    let unsigned = config::Store { objects: unsigned, ..config };
    check(fetch(&unsigned, &wanted("s3://recordings/200-7")).await, Ok(7));
    let asked = asked.lock().expect("not poisoned");
    let [signed, unsigned] = asked.as_slice() else { panic!("asked {} times", asked.len()) };
    assert!(signed.starts_with("GET /old.recordings/two%20words/%25/200-7 HTTP/1.1\r\n"), "{signed}");
    let authorization =
        signed.lines().find(|line| line.to_lowercase().starts_with("authorization: ")).expect("one");
    assert!(authorization.contains("AWS4-HMAC-SHA256 Credential=AKIATEST/"), "{authorization}");
    assert!(authorization.contains("/eu-central-1/s3/aws4_request"), "{authorization}");
    assert!(!signed.contains("hunter2"));
    assert!(!unsigned.to_lowercase().contains("authorization"), "{unsigned}");
}

/// The bucket and the key come from an event: they must not reach another bucket, another host or us.
#[tokio::test]
async fn no_object_outside_of_the_buckets() {
    let (address, asked) = s3().await;
    let config = buckets_at(&format!("http://{address}"), &["127.0.0.0/8"]);
    for (uri, expect) in [
        ("s3://secrets/200-7", "BucketForbidden"),
        ("s3://Recordings/200-7", "BucketForbidden"),
        ("s3://recordings./200-7", "BucketForbidden"),
        ("s3://user@recordings/200-7", "BucketForbidden"),
        ("s3://recordings:443/200-7", "BucketForbidden"),
        ("s3://recordings%2f..%2fsecrets/200-7", "BucketForbidden"),
        ("s3:///recordings/200-7", "BucketForbidden"),
        ("s3://recordings/../secrets/200-7", "BadPath"),
        ("s3://recordings/a/../../secrets/200-7", "BadPath"),
        ("s3://recordings/%2e%2e/secrets/200-7", "BadPath"),
        ("s3://recordings/..%2fsecrets/200-7", "BadPath"),
        ("s3://recordings//200-7", "BadPath"),
        ("s3://recordings/", "BadPath"),
        ("s3://recordings/200-7?versionId=1", "BadPath"),
        ("s3://recordings/200-7#x", "BadPath"),
        ("s3://recordings/a\\..\\200-7", "BadPath"),
    ] {
        check(fetch(&config, &wanted(uri)).await, Err(expect));
    }
    assert_eq!(asked.lock().expect("not poisoned").as_slice(), &[] as &[String]);
    check(fetch(&config, &wanted("s3://recordings/%252e%252e/200-7")).await, Ok(7));
    assert!(asked.lock().expect("not poisoned")[0].starts_with("GET /recordings/%252e%252e/200-7 "));
}

/// The endpoint's address is checked like any other.
#[tokio::test]
async fn an_endpoint_in_a_network_that_is_not_named() {
    let trap = Trap::open().await;
    let config = buckets_at(&format!("http://127.0.0.1:{}", trap.port()), &[]);
    check(fetch(&config, &wanted("s3://recordings/200-7")).await, Err("AddressForbidden"));
    let named = buckets_at(&format!("http://localhost:{}", trap.port()), &[]);
    check(fetch(&named, &wanted("s3://recordings/200-7")).await, Err("AddressForbidden"));
    let tls_only = config::Store { plain_http: false, ..buckets_at("http://127.0.0.1:9", &["127.0.0.0/8"]) };
    check(fetch(&tls_only, &wanted("s3://recordings/200-7")).await, Err("SchemeForbidden"));
    trap.assert_untouched().await;
}

#[tokio::test]
async fn no_error_repeats_bucket_key_or_credentials() {
    let (address, _) = s3().await;
    let config = buckets_at(&format!("http://{address}"), &["127.0.0.0/8"]);
    for key in
        ["SECRET/403-AccessDenied", "SECRET/500-InternalError", "SECRET/404-NoSuchKey", "SECRET/200-cut"]
    {
        let error =
            open(&config).fetch(&wanted(format!("s3://recordings/{key}"))).await.expect_err("refused");
        let said = format!("{error} {error:?}");
        assert!(
            ["SECRET", "recordings/", "AKIA", "hunter2"].iter().all(|word| !said.contains(word)),
            "{said}"
        );
    }
    assert!(!format!("{:?} {:?}", config, open(&config)).contains("hunter2"));
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is logged while a store is opened.
fn said_of(config: &config::Store) -> String {
    let log = Log::default();
    let writer = log.clone();
    let filter = tracing_subscriber::EnvFilter::new("warn");
    // While there is one subscriber alone, a thread of another test, which has none, can be the first at a message and
    // tell for all threads that nobody listens to it.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let lines = crate::telemetry::lines(config::LogFormat::Text, filter, move || writer.clone(), false);
    tracing::subscriber::with_default(lines, || drop(open(config)));
    String::from_utf8_lossy(&log.0.lock().expect("not poisoned")).into_owned()
}

#[tokio::test]
async fn buckets_without_credentials_are_warned_of_once() {
    let signed = buckets_at("http://127.0.0.1:9", &["127.0.0.0/8"]);
    assert_eq!(said_of(&signed), "");
    let unsigned =
        config::ObjectStore { access_key_id: None, secret_access_key: None, ..signed.objects.clone() };
    let said = said_of(&config::Store { objects: unsigned, ..signed });
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("store.s3 has no credentials") && said.contains("old.recordings"), "{said}");
    assert_eq!(said_of(&config(&[])), "");
}
