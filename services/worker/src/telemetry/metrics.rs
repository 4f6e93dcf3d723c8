//! What is counted. Labels come from enums: never a call's id, a tenant, a URI or a text.

use std::time::Duration;

use callqa_domain::{DeadLetterReason, ExclusionReason};
use prometheus::{
    Counter, Encoder, Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};

/// Seconds: a recording from memory takes a millisecond, a long call an hour.
const STAGE_BUCKETS: [f64; 13] =
    [0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0, 3600.0];

/// A part of a call's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From the topic to the begin of the work.
    Wait,
    /// Fetching the recording.
    Fetch,
    /// Waiting for an analyst.
    Queue,
    /// Judging.
    Assess,
    /// Until all rows are acknowledged.
    Publish,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Fetch => "fetch",
            Self::Queue => "queue",
            Self::Assess => "assess",
            Self::Publish => "publish",
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Judged.
    Assessed,
    /// Not to be judged.
    Excluded(ExclusionReason),
    /// Could not be judged.
    DeadLettered(DeadLetterReason),
}

impl Ended {
    /// The published name of the ending, and of its reason; empty where there is none.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Assessed => ("assessed", ""),
            Self::Excluded(reason) => ("excluded", reason.name()),
            Self::DeadLettered(reason) => ("dead_lettered", reason.name()),
        }
    }
}

/// What calls wait for while nothing is wrong with them. Whatever it is, they go on by themselves once it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No recording can be fetched.
    Store,
    /// Results are not taken.
    Results,
    /// The journal can't be written.
    Journal,
}

impl Cause {
    const ALL: [Self; 3] = [Self::Store, Self::Results, Self::Journal];

    fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Results => "results",
            Self::Journal => "journal",
        }
    }
}

/// Why a row was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishFailure {
    /// The broker did not acknowledge it in time.
    TimedOut,
    /// More bytes than the broker takes.
    TooLarge,
    /// The producer is beyond repair and was made anew.
    Fatal,
    /// The broker refused it.
    Refused,
}

impl PublishFailure {
    fn name(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::TooLarge => "too_large",
            Self::Fatal => "fatal",
            Self::Refused => "refused",
        }
    }
}

/// All metrics of the worker.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: IntCounterVec,
    audio: Counter,
    flags: IntCounter,
    stages: HistogramVec,
    in_flight: IntGauge,
    oldest: Gauge,
    lag: IntGauge,
    partitions: IntGauge,
    commits: IntCounterVec,
    retries: IntCounterVec,
    publish_errors: IntCounterVec,
    panics: IntCounter,
    kafka_errors: IntCounter,
    blocked: IntGaugeVec,
    suspects: IntGauge,
}

impl Metrics {
    /// All of them at nought.
    ///
    /// # Errors
    /// Two metrics of one name: a mistake in this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        macro_rules! registered {
            ($metric:expr) => {{
                let metric = $metric?;
                registry.register(Box::new(metric.clone()))?;
                metric
            }};
        }
        let by = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let calls = "Calls by ending; reason is empty where assessed";
        let blocked = Opts::new("callqa_blocked", "1 while calls wait for this; they go on by themselves");
        let stages = HistogramOpts::new("callqa_stage_seconds", "Time of a call in each part of its way");
        let metrics = Self {
            calls: registered!(by("callqa_calls_total", calls, &["ending", "reason"])),
            audio: registered!(Counter::new("callqa_audio_seconds_total", "Length of all assessed calls")),
            flags: registered!(IntCounter::new("callqa_flags_total", "Assessed calls that were flagged")),
            stages: registered!(HistogramVec::new(stages.buckets(STAGE_BUCKETS.to_vec()), &["stage"])),
            in_flight: registered!(IntGauge::new(
                "callqa_calls_in_flight",
                "Calls taken and without an ending"
            )),
            oldest: registered!(Gauge::new(
                "callqa_oldest_call_seconds",
                "Time since the oldest call without an ending was taken"
            )),
            lag: registered!(IntGauge::new(
                "callqa_lag_calls",
                "Calls in our partitions that are not committed"
            )),
            partitions: registered!(IntGauge::new("callqa_partitions_assigned", "Partitions that are ours")),
            commits: registered!(by("callqa_commits_total", "Commits of offsets", &["result"])),
            retries: registered!(by("callqa_retries_total", "Calls tried again", &["stage"])),
            publish_errors: registered!(by("callqa_publish_errors_total", "Rows not delivered", &["kind"])),
            panics: registered!(IntCounter::new(
                "callqa_analyst_panics_total",
                "Panics of analysts, and of the making of their models"
            )),
            kafka_errors: registered!(IntCounter::new(
                "callqa_kafka_errors_total",
                "Errors of the Kafka client"
            )),
            blocked: registered!(IntGaugeVec::new(blocked, &["cause"])),
            suspects: registered!(IntGauge::new(
                "callqa_suspect_calls",
                "Calls in hand when the process ended; judged alone"
            )),
            registry,
        };
        // An alert can't be set on what is not there yet.
        Cause::ALL.into_iter().for_each(|cause| metrics.blocked(cause, false));
        Ok(metrics)
    }

    /// Calls wait for this, or no longer.
    pub fn blocked(&self, cause: Cause, blocked: bool) {
        self.blocked.with_label_values(&[cause.name()]).set(i64::from(blocked));
    }

    /// So many calls were in hand when a process ended.
    pub fn suspects(&self, calls: usize) {
        self.suspects.set(calls.try_into().unwrap_or(i64::MAX));
    }

    /// A call has its ending.
    pub fn ended(&self, ended: Ended) {
        let (ending, reason) = ended.names();
        self.calls.with_label_values(&[ending, reason]).inc();
    }

    /// A call was assessed.
    pub fn assessed(&self, audio: Duration, flagged: bool) {
        self.audio.inc_by(audio.as_secs_f64());
        self.flags.inc_by(u64::from(flagged));
    }

    /// A part of a call's way is done.
    pub fn spent(&self, stage: Stage, time: Duration) {
        self.stages.with_label_values(&[stage.name()]).observe(time.as_secs_f64());
    }

    /// How many calls are in flight, and how old the oldest is.
    pub fn in_flight(&self, calls: usize, oldest: Duration) {
        self.in_flight.set(calls.try_into().unwrap_or(i64::MAX));
        self.oldest.set(oldest.as_secs_f64());
    }

    /// How many partitions are ours.
    pub fn assigned(&self, partitions: usize) {
        self.partitions.set(partitions.try_into().unwrap_or(i64::MAX));
    }

    /// How many calls are not committed.
    pub fn lag(&self, calls: i64) {
        self.lag.set(calls);
    }

    /// Offsets were sent to the broker, or could not be.
    pub fn committed(&self, sent: bool) {
        self.commits.with_label_values(&[if sent { "sent" } else { "failed" }]).inc();
    }

    /// A call is tried again.
    pub fn retried(&self, stage: Stage) {
        self.retries.with_label_values(&[stage.name()]).inc();
    }

    /// A row was not delivered.
    pub fn publish_failed(&self, failure: PublishFailure) {
        self.publish_errors.with_label_values(&[failure.name()]).inc();
    }

    /// An analyst panicked, or whoever made its models.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// The Kafka client reported an error.
    pub fn kafka_error(&self) {
        self.kafka_errors.inc();
    }

    /// Prometheus' text form.
    ///
    /// # Errors
    /// Where a metric can't be written, which no metric here can cause.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_counts_under_its_ending_and_reason() {
        let metrics = Metrics::new().expect("no name twice");
        metrics.ended(Ended::Assessed);
        metrics.ended(Ended::DeadLettered(DeadLetterReason::NotAudio));
        metrics.assessed(Duration::from_millis(1500), true);
        metrics.spent(Stage::Assess, Duration::from_secs(3));
        let text = metrics.text().expect("written");
        for line in [
            "callqa_calls_total{ending=\"assessed\",reason=\"\"} 1",
            "callqa_calls_total{ending=\"dead_lettered\",reason=\"not_audio\"} 1",
            "callqa_audio_seconds_total 1.5",
            "callqa_flags_total 1",
            "callqa_stage_seconds_count{stage=\"assess\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
