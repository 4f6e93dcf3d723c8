//! One row a flagged call.

use callqa_domain::{Assessment, Evidence, FlagReason, Span};

use super::result::ONLY;
use super::{Ids, SCHEMA_VERSION, codes, language, written};
use crate::{Topic, wire::ReviewTaskRow};

/// `None` for a call that is not flagged.
pub(crate) fn review_task(assessment: &Assessment) -> Option<ReviewTaskRow> {
    let flag = assessment.flag.as_ref()?;
    let (call, ids) = (&assessment.call, Ids::of(assessment));
    let mut row = ReviewTaskRow {
        schema_version: SCHEMA_VERSION,
        row_id: ids.row(Topic::ReviewTasks, ONLY),
        ending_id: ids.ending_id,
        result_id: ids.result_id,
        tenant: call.tenant.clone(),
        call_id: call.call_id.clone(),
        revision: call.revision,
        priority: flag.priority,
        score: assessment.scorecard.score,
        provisional: assessment.scorecard.provisional,
        outcome: assessment.outcome.kind.name().to_owned(),
        outcome_probability: assessment.outcome.probability,
        queue: call.queue.clone(),
        agent_id: call.agent_id().map(str::to_owned),
        language: language(assessment),
        started_at: written(call.started_at),
        duration_ms: assessment.observations.duration_ms,
        rulebook: assessment.provenance.rulebook.clone(),
        rulebook_version: assessment.provenance.rulebook_version.clone(),
        ..ReviewTaskRow::default()
    };
    for reason in &flag.reasons {
        let evidence = to_play(assessment, reason);
        row.reasons.push(reason.code().to_owned());
        row.reason_speaker.push(codes::speaker(evidence.channel).to_owned());
        row.reason_start_ms.push(evidence.span.start_ms);
        row.reason_end_ms.push(evidence.span.end_ms);
        row.reason_text.push(evidence.quote.map(|quote| quote.text).unwrap_or_default());
    }
    Some(row)
}

/// The rule's first evidence; the whole call for what only the whole call shows.
fn to_play(assessment: &Assessment, reason: &FlagReason) -> Evidence {
    let verdict = assessment.verdicts.iter().find(|verdict| verdict.rule == reason.code());
    let whole = Span::new(0, assessment.observations.duration_ms);
    verdict.and_then(|verdict| verdict.evidence.first().cloned()).unwrap_or(Evidence {
        channel: None,
        span: whole,
        quote: None,
        claim: None,
    })
}
