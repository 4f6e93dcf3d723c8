//! `callqa topics create`: the topics that the workers read and write.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;

use crate::kafka::{self, Connection, Listener};
use crate::{CliError, Done, terminal};

/// How long the broker may take to make the topics.
const CREATION: Duration = Duration::from_secs(30);

/// The workers' topics
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Creates the topics that are missing; those that are there stay as they are
    Create {
        #[command(flatten)]
        connection: Connection,
        /// Partitions of each new topic: at least as many as there will ever be workers
        #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..))]
        partitions: u16,
        /// Copies of each partition
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        replication: u16,
    },
}

impl Args {
    /// Creates topics.
    ///
    /// # Errors
    /// A broker that is not there or refuses.
    pub fn run(&self) -> Result<Done, CliError> {
        let Command::Create { connection, partitions, replication } = &self.command;
        create(connection, *partitions, *replication)
    }
}

fn create(connection: &Connection, partitions: u16, replication: u16) -> Result<Done, CliError> {
    let kafka = connection.settings()?;
    let there: Vec<String> = kafka::topics(&kafka)?.into_iter().map(|(topic, _)| topic).collect();
    let written = kafka.topics.written();
    let wanted = kafka.topics.calls.iter().map(String::as_str).chain(written.iter().map(|(_, topic)| *topic));
    let (old, new): (Vec<&str>, Vec<&str>) =
        wanted.partition(|topic| there.iter().any(|known| known == topic));

    let copies = || TopicReplication::Fixed(i32::from(replication));
    let topics: Vec<NewTopic<'_>> =
        new.iter().map(|topic| NewTopic::new(topic, i32::from(partitions), copies())).collect();
    if !topics.is_empty() {
        let admin: AdminClient<Listener> = kafka::client(&kafka)
            .create_with_context(Listener::default())
            .map_err(kafka::failed("setting up the Kafka client"))?;
        let options = AdminOptions::new().request_timeout(Some(CREATION)).operation_timeout(Some(CREATION));
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(CliError::Runtime)?;
        let created = runtime
            .block_on(admin.create_topics(&topics, &options))
            .map_err(kafka::failed("creating the topics"))?;
        for (topic, error) in created.into_iter().filter_map(Result::err) {
            // Somebody else was faster: all the better.
            if error != RDKafkaErrorCode::TopicAlreadyExists {
                return Err(CliError::TopicRefused { topic, reason: error.to_string() });
            }
        }
    }
    let lines = new.iter().map(|topic| format!("created  {topic}\n"));
    let lines = lines.chain(old.iter().map(|topic| format!("exists   {topic}\n")));
    terminal::print(&lines.collect::<String>()).map(|()| Done::Well)
}
