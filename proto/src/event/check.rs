//! From an event's fields to a call, with every mistake at once.

use callqa_domain::{self as domain, Call, Language, Moment, Span};

use super::mistake::{Mistakes, Problem};
use super::{RecordingRef, RecordingUri, Source};
use crate::wire::{self, CallRecorded};

/// Ids end up in Kafka keys, file names and indexes.
const ID_BYTES: usize = 256;
/// Longer URIs are refused by common object stores and proxies.
const URI_BYTES: usize = 4_096;
/// Media types and language tags are short; this leaves room for parameters.
const TAG_BYTES: usize = 128;
/// More agents than this in one call are a mistake of the sender.
const LEGS: usize = 64;
/// A four-hour call with a hold every 15 s has fewer.
const HOLDS: usize = 1_000;
/// Labels are repeated in every observations row, so they must stay small.
const LABELS: usize = 64;
/// See [`LABELS`].
const LABEL_KEY_BYTES: usize = 64;
/// See [`LABELS`].
const LABEL_VALUE_BYTES: usize = 1_024;
/// Kafka's own default limit for a message is 1 MiB: this, in base64, leaves room for the other fields.
pub const INLINE_BYTES: usize = 700 * 1_024;
/// Every JSON reader holds whole numbers exactly up to here (2^53 − 1).
const MILLISECONDS: u64 = (1 << 53) - 1;

/// Checks and converts; what comes back is only good where no mistake was added.
pub(super) fn check(event: CallRecorded, mistakes: &mut Mistakes) -> (Call, RecordingRef) {
    let mut check = Check { mistakes };
    check.id("tenant", &event.tenant);
    if event.tenant.contains('/') {
        check.mistakes.add("tenant", Problem::Forbidden("`/`: it parts tenant and call id in keys"));
    }
    check.id("call_id", &event.call_id);
    if event.supersedes.is_some_and(|earlier| earlier >= event.revision) {
        check.mistakes.add("supersedes", Problem::NotEarlier);
    }
    check.labels(&event.labels);
    let (started_at, answered_at) = check.times(event.started_at, event.answered_at);
    let recording = check.recording(event.recording);
    let call = Call {
        tenant: event.tenant,
        call_id: event.call_id,
        revision: event.revision,
        supersedes: event.supersedes,
        purpose: check.purpose(event.purpose),
        interaction_id: check.text("interaction_id", event.interaction_id, ID_BYTES),
        queue: check.text("queue", event.queue, ID_BYTES),
        legs: check.legs(event.legs),
        customer_id: check.text("customer_id", event.customer_id, ID_BYTES),
        direction: check.direction(event.direction),
        started_at,
        answered_at,
        ended_by: check.ended_by(event.ended_by),
        holds: check.holds(&event.holds),
        auto_announced: event.auto_announced,
        agent_language: check.language("agent_language", event.agent_language),
        customer_language: check.language("customer_language", event.customer_language),
        layout: check.layout(event.channel_layout),
        labels: event.labels,
    };
    (call, recording)
}

struct Check<'a> {
    mistakes: &'a mut Mistakes,
}

impl Check<'_> {
    /// Notes that a text or a list of bytes is longer than it may be.
    fn length(&mut self, field: &str, actual: usize, limit: usize) {
        if actual > limit {
            self.mistakes.add(field, Problem::TooLong { actual, limit });
        }
    }

    fn count(&mut self, field: &str, actual: usize, limit: usize) {
        if actual > limit {
            self.mistakes.add(field, Problem::TooMany { actual, limit });
        }
    }

    fn id(&mut self, field: &str, id: &str) {
        if id.trim().is_empty() {
            self.mistakes.add(field, Problem::Missing);
        }
        if id.chars().any(char::is_control) {
            self.mistakes.add(field, Problem::Forbidden("control characters"));
        }
        self.length(field, id.len(), ID_BYTES);
    }

    /// An empty text is an absent one.
    fn text(&mut self, field: &str, text: Option<String>, limit: usize) -> Option<String> {
        let text = text.filter(|text| !text.is_empty())?;
        self.length(field, text.len(), limit);
        Some(text)
    }

    fn labels(&mut self, labels: &std::collections::BTreeMap<String, String>) {
        self.count("labels", labels.len(), LABELS);
        // A label's key is the sender's text too, so it is not named.
        for (key, value) in labels.iter().take(LABELS) {
            self.length("labels: a key", key.len(), LABEL_KEY_BYTES);
            self.length("labels: a value", value.len(), LABEL_VALUE_BYTES);
        }
    }

    fn times(
        &mut self,
        started: Option<String>,
        answered: Option<String>,
    ) -> (Option<Moment>, Option<Moment>) {
        let (started, answered) = (self.moment("started_at", started), self.moment("answered_at", answered));
        if let (Some(started), Some(answered)) = (started, answered)
            && answered.at < started.at
        {
            self.mistakes.add("answered_at", Problem::Before("started_at"));
        }
        (started, answered)
    }

    fn moment(&mut self, field: &str, time: Option<String>) -> Option<Moment> {
        let parsed = time.filter(|time| !time.is_empty())?.parse().ok();
        if parsed.is_none() {
            self.mistakes.add(field, Problem::BadTime);
        }
        parsed
    }

    fn language(&mut self, field: &str, tag: Option<String>) -> Option<Language> {
        let tag = self.text(field, tag, TAG_BYTES)?;
        let language = Language::from_tag(&tag);
        if language.is_none() {
            self.mistakes.add(field, Problem::UnknownLanguage);
        }
        language
    }

    fn milliseconds(&mut self, field: &str, value: u64) {
        if value > MILLISECONDS {
            self.mistakes.add(field, Problem::WrongType("milliseconds, less than 2^53"));
        }
    }

    fn legs(&mut self, legs: Vec<wire::Leg>) -> Vec<domain::Leg> {
        self.count("legs", legs.len(), LEGS);
        // An empty leg takes two bytes: looking at all of half a million would take longer than a broker waits.
        for (index, leg) in legs.iter().take(LEGS).enumerate() {
            let field = |name| format!("legs[{index}].{name}");
            self.id(&field("agent_id"), &leg.agent_id);
            self.milliseconds(&field("from_ms"), leg.from_ms.unwrap_or_default());
            self.milliseconds(&field("to_ms"), leg.to_ms.unwrap_or_default());
            if leg.to_ms.is_some_and(|to| to < leg.from_ms.unwrap_or_default()) {
                self.mistakes.add(field("to_ms"), Problem::Before("from_ms"));
            }
        }
        let leg =
            |leg: wire::Leg| domain::Leg { agent_id: leg.agent_id, from_ms: leg.from_ms, to_ms: leg.to_ms };
        legs.into_iter().map(leg).collect()
    }

    fn holds(&mut self, holds: &[wire::Hold]) -> Vec<Span> {
        self.count("holds", holds.len(), HOLDS);
        for (index, hold) in holds.iter().take(HOLDS).enumerate() {
            let field = |name| format!("holds[{index}].{name}");
            self.milliseconds(&field("start_ms"), hold.start_ms);
            self.milliseconds(&field("end_ms"), hold.end_ms);
            if hold.end_ms < hold.start_ms {
                self.mistakes.add(field("end_ms"), Problem::Before("start_ms"));
            }
        }
        holds.iter().map(|hold| Span::new(hold.start_ms, hold.end_ms)).collect()
    }

    fn known<E: TryFrom<i32>>(&mut self, field: &str, number: i32) -> Option<E> {
        let known = E::try_from(number).ok();
        if known.is_none() {
            self.mistakes.add(field, Problem::UnknownCode);
        }
        known
    }

    fn purpose(&mut self, number: i32) -> domain::Purpose {
        use wire::Purpose::{Backfill, Live, Reprocess, Test, Unspecified};
        match self.known("purpose", number) {
            Some(Unspecified | Live) | None => domain::Purpose::Live,
            Some(Backfill) => domain::Purpose::Backfill,
            Some(Reprocess) => domain::Purpose::Reprocess,
            Some(Test) => domain::Purpose::Test,
        }
    }

    fn direction(&mut self, number: i32) -> domain::Direction {
        use wire::Direction::{Inbound, Outbound, Unknown, Unspecified};
        match self.known("direction", number) {
            Some(Inbound) => domain::Direction::Inbound,
            Some(Outbound) => domain::Direction::Outbound,
            Some(Unspecified | Unknown) | None => domain::Direction::Unknown,
        }
    }

    fn ended_by(&mut self, number: i32) -> domain::EndedBy {
        use wire::EndedBy::{Agent, Customer, Line, Unknown, Unspecified};
        match self.known("ended_by", number) {
            Some(Agent) => domain::EndedBy::Agent,
            Some(Customer) => domain::EndedBy::Customer,
            Some(Line) => domain::EndedBy::Line,
            Some(Unspecified | Unknown) | None => domain::EndedBy::Unknown,
        }
    }

    fn layout(&mut self, number: i32) -> Option<domain::ChannelLayout> {
        use wire::ChannelLayout::{AgentFirst, CustomerFirst, Mono, Unspecified};
        match self.known("channel_layout", number)? {
            Unspecified => None,
            AgentFirst => Some(domain::ChannelLayout::AgentFirst),
            CustomerFirst => Some(domain::ChannelLayout::CustomerFirst),
            Mono => Some(domain::ChannelLayout::Mono),
        }
    }

    fn recording(&mut self, recording: Option<wire::Recording>) -> RecordingRef {
        let wire::Recording { uri, inline, sha256, size_bytes, content_type } =
            recording.unwrap_or_else(|| {
                self.mistakes.add("recording", Problem::Missing);
                // Enough to keep its parts from being called missing as well.
                wire::Recording { inline: Some(Vec::new()), ..Default::default() }
            });
        let source = self.source(uri.filter(|uri| !uri.is_empty()), inline, size_bytes);
        RecordingRef {
            source,
            sha256: self.sha256(sha256),
            size_bytes,
            content_type: self.text("recording.content_type", content_type, TAG_BYTES),
        }
    }

    fn source(&mut self, uri: Option<String>, inline: Option<Vec<u8>>, size_bytes: Option<u64>) -> Source {
        match (&uri, &inline) {
            (None, None) => self.mistakes.add("recording", Problem::NoAudio),
            (Some(_), Some(_)) => self.mistakes.add("recording", Problem::TwoAudios),
            _ => {}
        }
        if let Some(uri) = uri {
            self.length("recording.uri", uri.len(), URI_BYTES);
            if !has_scheme(&uri) {
                self.mistakes.add("recording.uri", Problem::BadUri);
            }
            return Source::Uri(RecordingUri::new(uri));
        }
        let inline = inline.unwrap_or_default();
        self.length("recording.inline", inline.len(), INLINE_BYTES);
        if let Some(said) = size_bytes.filter(|&said| said != inline.len() as u64) {
            self.mistakes.add("recording.size_bytes", Problem::OtherLength { said, actual: inline.len() });
        }
        Source::Inline(inline)
    }

    fn sha256(&mut self, sha256: Option<String>) -> Option<String> {
        let sha256 = sha256.filter(|sha256| !sha256.is_empty())?;
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.mistakes.add("recording.sha256", Problem::BadSha256);
        }
        Some(sha256.to_ascii_lowercase())
    }
}

/// A scheme as RFC 3986 has it, and something after it. Whether the URI may be fetched is for the
/// worker's allow-list.
fn has_scheme(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme && !rest.is_empty() && !uri.chars().any(|c| c.is_whitespace() || c.is_control())
}
