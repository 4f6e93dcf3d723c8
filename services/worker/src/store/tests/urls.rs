//! Addresses that an event may name to make the worker ask where it must not: none reaches the trap.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;

use super::trap::Trap;
use super::*;

/// Names that the injected resolver knows, each with its addresses.
type Zone = Vec<(&'static str, Vec<Vec<IpAddr>>)>;

/// A resolver that answers the first question for a name with its first addresses, the second with its
/// second and so on, and counts the questions.
fn resolver(zone: Zone) -> (Lookup, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |name| {
        let mut asked = log.lock().expect("not poisoned");
        let before = asked.iter().filter(|other| *other == name).count();
        asked.push(name.to_owned());
        let answers = zone.iter().find(|(known, _)| *known == name).map(|(_, answers)| answers);
        let answer = answers.and_then(|answers| answers.get(before.min(answers.len() - 1)).cloned());
        Box::pin(async move { answer.ok_or_else(|| std::io::Error::other("no such name")) })
    });
    (lookup, asked)
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

/// Every host that a URL of the table names in plain sight is allowed here, so that the address alone decides.
fn open_hearted(port: u16) -> config::Store {
    let names = [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.168.0.1",
        "172.16.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fc00::1]",
        "[ff02::1]",
        "[2001:0:4136:e378:8000:63bf:8000:fefe]",
        "[::ffff:0:7f00:1]",
        "localhost",
        "255.255.255.255",
        "224.0.0.1",
        "168.63.129.16",
        "198.18.0.1",
        "192.0.0.192",
    ];
    let patterns = names.iter().flat_map(|name| [(*name).to_owned(), format!("{name}:{port}")]);
    let mut config = config(&[]);
    config.hosts = patterns.map(|pattern| pattern.parse().expect("a pattern")).collect();
    config
}

fn with_lookup(config: &config::Store, lookup: Lookup) -> Store {
    Store::with_lookup(config, LIMIT, Arc::new(Metrics::new().expect("metrics")), lookup).expect("open")
}

/// `PORT` is the trap's. What a URL is refused for where only `media.example` is allowed, and where every
/// host is, but no private network.
const URLS: &[(&str, &str, &str)] = &[
    // Loopback, written in every way that some parser takes.
    ("http://127.0.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://2130706433:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://0x7f000001:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://0X7F.0.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://0177.0.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://0177.0.0.01:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://017700000001:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://0x7f.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127.0.0.1.:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127.1.2.3:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://%31%32%37.0.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127%2e0%2e0%2e1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://１２７.０.０.１:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127。0。0。1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127．0．0．1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://①②⑦.⓪.⓪.①:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127.0.0.256:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://127.0.0.1.1:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://256.256.256.256:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://0x100000000:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://0:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://0.0.0.0:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[::1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[0:0:0:0:0:0:0:1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[::]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[::ffff:127.0.0.1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[::ffff:7f00:1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[::127.0.0.1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[::ffff:0:127.0.0.1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[64:ff9b::127.0.0.1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[64:ff9b:1::7f00:1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[2002:7f00:1::]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[2001:0:4136:e378:8000:63bf:8000:fefe]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[::1%25lo]:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://[::1%lo]:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://[fe80::1]:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://localhost:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://LOCALHOST:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://localhost.:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://loc%61lhost:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    // Other machines' inside, and services that answer with credentials.
    ("http://10.0.0.1/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://012.0.0.1/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://172.16.0.1/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://192.168.0.1/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://3232235521/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://169.254.169.254/latest/meta-data/", "HostForbidden", "AddressForbidden"),
    ("http://2852039166/latest/meta-data/", "HostForbidden", "AddressForbidden"),
    ("http://0xa9fea9fe/latest/meta-data/", "HostForbidden", "AddressForbidden"),
    ("http://0251.0376.0251.0376/latest/meta-data/", "HostForbidden", "AddressForbidden"),
    ("http://169.254.43518/latest/meta-data/", "HostForbidden", "AddressForbidden"),
    ("http://[fd00:ec2::254]/latest/meta-data/", "HostForbidden", "AddressForbidden"),
    ("http://100.100.100.200/latest/meta-data/", "HostForbidden", "AddressForbidden"),
    ("http://168.63.129.16/machine", "HostForbidden", "AddressForbidden"),
    ("http://192.0.0.192/opc/v1/instance/", "HostForbidden", "AddressForbidden"),
    ("http://[fc00::1]/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://[ff02::1]/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://224.0.0.1/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://255.255.255.255/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://198.18.0.1/a.wav", "HostForbidden", "AddressForbidden"),
    // A host that looks allowed.
    ("http://media.example@127.0.0.1:PORT/a.wav", "HostForbidden", "HostForbidden"),
    ("http://media.example:443@127.0.0.1:PORT/a.wav", "HostForbidden", "HostForbidden"),
    ("http://127.0.0.1:PORT@media.example/a.wav", "HostForbidden", "HostForbidden"),
    ("http://user:secret@media.example/a.wav", "HostForbidden", "HostForbidden"),
    ("http://@media.example:PORT/a.wav", "HostForbidden", "HostForbidden"),
    ("http://media.example%40127.0.0.1:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://media.example%00.127.0.0.1:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://127.0.0.1:PORT#@media.example/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127.0.0.1:PORT?@media.example/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127.0.0.1:PORT\\@media.example/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://127.0.0.1:PORT/\\@media.example/a.wav", "HostForbidden", "AddressForbidden"),
    ("http:\\\\127.0.0.1:PORT\\a.wav", "HostForbidden", "AddressForbidden"),
    ("http:127.0.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http:/127.0.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http:////127.0.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("HTTP://127.0.0.1:PORT/a.wav", "HostForbidden", "AddressForbidden"),
    ("http://media.example.127.0.0.1.evil.example:PORT/a.wav", "HostForbidden", "HostForbidden"),
    ("http://notmedia.example/a.wav", "HostForbidden", "HostForbidden"),
    ("http://media.example.evil.example/a.wav", "HostForbidden", "HostForbidden"),
    ("http://evil.media.example/a.wav", "HostForbidden", "HostForbidden"),
    ("http://media.example:22/a.wav", "HostForbidden", "HostForbidden"),
    ("http://media.example:0/a.wav", "HostForbidden", "HostForbidden"),
    ("http://media.example:65536/a.wav", "NotAUri", "NotAUri"),
    ("http://mеdia.example/a.wav", "HostForbidden", "HostForbidden"), // a Cyrillic letter
    ("http://media。example.evil.example/a.wav", "HostForbidden", "HostForbidden"),
    ("http://media.example\u{200b}.evil.example/a.wav", "HostForbidden", "HostForbidden"),
    ("http://127.0.0.1:PORT\r\nHost:media.example/a.wav", "NotAUri", "NotAUri"),
    ("http://127.0.0.1\t:PORT/a.wav", "NotAUri", "NotAUri"),
    (" http://127.0.0.1:PORT/a.wav", "NotAUri", "NotAUri"),
    ("http://", "NotAUri", "NotAUri"),
    ("http:///a.wav", "HostForbidden", "HostForbidden"),
    // Other schemes.
    ("gopher://127.0.0.1:PORT/_GET", "SchemeForbidden", "SchemeForbidden"),
    ("dict://127.0.0.1:PORT/info", "SchemeForbidden", "SchemeForbidden"),
    ("ftp://127.0.0.1:PORT/a.wav", "SchemeForbidden", "SchemeForbidden"),
    ("ws://127.0.0.1:PORT/a.wav", "SchemeForbidden", "SchemeForbidden"),
    ("jar:http://127.0.0.1:PORT/a.wav", "SchemeForbidden", "SchemeForbidden"),
    ("url:http://127.0.0.1:PORT/a.wav", "SchemeForbidden", "SchemeForbidden"),
    ("data:audio/wav;base64,AAAA", "SchemeForbidden", "SchemeForbidden"),
    ("javascript:alert(1)", "SchemeForbidden", "SchemeForbidden"),
    ("s3://127.0.0.1:PORT/a.wav", "BucketForbidden", "BucketForbidden"),
    ("s3://../a.wav", "BucketForbidden", "BucketForbidden"),
    ("file://127.0.0.1:PORT/a.wav", "NotAUri", "NotAUri"),
    ("file:////127.0.0.1/share/a.wav", "OutsideRoots", "OutsideRoots"),
    ("//127.0.0.1:PORT/a.wav", "NotAUri", "NotAUri"),
    ("127.0.0.1:PORT/a.wav", "NotAUri", "NotAUri"),
    ("localhost:PORT/a.wav", "SchemeForbidden", "SchemeForbidden"),
];

#[tokio::test]
async fn no_url_reaches_the_trap() {
    assert!(URLS.len() >= 80);
    assert_eq!(URLS.iter().map(|(url, ..)| url).collect::<BTreeSet<_>>().len(), URLS.len(), "each once");
    let trap = Trap::open().await;
    // Whatever the worker asks for by name leads to the trap.
    let everywhere = || -> Lookup { Arc::new(|_| Box::pin(async { Ok(addresses(&["127.0.0.1"])) })) };
    let mut strict = config(&[]);
    strict.hosts = vec!["media.example".parse().expect("a pattern")];
    let (strict, open) =
        (with_lookup(&strict, everywhere()), with_lookup(&open_hearted(trap.port()), everywhere()));
    let mut wrong = Vec::new();
    for (url, strictly, openly) in URLS {
        let wanted = wanted(url.replace("PORT", &trap.port().to_string()));
        for (store, expect) in [(&strict, strictly), (&open, openly)] {
            let outcome = store.fetch(&wanted).await.map(|fetched| fetched.recording.bytes());
            let outcome = format!("{outcome:?}");
            if !outcome.starts_with(&format!("Err({expect}")) {
                wrong.push(format!("{url}: {outcome}, not {expect}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    trap.assert_untouched().await;
}

/// A name may have any address in the hands of who owns it.
#[tokio::test]
async fn no_address_of_a_name_reaches_the_trap() {
    let trap = Trap::open().await;
    for answer in [
        &["127.0.0.1"] as &[&str],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::127.0.0.1"],
        &["2002:7f00:1::1"],
        &["0.0.0.0"],
        &["::"],
        &["10.1.2.3"],
        &["172.31.255.255"],
        &["192.168.1.1"],
        &["100.64.0.1"],
        &["169.254.169.254"],
        &["168.63.129.16"],
        &["fd00:ec2::254"],
        &["fe80::1"],
        &["224.0.0.251"],
        // One public address does not excuse another.
        &["93.184.215.14", "127.0.0.1"],
        &["2606:4700::1111", "::1"],
    ] {
        let (lookup, _) = resolver(vec![("media.example", vec![addresses(answer)])]);
        let mut config = config(&[]);
        config.hosts = vec![format!("media.example:{}", trap.port()).parse().expect("a pattern")];
        let store = with_lookup(&config, lookup);
        let url = format!("http://media.example:{}/a.wav", trap.port());
        let error = store.fetch(&wanted(url)).await.expect_err("forbidden");
        assert!(matches!(error, StoreError::AddressForbidden), "{answer:?}: {error:?}");
    }
    trap.assert_untouched().await;
}

/// DNS rebinding: the name means an allowed machine when it is checked, and the trap a moment later.
#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_asked() {
    let trap = Trap::open().await;
    let listener = TcpListener::bind(("127.0.0.2", trap.port())).await.expect("the same port");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    let answers = vec![addresses(&["127.0.0.2"]), addresses(&["127.0.0.1"]), addresses(&["127.0.0.2"])];
    let (lookup, asked) = resolver(vec![("media.example", answers)]);
    let mut config = config(&["127.0.0.2/32"]);
    config.hosts = vec![format!("media.example:{}", trap.port()).parse().expect("a pattern")];
    let store = with_lookup(&config, lookup);
    let url = format!("http://media.example:{}/200/100", trap.port());
    let fetched = store.fetch(&wanted(&url)).await.expect("the allowed machine");
    assert_eq!((fetched.recording.bytes(), asked.lock().expect("a list").len()), (100, 1), "resolved once");
    let error = store.fetch(&wanted(&url)).await.expect_err("the name means the trap now");
    assert!(matches!(error, StoreError::AddressForbidden), "{error:?}");
    assert!(store.fetch(&wanted(&url)).await.is_ok());
    trap.assert_untouched().await;
}

/// Wherever a host sends us, we do not go.
#[tokio::test]
async fn no_redirect_is_followed() {
    let trap = Trap::open().await;
    let at = server_that_redirects_to(format!("http://127.0.0.1:{}/a.wav", trap.port())).await;
    for status in [301, 302, 303, 307, 308] {
        let url = format!("http://{at}/{status}/0");
        check(fetch(&config(&["127.0.0.0/8"]), &wanted(url)).await, Err("Redirected"));
    }
    trap.assert_untouched().await;
}

/// A host that answers for ever costs no more than the time and the bytes that it is given.
#[tokio::test]
async fn a_host_that_never_ends() {
    let mut config = config(&["127.0.0.0/8"]);
    config.fetch_timeout = Duration::from_millis(300);
    for endless in ["headers", "drops", "silence"] {
        let at = endless_server(endless).await;
        let outcome = fetch(&config, &wanted(format!("http://{at}/"))).await;
        let expect = if endless == "headers" { "Unreachable" } else { "TooSlow" };
        assert!(outcome.clone().is_err_and(|error| error.starts_with(expect)), "{endless}: {outcome:?}");
    }
}

async fn server_that_redirects_to(place: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let count = stream.read(&mut request).await.expect("a request");
            let request = String::from_utf8_lossy(&request[..count]).into_owned();
            let status = request.split('/').nth(1).expect("a status").to_owned();
            let head = format!("HTTP/1.1 {status} x\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
        }
    });
    address
}

async fn endless_server(endless: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let begin =
                    if endless == "headers" { "HTTP/1.1 200 OK\r\n" } else { "HTTP/1.1 200 OK\r\n\r\n" };
                let _ = stream.write_all(begin.as_bytes()).await;
                match endless {
                    "headers" => while stream.write_all(b"x-more: and more and more\r\n").await.is_ok() {},
                    "drops" => loop {
                        if stream.write_all(b".").await.is_err() {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    },
                    _ => drop(stream.read_to_end(&mut Vec::new()).await),
                }
            });
        }
    });
    address
}
