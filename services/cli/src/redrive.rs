//! `callqa redrive`: sends dead-lettered calls again, once the reason is gone.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use callqa_domain::DeadLetterReason;
use callqa_domain::identity::content_digest;
use callqa_proto::header::REDRIVEN;
use callqa_proto::wire::{DeadLetterRow, ResultRow};
use callqa_worker::config::Kafka;
use clap::builder::PossibleValuesParser;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Header, Headers, OwnedHeaders};

use crate::kafka::{Connection, Place, Sender, Source, TopicReader};
use crate::{CliError, Done, terminal};

/// How long the broker may take to find one event again.
const FIND: Duration = Duration::from_secs(10);

/// Sends dead-lettered calls again, each as the event that it came as, to the topic that it came from
///
/// Without --reason it only says how many calls there are for each reason. A call that was assessed meanwhile is left
/// alone; an assessment beats the dead letter that stays behind. The event gets a header, callqa_redriven, which
/// counts how often it was sent again. Exit code 1 where the event of a call is gone.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
    /// Only calls that were dead-lettered for this reason; several by repeating it
    #[arg(long, value_parser = PossibleValuesParser::new(DeadLetterReason::ALL.iter().map(|reason| reason.name())))]
    reason: Vec<String>,
    /// At most so many calls, those first that were dead-lettered first
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// No call that was sent again so often already
    #[arg(long, default_value_t = 3, value_name = "TIMES")]
    most: u32,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Sends calls again. A call whose event is gone makes the sum a failure.
    ///
    /// # Errors
    /// A broker that is not there or does not acknowledge, topics of rows that are missing. What was sent until then is
    /// told all the same.
    pub fn run(&self) -> Result<Done, CliError> {
        let kafka = self.connection.settings()?;
        let letters = letters(&kafka)?;
        if self.reason.is_empty() {
            return terminal::print(&census(&letters)).map(|()| Done::Well);
        }
        let chosen = letters.into_iter().filter(|letter| self.reason.contains(&letter.reason));
        let (mut sum, mut senders) = (Sum::default(), HashMap::new());
        let sent = self.send(&kafka, chosen, &mut sum, &mut senders);
        // Whatever went wrong: events that are only queued are lost with their sender.
        finish_all(senders.into_values(), Sender::finish)?;
        let told = terminal::print(&sum.report(self));
        sent.and(told).map(|()| if sum.gone == 0 { Done::Well } else { Done::WithFailures })
    }

    fn send(
        &self,
        kafka: &Kafka,
        letters: impl Iterator<Item = Letter>,
        sum: &mut Sum,
        senders: &mut HashMap<String, Sender>,
    ) -> Result<(), CliError> {
        for letter in letters {
            if sum.sent == self.limit {
                sum.beyond_limit += 1;
                continue;
            }
            let Some(event) = find(kafka, &letter)? else {
                sum.gone += 1;
                continue;
            };
            if event.redriven >= self.most {
                sum.too_often += 1;
                continue;
            }
            if !self.dry_run {
                let topic = letter.source.topic;
                let sender = match senders.entry(topic.clone()) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(Sender::new(kafka, &topic)?),
                };
                event.send_by(sender)?;
            }
            sum.sent += 1;
        }
        Ok(())
    }
}

/// Finishes each, also after one that failed; gives the first failure.
fn finish_all<S>(
    senders: impl Iterator<Item = S>,
    finish: impl Fn(S) -> Result<(), CliError>,
) -> Result<(), CliError> {
    senders.map(finish).fold(Ok(()), Result::and)
}

/// A call that was dead-lettered, and was not assessed since.
#[derive(Debug)]
struct Letter {
    reason: String,
    event_digest: String,
    source: Source,
    /// When it was dead-lettered, in milliseconds since 1970.
    at: Option<i64>,
}

/// An event as it came, to be sent again.
#[derive(Debug)]
struct Found {
    key: Option<Vec<u8>>,
    payload: Vec<u8>,
    headers: OwnedHeaders,
    redriven: u32,
}

impl Found {
    fn read(message: &BorrowedMessage<'_>) -> Self {
        let (mut headers, mut redriven) = (OwnedHeaders::new(), 0);
        for header in message.headers().into_iter().flat_map(Headers::iter) {
            if header.key == REDRIVEN {
                let text = std::str::from_utf8(header.value.unwrap_or_default()).unwrap_or_default();
                redriven = text.parse().unwrap_or(u32::MAX);
            } else {
                headers = headers.insert(header);
            }
        }
        let payload = message.payload().unwrap_or_default().to_vec();
        Self { key: message.key().map(<[u8]>::to_vec), payload, headers, redriven }
    }

    fn send_by(self, sender: &mut Sender) -> Result<(), CliError> {
        let times = (self.redriven + 1).to_string();
        let headers = self.headers.insert(Header { key: REDRIVEN, value: Some(&times) });
        sender.send_as_it_is(self.key.as_deref(), &self.payload, headers)
    }
}

/// All dead letters whose calls have no better ending, each call once, the oldest letter first.
fn letters(kafka: &Kafka) -> Result<Vec<Letter>, CliError> {
    let (results, dead_letters) = (&kafka.topics.results, &kafka.topics.dead_letters);
    let mut ended_well = HashSet::new();
    let oldest = TopicReader::oldest(kafka, results)?;
    TopicReader::open(kafka, results, oldest)?.read_to_end(|message| {
        let row = serde_json::from_slice::<ResultRow>(message.payload().unwrap_or_default());
        ended_well.extend(row.ok().filter(|row| row.ending != "dead_lettered").map(|row| row.ending_id));
        Ok(())
    })?;
    let (mut letters, mut known): (Vec<Letter>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
    let oldest = TopicReader::oldest(kafka, dead_letters)?;
    TopicReader::open(kafka, dead_letters, oldest)?.read_to_end(|message| {
        let row = serde_json::from_slice::<DeadLetterRow>(message.payload().unwrap_or_default());
        let row =
            row.ok().filter(|row| row.ending == "dead_lettered" && !ended_well.contains(&row.ending_id));
        let Some((row, source)) = row.zip(Source::of(message)) else { return Ok(()) };
        let at = message.timestamp().to_millis();
        let letter = Letter { reason: row.reason, event_digest: row.event_digest, source, at };
        // A later letter of the same call is about its later event.
        match known.get(&row.ending_id).and_then(|&at| letters.get_mut(at)) {
            Some(earlier) => *earlier = letter,
            None => {
                known.insert(row.ending_id, letters.len());
                letters.push(letter);
            }
        }
        Ok(())
    })?;
    oldest_first(&mut letters);
    Ok(letters)
}

/// Partitions are read in any order.
fn oldest_first(letters: &mut [Letter]) {
    letters.sort_by_key(|letter| letter.at);
}

/// The event itself, where it still stands and is still the one that the letter is about.
fn find(kafka: &Kafka, letter: &Letter) -> Result<Option<Found>, CliError> {
    let Source { topic, partition, offset } = &letter.source;
    let oldest = match TopicReader::oldest(kafka, topic) {
        // With its topic the event is gone.
        Err(CliError::NoTopic { .. }) => return Ok(None),
        oldest => oldest?,
    };
    if oldest.get(partition).is_none_or(|oldest| oldest > offset) {
        return Ok(None);
    }
    let reader = TopicReader::open(kafka, topic, Place::from([(*partition, *offset)]))?;
    let message = reader.first(FIND)?.filter(|message| {
        message.offset() == *offset
            && content_digest(message.payload().unwrap_or_default()) == letter.event_digest
    });
    Ok(message.map(|message| Found::read(&message)))
}

fn census(letters: &[Letter]) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    letters.iter().for_each(|letter| *counts.entry(&letter.reason).or_default() += 1);
    if counts.is_empty() {
        return "no call is dead-lettered\n".to_owned();
    }
    let lines = counts.iter().map(|(reason, count)| format!("{reason:<28}{count:>9}\n"));
    let lines: String = lines.collect();
    format!("{lines}choose with --reason which of them are sent again\n")
}

/// What became of the chosen calls.
#[derive(Debug, Default)]
struct Sum {
    sent: usize,
    gone: usize,
    too_often: usize,
    beyond_limit: usize,
}

impl Sum {
    fn report(&self, args: &Args) -> String {
        let verb = if args.dry_run { "would be sent" } else { "sent" };
        let plural = if self.sent == 1 { "" } else { "s" };
        let mut text = format!("{} call{plural} {verb} again\n", self.sent);
        for (count, why) in [
            (self.gone, "whose event no longer stands on its topic, or whose topic is not there".to_owned()),
            (self.too_often, format!("sent again {} times already (--most)", args.most)),
            (self.beyond_limit, format!("beyond the limit of {} (--limit)", args.limit)),
        ] {
            if count > 0 {
                text.push_str(&format!("{count} left: {why}\n"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_letters_come_first_whatever_their_partition() {
        let letter = |offset, at| Letter {
            reason: "not_audio".to_owned(),
            event_digest: String::new(),
            source: Source { topic: "qa.calls.recorded.v1".to_owned(), partition: 0, offset },
            at: Some(at),
        };
        let mut letters = [letter(3, 30), letter(4, 40), letter(1, 10), letter(2, 10)];
        oldest_first(&mut letters);
        assert_eq!(letters.map(|letter| letter.source.offset), [1, 2, 3, 4]);
    }

    #[test]
    fn every_sender_is_finished_and_the_first_failure_told() {
        let finished = std::cell::RefCell::new(Vec::new());
        let finish = |number: usize| {
            finished.borrow_mut().push(number);
            if number == 0 { Ok(()) } else { Err(CliError::TimedOut(number.to_string())) }
        };
        let told = finish_all([1, 0, 2].into_iter(), finish);
        assert!(matches!(told, Err(CliError::TimedOut(first)) if first == "1"));
        assert_eq!(finished.into_inner(), [1, 0, 2]);
    }
}
