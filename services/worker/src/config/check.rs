//! What settings must not be, alone or together.

use std::path::Path;
use std::time::Duration;

use super::reader::Reader;
use super::{ByteSize, Config, Kafka, MOST_ANALYSTS, Store};

/// Kafka's own limit for the name of a topic.
const TOPIC_NAME_BYTES: usize = 249;

/// Where the kernel shows processes, devices and itself as files.
const SYSTEM_FOLDERS: [&str; 3] = ["/proc", "/sys", "/dev"];

/// The program itself and a stereo call of two minutes take 48 MiB of address space, where 32 MiB do not suffice.
const LEAST_TO_DECODE: ByteSize = ByteSize::mebibytes(64);

/// Kafka's default for group.min.session.timeout.ms.
const SHORTEST_SESSION: Duration = Duration::from_secs(6);

/// Options of librdkafka that the worker's promises rest on, under each of their names.
const OUR_OPTIONS: [(&str, &str); 18] = [
    ("bootstrap.servers", "set kafka.brokers"),
    ("metadata.broker.list", "set kafka.brokers"),
    ("group.id", "set kafka.group"),
    ("group.instance.id", "set kafka.instance_id"),
    ("session.timeout.ms", "set kafka.session_timeout"),
    ("max.poll.interval.ms", "set kafka.max_poll_interval"),
    ("heartbeat.interval.ms", "/ready knows by the heartbeats whether the broker answers"),
    ("enable.auto.commit", "offsets are committed only up to the first call without an ending"),
    ("enable.auto.offset.store", "offsets are committed only up to the first call without an ending"),
    ("auto.offset.reset", "a new group must start at the oldest call, or calls would be passed over"),
    ("partition.assignment.strategy", "a rebalance must leave running calls alone"),
    ("enable.idempotence", "a retried row must not be written twice"),
    ("acks", "an ending is durable only on all replicas"),
    ("request.required.acks", "an ending is durable only on all replicas"),
    ("delivery.timeout.ms", "after it a row is sent anew, and /ready tells that results are not taken"),
    ("message.timeout.ms", "after it a row is sent anew, and /ready tells that results are not taken"),
    ("statistics.interval.ms", "they tell of failed commits, of the lag, and of a silent broker"),
    ("allow.auto.create.topics", "a missing topic must be noticed, not made with one partition"),
];

/// Second names of options that the worker sets unless it is told otherwise.
const SECOND_NAMES: [(&str, &str); 2] =
    [("compression.codec", "compression.type"), ("queue.buffering.max.ms", "linger.ms")];

/// Notes everything that is wrong with settings that could be read one by one.
pub fn check(config: &Config, reader: &mut Reader) {
    check_kafka(&config.kafka, reader);
    check_topics(&config.kafka, reader);
    check_store(&config.store, reader);
    let analysts = &config.analysts;
    if analysts.count == 0 || analysts.count > MOST_ANALYSTS {
        let what =
            format!("{} is not between 1 and {MOST_ANALYSTS}; leave it out for one a core", analysts.count);
        reader.mistake("analysts.count", what);
    }
    if analysts.crashes == 0 {
        reader.mistake("analysts.crashes", "0 would dead-letter every call untried");
    }
    if let Some(folder) = config.journal.as_ref().filter(|folder| !folder.is_absolute()) {
        let what = format!(
            "`{}` is not an absolute path; another start in another folder would not find it again",
            folder.display()
        );
        reader.mistake("journal.folder", what);
    }
    if analysts.attempts == 0 {
        reader.mistake("analysts.attempts", "0 would dead-letter every call untried");
    }
    for (key, wait, consequence) in [
        ("analysts.deadline", analysts.deadline, "every call would run out of time"),
        ("store.fetch_timeout", config.store.fetch_timeout, "no recording could be fetched"),
        ("limits.recording_duration", config.limits.recording_duration, "every recording would be too long"),
    ] {
        if wait.is_zero() {
            reader.mistake(key, format!("0s means that {consequence}"));
        }
    }
    check_sizes(config, reader);
}

fn check_sizes(config: &Config, reader: &mut Reader) {
    let (largest, budget) = (config.limits.recording_bytes, config.store.bytes_in_flight);
    if largest.0 == 0 {
        reader.mistake("limits.recording_bytes", "0 would refuse every recording");
    }
    if largest > budget {
        let what = format!(
            "{budget} must not be less than limits.recording_bytes ({largest}), or a recording of that size would \
             wait for ever"
        );
        reader.mistake("store.bytes_in_flight", what);
    }
    let memory = config.decoding.memory;
    if memory < LEAST_TO_DECODE {
        let what =
            format!("{memory} is less than {LEAST_TO_DECODE}, and no child could decode an ordinary call");
        reader.mistake("decoding.memory", what);
    }
    if !matches!(config.limits.recording_channels, 1 | 2) {
        let what =
            format!("{} is neither 1 nor 2, and more can't be told apart", config.limits.recording_channels);
        reader.mistake("limits.recording_channels", what);
    }
}

fn check_kafka(kafka: &Kafka, reader: &mut Reader) {
    if kafka.brokers.split(',').all(|broker| broker.trim().is_empty()) {
        reader.mistake("kafka.brokers", "names no broker; write host:port, several with commas");
    }
    if kafka.group.trim().is_empty() {
        reader.mistake("kafka.group", "is empty; without a group no offset can be committed");
    }
    if kafka.session_timeout < SHORTEST_SESSION {
        let what = format!(
            "{} is less than {}, and brokers refuse such a member (group.min.session.timeout.ms)",
            humantime::format_duration(kafka.session_timeout),
            humantime::format_duration(SHORTEST_SESSION)
        );
        reader.mistake("kafka.session_timeout", what);
    }
    if kafka.max_poll_interval < kafka.session_timeout {
        let what = format!(
            "{} must not be shorter than kafka.session_timeout ({}), or the client refuses to start",
            humantime::format_duration(kafka.max_poll_interval),
            humantime::format_duration(kafka.session_timeout)
        );
        reader.mistake("kafka.max_poll_interval", what);
    }
    for (option, why) in OUR_OPTIONS {
        if kafka.client.contains_key(option) {
            reader.mistake(&format!("kafka.client.{option}"), format!("is the worker's own: {why}"));
        }
    }
    for (option, name) in SECOND_NAMES {
        if kafka.client.contains_key(option) {
            let what = format!(
                "is another name of {name}; set that, or chance decides whether ours or yours counts"
            );
            reader.mistake(&format!("kafka.client.{option}"), what);
        }
    }
}

fn check_topics(kafka: &Kafka, reader: &mut Reader) {
    let topics = &kafka.topics;
    if topics.calls.is_empty() {
        reader.mistake("kafka.topics.calls", "names no topic; there would be nothing to do");
    }
    let all = topics.calls.iter().map(|topic| ("kafka.topics.calls", topic.as_str())).chain(topics.written());
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (key, topic) in all {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if topic.is_empty() || topic.len() > TOPIC_NAME_BYTES || !topic.bytes().all(fits) {
            let what =
                format!("`{topic}` is no topic's name: letters, digits, `.`, `_` and `-`, at most 249");
            reader.mistake(key, what);
        } else if let Some((other, _)) = seen.iter().find(|(_, name)| *name == topic) {
            let consequence = if *other == "kafka.topics.calls" {
                "the worker would consume its own results"
            } else {
                "their rows could not be told apart"
            };
            reader.mistake(key, format!("is {other} too (`{topic}`): {consequence}"));
        }
        seen.push((key, topic));
    }
}

fn check_store(store: &Store, reader: &mut Reader) {
    for root in &store.file_roots {
        let shown = root.display();
        if !root.is_absolute() {
            let what = format!(
                "`{shown}` is not an absolute path; it would change with the folder that the worker is started in"
            );
            reader.mistake("store.file_roots", what);
        }
        if root == Path::new("/") || SYSTEM_FOLDERS.iter().any(|folder| root.starts_with(folder)) {
            let what = format!(
                "`{shown}` holds files that are no recordings; an event could have the system's own read"
            );
            reader.mistake("store.file_roots", what);
        }
    }
    if store.plain_http && store.hosts.is_empty() && store.objects.buckets.is_empty() {
        reader.mistake(
            "store.plain_http",
            "is true, but store.hosts names no host; nothing would be fetched by http",
        );
    }
    check_objects(store, reader);
}

fn check_objects(store: &Store, reader: &mut Reader) {
    let objects = &store.objects;
    let is_plain = objects.endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() == "http");
    if is_plain && !store.plain_http {
        reader
            .mistake("store.s3.endpoint", "is http, but store.plain_http is false; nothing would be fetched");
    }
    if objects.endpoint.is_some() && objects.buckets.is_empty() {
        reader.mistake(
            "store.s3.buckets",
            "names no bucket, but store.s3.endpoint is set; nothing would be fetched",
        );
    }
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    for bucket in &objects.buckets {
        if !bucket.bytes().all(fits) || !bucket.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            let what = format!("`{bucket}` is no bucket's name: lower-case letters, digits, `.` and `-`");
            reader.mistake("store.s3.buckets", what);
        }
    }
    let is_signed = [&objects.access_key_id, &objects.secret_access_key].map(Option::is_some);
    if !objects.buckets.is_empty() && is_signed[0] != is_signed[1] {
        let what = "and store.s3.secret_access_key belong together; with one alone nothing could be signed";
        reader.mistake("store.s3.access_key_id", what);
    }
}
