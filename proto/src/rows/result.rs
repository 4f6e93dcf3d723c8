//! One row a call: the ending.

use callqa_domain::{Acoustics, Assessment, Call, Provenance, Ruling, Span};

use super::{Ids, SCHEMA_VERSION, codes, count, language, model_lists, written};
use crate::ending::{Closed, Subject};
use crate::{Topic, wire::ResultRow};

/// The key of the one row that a result has on its topic.
pub(super) const ONLY: &str = "";

pub(crate) fn assessed(assessment: &Assessment) -> ResultRow {
    let Assessment {
        call,
        observations,
        acoustics,
        coverage,
        outcome,
        verdicts,
        scorecard,
        flag,
        provenance,
    } = assessment;
    let rulings = |ruling| count(verdicts.iter().filter(|verdict| verdict.ruling == ruling).count());
    let violated = verdicts.iter().filter(|verdict| verdict.ruling == Ruling::Violated);
    ResultRow {
        ending: "assessed".to_owned(),
        score: Some(scorecard.score),
        provisional: scorecard.provisional,
        outcome: Some(outcome.kind.name().to_owned()),
        outcome_probability: Some(outcome.probability),
        flagged: flag.is_some(),
        flag_priority: flag.as_ref().map(|flag| flag.priority),
        flag_reasons: flag
            .iter()
            .flat_map(|flag| &flag.reasons)
            .map(|reason| reason.code().to_owned())
            .collect(),
        rules_met: rulings(Ruling::Met),
        rules_violated: rulings(Ruling::Violated),
        rules_not_applicable: rulings(Ruling::NotApplicable),
        rules_unknown: rulings(Ruling::Unknown),
        violated_rules: violated.map(|verdict| verdict.rule.clone()).collect(),
        coverage: Some(coverage.intelligible),
        speech_ms: Some(coverage.speech_ms),
        duration_ms: Some(observations.duration_ms),
        language: language(assessment),
        mono: Some(observations.is_mono()),
        dual_mono: Some(observations.dual_mono),
        utterances: Some(count(observations.utterances.len())),
        gaps: Some(count(observations.gaps.len())),
        ..measured(acoustics, with_call(call, with_provenance(&Ids::of(assessment), provenance)))
    }
}

pub(crate) fn closed(closed: &Closed<'_>, ids: &Ids) -> ResultRow {
    let row = ResultRow {
        ending: closed.kind.ending().to_owned(),
        reason: Some(closed.kind.reason().to_owned()),
        ..with_provenance(ids, closed.provenance)
    };
    match &closed.subject {
        Subject::Call(call) => with_call(call, row),
        Subject::Named(name) => ResultRow {
            tenant: Some(name.tenant.clone()),
            call_id: Some(name.call_id.clone()),
            revision: Some(name.revision),
            ..row
        },
        Subject::Undecodable => row,
    }
}

fn with_provenance(ids: &Ids, provenance: &Provenance) -> ResultRow {
    let (model_names, model_sha256s) = model_lists(provenance);
    let recording = Some(provenance.recording_sha256.clone());
    ResultRow {
        schema_version: SCHEMA_VERSION,
        ending_id: ids.ending_id.clone(),
        result_id: ids.result_id.clone(),
        row_id: ids.row(Topic::Results, ONLY),
        event_digest: provenance.event_digest.clone(),
        recording_sha256: recording.filter(|sha256| !sha256.is_empty()),
        model_names,
        model_sha256s,
        rulebook: provenance.rulebook.clone(),
        rulebook_version: provenance.rulebook_version.clone(),
        rulebook_digest: provenance.rulebook_digest.clone(),
        config_digest: provenance.config_digest.clone(),
        build: provenance.build.clone(),
        ..ResultRow::default()
    }
}

fn with_call(call: &Call, row: ResultRow) -> ResultRow {
    ResultRow {
        tenant: Some(call.tenant.clone()),
        call_id: Some(call.call_id.clone()),
        revision: Some(call.revision),
        supersedes: call.supersedes,
        purpose: Some(codes::purpose(call.purpose).to_owned()),
        interaction_id: call.interaction_id.clone(),
        queue: call.queue.clone(),
        agent_id: call.agent_id().map(str::to_owned),
        agent_ids: call.legs.iter().map(|leg| leg.agent_id.clone()).collect(),
        customer_id: call.customer_id.clone(),
        direction: Some(codes::direction(call.direction).to_owned()),
        started_at: written(call.started_at),
        answered_at: written(call.answered_at),
        ended_by: Some(codes::ended_by(call.ended_by).to_owned()),
        labels: call.labels.clone(),
        ..row
    }
}

fn measured(acoustics: &Acoustics, row: ResultRow) -> ResultRow {
    use callqa_domain::Channel::{Agent, Customer};
    let announced = acoustics.silences.iter().filter(|silence| silence.announced);
    ResultRow {
        acoustics_version: Some(acoustics.version),
        silences: Some(count(acoustics.silences.len())),
        silence_ms: Some(total(acoustics.silences.iter().map(|silence| silence.span))),
        announced_silence_ms: Some(total(announced.map(|silence| silence.span))),
        dead_airs: Some(count(acoustics.dead_air().count())),
        dead_air_ms: Some(total(acoustics.dead_air())),
        overtalks: Some(count(acoustics.overtalk.len())),
        overtalk_ms: Some(total(acoustics.overtalk.iter().copied())),
        agent_interruptions: Some(count(acoustics.interruptions_by(Agent))),
        customer_interruptions: Some(count(acoustics.interruptions_by(Customer))),
        agent_speech_ms: Some(acoustics.agent_speech_ms),
        customer_speech_ms: Some(acoustics.customer_speech_ms),
        talk_ratio: acoustics.talk_ratio,
        agent_pace: acoustics.agent_pace,
        customer_pace: acoustics.customer_pace,
        ..row
    }
}

fn total(spans: impl Iterator<Item = Span>) -> u64 {
    spans.map(|span| span.len_ms()).sum()
}
