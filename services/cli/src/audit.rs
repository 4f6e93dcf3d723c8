//! `callqa audit`: received = assessed + excluded + dead-lettered, from the topics alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use callqa_domain::identity;
use callqa_proto::header::EventHeaders;
use callqa_proto::wire::{DeadLetterRow, ResultRow};
use callqa_proto::{CallName, decode};
use callqa_worker::config::Kafka;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

use crate::kafka::{Connection, Place, Source, TopicReader};
use crate::{CliError, Done, terminal};

/// So many calls of each kind of trouble are listed; the counts are always whole.
const LISTED: usize = 50;

/// Checks that every call on the input topics has exactly one ending, every ending a call, and every repeat its bytes
///
/// Reads the topics as they are now; a call that is still being judged has no ending yet. The row on the results topic
/// is the ending; a dead letter without one is listed. Repeats of a dead-lettered call's rows may differ. An ending
/// outlives its event where the results are kept longer: one whose event stood before the oldest that the input topic
/// still has is counted apart, as older than the topic. Exit code 1 where it does not balance.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    /// Audits.
    ///
    /// # Errors
    /// A broker that is not there, topics that are missing.
    pub fn run(&self) -> Result<Done, CliError> {
        let kafka = self.connection.settings()?;
        let mut balance = Balance::default();
        let mut places = Vec::new();
        for topic in &kafka.topics.calls {
            places.push(read_calls(&kafka, topic, &mut balance)?);
        }
        read_endings(&kafka, &mut balance)?;
        // Calls that came and ended while we read: without them their endings would look like strays.
        for (topic, place) in kafka.topics.calls.iter().zip(places) {
            read_late_calls(&kafka, topic, place, &mut balance)?;
        }
        terminal::print(&balance.report())?;
        Ok(if balance.is_even() { Done::Well } else { Done::WithFailures })
    }
}

/// Which of the three endings a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    DeadLettered,
    Excluded,
    Assessed,
}

impl Kind {
    fn read(ending: &str) -> Option<Self> {
        match ending {
            "assessed" => Some(Self::Assessed),
            "excluded" => Some(Self::Excluded),
            "dead_lettered" => Some(Self::DeadLettered),
            _ => None,
        }
    }
}

/// How a call ended, and its name for people.
#[derive(Debug)]
struct End {
    kind: Kind,
    reason: String,
    what: String,
    /// Where its event stood, where the row says it.
    source: Option<Source>,
}

/// What was received, and how it ended, by ending id.
#[derive(Debug, Default)]
struct Balance {
    received: BTreeMap<String, String>,
    repeats: usize,
    endings: BTreeMap<String, End>,
    /// Rows of the dead letters' topic: they come before their ending, and are none.
    letters: BTreeMap<String, End>,
    /// Digest of each row by its id, but for dead-lettered calls: a repeat must be the same, byte for byte.
    rows: HashMap<String, String>,
    differing: BTreeSet<String>,
    unreadable: usize,
    /// By input topic: the oldest offset that each partition still has.
    oldest: HashMap<String, Place>,
}

impl Balance {
    fn received(&mut self, ending_id: String, what: String) {
        if self.received.insert(ending_id, what).is_some() {
            self.repeats += 1;
        }
    }

    /// For one call an assessment beats any other ending.
    fn ended(&mut self, ending_id: String, end: End) {
        match self.endings.get_mut(&ending_id) {
            Some(known) if known.kind >= end.kind => {}
            Some(known) => *known = end,
            None => drop(self.endings.insert(ending_id, end)),
        }
    }

    /// A row came, for the first time or again.
    fn row(&mut self, row_id: &str, kind: Kind, payload: &[u8], what: &str) {
        // Without an id there is no saying which row it repeats. And no id says why a call was dead-lettered: sent
        // again it may end otherwise under the same one.
        if row_id.is_empty() || kind == Kind::DeadLettered {
            return;
        }
        let digest = identity::content_digest(payload);
        let first = self.rows.entry(row_id.to_owned()).or_insert_with(|| digest.clone());
        if *first != digest {
            self.differing.insert(what.to_owned());
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.balanced().filter(|end| end.kind == kind).count()
    }

    /// Endings without a call whose event is gone from its topic.
    fn is_older(&self, ending_id: &str, end: &End) -> bool {
        let is_gone = |Source { topic, partition, offset }: &Source| {
            self.oldest
                .get(topic)
                .and_then(|place| place.get(partition))
                .is_some_and(|oldest| offset < oldest)
        };
        !self.received.contains_key(ending_id) && end.source.as_ref().is_some_and(is_gone)
    }

    /// The endings that stand against the calls.
    fn balanced(&self) -> impl Iterator<Item = &End> {
        self.endings.iter().filter(move |(id, end)| !self.is_older(id, end)).map(|(_, end)| end)
    }

    /// How many calls ended so for each reason, the most frequent first.
    fn reasons(&self, kind: Kind) -> Vec<(&str, usize)> {
        let mut counts = BTreeMap::<&str, usize>::new();
        for end in self.balanced().filter(|end| end.kind == kind) {
            *counts.entry(&end.reason).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    fn without_ending(&self) -> Vec<&str> {
        let open = self.received.iter().filter(|(id, _)| !self.endings.contains_key(*id));
        sorted(open.map(|(_, what)| what.as_str()))
    }

    fn without_call(&self) -> Vec<&str> {
        let is_stray = |id: &str, end: &End| !self.received.contains_key(id) && !self.is_older(id, end);
        let orphans = self.endings.iter().filter(|(id, end)| is_stray(id, end));
        sorted(orphans.map(|(_, end)| end.what.as_str()))
    }

    /// Letters that no ending followed.
    fn letters_alone(&self) -> Vec<&str> {
        let is_alone = |id: &str, end: &End| !self.endings.contains_key(id) && !self.is_older(id, end);
        let alone = self.letters.iter().filter(|(id, end)| is_alone(id, end));
        sorted(alone.map(|(_, end)| end.what.as_str()))
    }

    fn is_even(&self) -> bool {
        let all = self.without_ending().is_empty() && self.without_call().is_empty();
        all && self.letters_alone().is_empty() && self.unreadable == 0 && self.differing.is_empty()
    }

    fn report(&self) -> String {
        let (open, orphans) = (self.without_ending(), self.without_call());
        let (assessed, excluded) = (self.count(Kind::Assessed), self.count(Kind::Excluded));
        let dead_lettered = self.count(Kind::DeadLettered);
        let mut text = String::new();
        let mut line = |name: &str, count: usize| text.push_str(&format!("{name:<24}{count:>9}\n"));
        line("received", self.received.len());
        line("assessed", assessed);
        for (kind, name, count) in
            [(Kind::Excluded, "excluded", excluded), (Kind::DeadLettered, "dead-lettered", dead_lettered)]
        {
            line(name, count);
            self.reasons(kind).iter().for_each(|(reason, count)| line(&format!("  {reason}"), *count));
        }
        line("calls without an ending", open.len());
        line("endings without a call", orphans.len());
        let older = self.endings.iter().filter(|(id, end)| self.is_older(id, end)).count();
        if older > 0 {
            line("older than the topic", older);
        }
        if self.repeats > 0 {
            text.push_str(&format!("({} events came more than once and count once)\n", self.repeats));
        }
        let differing = self.differing.iter().map(String::as_str).collect();
        for (title, calls) in [
            ("calls without an ending", open),
            ("endings without a call", orphans),
            ("dead letters without an ending", self.letters_alone()),
            ("repeats that differ from the first", differing),
        ] {
            list(&mut text, title, &calls);
        }
        if self.unreadable > 0 {
            text.push_str(&format!("{} rows can't be read by this version\n", self.unreadable));
        }
        let sum = format!("received {} = {assessed} + {excluded} + {dead_lettered}", self.received.len());
        text.push_str(&if self.is_even() {
            format!("it balances: {sum}\n")
        } else {
            format!("it does not balance: {}\n", sum.replace(" = ", ", endings "))
        });
        text
    }
}

fn sorted<'a>(calls: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut calls: Vec<&str> = calls.collect();
    calls.sort_unstable();
    calls
}

fn list(text: &mut String, title: &str, calls: &[&str]) {
    if calls.is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}:\n"));
    for call in calls.iter().take(LISTED) {
        text.push_str(&format!("  {call}\n"));
    }
    if calls.len() > LISTED {
        text.push_str(&format!("  and {} more\n", calls.len() - LISTED));
    }
}

fn read_calls(kafka: &Kafka, topic: &str, balance: &mut Balance) -> Result<Place, CliError> {
    let oldest = TopicReader::oldest(kafka, topic)?;
    balance.oldest.insert(topic.to_owned(), oldest.clone());
    TopicReader::open(kafka, topic, oldest)?.read_to_end(|message| {
        let (ending_id, what) = identify(message);
        balance.received(ending_id, what);
        Ok(())
    })
}

fn read_late_calls(kafka: &Kafka, topic: &str, from: Place, balance: &mut Balance) -> Result<(), CliError> {
    TopicReader::open(kafka, topic, from)?.read_to_end(|message| {
        let (ending_id, what) = identify(message);
        if balance.endings.contains_key(&ending_id) {
            balance.received(ending_id, what);
        }
        Ok(())
    })?;
    Ok(())
}

/// The id that the worker gives to the ending of this event, and its name for people.
fn identify(message: &BorrowedMessage<'_>) -> (String, String) {
    let place = format!("{}/{}/{}", message.topic(), message.partition(), message.offset());
    let headers = message.headers().map(|headers| {
        headers.iter().map(|header| (header.key, header.value.unwrap_or_default())).collect::<Vec<_>>()
    });
    let headers = EventHeaders::read(headers.unwrap_or_default());
    let name = match decode(&headers, message.payload().unwrap_or_default()) {
        Ok(event) => Some(CallName::of(&event.call)),
        Err(error) => error.call().cloned(),
    };
    match name {
        Some(name) => (name.ending_id(), format!("{}  at {place}", shown(&name))),
        None => {
            let id = identity::undecodable_id(message.topic(), message.partition(), message.offset());
            (id, format!("(unreadable event)  at {place}"))
        }
    }
}

fn shown(name: &CallName) -> String {
    format!("{}/{} revision {}", name.tenant, name.call_id, name.revision)
}

fn read_endings(kafka: &Kafka, balance: &mut Balance) -> Result<(), CliError> {
    let (letters, results) = (&kafka.topics.dead_letters, &kafka.topics.results);
    let oldest = TopicReader::oldest(kafka, letters)?;
    TopicReader::open(kafka, letters, oldest)?.read_to_end(|message| {
        let payload = message.payload().unwrap_or_default();
        let row = serde_json::from_slice::<DeadLetterRow>(payload).ok();
        let row = row.map(|row| Row {
            row_id: row.row_id,
            ending_id: row.ending_id,
            ending: row.ending,
            reason: row.reason,
            name: named(row.tenant, row.call_id, row.revision),
            source: Source::of(message),
        });
        take_letter(row, payload, balance);
        Ok(())
    })?;
    let oldest = TopicReader::oldest(kafka, results)?;
    TopicReader::open(kafka, results, oldest)?.read_to_end(|message| {
        let payload = message.payload().unwrap_or_default();
        let row = serde_json::from_slice::<ResultRow>(payload).ok();
        let row = row.map(|row| Row {
            row_id: row.row_id,
            ending_id: row.ending_id,
            ending: row.ending,
            reason: row.reason.unwrap_or_default(),
            name: named(row.tenant, row.call_id, row.revision),
            source: Source::of(message),
        });
        take(row, payload, balance);
        Ok(())
    })?;
    Ok(())
}

/// What results and dead letters have in common.
struct Row {
    row_id: String,
    ending_id: String,
    ending: String,
    reason: String,
    name: Option<CallName>,
    source: Option<Source>,
}

fn named(tenant: Option<String>, call_id: Option<String>, revision: Option<u32>) -> Option<CallName> {
    let ((tenant, call_id), revision) = tenant.zip(call_id).zip(revision)?;
    Some(CallName { tenant, call_id, revision })
}

fn take(row: Option<Row>, payload: &[u8], balance: &mut Balance) {
    if let Some((ending_id, end)) = check(row, payload, balance) {
        balance.ended(ending_id, end);
    }
}

fn take_letter(row: Option<Row>, payload: &[u8], balance: &mut Balance) {
    if let Some((ending_id, end)) = check(row, payload, balance) {
        balance.letters.insert(ending_id, end);
    }
}

/// What a row says, after a look whether it can be read and repeats what was there.
fn check(row: Option<Row>, payload: &[u8], balance: &mut Balance) -> Option<(String, End)> {
    let readable = row.and_then(|row| Some((Kind::read(&row.ending)?, row)));
    let Some((kind, row)) = readable.filter(|(_, row)| !row.ending_id.is_empty()) else {
        balance.unreadable += 1;
        return None;
    };
    let what =
        row.name.as_ref().map_or_else(|| format!("(unreadable event), ending {}", row.ending_id), shown);
    balance.row(&row.row_id, kind, payload, &what);
    let what = format!("{what}: {}", row.ending);
    Some((row.ending_id, End { kind, reason: row.reason, what, source: row.source }))
}

#[cfg(test)]
mod tests;
