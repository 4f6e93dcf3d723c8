//! JSON in the shape of Amazon Contact Lens' analysis of a call, so that tools made for it read callqa's results.
//!
//! Only what callqa knows is there: no sentiment, no loudness, no issues; no account. A category is a violated rule, and
//! its points of interest are the evidence. Times are milliseconds of the recording.

use std::collections::BTreeMap;

use callqa_domain::{Acoustics, Channel, Evidence, Language, Observations, Observed, Ruling, Span};
use serde::Serialize;

use super::Told;
use crate::CliError;

/// The version of the shape that is followed.
const VERSION: &str = "1.1.0";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Analysis<'a> {
    version: &'static str,
    channel: &'static str,
    job_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language_code: Option<&'static str>,
    content_metadata: ContentMetadata,
    customer_metadata: CustomerMetadata<'a>,
    participants: Vec<Participant>,
    categories: Categories<'a>,
    conversation_characteristics: Characteristics,
    transcript: Vec<Line<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ContentMetadata {
    output: &'static str,
    redaction_types: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CustomerMetadata<'a> {
    contact_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Participant {
    participant_id: &'static str,
    /// Nobody's role is known where both are on one track.
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_role: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Categories<'a> {
    matched_categories: Vec<&'a str>,
    matched_details: BTreeMap<&'a str, Details>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    points_of_interest: Vec<Offsets>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Offsets {
    begin_offset_millis: u64,
    end_offset_millis: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Stretch {
    begin_offset_millis: u64,
    duration_millis: u64,
    end_offset_millis: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Characteristics {
    total_conversation_duration_millis: u64,
    interruptions: Interruptions,
    non_talk_time: NonTalkTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    talk_speed: Option<TalkSpeed>,
    talk_time: TalkTime,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Interruptions {
    interruptions_by_interrupter: BTreeMap<&'static str, Vec<Stretch>>,
    total_count: usize,
    total_time_millis: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NonTalkTime {
    instances: Vec<Stretch>,
    total_time_millis: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TalkSpeed {
    details_by_participant: BTreeMap<&'static str, Speed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Speed {
    average_words_per_minute: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TalkTime {
    details_by_participant: BTreeMap<&'static str, Talked>,
    total_time_millis: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Talked {
    total_time_millis: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    id: String,
    participant_id: &'static str,
    content: &'a str,
    begin_offset_millis: u64,
    end_offset_millis: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    redaction: Option<Redaction>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Redaction {
    redacted_timestamps: Vec<Offsets>,
}

/// The analysis, on several lines for who reads it.
///
/// # Errors
/// Where it can't be written as JSON.
pub(super) fn json(told: &Told<'_>) -> Result<String, CliError> {
    let (call, observations) = (&told.filed.call, &told.filed.observations);
    let analysis = Analysis {
        version: VERSION,
        channel: "VOICE",
        job_status: "COMPLETED",
        language_code: observations.language().map(Language::code),
        content_metadata: ContentMetadata { output: "Redacted", redaction_types: ["PII"] },
        customer_metadata: CustomerMetadata { contact_id: &call.call_id },
        participants: observations.channels.iter().map(|c| participant(c.channel)).collect(),
        categories: categories(told),
        conversation_characteristics: characteristics(observations, &told.judgement.acoustics),
        transcript: observations.utterances.iter().enumerate().map(|(at, o)| line(at, o)).collect(),
    };
    let json = serde_json::to_string_pretty(&analysis).map_err(|source| CliError::Json { source })?;
    Ok(json + "\n")
}

fn id(channel: Channel) -> &'static str {
    match channel {
        Channel::Agent => "AGENT",
        Channel::Customer => "CUSTOMER",
        Channel::Mixed => "MIXED",
    }
}

fn participant(channel: Channel) -> Participant {
    let participant_id = id(channel);
    Participant { participant_id, participant_role: (channel != Channel::Mixed).then_some(participant_id) }
}

fn offsets(span: Span) -> Offsets {
    Offsets { begin_offset_millis: span.start_ms, end_offset_millis: span.end_ms }
}

fn stretch(span: Span) -> Stretch {
    Stretch {
        begin_offset_millis: span.start_ms,
        duration_millis: span.len_ms(),
        end_offset_millis: span.end_ms,
    }
}

fn categories<'a>(told: &Told<'a>) -> Categories<'a> {
    let violated = || told.judgement.verdicts.iter().filter(|verdict| verdict.ruling == Ruling::Violated);
    let points = |evidence: &[Evidence]| evidence.iter().map(|evidence| offsets(evidence.span)).collect();
    Categories {
        matched_categories: violated().map(|verdict| verdict.rule.as_str()).collect(),
        matched_details: violated()
            .map(|verdict| (verdict.rule.as_str(), Details { points_of_interest: points(&verdict.evidence) }))
            .collect(),
    }
}

fn characteristics(observations: &Observations, acoustics: &Acoustics) -> Characteristics {
    let mut interruptions: BTreeMap<&'static str, Vec<Stretch>> = BTreeMap::new();
    for interruption in &acoustics.interruptions {
        interruptions.entry(id(interruption.by)).or_default().push(stretch(interruption.overlap));
    }
    let spoken = |channel: Channel| observations.speech_ms(channel);
    let talked = observations.channels.iter().map(|c| (id(c.channel), spoken(c.channel)));
    Characteristics {
        total_conversation_duration_millis: observations.duration_ms,
        interruptions: Interruptions {
            interruptions_by_interrupter: interruptions,
            total_count: acoustics.interruptions.len(),
            total_time_millis: added(acoustics.interruptions.iter().map(|i| i.overlap.len_ms())),
        },
        non_talk_time: NonTalkTime {
            instances: acoustics.silences.iter().map(|silence| stretch(silence.span)).collect(),
            total_time_millis: added(acoustics.silences.iter().map(|silence| silence.span.len_ms())),
        },
        talk_speed: talk_speed(observations, acoustics),
        talk_time: TalkTime {
            total_time_millis: added(talked.clone().map(|(_, ms)| ms)),
            details_by_participant: talked.map(|(id, ms)| (id, Talked { total_time_millis: ms })).collect(),
        },
    }
}

/// Whatever stands in a file, a sum of it is a number.
fn added(times: impl Iterator<Item = u64>) -> u64 {
    times.fold(0, u64::saturating_add)
}

/// Words are counted in English alone; a Mandarin pace is in characters, and is left out here.
fn talk_speed(observations: &Observations, acoustics: &Acoustics) -> Option<TalkSpeed> {
    let in_words = observations.language() == Some(Language::En);
    let paces = [(Channel::Agent, acoustics.agent_pace), (Channel::Customer, acoustics.customer_pace)];
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // words a minute
    let speed = |pace: f32| Speed { average_words_per_minute: pace.round() as u32 };
    let details: BTreeMap<_, _> =
        paces.into_iter().filter_map(|(channel, pace)| Some((id(channel), speed(pace?)))).collect();
    (in_words && !details.is_empty()).then_some(TalkSpeed { details_by_participant: details })
}

/// Words have no times of their own, so what was taken out of an utterance is somewhere between its ends.
fn line(at: usize, observed: &Observed) -> Line<'_> {
    let utterance = &observed.utterance;
    let redacted: Vec<Offsets> = utterance.redactions.iter().map(|_| offsets(utterance.span)).collect();
    Line {
        id: at.to_string(),
        participant_id: id(utterance.channel),
        content: utterance.text.as_str(),
        begin_offset_millis: utterance.span.start_ms,
        end_offset_millis: utterance.span.end_ms,
        redaction: (!redacted.is_empty()).then_some(Redaction { redacted_timestamps: redacted }),
    }
}
