//! TLS between worker and broker: a real handshake with stunnel in front of the broker, and what is said where the
//! certificate is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use callqa_tests::calls::{Line, Recordings};
use callqa_tests::{
    Authority, Broker, Launch, Outcome, callqa_with, free_address, tansu, tls_is_here, wait_for,
};

const PATIENCE: Duration = Duration::from_secs(60);
/// A certificate for so many days ended yesterday.
const EXPIRED: i32 = -1;

/// Runs `callqa` over TLS, trusting this authority, or whom the system trusts.
fn over_tls(brokers: &str, authority: Option<&Path>, arguments: &[&str]) -> Outcome {
    let mut settings = vec![("CALLQA_KAFKA__CLIENT__SECURITY_PROTOCOL", "SSL".to_owned())];
    settings.extend(authority.map(|ca| ("CALLQA_KAFKA__CLIENT__SSL_CA_LOCATION", ca.display().to_string())));
    callqa_with(brokers, arguments, &settings)
}

#[test]
fn a_worker_takes_calls_over_tls_and_a_wrong_certificate_is_explained() {
    if !tls_is_here() {
        return;
    }
    let authority = Authority::new();
    authority.issue("good", "IP:127.0.0.1", 2);
    let (plain, secure) = (free_address(), free_address());
    // Whoever asks the broker for its address gets that of the tunnel: nothing goes around it.
    let _broker = Broker::spawn(Command::new(tansu()), &plain, &secure);
    let _tunnel = authority.tunnel("good", &secure, &plain);
    let (ca, stranger) = (authority.path("ca.pem"), None);
    let created = wait_for(PATIENCE, || {
        (over_tls(&secure, Some(&ca), &["topics", "create"]).code == Some(0)).then_some(())
    });
    assert!(created.is_some(), "topics are created over TLS");

    let recordings = Recordings::write();
    let worker = Launch::scripted(&secure, recordings.root())
        .set("kafka.client.security_protocol", "SSL")
        .set("kafka.client.ssl_ca_location", &ca.to_string_lossy())
        .start();
    over_tls_publish(&authority, &secure, &recordings);
    let balanced = wait_for(PATIENCE, || {
        let audit = over_tls(&secure, Some(&ca), &["audit"]);
        audit.stdout.contains("it balances: received 1 = 1 + 0 + 0").then_some(())
    });
    assert!(balanced.is_some(), "a call is assessed over TLS; the log:\n{}", worker.log());
    assert_eq!(worker.stop(), Some(0));

    check(
        &over_tls(&secure, stranger, &["audit"]),
        &["is not trusted", "ssl.ca.location", "issuer certificate"],
    );
    check(&over_tls(&plain, Some(&ca), &["audit"]), &["not speak TLS", "security.protocol"]);
    // A tunnel hangs up on whoever speaks plainly, and says no word: all that is known is that nobody answered.
    check(&callqa_with(&secure, &["audit"], &[]), &["no Kafka broker answered"]);
    check_worker(&secure, stranger, &["is not trusted"]);
}

#[test]
fn a_certificate_that_has_expired_or_is_for_another_name_is_explained() {
    if !tls_is_here() {
        return;
    }
    let authority = Authority::new();
    let ca = authority.path("ca.pem");
    let wrong: [(&str, &str, i32, &[&str]); 3] = [
        ("expired", "IP:127.0.0.1", EXPIRED, &["is no longer valid", "certificate has expired"]),
        (
            "elsewhere",
            "DNS:elsewhere.example",
            2,
            &["is for another name", "kafka.brokers", "IP address mismatch"],
        ),
        ("neighbour", "IP:127.0.0.2", 2, &["is for another name", "IP address mismatch"]),
    ];
    for (name, subject, days, sentence) in wrong {
        authority.issue(name, subject, days);
        // The handshake comes first: behind the tunnel nobody needs to be.
        let secure = free_address();
        let _tunnel = authority.tunnel(name, &secure, &free_address());
        let listens = wait_for(PATIENCE, || TcpStream::connect(&secure).ok());
        assert!(listens.is_some(), "stunnel listens");
        let outcome = over_tls(&secure, Some(&ca), &["audit"]);
        check(&outcome, sentence);
        assert_eq!(outcome.stderr.lines().count(), 1, "one sentence: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("ssl.ca.location"), "the authority is known: {}", outcome.stderr);
        check_worker(&secure, Some(&ca), sentence);
    }
}

/// The worker says the same in its last line, and ends.
#[track_caller]
fn check_worker(secure: &str, authority: Option<&Path>, parts: &[&str]) {
    let mut launch =
        Launch::scripted(secure, Path::new("/nowhere")).set("kafka.client.security_protocol", "SSL");
    if let Some(ca) = authority {
        launch = launch.set("kafka.client.ssl_ca_location", &ca.to_string_lossy());
    }
    let mut worker = launch.spawn();
    let ended = wait_for(PATIENCE, || worker.ended());
    let log = worker.log();
    assert_eq!(ended.and_then(|status| status.code()), Some(1), "{log}");
    let last = log.lines().last().unwrap_or_default();
    for part in parts {
        assert!(last.contains(part), "{part:?} is not in\n{last}");
    }
}

/// Events go through the tunnel too: `callqa publish` with a recording of a folder.
fn over_tls_publish(authority: &Authority, secure: &str, recordings: &Recordings) {
    let file = recordings.root().join(format!("line-{}.wav", Line::Says as u32));
    let published = over_tls(secure, Some(&authority.path("ca.pem")), &["publish", &file.to_string_lossy()]);
    assert_eq!(published.code, Some(0), "{}{}", published.stdout, published.stderr);
}

#[track_caller]
fn check(outcome: &Outcome, parts: &[&str]) {
    assert_eq!(outcome.code, Some(1), "{}{}", outcome.stdout, outcome.stderr);
    for part in parts {
        assert!(outcome.stderr.contains(part), "{part:?} is not in\n{}", outcome.stderr);
    }
}
