//! Why no broker answers, in words that help. librdkafka says what failed; what to do about it, and what is wrong
//! with a certificate, it does not.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use native_tls::{Certificate, HandshakeError, TlsConnector};

use crate::config::Kafka;

/// How long a broker may take for a handshake that is only looked at.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A bundle of every authority of the web is a quarter of this.
const LONGEST_BUNDLE: u64 = 1 << 20;

/// OpenSSL's words, as librdkafka passes them on.
const CERTIFICATE: &str = "certificate verify failed";
const NO_HANDSHAKE: &str =
    "it does not answer a TLS handshake: at this port it may not speak TLS, or security.protocol is wrong";

/// What follows is our own sentence about the token's file.
const NO_TOKEN: &str = "Failed to acquire SASL OAUTHBEARER token: ";
const NO_MECHANISM: &str = "mechanism handshake failed";
/// What follows, up to the next bracket, is what a broker offers instead; `(n/a)` where it hung up.
const OFFERS: &str = "broker's supported mechanisms: ";

/// What a part of librdkafka's words means, and what to do.
const ADVICE: [(&str, &str); 9] = [
    (
        CERTIFICATE,
        "its certificate is not trusted; ssl.ca.location in kafka.client names the file of the authority that issued it",
    ),
    (
        "connecting to a PLAINTEXT",
        "it does not speak TLS at this port; another port may, or security.protocol is wrong",
    ),
    ("in state SSL_HANDSHAKE", NO_HANDSHAKE),
    (
        "wrong version number",
        "it does not speak TLS at this port; another port may, or security.protocol is wrong",
    ),
    (
        "connecting to a SSL listener?",
        "it seems to expect TLS; set security.protocol = SSL or SASL_SSL in kafka.client",
    ),
    (
        "might require SASL",
        "it seems to expect a login; set security.protocol = SASL_SSL and sasl.* in kafka.client",
    ),
    (
        "client SSL authentication might",
        "it wants a certificate of ours; set ssl.certificate.location and ssl.key.location",
    ),
    (NO_MECHANISM, "it does not offer the mechanism that sasl.mechanism in kafka.client names"),
    (
        "SASL",
        "it does not accept the login; check sasl.mechanism, sasl.username and sasl.password (or the token's file) in kafka.client",
    ),
];

/// What a fault of a certificate means, and what to do. Where none of these is meant, the authority is unknown.
const FAULTS: [(&str, &str); 3] = [
    (
        "has expired",
        "its certificate is no longer valid; whoever runs the broker renews it, unless the clock here is wrong",
    ),
    (
        "not yet valid",
        "its certificate is not valid yet; the clock here is wrong, or was where it was issued",
    ),
    (
        "mismatch",
        "its certificate is for another name; kafka.brokers and the broker's advertised.listeners must use one that stands in it",
    ),
];

/// A sentence about why no broker answers, from the last that the client said.
#[must_use]
pub fn explain(kafka: &Kafka, said: &str) -> String {
    if let Some((_, why)) = said.split_once(NO_TOKEN) {
        return why.to_owned();
    }
    let advice = ADVICE.iter().find(|(part, _)| said.contains(part));
    let is_tls = kafka
        .client
        .get("security.protocol")
        .is_some_and(|protocol| protocol.expose().to_ascii_uppercase().ends_with("SSL"));
    match advice {
        Some((CERTIFICATE, advice)) => match handshake(kafka, said) {
            Some(Handshake::Fault(fault)) => of_certificate(&fault, advice),
            _ => (*advice).to_owned(),
        },
        Some((NO_MECHANISM, advice)) => match offered(said) {
            Some(offered) => format!("{advice}, but {offered}"),
            None => (*advice).to_owned(),
        },
        Some((_, advice)) => (*advice).to_owned(),
        None if is_tls && matches!(handshake(kafka, said), Some(Handshake::Silent)) => {
            NO_HANDSHAKE.to_owned()
        }
        None => said.to_owned(),
    }
}

/// The mechanisms that a broker offers, where it says so.
fn offered(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once(OFFERS)?;
    let offered = rest.split('(').next()?.trim();
    (!offered.is_empty()).then_some(offered)
}

/// OpenSSL's words for the fault stay, in brackets: they are what a search finds.
fn of_certificate(fault: &str, otherwise: &str) -> String {
    let advice = FAULTS.iter().find(|(part, _)| fault.contains(part)).map_or(otherwise, |(_, advice)| advice);
    format!("{advice} ({fault})")
}

/// How a handshake went.
enum Handshake {
    /// This is wrong with the certificate: `certificate has expired`, `IP address mismatch`.
    Fault(String),
    /// Nothing came.
    Silent,
}

/// A handshake of our own with the broker that is spoken of; `None` where it went well, or there is no connection.
fn handshake(kafka: &Kafka, said: &str) -> Option<Handshake> {
    let broker = named(said).or_else(|| kafka.brokers.split(',').next())?.trim();
    let (host, _) = broker.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut connector = TlsConnector::builder();
    for certificate in authorities(kafka).unwrap_or_default() {
        connector.add_root_certificate(certificate);
    }
    let address = broker.to_socket_addrs().ok()?.next()?;
    let stream = TcpStream::connect_timeout(&address, HANDSHAKE).ok()?;
    stream.set_read_timeout(Some(HANDSHAKE)).ok()?;
    match connector.build().ok()?.connect(host, stream) {
        Err(HandshakeError::Failure(error)) => in_brackets(&error.to_string()).map(Handshake::Fault),
        Err(HandshakeError::WouldBlock(_)) => Some(Handshake::Silent),
        Ok(_) => None,
    }
}

/// The `host:port` in what the client says (`ssl://kafka-1:9093/1: …`): brokers send their clients to further ones.
fn named(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("ssl://")?;
    Some(rest.split_once('/')?.0)
}

fn authorities(kafka: &Kafka) -> Option<Vec<Certificate>> {
    let path = kafka.client.get("ssl.ca.location")?.expose();
    let is_small = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LONGEST_BUNDLE);
    let pem = if is_small { std::fs::read(path).ok()? } else { return None };
    Certificate::stack_from_pem(&pem).ok()
}

/// The library's words end with the fault in brackets.
fn in_brackets(words: &str) -> Option<String> {
    let (_, rest) = words.rsplit_once('(')?;
    Some(rest.trim_end_matches(')').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[track_caller]
    fn check(said: &str, part: &str) {
        let kafka = Config::load(None, []).expect("defaults").kafka;
        let explained = explain(&kafka, said);
        assert!(explained.contains(part), "{explained}");
    }

    #[test]
    fn what_the_client_says_becomes_what_to_do() {
        check(
            "sasl_ssl://a:1/bootstrap: SASL authentication error: Authentication failed (after 4ms in state AUTH_REQ)",
            "does not accept the login",
        );
        check(
            "a:1: SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported \
             mechanisms: SCRAM-SHA-256,SCRAM-SHA-512 (after 2ms in state AUTH_HANDSHAKE)",
            "names, but SCRAM-SHA-256,SCRAM-SHA-512",
        );
        check(
            "a:1: SASL PLAIN mechanism handshake failed: broker's supported mechanisms: (n/a)",
            "client names",
        );
        check("Failed to acquire SASL OAUTHBEARER token: the file holds no token", "the file holds no token");
        check(
            "ssl://a:1: SSL handshake failed: error:0A00010B:SSL routines::wrong version number",
            "does not speak TLS",
        );
        check(
            "a:1: Disconnected: requesting ApiVersion: might be caused by incorrect security.protocol configuration \
             (connecting to a SSL listener?) or broker version is < 0.10",
            "set security.protocol = SSL",
        );
        check("a:1: Connect to ipv4#127.0.0.1:1 failed: Connection refused", "Connection refused");
    }

    #[test]
    fn what_is_wrong_with_a_certificate_becomes_what_to_do() {
        let advice = |fault| of_certificate(fault, "an unknown authority");
        assert!(advice("certificate has expired").starts_with("its certificate is no longer valid;"));
        assert!(advice("certificate is not yet valid").starts_with("its certificate is not valid yet;"));
        assert!(advice("hostname mismatch").starts_with("its certificate is for another name;"));
        assert_eq!(advice("self-signed certificate"), "an unknown authority (self-signed certificate)");
    }

    #[test]
    fn the_broker_that_is_spoken_of_is_looked_at() {
        assert_eq!(
            named("sasl_ssl://kafka-1.example:9093/1: SSL handshake failed"),
            Some("kafka-1.example:9093")
        );
        assert_eq!(named("ssl://[::1]:9093/bootstrap: failed"), Some("[::1]:9093"));
        assert_eq!(named("a:1: Connection refused"), None);
    }

    #[test]
    fn the_fault_of_a_certificate_stands_in_brackets() {
        let words = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed \
                     (certificate has expired)";
        assert_eq!(in_brackets(words).as_deref(), Some("certificate has expired"));
        assert_eq!(in_brackets("no brackets"), None);
    }
}
