//! What came of an obligation, before it is a verdict.

use crate::{Evidence, Reason, Ruling};

/// What came of one obligation.
pub(super) struct Answer {
    pub(super) ruling: Ruling,
    pub(super) reason: Option<Reason>,
    pub(super) evidence: Vec<Evidence>,
}

impl Answer {
    pub(super) fn met(evidence: Vec<Evidence>) -> Self {
        Self { ruling: Ruling::Met, reason: None, evidence }
    }
    pub(super) fn violated(evidence: Vec<Evidence>) -> Self {
        Self { ruling: Ruling::Violated, reason: None, evidence }
    }
    pub(super) fn not_applicable(reason: Reason) -> Self {
        Self { ruling: Ruling::NotApplicable, reason: Some(reason), evidence: Vec::new() }
    }
    pub(super) fn unknown(reason: Reason, evidence: Vec<Evidence>) -> Self {
        Self { ruling: Ruling::Unknown, reason: Some(reason), evidence }
    }
}

/// One verdict out of the answers to several occasions.
pub(super) fn joined(answers: Vec<Answer>) -> Answer {
    // One failure violates; then doubt; then one obligation that fell due and was met.
    let order = [Ruling::Violated, Ruling::Unknown, Ruling::Met, Ruling::NotApplicable];
    let ruling = order.into_iter().find(|ruling| answers.iter().any(|answer| answer.ruling == *ruling));
    let ruling = ruling.unwrap_or(Ruling::NotApplicable);
    let deciding: Vec<Answer> = answers.into_iter().filter(|answer| answer.ruling == ruling).collect();
    let reason = deciding.first().and_then(|answer| answer.reason);
    Answer { ruling, reason, evidence: deciding.into_iter().flat_map(|answer| answer.evidence).collect() }
}
