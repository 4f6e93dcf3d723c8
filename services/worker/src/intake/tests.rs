//! Against a broker that plays, which answers as late as a test wants. The work is the tests themselves.

use std::sync::mpsc as std_mpsc;

use rdkafka::consumer::{ConsumerContext, Rebalance};
use rdkafka::mocking::{MockCluster, MockCoordinator};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::statistics::{self, Statistics};
use rdkafka::{ClientConfig, ClientContext};

use super::*;
use crate::journal::Journal;
use crate::telemetry::Metrics;

const TOPIC: &str = "calls";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nothing happens where nothing will.
const QUIET: Duration = Duration::from_secs(3);
/// How long a call is worked on.
const WORK: Duration = Duration::from_millis(30);

/// Paused while it asks where to begin and resumed, librdkafka asks twice, and what came already comes again.
#[test]
fn each_call_is_taken_once_where_a_leader_is_slow_to_say_where_a_partition_begins() {
    let (quick, slow) = (1, 2);
    let mut kafka = config::Config::load(None, []).expect("defaults").kafka;
    let cluster = MockCluster::new(2).expect("a cluster");
    cluster.create_topic(TOPIC, 2, 1).expect("a topic");
    cluster.coordinator(MockCoordinator::Group(kafka.group.clone()), quick).expect("a coordinator");
    for (partition, leader) in [(0, quick), (1, slow)] {
        cluster.partition_leader(TOPIC, partition, Some(leader)).expect("a leader");
    }
    kafka.brokers = cluster.bootstrap_servers();
    kafka.topics.calls = vec![TOPIC.to_owned()];
    let sent: Vec<(i32, i64)> =
        (0..2).flat_map(|partition| (0..3).map(move |offset| (partition, offset))).collect();
    produce(&kafka.brokers, &sent);
    cluster.broker_round_trip_time(slow, Duration::from_millis(400)).expect("a slow leader");

    let mut came = taken(&kafka, sent.len());
    came.sort_unstable();
    assert_eq!(came, sent);
}

fn produce(brokers: &str, places: &[(i32, i64)]) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a producer");
    for (partition, _) in places {
        let record = BaseRecord::<(), [u8]>::to(TOPIC).partition(*partition).payload(b"no event");
        producer.send(record).map_err(|(error, _)| error).expect("queued");
    }
    producer.flush(PATIENCE).expect("delivered");
}

/// What an intake with one seat takes, at least so many calls, and all until none comes any more: partition and
/// offset of each.
fn taken(kafka: &config::Kafka, calls: usize) -> Vec<(i32, i64)> {
    let metrics = Arc::new(Metrics::new().expect("metrics"));
    let (ticket_sender, mut tickets) = mpsc::channel(1);
    let (settled, settled_here) = std_mpsc::sync_channel(2 * calls);
    let stopping = Stopping::default();
    let channels = Channels {
        tickets: ticket_sender,
        settled: settled_here,
        seats: Arc::new(Semaphore::new(1)),
        stopping: stopping.clone(),
    };
    let intake = Intake::join(kafka, channels, shared(metrics)).expect("joined");
    let thread = std::thread::spawn(move || intake.run());

    let (mut came, started, mut last) = (Vec::new(), Instant::now(), Instant::now());
    while last.elapsed() < QUIET || came.len() < calls && started.elapsed() < PATIENCE {
        std::thread::sleep(WORK);
        if let Ok(ticket) = tickets.try_recv() {
            came.push((ticket.position.partition.number, ticket.position.offset));
            settled.send(ticket.position).expect("the intake listens");
            last = Instant::now();
        }
    }
    stopping.begin();
    drop(settled);
    thread.join().expect("no panic").expect("a clean end");
    came
}

fn shared(metrics: Arc<Metrics>) -> Shared {
    Shared {
        journal: Arc::new(Journal::open(None, 1, Arc::clone(&metrics)).expect("none is kept")),
        metrics,
        health: Arc::default(),
    }
}

/// librdkafka goes on telling of the others, with the lag that they had.
#[test]
fn calls_in_partitions_that_were_given_away_are_not_behind() {
    let metrics = Arc::new(Metrics::new().expect("metrics"));
    let membership = Membership::new(shared(Arc::clone(&metrics)));
    let consumer: BaseConsumer<Membership> =
        ClientConfig::new().create_with_context(membership).expect("a consumer");
    let membership = consumer.context();
    // Of a partition without a commit no lag is known.
    let lags = [7, 30, -1, 200].into_iter().zip(0..).map(|(consumer_lag, partition)| {
        (partition, statistics::Partition { partition, consumer_lag, desired: true, ..Default::default() })
    });
    let topic =
        statistics::Topic { topic: TOPIC.to_owned(), partitions: lags.collect(), ..Default::default() };
    let statistics = Statistics { topics: [(TOPIC.to_owned(), topic)].into(), ..Default::default() };
    let behind = || {
        membership.stats(statistics.clone());
        let text = metrics.text().expect("metrics");
        text.lines().find_map(|line| line.strip_prefix("callqa_lag_calls ")).expect("there").to_owned()
    };

    assert_eq!(behind(), "0");
    membership.post_rebalance(&consumer, &Rebalance::Assign(&partitions(&[0, 1, 2])));
    assert_eq!(behind(), "37");
    membership.pre_rebalance(&consumer, &Rebalance::Revoke(&partitions(&[1])));
    assert_eq!(behind(), "7");
    membership.pre_rebalance(&consumer, &Rebalance::Revoke(&partitions(&[0, 2])));
    assert_eq!(behind(), "0");
}

fn partitions(numbers: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for number in numbers {
        list.add_partition(TOPIC, *number);
    }
    list
}

#[test]
fn how_much_is_fetched_ahead_is_for_kafka_client_to_say() {
    let fetched_ahead = |environment: &[(&str, &str)]| {
        let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let options = options(&config::Config::load(None, environment).expect("valid").kafka);
        ["queued.min.messages", "queued.max.messages.kbytes"]
            .map(|option| options.get(option).expect("set").to_owned())
    };
    assert_eq!(fetched_ahead(&[]), ["32", "16384"]);
    let theirs = [
        ("CALLQA_KAFKA__CLIENT__QUEUED_MIN_MESSAGES", "8"),
        ("CALLQA_KAFKA__CLIENT__QUEUED_MAX_MESSAGES_KBYTES", "1024"),
    ];
    assert_eq!(fetched_ahead(&theirs), ["8", "1024"]);
}
