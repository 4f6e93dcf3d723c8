//! A written dialogue: what its JSON object says, and the times that it leaves out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use callqa_domain::{
    Call, Channel, ChannelLayout, Direction, EndedBy, Label, Language, Moment, RawText, Redaction, Scores,
    Span, Task, Text, redact,
};
use serde::Deserialize;
use serde_json::Value;

use crate::dialogue::{Fields, Place, Refusal};

/// Turns of a dialogue: four hours with one every two seconds or so. Rules compare turns with turns, so that twice
/// as many take four times as long.
const MOST_TURNS: usize = 6_000;
/// Bytes of a turn's text: an hour of one person's words. What has to be redacted costs more the more there is of it.
const LONGEST_TEXT: usize = 100_000;
/// The latest time that a turn can have, 24 hours in milliseconds: who writes a later one meant another unit.
const LATEST_MS: u64 = 24 * 60 * 60 * 1_000;
/// Between two turns without times.
const PAUSE_MS: u64 = 200;
/// How long a Han character takes: 240 a minute.
const HAN_CHARACTER_MS: u64 = 250;
/// How long a word takes: 170 a minute.
const WORD_MS: u64 = 350;

/// The tenant of a dialogue that names none.
const NO_TENANT: &str = "local";

/// A dialogue that can be judged.
#[derive(Debug)]
pub struct Dialogue {
    /// As it came: a string or a number.
    pub id: Value,
    /// What an event would say of it.
    pub call: Call,
    /// As they are written, which need not be the order of their times.
    pub turns: Vec<Turn>,
}

/// One turn, as it is written.
#[derive(Debug)]
pub struct Turn {
    /// The agent or the customer, on a mono recording too.
    pub speaker: Channel,
    /// When, in milliseconds of the call.
    pub span: Span,
    /// The words.
    pub text: Text,
    /// What was taken out of them.
    pub redactions: Vec<Redaction>,
    /// How well it was heard, 0–1.
    pub confidence: f32,
    /// In place of the classifiers' probabilities: 1 for each label that was given, 0 for the speaker's others.
    pub labels: Option<Scores>,
}

impl Turn {
    /// Whether there is anything in it that could be classified.
    pub fn has_words(&self) -> bool {
        !self.text.as_str().trim().is_empty()
    }
}

impl Dialogue {
    /// Reads a dialogue.
    ///
    /// # Errors
    /// The first thing in it that can't be read.
    pub fn read(value: &Value) -> Result<Self, Refusal> {
        let fields = Fields::of(value, Place::Object)?;
        let id = fields.id()?;
        let listed = fields.required("turns", "a list of {\"speaker\", \"text\", …}", Value::as_array)?;
        if listed.len() > MOST_TURNS {
            return Err(Refusal::TooManyTurns { turns: listed.len(), most: MOST_TURNS });
        }
        let mut turns: Vec<Turn> = Vec::with_capacity(listed.len());
        for (number, turn) in (1..).zip(listed) {
            let fields = Fields::of(turn, Place::Turn(number))?;
            let before = turns.last().map(|turn| turn.span.end_ms);
            turns.push(read_turn(&fields, before)?);
        }
        let language =
            fields.optional("lang", "\"zh\" or \"en\"", |tag| Language::from_tag(tag.as_str()?))?;
        let call = call(&fields, id, language.or_else(|| written_in(&turns)))?;
        Ok(Self { id: id.clone(), call, turns })
    }

    /// Whether no turn needs a classifier.
    pub fn is_labelled(&self) -> bool {
        self.turns.iter().all(|turn| turn.labels.is_some() || !turn.has_words())
    }
}

fn call(fields: &Fields<'_>, id: &Value, language: Option<Language>) -> Result<Call, Refusal> {
    let is_mono = |channels: &Value| match channels.as_u64()? {
        1 => Some(true),
        2 => Some(false),
        _ => None,
    };
    let mono = fields.optional("channels", "1 or 2", is_mono)?.unwrap_or(false);
    let ended_by = "\"agent\", \"customer\", \"line\" or \"unknown\"";
    let direction = "\"inbound\", \"outbound\" or \"unknown\"";
    let time = "an RFC 3339 date and time with an offset, such as 2026-03-04T10:00:00+08:00";
    let moment = |value: &Value| value.as_str()?.parse::<Moment>().ok();
    let labels = "an object of strings, such as {\"campaign\": \"spring\"}";
    let tenant = fields.optional("tenant", "a string, not an empty one", |tenant| {
        tenant.as_str().filter(|tenant| !tenant.trim().is_empty())
    })?;
    let call_id = id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned);
    Ok(Call {
        queue: fields.optional("queue", "a string", |queue| queue.as_str().map(ToOwned::to_owned))?,
        direction: fields
            .optional("direction", direction, |value| Direction::deserialize(value).ok())?
            .unwrap_or_default(),
        started_at: fields.optional("started_at", time, moment)?,
        answered_at: fields.optional("answered_at", time, moment)?,
        ended_by: fields
            .optional("ended_by", ended_by, |value| EndedBy::deserialize(value).ok())?
            .unwrap_or_default(),
        auto_announced: fields.optional("auto_announced", "true or false", Value::as_bool)?,
        agent_language: language,
        customer_language: language,
        layout: Some(if mono { ChannelLayout::Mono } else { ChannelLayout::AgentFirst }),
        labels: fields.optional("labels", labels, texts_by_name)?.unwrap_or_default(),
        ..Call::new(tenant.unwrap_or(NO_TENANT), call_id)
    })
}

fn texts_by_name(labels: &Value) -> Option<BTreeMap<String, String>> {
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    labels.as_object()?.iter().map(text).collect()
}

fn read_turn(fields: &Fields<'_>, before: Option<u64>) -> Result<Turn, Refusal> {
    let (speaker, text) = (fields.speaker()?, fields.text()?);
    if text.len() > LONGEST_TEXT {
        return Err(fields.wrong("text", format!("at most {LONGEST_TEXT} bytes long")));
    }
    let span = span(fields, text, before)?;
    let share = |value: &Value| value.as_f64().filter(|share| (0.0..=1.0).contains(share));
    let confidence = fields.optional("confidence", "a number from 0 to 1", share)?.unwrap_or(1.0);
    let labels = fields.given("labels").map(|labels| given_labels(labels, speaker, fields.place));
    let (text, redactions) = redact(&RawText::new(text));
    // Three places, as utterances of recordings have.
    #[allow(clippy::cast_possible_truncation)]
    let confidence = ((confidence * 1_000.0).round() / 1_000.0) as f32;
    Ok(Turn { speaker, span, text, redactions, confidence, labels: labels.transpose()? })
}

/// When a turn is spoken; what is not written is made up.
fn span(fields: &Fields<'_>, text: &str, before: Option<u64>) -> Result<Span, Refusal> {
    let ms =
        |field| fields.optional(field, "milliseconds from the start of the call, 24 hours at most", time);
    let (start_ms, end_ms) = (ms("start_ms")?, ms("end_ms")?);
    let follows = before.map_or(0, |before| before.saturating_add(PAUSE_MS));
    match (start_ms, end_ms) {
        (Some(start_ms), Some(end_ms)) if end_ms < start_ms => {
            Err(Refusal::EndsBeforeStart { place: fields.place, start_ms, end_ms })
        }
        (Some(start_ms), Some(end_ms)) => Ok(Span::new(start_ms, end_ms)),
        (None, Some(end_ms)) => Ok(Span::new(follows.min(end_ms), end_ms)),
        (start_ms, None) => {
            let start_ms = start_ms.unwrap_or(follows);
            Ok(Span::new(start_ms, start_ms.saturating_add(spoken_ms(text))))
        }
    }
}

/// Whole milliseconds; a fraction of one is rounded.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // in range
fn time(value: &Value) -> Option<u64> {
    let whole = value.as_u64().filter(|ms| *ms <= LATEST_MS);
    let rounded = value.as_f64().map(f64::round).filter(|ms| (0.0..=LATEST_MS as f64).contains(ms));
    whole.or(rounded.map(|ms| ms as u64))
}

/// How long it takes to say something.
fn spoken_ms(text: &str) -> u64 {
    let (characters, words) = spoken_units(text);
    (characters as u64 * HAN_CHARACTER_MS).saturating_add(words as u64 * WORD_MS)
}

/// Han characters, and words between them and white space.
fn spoken_units(text: &str) -> (usize, usize) {
    let is_han = |c: char| matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}');
    let between = text.split(|c: char| is_han(c) || c.is_whitespace());
    let words = between.filter(|word| word.contains(char::is_alphanumeric)).count();
    (text.chars().filter(|c| is_han(*c)).count(), words)
}

/// The language of most of a dialogue; `None` where nothing was said.
fn written_in(turns: &[Turn]) -> Option<Language> {
    let units = turns.iter().map(|turn| spoken_units(turn.text.as_str()));
    match units.fold((0, 0), |all, turn| (all.0 + turn.0, all.1 + turn.1)) {
        (0, 0) => None,
        (characters, words) if characters >= words => Some(Language::Zh),
        _ => Some(Language::En),
    }
}

/// The scores that stand for labels which somebody gave.
fn given_labels(value: &Value, speaker: Channel, place: Place) -> Result<Scores, Refusal> {
    let fields = Fields::of(value, place).map_err(|_| Refusal::Wrong {
        place,
        field: "labels",
        expected: "an object: {\"politeness\", \"resolution\", \"script\"}".into(),
    })?;
    let mut given: Vec<Label> = Vec::new();
    for task in Task::ALL {
        let Some(value) = fields.given(task.name()) else { continue };
        let named = |name: &Value| task.labels().find(|label| Some(label.name()) == name.as_str());
        let labels: Option<Vec<Label>> = match task {
            Task::Politeness => named(value).map(|label| vec![label]),
            Task::Resolution | Task::Script => {
                value.as_array().and_then(|names| names.iter().map(named).collect())
            }
        };
        let theirs = labels.filter(|labels| labels.iter().all(|label| label.speaker() == speaker));
        given.extend(theirs.ok_or_else(|| fields.wrong(task.name(), allowed(task, speaker)))?);
    }
    let theirs = Label::ALL.iter().filter(|label| label.speaker() == speaker);
    Ok(theirs.map(|&label| (label, if given.contains(&label) { 1.0 } else { 0.0 })).collect())
}

/// What may stand in a field of `labels`.
fn allowed(task: Task, speaker: Channel) -> Cow<'static, str> {
    let theirs = task.labels().filter(|label| label.speaker() == speaker);
    let names = theirs.map(Label::name).collect::<Vec<_>>().join(", ");
    match task {
        Task::Politeness if names.is_empty() => "null for a customer".into(),
        Task::Politeness => format!("null, or one of: {names}").into(),
        Task::Resolution | Task::Script if names.is_empty() => "an empty list for a customer".into(),
        Task::Resolution | Task::Script => {
            format!("a list, for the {}, of any of: {names}", speaker.name()).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(json: &str) -> Result<Dialogue, Refusal> {
        Dialogue::read(&serde_json::from_str(json).unwrap())
    }

    fn with_turns(turns: &str) -> Result<Dialogue, Refusal> {
        dialogue(&format!(r#"{{"id":"x","turns":[{turns}]}}"#))
    }

    #[track_caller]
    fn check_times(turns: &str, expect: &[(u64, u64)]) {
        let turns = with_turns(turns).unwrap().turns;
        let spans = turns.iter().map(|turn| (turn.span.start_ms, turn.span.end_ms));
        assert_eq!(spans.collect::<Vec<_>>(), expect);
    }

    #[test]
    fn missing_times_are_made_up() {
        check_times(
            r#"{"speaker":"agent","text":"您好"},{"speaker":"customer","text":"my ADSL不行 today!"}"#,
            &[(0, 500), (700, 700 + 3 * 350 + 500)],
        );
        check_times(
            r#"{"speaker":"agent","text":"hello","start_ms":4000.4},{"speaker":"agent","text":"","end_ms":9000}"#,
            &[(4_000, 4_350), (4_550, 9_000)],
        );
        check_times(r#"{"speaker":"agent","text":"……"}"#, &[(0, 0)]);
    }

    #[test]
    fn turns_may_overlap_and_come_in_any_order() {
        check_times(
            r#"{"speaker":"agent","text":"a","start_ms":5000,"end_ms":9000},
               {"speaker":"customer","text":"b","start_ms":5000,"end_ms":6000},
               {"speaker":"agent","text":"c","start_ms":0,"end_ms":0}"#,
            &[(5_000, 9_000), (5_000, 6_000), (0, 0)],
        );
    }

    #[track_caller]
    fn check_language(json: &str, expect: Option<Language>) {
        assert_eq!(dialogue(json).unwrap().call.agent_language, expect);
    }

    #[test]
    fn the_language_that_is_said_or_else_the_one_that_is_written() {
        check_language(r#"{"id":1,"lang":"zh-CN","turns":[]}"#, Some(Language::Zh));
        check_language(r#"{"id":1,"turns":[{"speaker":"agent","text":"您的VIP"}]}"#, Some(Language::Zh));
        check_language(r#"{"id":1,"turns":[{"speaker":"agent","text":"thank you 王"}]}"#, Some(Language::En));
        check_language(r#"{"id":1,"turns":[]}"#, None);
    }

    #[test]
    fn what_the_call_was() {
        let call = dialogue(
            r#"{"id":7,"channels":1,"ended_by":"line","direction":"outbound","queue":"q","auto_announced":true,"turns":[]}"#,
        );
        let call = call.unwrap().call;
        assert_eq!((call.call_id.as_str(), call.tenant.as_str()), ("7", "local"));
        assert_eq!((call.layout, call.ended_by), (Some(ChannelLayout::Mono), EndedBy::Line));
        assert_eq!((call.direction, call.auto_announced), (Direction::Outbound, Some(true)));
        let call = dialogue(r#"{"id":"a","ended_by":null,"turns":[]}"#).unwrap().call;
        assert_eq!((call.layout, call.ended_by), (Some(ChannelLayout::AgentFirst), EndedBy::Unknown));
    }

    #[test]
    fn whose_call_it_was_and_when() {
        let call = dialogue(
            r#"{"id":7,"tenant":"acme","labels":{"campaign":"spring"},"answered_at":"2026-03-04T10:00:05+08:00","turns":[]}"#,
        );
        let call = call.unwrap().call;
        assert_eq!((call.tenant.as_str(), call.labels["campaign"].as_str()), ("acme", "spring"));
        assert_eq!(call.answered_at.unwrap().to_string(), "2026-03-04T10:00:05+08:00");
    }

    #[test]
    fn given_labels_stand_for_all_of_the_speakers() {
        let turn =
            r#"{"speaker":"agent","text":"x","labels":{"politeness":"rude","resolution":["escalates"]}}"#;
        let scores = with_turns(turn).unwrap().turns.remove(0).labels.unwrap();
        assert_eq!(scores.len(), 21);
        let given = scores.iter().filter(|(_, score)| **score > 0.5).map(|(&label, _)| label);
        assert_eq!(given.collect::<Vec<_>>(), [Label::Rude, Label::Escalates]);
        let turn = r#"{"speaker":"customer","text":"x","labels":{"politeness":null,"script":[]}}"#;
        assert_eq!(with_turns(turn).unwrap().turns.remove(0).labels.unwrap().len(), 10);
    }

    #[track_caller]
    fn check_refusal(turn: &str, expect: &str) {
        let sentence = with_turns(turn).unwrap_err().to_string();
        assert!(sentence.contains(expect) && !sentence.contains("secret"), "{sentence}");
    }

    #[test]
    fn refusals_name_the_turn_and_never_quote() {
        check_refusal("5", "turn 1: this is not a JSON object");
        check_refusal(r#"{"speaker":"secret","text":"secret"}"#, "turn 1: `speaker` must be \"agent\" or");
        check_refusal(r#"{"speaker":"agent"}"#, "turn 1: `text` is missing; it must be a string");
        check_refusal(
            r#"{"speaker":"agent","text":"secret"},{"speaker":"agent","text":"","start_ms":9,"end_ms":8}"#,
            "turn 2: it ends at 8 ms and starts at 9 ms",
        );
        let long = format!(r#"{{"speaker":"agent","text":"{}"}}"#, "好".repeat(LONGEST_TEXT / 3 + 1));
        check_refusal(&long, "turn 1: `text` must be at most 100000 bytes long");
        check_refusal(r#"{"speaker":"agent","text":"","start_ms":-1}"#, "`start_ms` must be milliseconds");
        check_refusal(r#"{"speaker":"agent","text":"","end_ms":1e12}"#, "`end_ms` must be milliseconds");
        check_refusal(r#"{"speaker":"agent","text":"","confidence":2}"#, "`confidence` must be a number");
        check_refusal(r#"{"speaker":"agent","text":"","labels":["secret"]}"#, "`labels` must be an object");
        check_refusal(
            r#"{"speaker":"agent","text":"","labels":{"politeness":"secret"}}"#,
            "`politeness` must be null, or one of: courteous, neutral, dismissive, rude",
        );
        check_refusal(
            r#"{"speaker":"agent","text":"","labels":{"resolution":["states_issue"]}}"#,
            "`resolution` must be a list, for the agent, of any of: explains, ",
        );
        check_refusal(
            r#"{"speaker":"customer","text":"","labels":{"politeness":"neutral"}}"#,
            "`politeness` must be null for a customer",
        );
        check_refusal(
            r#"{"speaker":"customer","text":"","labels":{"script":["greeting"]}}"#,
            "`script` must be an empty list for a customer",
        );
    }

    #[test]
    fn a_dialogue_without_its_fields() {
        let refusal = |json| dialogue(json).unwrap_err().to_string();
        assert!(refusal("[]").starts_with("this is not a JSON object"));
        assert!(refusal(r#"{"turns":[]}"#).starts_with("`id` is missing"));
        assert!(refusal(r#"{"id":"a"}"#).starts_with("`turns` is missing"));
        assert!(refusal(r#"{"id":"a","lang":"fr","turns":[]}"#).starts_with("`lang` must be"));
        assert!(refusal(r#"{"id":"a","channels":3,"turns":[]}"#).starts_with("`channels` must be 1 or 2"));
        assert!(refusal(r#"{"id":"a","ended_by":"me","turns":[]}"#).starts_with("`ended_by` must be"));
        assert!(refusal(r#"{"id":"a","tenant":" ","turns":[]}"#).starts_with("`tenant` must be a string"));
        assert!(
            refusal(r#"{"id":"a","labels":{"n":1},"turns":[]}"#).starts_with("`labels` must be an object")
        );
        assert!(refusal(r#"{"id":"a","answered_at":"now","turns":[]}"#).starts_with("`answered_at` must be"));
        let turn =
            r#"{"speaker":"agent","text":"x"},"#.repeat(MOST_TURNS) + r#"{"speaker":"agent","text":"x"}"#;
        assert!(with_turns(&turn).unwrap_err().to_string().contains("6001 turns"));
    }
}
