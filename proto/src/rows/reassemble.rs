//! From observations rows back to what a rulebook judges.

use callqa_domain::{
    Call, ChannelObserved, Gap, Leg, Moment, Observations, Observed, OutcomeEstimate, Redaction, Scores,
    Span, Text, Threshold, Utterance,
};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::Error as CodeError},
};

use crate::wire::ObservationsRow;

/// Why rows do not make up a call.
#[derive(Debug, thiserror::Error)]
pub enum ReassemblyError {
    /// Rows are missing, come twice, or belong to different results.
    #[error("{found} rows were given, but not each of the {parts} parts of one result once")]
    Parts {
        /// How many the first row speaks of.
        parts: u32,
        /// How many were given.
        found: usize,
    },
    /// Lists that belong together are of different lengths, or point outside the transcript.
    #[error("the lists {0}_… of part {1} do not fit together")]
    Lists(&'static str, u32),
    /// A code that this version does not know.
    #[error("{field} holds a code that is not known here: {source}")]
    Code {
        /// Which list or field.
        field: &'static str,
        /// What serde says of it: the code and the ones that are known. Rows hold no personal codes.
        source: CodeError,
    },
    /// A time that is none.
    #[error("{0} is no RFC 3339 date and time with offset")]
    Time(&'static str),
}

/// Puts the rows of one result together, in any order: the call and its observations, as they were when the
/// rows were made. Text is redacted again, which changes nothing.
///
/// # Errors
/// Where the rows are not all of one result, or are not what callqa writes.
pub fn reassemble(mut rows: Vec<ObservationsRow>) -> Result<(Call, Observations), ReassemblyError> {
    rows.sort_by_key(|row| row.part);
    let parts = rows.first().map_or(0, |row| row.parts);
    let fits = |(part, row): (u32, &ObservationsRow)| {
        row.part == part && row.parts == parts && row.result_id == rows[0].result_id
    };
    let complete = parts as usize == rows.len() && (0..).zip(&rows).all(fits);
    let Some(first) = rows.first().filter(|_| complete) else {
        return Err(ReassemblyError::Parts { parts, found: rows.len() });
    };
    let (call, mut observations) = (call(first)?, of_call(first)?);
    for row in &rows {
        add_speech(row, &mut observations)?;
        add_utterances(row, &mut observations)?;
        add_redactions(row, &mut observations)?;
        add_scores(row, &mut observations)?;
        add_gaps(row, &mut observations)?;
    }
    Ok((call, observations))
}

fn code<'a, T: Deserialize<'a>>(field: &'static str, name: &'a str) -> Result<T, ReassemblyError> {
    T::deserialize(name.into_deserializer()).map_err(|source| ReassemblyError::Code { field, source })
}

fn moment(field: &'static str, time: Option<&String>) -> Result<Option<Moment>, ReassemblyError> {
    time.map(|time| time.parse().map_err(|_| ReassemblyError::Time(field))).transpose()
}

/// An empty name is none.
fn optional<'a, T: Deserialize<'a>>(
    field: &'static str,
    name: Option<&'a String>,
) -> Result<Option<T>, ReassemblyError> {
    name.filter(|name| !name.is_empty()).map(|name| code(field, name)).transpose()
}

fn same_length(lengths: &[usize], list: &'static str, row: &ObservationsRow) -> Result<(), ReassemblyError> {
    let fits = lengths.windows(2).all(|pair| pair[0] == pair[1]);
    if fits { Ok(()) } else { Err(ReassemblyError::Lists(list, row.part)) }
}

fn call(row: &ObservationsRow) -> Result<Call, ReassemblyError> {
    same_length(&[row.leg_agent_id.len(), row.leg_from_ms.len(), row.leg_to_ms.len()], "leg", row)?;
    same_length(&[row.hold_start_ms.len(), row.hold_end_ms.len()], "hold", row)?;
    let leg = |index: usize| Leg {
        agent_id: row.leg_agent_id[index].clone(),
        from_ms: u64::try_from(row.leg_from_ms[index]).ok(),
        to_ms: u64::try_from(row.leg_to_ms[index]).ok(),
    };
    let holds = row.hold_start_ms.iter().zip(&row.hold_end_ms);
    Ok(Call {
        tenant: row.tenant.clone(),
        call_id: row.call_id.clone(),
        revision: row.revision,
        supersedes: row.supersedes,
        purpose: code("purpose", &row.purpose)?,
        interaction_id: row.interaction_id.clone(),
        queue: row.queue.clone(),
        legs: (0..row.leg_agent_id.len()).map(leg).collect(),
        customer_id: row.customer_id.clone(),
        direction: code("direction", &row.direction)?,
        started_at: moment("started_at", row.started_at.as_ref())?,
        answered_at: moment("answered_at", row.answered_at.as_ref())?,
        ended_by: code("ended_by", &row.ended_by)?,
        holds: holds.map(|(&start, &end)| Span::new(start, end)).collect(),
        auto_announced: row.auto_announced,
        agent_language: optional("agent_language", row.agent_language.as_ref())?,
        customer_language: optional("customer_language", row.customer_language.as_ref())?,
        layout: optional("channel_layout", row.channel_layout.as_ref())?,
        labels: row.labels.clone(),
    })
}

fn of_call(row: &ObservationsRow) -> Result<Observations, ReassemblyError> {
    same_length(&[row.channel.len(), row.channel_language.len()], "channel", row)?;
    let (holds, doubt) = (&row.threshold_holds, &row.threshold_doubt);
    same_length(&[row.threshold_label.len(), holds.len(), doubt.len()], "threshold", row)?;
    let channel = |(name, language): (&String, &String)| {
        Ok(ChannelObserved {
            channel: code("channel", name)?,
            language: optional("channel_language", Some(language))?,
            speech: Vec::new(),
        })
    };
    let threshold = |(label, (&holds, &doubt)): (&String, (&f32, &f32))| {
        Ok((code("threshold_label", label)?, Threshold { holds, doubt }))
    };
    Ok(Observations {
        duration_ms: row.duration_ms,
        dual_mono: row.dual_mono,
        channels: row.channel.iter().zip(&row.channel_language).map(channel).collect::<Result<_, _>>()?,
        utterances: Vec::new(),
        gaps: Vec::new(),
        thresholds: row
            .threshold_label
            .iter()
            .zip(holds.iter().zip(doubt))
            .map(threshold)
            .collect::<Result<_, _>>()?,
        outcome: estimate(row),
    })
}

/// `None` where the row was written before there was an outcome model.
fn estimate(row: &ObservationsRow) -> Option<OutcomeEstimate> {
    Some(OutcomeEstimate {
        resolved: row.outcome_resolved?,
        partially_resolved: row.outcome_partially_resolved?,
        unresolved: row.outcome_unresolved?,
    })
}

fn add_speech(row: &ObservationsRow, observations: &mut Observations) -> Result<(), ReassemblyError> {
    let (starts, ends) = (&row.speech_start_ms, &row.speech_end_ms);
    same_length(&[row.speech_channel.len(), starts.len(), ends.len()], "speech", row)?;
    for (name, (&start, &end)) in row.speech_channel.iter().zip(starts.iter().zip(ends)) {
        let channel = code("speech_channel", name)?;
        let of_channel = observations.channels.iter_mut().find(|observed| observed.channel == channel);
        let of_channel = of_channel.ok_or(ReassemblyError::Lists("speech", row.part))?;
        of_channel.speech.push(Span::new(start, end));
    }
    Ok(())
}

fn add_utterances(row: &ObservationsRow, observations: &mut Observations) -> Result<(), ReassemblyError> {
    let (starts, ends) = (&row.utterance_start_ms, &row.utterance_end_ms);
    let (texts, confidences) = (&row.utterance_text, &row.utterance_confidence);
    let lengths = [row.utterance_speaker.len(), starts.len(), ends.len(), texts.len(), confidences.len()];
    same_length(&lengths, "utterance", row)?;
    if row.first_utterance as usize != observations.utterances.len() {
        return Err(ReassemblyError::Lists("utterance", row.part));
    }
    for (index, name) in row.utterance_speaker.iter().enumerate() {
        let utterance = Utterance {
            channel: code("utterance_speaker", name)?,
            span: Span::new(starts[index], ends[index]),
            text: code::<Text>("utterance_text", &texts[index])?,
            redactions: Vec::new(),
            confidence: confidences[index],
        };
        observations.utterances.push(Observed { utterance, scores: Scores::new() });
    }
    Ok(())
}

fn observed<'a>(
    observations: &'a mut Observations,
    index: u32,
    list: &'static str,
    row: &ObservationsRow,
) -> Result<&'a mut Observed, ReassemblyError> {
    observations.utterances.get_mut(index as usize).ok_or(ReassemblyError::Lists(list, row.part))
}

fn add_redactions(row: &ObservationsRow, observations: &mut Observations) -> Result<(), ReassemblyError> {
    let (kinds, places) = (&row.redaction_kind, &row.redaction_at_char);
    same_length(&[row.redaction_utterance.len(), kinds.len(), places.len()], "redaction", row)?;
    for (&index, (kind, &at_char)) in row.redaction_utterance.iter().zip(kinds.iter().zip(places)) {
        let redaction = Redaction { kind: code("redaction_kind", kind)?, at_char: at_char as usize };
        observed(observations, index, "redaction", row)?.utterance.redactions.push(redaction);
    }
    Ok(())
}

fn add_scores(row: &ObservationsRow, observations: &mut Observations) -> Result<(), ReassemblyError> {
    let (labels, probabilities) = (&row.score_label, &row.score_probability);
    same_length(&[row.score_utterance.len(), labels.len(), probabilities.len()], "score", row)?;
    for (&index, (label, &probability)) in row.score_utterance.iter().zip(labels.iter().zip(probabilities)) {
        observed(observations, index, "score", row)?.scores.insert(code("score_label", label)?, probability);
    }
    Ok(())
}

fn add_gaps(row: &ObservationsRow, observations: &mut Observations) -> Result<(), ReassemblyError> {
    let (starts, ends) = (&row.gap_start_ms, &row.gap_end_ms);
    let lengths = [row.gap_channel.len(), starts.len(), ends.len(), row.gap_reason.len()];
    same_length(&lengths, "gap", row)?;
    for (index, name) in row.gap_channel.iter().enumerate() {
        observations.gaps.push(Gap {
            channel: code("gap_channel", name)?,
            span: Span::new(starts[index], ends[index]),
            reason: code("gap_reason", &row.gap_reason[index])?,
        });
    }
    Ok(())
}
