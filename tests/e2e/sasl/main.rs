//! Logins: by each mechanism a call is assessed, a wrong one is explained, and no password is in any log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod doorkeeper;
mod users;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use callqa_tests::calls::Recordings;
use callqa_tests::{
    Authority, Broker, Launch, Outcome, callqa_with, free_address, tansu, tls_is_here, wait_for,
};
use doorkeeper::Doorkeeper;

const PATIENCE: Duration = Duration::from_secs(60);
const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];
/// As unlike any other word as the right one.
const WRONG_PASSWORD: &str = "ocelot-barley-9352";
/// `{"sub":"nobody","exp":4102444800}`, signed by nobody.
const WRONG_TOKEN: &str = "e30.eyJzdWIiOiJub2JvZHkiLCJleHAiOjQxMDI0NDQ4MDB9.b2NlbG90";

/// What a client is told about the login.
struct Login {
    options: Vec<(&'static str, String)>,
    /// The token's file lies here.
    _folder: tempfile::TempDir,
}

impl Login {
    fn right(mechanism: &str) -> Self {
        Self::new(mechanism, users::PASSWORD, users::TOKEN)
    }

    fn wrong(mechanism: &str) -> Self {
        Self::new(mechanism, WRONG_PASSWORD, WRONG_TOKEN)
    }

    fn new(mechanism: &str, password: &str, token: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = vec![
            ("SECURITY_PROTOCOL", "SASL_PLAINTEXT".to_owned()),
            ("SASL_MECHANISM", mechanism.to_owned()),
        ];
        if mechanism == "OAUTHBEARER" {
            let file = folder.path().join("token");
            std::fs::write(&file, token).unwrap();
            options.push(("SASL_OAUTHBEARER_CONFIG", format!("token_file={}", file.display())));
        } else {
            options.push(("SASL_USERNAME", users::NAME.to_owned()));
            options.push(("SASL_PASSWORD", password.to_owned()));
        }
        Self { options, _folder: folder }
    }

    fn over_tls(mut self, authority: &Path) -> Self {
        self.options[0].1 = "SASL_SSL".to_owned();
        self.options.push(("SSL_CA_LOCATION", authority.display().to_string()));
        self
    }

    fn callqa(&self, brokers: &str, arguments: &[&str]) -> Outcome {
        let names: Vec<String> =
            self.options.iter().map(|(name, _)| format!("CALLQA_KAFKA__CLIENT__{name}")).collect();
        let settings: Vec<(&str, String)> = names
            .iter()
            .zip(&self.options)
            .map(|(name, (_, value))| (name.as_str(), value.clone()))
            .collect();
        callqa_with(brokers, arguments, &settings)
    }

    fn worker(&self, brokers: &str, root: &Path) -> Launch {
        let launch =
            Launch::scripted(brokers, root).set("kafka.client.debug", "security,broker,protocol").talkative();
        self.options
            .iter()
            .fold(launch, |launch, (name, value)| launch.set(&format!("kafka.client.{name}"), value))
    }

    /// The topics are made once the broker is there.
    fn create_topics(&self, brokers: &str) {
        let created = wait_for(PATIENCE, || {
            (self.callqa(brokers, &["topics", "create"]).code == Some(0)).then_some(())
        });
        assert!(
            created.is_some(),
            "topics are created: {}",
            self.callqa(brokers, &["topics", "create"]).stderr
        );
    }
}

#[test]
fn a_call_is_assessed_after_a_login_by_each_mechanism() {
    let (open, guarded) = (free_address(), free_address());
    let doorkeeper = Doorkeeper::start(&guarded, &open, &MECHANISMS);
    // Whoever asks the broker for its address gets that of the doorkeeper: nothing goes around it.
    let _broker = Broker::spawn(Command::new(tansu()), &open, &guarded);
    Login::right("PLAIN").create_topics(&guarded);
    let recordings = Recordings::write();
    for (number, mechanism) in (1..).zip(MECHANISMS) {
        let login = Login::right(mechanism);
        let worker = login.worker(&guarded, recordings.root()).start();
        let before = doorkeeper.admitted(mechanism);
        assert!(before > 0, "{mechanism}: the worker logged in");
        let recording = recordings.root().join(format!("{mechanism}.wav"));
        std::fs::copy(recordings.root().join("line-0.wav"), &recording).unwrap();
        let published = login.callqa(&guarded, &["publish", &recording.to_string_lossy()]);
        assert_eq!(published.code, Some(0), "{mechanism}: {}{}", published.stdout, published.stderr);
        let wanted = format!("it balances: received {number} = {number} + 0 + 0");
        let balanced =
            wait_for(PATIENCE, || login.callqa(&guarded, &["audit"]).stdout.contains(&wanted).then_some(()));
        assert!(balanced.is_some(), "{mechanism}: a call is assessed; the log:\n{}", worker.log());
        assert!(doorkeeper.admitted(mechanism) > before, "{mechanism}: callqa logged in");
        check_keeps_quiet(mechanism, &worker.log());
        assert_eq!(worker.stop(), Some(0));
    }
}

#[test]
fn a_wrong_login_is_explained_and_never_quoted() {
    let (open, guarded) = (free_address(), free_address());
    let doorkeeper = Doorkeeper::start(&guarded, &open, &MECHANISMS);
    let _broker = Broker::spawn(Command::new(tansu()), &open, &guarded);
    Login::right("PLAIN").create_topics(&guarded);
    // Each takes as long as a client is patient: side by side.
    std::thread::scope(|scope| {
        for mechanism in MECHANISMS {
            let (doorkeeper, guarded) = (&doorkeeper, &guarded);
            scope.spawn(move || {
                let before = doorkeeper.admitted(mechanism);
                check_refused(mechanism, guarded, &Login::wrong(mechanism), "it does not accept the login");
                assert_eq!(doorkeeper.admitted(mechanism), before, "nobody was let in");
            });
        }
    });
    let mut lost = Login::right("OAUTHBEARER");
    lost.options.pop();
    lost.options.push(("SASL_OAUTHBEARER_CONFIG", "token_file=/nowhere/token".to_owned()));
    check_refused("a lost token", &guarded, &lost, "the file of sasl.oauthbearer.config can't be read");

    let strict = free_address();
    Doorkeeper::start(&strict, &open, &["SCRAM-SHA-512"]);
    check_refused(
        "PLAIN",
        &strict,
        &Login::right("PLAIN"),
        "sasl.mechanism in kafka.client names, but SCRAM-SHA-512",
    );
}

#[test]
fn a_broker_of_its_own_that_demands_a_login_refuses_a_stranger() {
    let address = free_address();
    let mut demanding = Command::new(tansu());
    // The development broker knows SCRAM, and in memory keeps no user: all are strangers.
    demanding.args(["broker", "--authentication", "--listener-url", &format!("tcp://{address}")]);
    demanding.args([
        "--advertised-listener-url",
        &format!("tcp://{address}"),
        "--storage-engine",
        "memory://tansu/",
    ]);
    let _broker = callqa_tests::Owned(demanding.spawn().unwrap());
    let listens = wait_for(PATIENCE, || std::net::TcpStream::connect(&address).ok());
    assert!(listens.is_some(), "the broker listens");
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        check_refused(mechanism, &address, &Login::right(mechanism), "it does not accept the login");
    }
    check_refused("PLAIN", &address, &Login::right("PLAIN"), "it does not offer the mechanism");
}

#[test]
fn a_login_goes_through_tls() {
    if !tls_is_here() {
        return;
    }
    let authority = Authority::new();
    authority.issue("broker", "IP:127.0.0.1", 2);
    let (open, guarded, secure) = (free_address(), free_address(), free_address());
    let doorkeeper = Doorkeeper::start(&guarded, &open, &MECHANISMS);
    let _broker = Broker::spawn(Command::new(tansu()), &open, &secure);
    let _tunnel = authority.tunnel("broker", &secure, &guarded);
    let ca = authority.path("ca.pem");
    let login = Login::right("SCRAM-SHA-512").over_tls(&ca);
    login.create_topics(&secure);
    let audit = login.callqa(&secure, &["audit"]);
    assert!(audit.stdout.contains("received 0"), "{}{}", audit.stdout, audit.stderr);
    assert!(doorkeeper.admitted("SCRAM-SHA-512") > 0);
    let wrong = Login::wrong("SCRAM-SHA-512").over_tls(&ca).callqa(&secure, &["audit"]);
    assert!(wrong.stderr.contains("it does not accept the login"), "{}", wrong.stderr);
}

/// `callqa` and the worker say so in one sentence, and neither says the secret.
#[track_caller]
fn check_refused(case: &str, brokers: &str, login: &Login, sentence: &str) {
    let mut worker = login.worker(brokers, Path::new("/nowhere")).spawn();
    let audit = login.callqa(brokers, &["audit"]);
    assert_eq!(audit.code, Some(1), "{case}: {}{}", audit.stdout, audit.stderr);
    assert!(audit.stderr.contains(sentence), "{case}: {sentence:?} is not in\n{}", audit.stderr);
    assert_eq!(audit.stderr.lines().count(), 1, "{case}: one sentence: {}", audit.stderr);
    check_keeps_quiet(case, &audit.stderr);

    let ended = wait_for(PATIENCE, || worker.ended());
    let log = worker.log();
    assert_eq!(ended.and_then(|status| status.code()), Some(1), "{case}: {log}");
    let last = log.lines().last().unwrap_or_default();
    assert!(last.contains(sentence), "{case}: {sentence:?} is not in\n{last}");
    assert!(log.lines().count() > 10, "{case}: the log is one that tells much");
    check_keeps_quiet(case, &log);
}

/// Neither a password nor a token is in it, nor the longest part of one that base64 leaves as it is.
#[track_caller]
fn check_keeps_quiet(case: &str, text: &str) {
    let secrets = [
        users::PASSWORD,
        WRONG_PASSWORD,
        users::TOKEN,
        WRONG_TOKEN,
        // The middle of what PLAIN sends and of either password, in base64.
        "cXVldHphbC1zZXNhbWUtNzA0M",
        "b2NlbG90LWJhcmxleS05MzUy",
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{case}: a secret is told");
    }
}
