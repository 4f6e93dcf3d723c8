//! The transcript with every probability and span, cut into rows that Kafka takes.

use callqa_domain::{Assessment, Channel, Gap, Observations, Observed, Span};

use super::{Ids, SCHEMA_VERSION, codes, count, model_lists, written};
use crate::{Topic, wire::ObservationsRow};

/// Half of Kafka's default limit for a message (1 MiB): the rest is for headers, and for brokers that are
/// set lower than the default. A row is larger only where a single utterance is.
pub const PART_BYTES: usize = 512 * 1024;

/// A number of four places in JSON, `0.1234,`, or any other `f32`.
const FLOAT_BYTES: usize = 16;
/// `part`, `parts` and `first_utterance` grow by less than this from the zeros that are counted.
const COUNTERS_BYTES: usize = 32;

/// The rows of an assessment, in order: at least one.
pub(crate) fn observations(assessment: &Assessment) -> Result<Vec<ObservationsRow>, serde_json::Error> {
    let of_call = of_call(assessment);
    let room = PART_BYTES.saturating_sub(serde_json::to_vec(&of_call)?.len() + COUNTERS_BYTES);
    let shares = shares(&assessment.observations, room)?;
    let parts = count(shares.len());
    let ids = Ids::of(assessment);
    let mut first_utterance = 0;
    let mut rows = Vec::with_capacity(shares.len());
    for (part, share) in (0..).zip(shares) {
        let mut row = ObservationsRow {
            row_id: ids.row(Topic::Observations, &part.to_string()),
            part,
            parts,
            first_utterance,
            ..of_call.clone()
        };
        share.into_iter().for_each(|item| item.put(&mut row));
        first_utterance += count(row.utterance_text.len());
        rows.push(row);
    }
    Ok(rows)
}

/// What a long list is cut between, never within.
enum Item<'a> {
    Speech(Channel, Span),
    Utterance(usize, &'a Observed),
    Gap(&'a Gap),
}

fn shares(observations: &Observations, room: usize) -> Result<Vec<Vec<Item<'_>>>, serde_json::Error> {
    let channels = observations.channels.iter();
    let speech = channels.flat_map(|c| c.speech.iter().map(|&span| Item::Speech(c.channel, span)));
    let utterances = observations.utterances.iter().enumerate().map(|(index, o)| Item::Utterance(index, o));
    let gaps = observations.gaps.iter().map(Item::Gap);
    let mut shares: Vec<Vec<Item<'_>>> = vec![Vec::new()];
    let mut left = room;
    for item in speech.chain(utterances).chain(gaps) {
        let bytes = item.bytes()?;
        if bytes > left && shares.last().is_some_and(|share| !share.is_empty()) {
            shares.push(Vec::new());
            left = room;
        }
        left = left.saturating_sub(bytes);
        if let Some(share) = shares.last_mut() {
            share.push(item);
        }
    }
    Ok(shares)
}

impl Item<'_> {
    /// At most this many bytes of JSON.
    fn bytes(&self) -> Result<usize, serde_json::Error> {
        Ok(match self {
            Self::Speech(channel, span) => code_bytes(channel.name()) + span_bytes(*span),
            Self::Gap(gap) => {
                code_bytes(gap.channel.name())
                    + span_bytes(gap.span)
                    + code_bytes(codes::gap_reason(gap.reason))
            }
            Self::Utterance(index, Observed { utterance, scores }) => {
                let index = digits(*index as u64);
                let redaction = |r: &callqa_domain::Redaction| {
                    index + code_bytes(r.kind.name()) + digits(r.at_char as u64)
                };
                let score = |label: &callqa_domain::Label| index + code_bytes(label.name()) + FLOAT_BYTES;
                let text = serde_json::to_vec(&utterance.text)?.len() + 1;
                // The channel and the span stand twice where something has to be silenced.
                2 * (code_bytes(utterance.channel.name()) + span_bytes(utterance.span))
                    + text
                    + FLOAT_BYTES
                    + utterance.redactions.iter().map(redaction).sum::<usize>()
                    + scores.keys().map(score).sum::<usize>()
            }
        })
    }

    fn put(self, row: &mut ObservationsRow) {
        match self {
            Self::Speech(channel, span) => {
                row.speech_channel.push(channel.name().to_owned());
                row.speech_start_ms.push(span.start_ms);
                row.speech_end_ms.push(span.end_ms);
            }
            Self::Gap(gap) => {
                row.gap_channel.push(gap.channel.name().to_owned());
                row.gap_start_ms.push(gap.span.start_ms);
                row.gap_end_ms.push(gap.span.end_ms);
                row.gap_reason.push(codes::gap_reason(gap.reason).to_owned());
            }
            Self::Utterance(index, observed) => put_utterance(row, count(index), observed),
        }
    }
}

fn put_utterance(row: &mut ObservationsRow, index: u32, Observed { utterance, scores }: &Observed) {
    row.utterance_speaker.push(utterance.channel.name().to_owned());
    row.utterance_start_ms.push(utterance.span.start_ms);
    row.utterance_end_ms.push(utterance.span.end_ms);
    row.utterance_text.push(utterance.text.as_str().to_owned());
    row.utterance_confidence.push(utterance.confidence);
    if !utterance.redactions.is_empty() {
        row.mute_channel.push(utterance.channel.name().to_owned());
        row.mute_start_ms.push(utterance.span.start_ms);
        row.mute_end_ms.push(utterance.span.end_ms);
    }
    for redaction in &utterance.redactions {
        row.redaction_utterance.push(index);
        row.redaction_kind.push(redaction.kind.name().to_owned());
        row.redaction_at_char.push(count(redaction.at_char));
    }
    for (label, &probability) in scores {
        row.score_utterance.push(index);
        row.score_label.push(label.name().to_owned());
        row.score_probability.push(probability);
    }
}

/// A number and its comma.
fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1) + 1
}

/// A name in quotes and its comma.
fn code_bytes(name: &str) -> usize {
    name.len() + 3
}

fn span_bytes(span: Span) -> usize {
    digits(span.start_ms) + digits(span.end_ms)
}

/// What every row of a call says of it.
fn of_call(assessment: &Assessment) -> ObservationsRow {
    let Assessment { call, observations, provenance, .. } = assessment;
    let ids = Ids::of(assessment);
    let (model_names, model_sha256s) = model_lists(provenance);
    // The event's check keeps times under 2^53.
    let known = |ms: Option<u64>| ms.and_then(|ms| i64::try_from(ms).ok()).unwrap_or(-1);
    let code =
        |language: Option<callqa_domain::Language>| language.map(|language| language.code().to_owned());
    ObservationsRow {
        schema_version: SCHEMA_VERSION,
        ending_id: ids.ending_id.clone(),
        result_id: ids.result_id.clone(),
        row_id: ids.row(Topic::Observations, ""),
        tenant: call.tenant.clone(),
        call_id: call.call_id.clone(),
        revision: call.revision,
        supersedes: call.supersedes,
        purpose: codes::purpose(call.purpose).to_owned(),
        interaction_id: call.interaction_id.clone(),
        queue: call.queue.clone(),
        leg_agent_id: call.legs.iter().map(|leg| leg.agent_id.clone()).collect(),
        leg_from_ms: call.legs.iter().map(|leg| known(leg.from_ms)).collect(),
        leg_to_ms: call.legs.iter().map(|leg| known(leg.to_ms)).collect(),
        customer_id: call.customer_id.clone(),
        direction: codes::direction(call.direction).to_owned(),
        started_at: written(call.started_at),
        answered_at: written(call.answered_at),
        ended_by: codes::ended_by(call.ended_by).to_owned(),
        hold_start_ms: call.holds.iter().map(|hold| hold.start_ms).collect(),
        hold_end_ms: call.holds.iter().map(|hold| hold.end_ms).collect(),
        auto_announced: call.auto_announced,
        agent_language: code(call.agent_language),
        customer_language: code(call.customer_language),
        channel_layout: call.layout.map(|layout| codes::layout(layout).to_owned()),
        labels: call.labels.clone(),
        duration_ms: observations.duration_ms,
        dual_mono: observations.dual_mono,
        channel: observations.channels.iter().map(|c| c.channel.name().to_owned()).collect(),
        channel_language: observations
            .channels
            .iter()
            .map(|c| code(c.language).unwrap_or_default())
            .collect(),
        threshold_label: observations.thresholds.keys().map(|label| label.name().to_owned()).collect(),
        threshold_holds: observations.thresholds.values().map(|threshold| threshold.holds).collect(),
        threshold_doubt: observations.thresholds.values().map(|threshold| threshold.doubt).collect(),
        outcome_resolved: observations.outcome.map(|estimate| estimate.resolved),
        outcome_partially_resolved: observations.outcome.map(|estimate| estimate.partially_resolved),
        outcome_unresolved: observations.outcome.map(|estimate| estimate.unresolved),
        model_names,
        model_sha256s,
        event_digest: provenance.event_digest.clone(),
        recording_sha256: provenance.recording_sha256.clone(),
        config_digest: provenance.config_digest.clone(),
        build: provenance.build.clone(),
        ..ObservationsRow::default()
    }
}
