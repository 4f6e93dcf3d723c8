//! Every mistake, with what the operator reads.

use super::*;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("worker.toml");
    std::fs::write(&path, file).expect("written");
    Config::load(Some(&path), environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

#[track_caller]
fn check(file: &str, letter: &str) {
    assert_eq!(load(file, &[]).expect_err("a mistake").to_string(), letter);
}

#[test]
fn nothing_need_be_set() {
    load("", &[]).expect("defaults");
}

/// What the documentation calls a default is one, and no setting goes without a word.
#[test]
fn the_documented_defaults_are_the_defaults() {
    let documented = include_str!("../../../../deploy/worker.toml");
    assert_eq!(load(documented, &[]).expect("valid"), load("", &[]).expect("valid"));
    let mut reader = Reader::new(toml::Table::new(), []);
    Config::read(&mut reader);
    for key in reader.known() {
        let name = key.rsplit('.').next().expect("a name");
        assert!(
            documented.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{name} = "))),
            "{key}"
        );
    }
}

#[test]
fn all_mistakes_come_at_once() {
    check(
        "[kafka]\nbrokres = 'a:1'\nsession_timeout = '10m'\n[analysts]\ncount = 0\n[kafka.topics]\nresults = 'qa.calls.recorded.v1'",
        "worker.toml: 4 mistakes\n  \
         kafka.max_poll_interval  5m must not be shorter than kafka.session_timeout (10m), or the client refuses to start\n  \
         kafka.topics.results     is kafka.topics.calls too (`qa.calls.recorded.v1`): the worker would consume its own results\n  \
         analysts.count           0 is not between 1 and 512; leave it out for one a core\n  \
         kafka.brokres            is not a setting; did you mean kafka.brokers?",
    );
}

#[track_caller]
fn check_one(file: &str, key: &str, what: &str) {
    let Err(ConfigError::Mistakes { mistakes, .. }) = load(file, &[]) else { panic!("a mistake") };
    assert_eq!(mistakes, [Mistake { key: key.to_owned(), what: what.to_owned() }]);
}

#[test]
fn wrong_types() {
    check_one(
        "stop.drain_timeout = 25",
        "stop.drain_timeout",
        "25 is not a duration such as \"30s\" or \"4h\"",
    );
    check_one("analysts.count = -1", "analysts.count", "-1 is not a whole number from 0");
    check_one("log.format = 'xml'", "log.format", "\"xml\" is neither \"json\" nor \"text\"");
    check_one(
        "store.hosts = ['https://a/b']",
        "store.hosts",
        "\"https://a/b\" is not a host such as \"media.example.com\", \"*.example.com\" or \"10.2.3.4:9000\"",
    );
    check_one(
        "store.private_networks = '10.2.0.0'",
        "store.private_networks",
        "\"10.2.0.0\" is not a network such as \"10.2.0.0/16\"",
    );
    check_one("kafka.client = 'x'", "kafka.client", "is a table of options");
    check_one(
        "http.listen = 'localhost'",
        "http.listen",
        "\"localhost\" is not an address such as \"0.0.0.0:9464\"",
    );
}

#[test]
fn settings_that_do_not_fit_together() {
    check_one(
        "store.bytes_in_flight = '100 MiB'",
        "store.bytes_in_flight",
        "100 MiB must not be less than limits.recording_bytes (512 MiB), or a recording of that size would wait for ever",
    );
    check_one(
        "store.plain_http = true",
        "store.plain_http",
        "is true, but store.hosts names no host; nothing would be fetched by http",
    );
    check_one(
        "kafka.topics.findings = 'qa.results.v1'",
        "kafka.topics.findings",
        "is kafka.topics.results too (`qa.results.v1`): their rows could not be told apart",
    );
    check_one(
        "kafka.client.'acks' = '1'",
        "kafka.client.acks",
        "is the worker's own: an ending is durable only on all replicas",
    );
    check_one(
        "store.file_roots = ['recordings']",
        "store.file_roots",
        "`recordings` is not an absolute path; it would change with the folder that the worker is started in",
    );
    check_one(
        "limits.recording_channels = 9",
        "limits.recording_channels",
        "9 is neither 1 nor 2, and more can't be told apart",
    );
    check_one(
        "decoding.memory = '16 MiB'",
        "decoding.memory",
        "16 MiB is less than 64 MiB, and no child could decode an ordinary call",
    );
    check_one(
        "kafka.brokers = ' , '",
        "kafka.brokers",
        "names no broker; write host:port, several with commas",
    );
}

#[test]
fn options_that_promises_rest_on_are_refused_under_each_of_their_names() {
    let durable = "an ending is durable only on all replicas";
    let noticed = "after it a row is sent anew, and /ready tells that results are not taken";
    for (option, why) in [
        ("acks", durable),
        ("request.required.acks", durable),
        ("delivery.timeout.ms", noticed),
        ("message.timeout.ms", noticed),
        ("statistics.interval.ms", "they tell of failed commits, of the lag, and of a silent broker"),
        ("allow.auto.create.topics", "a missing topic must be noticed, not made with one partition"),
    ] {
        check_one(
            &format!("kafka.client.'{option}' = '1'"),
            &format!("kafka.client.{option}"),
            &format!("is the worker's own: {why}"),
        );
    }
}

#[test]
fn options_that_are_left_to_operators_have_one_name() {
    for (option, name) in [("compression.codec", "compression.type"), ("queue.buffering.max.ms", "linger.ms")]
    {
        check_one(
            &format!("kafka.client.'{option}' = '1'"),
            &format!("kafka.client.{option}"),
            &format!("is another name of {name}; set that, or chance decides whether ours or yours counts"),
        );
        load(&format!("kafka.client.'{name}' = '1'"), &[]).expect("theirs to set");
    }
}

#[test]
fn a_session_that_brokers_refuse() {
    check_one(
        "kafka.session_timeout = '5s'",
        "kafka.session_timeout",
        "5s is less than 6s, and brokers refuse such a member (group.min.session.timeout.ms)",
    );
    load("kafka.session_timeout = '6s'", &[]).expect("the least");
}

#[test]
fn a_mistake_in_the_environment_names_its_variable() {
    let error = load("", &[("CALLQA_ANALYSTS__COUNT", "many")]).expect_err("a mistake");
    assert_eq!(
        error.to_string(),
        "worker.toml: 1 mistake\n  analysts.count  \"many\" is not a whole number from 0 (from CALLQA_ANALYSTS__COUNT)"
    );
}

/// Whatever is right or wrong with them: secrets are in no print, and so in no log.
#[test]
fn secrets_are_in_no_print() {
    let secrets = "kafka.client.'sasl.password' = 'hunter2'\nkafka.client.'ssl.key.pem' = 'hunter2'\n\
                   store.s3.access_key_id = 'hunter2'\nstore.s3.secret_access_key = 'hunter2'\n\
                   store.s3.session_token = 'hunter2'\n";
    let config = load(secrets, &[]).expect("valid");
    assert_eq!(config.kafka.client["sasl.password"].expose(), "hunter2");
    let printed = format!("{config:?} {config:#?}");
    assert!(!printed.contains("hunter2") && printed.matches("***").count() == 10, "{printed}");
    for wrong in [
        "kafka.client.'sasl.password' = ['hunter2']",
        "kafka.client.sasl_pasword.x.y = ['hunter2']",
        "store.s3.secret_access_key = ['hunter2']",
        "store.s3.secret_acces_key = 'hunter2'",
        "store.s3.endpoint = 'https://user:hunter2@s3.example.com'",
        "store.s3.secret_access_key = 'hunter2",
        "store.s3.secret_access_key = hunter2",
        "[kafka.client]\n'sasl.password' = 'a'\n'sasl.password' = 'hunter2'",
    ] {
        let error = load(wrong, &[]).expect_err("a mistake");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_by_line() {
    let error = load("[kafka]\nbrokers = 'a:1'\ngroup = 'x", &[]).expect_err("no TOML").to_string();
    assert!(error.contains("worker.toml: line 3: "), "{error}");
}

#[test]
fn an_object_store_that_does_not_fit_together() {
    check_one(
        "store.s3.buckets = ['a']\nstore.s3.access_key_id = 'x'",
        "store.s3.access_key_id",
        "and store.s3.secret_access_key belong together; with one alone nothing could be signed",
    );
    check_one(
        "store.s3.endpoint = 'http://minio:9000'\nstore.s3.buckets = ['a']",
        "store.s3.endpoint",
        "is http, but store.plain_http is false; nothing would be fetched",
    );
    check_one(
        "store.s3.endpoint = 'https://minio:9000'",
        "store.s3.buckets",
        "names no bucket, but store.s3.endpoint is set; nothing would be fetched",
    );
    check_one(
        "store.s3.buckets = ['../a']",
        "store.s3.buckets",
        "`../a` is no bucket's name: lower-case letters, digits, `.` and `-`",
    );
    check_one(
        "store.s3.endpoint = 'https://user:secret@s3.example.com'\nstore.s3.buckets = ['a']",
        "store.s3.endpoint",
        "is not an address such as \"https://s3.example.com\", without user, path and query",
    );
}

#[test]
fn roots_that_hold_no_recordings() {
    for root in ["/", "/proc", "/proc/self/fd", "/dev", "/sys/kernel"] {
        check_one(
            &format!("store.file_roots = ['{root}']"),
            "store.file_roots",
            &format!(
                "`{root}` holds files that are no recordings; an event could have the system's own read"
            ),
        );
    }
}

/// The digest is part of every result's id: it must change with the limits, and with nothing else.
#[test]
fn the_digest_is_of_the_limits_alone() {
    let digest = |file: &str| load(file, &[]).expect("valid").limits.digest();
    assert_eq!(digest(""), digest("analysts.count = 7\nkafka.group = 'other'"));
    assert_ne!(digest(""), digest("limits.recording_duration = '1h'"));
    assert_ne!(digest(""), digest("limits.recording_bytes = '1 MiB'"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Some(Path::new("/nowhere/worker.toml")), []).expect_err("no file");
    assert!(error.to_string().starts_with("/nowhere/worker.toml: "), "{error}");
}
