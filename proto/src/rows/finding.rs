//! One row a verdict, a label that holds, or an acoustic event.

use callqa_domain::{Acoustics, Assessment, Channel, Claim, Evidence, Label, Quote, Rulebook, Span, Verdict};

use super::{Ids, SCHEMA_VERSION, agent_at, codes, count, language, written};
use crate::{Topic, wire::FindingRow};

/// The verdicts in the rulebook's order, then labels in the transcript's, then acoustic events.
///
/// `neutral` is left out: it says of an utterance that nothing is to be said.
pub(crate) fn findings(assessment: &Assessment, rulebook: &Rulebook) -> Vec<FindingRow> {
    let verdicts = assessment.verdicts.iter().map(|verdict| Finding::of_verdict(verdict, rulebook));
    let all = verdicts.chain(labels(assessment)).chain(acoustic(&assessment.acoustics));
    let (ids, language) = (Ids::of(assessment), language(assessment));
    all.map(|finding| row(finding, assessment, &ids, language.clone())).collect()
}

/// A row before it knows its call.
struct Finding {
    row: FindingRow,
    /// Unique among the rows of its kind in one result.
    key: String,
    evidence: Vec<Evidence>,
}

impl Finding {
    fn of_verdict(verdict: &Verdict, rulebook: &Rulebook) -> Self {
        let rule = rulebook.rule(&verdict.rule);
        let row = FindingRow {
            kind: "verdict".to_owned(),
            name: verdict.rule.clone(),
            ruling: Some(verdict.ruling.name().to_owned()),
            reason: verdict.reason.map(|reason| reason.name().to_owned()),
            deducted: verdict.deducted,
            class: rule.map(|rule| rule.class.name().to_owned()),
            owner: rule.map(|rule| codes::owner(rule.owner).to_owned()),
            ..FindingRow::default()
        };
        Self { row, key: verdict.rule.clone(), evidence: verdict.evidence.clone() }
    }

    fn bare(kind: &str, name: &str, key: &str, evidence: Evidence) -> Self {
        let row = FindingRow { kind: kind.to_owned(), name: name.to_owned(), ..FindingRow::default() };
        Self { row, key: format!("{name}/{key}"), evidence: vec![evidence] }
    }
}

fn labels(assessment: &Assessment) -> impl Iterator<Item = Finding> {
    let observations = &assessment.observations;
    observations.utterances.iter().enumerate().flat_map(move |(index, observed)| {
        let holding = observed.scores.iter().filter_map(move |(&label, &probability)| {
            let threshold = observations.thresholds.get(&label)?.holds;
            (label != Label::Neutral && probability >= threshold).then_some(Claim {
                label,
                probability,
                threshold,
            })
        });
        holding.map(move |claim| {
            let text = observed.utterance.text.as_str();
            let quote = Quote {
                utterance: index,
                from_char: 0,
                to_char: text.chars().count(),
                text: text.to_owned(),
            };
            let evidence = Evidence {
                channel: Some(observed.utterance.channel),
                span: observed.utterance.span,
                quote: Some(quote),
                claim: Some(claim),
            };
            Finding::bare("label", claim.label.name(), &index.to_string(), evidence)
        })
    })
}

fn acoustic(acoustics: &Acoustics) -> impl Iterator<Item = Finding> {
    let silences = acoustics.silences.iter().map(|silence| {
        let name = if silence.announced { "announced_silence" } else { "silence" };
        (name, None, silence.span)
    });
    let dead_air = acoustics.dead_air().map(|span| ("dead_air", None, span));
    let overtalk = acoustics.overtalk.iter().map(|&span| ("overtalk", None, span));
    let interruptions = acoustics.interruptions.iter().map(|i| ("interruption", Some(i.by), i.overlap));
    silences.chain(dead_air).chain(overtalk).chain(interruptions).map(played)
}

fn played((name, channel, span): (&str, Option<Channel>, Span)) -> Finding {
    let key = format!("{}/{}/{}", codes::speaker(channel), span.start_ms, span.end_ms);
    Finding::bare("acoustic", name, &key, Evidence { channel, span, quote: None, claim: None })
}

fn row(finding: Finding, assessment: &Assessment, ids: &Ids, language: Option<String>) -> FindingRow {
    let call = &assessment.call;
    let first = finding.evidence.first();
    let quote = first.and_then(|evidence| evidence.quote.as_ref());
    let claim = first.and_then(|evidence| evidence.claim);
    let row = FindingRow {
        schema_version: SCHEMA_VERSION,
        ending_id: ids.ending_id.clone(),
        result_id: ids.result_id.clone(),
        row_id: ids.row(Topic::Findings, &format!("{}/{}", finding.row.kind, finding.key)),
        tenant: call.tenant.clone(),
        call_id: call.call_id.clone(),
        revision: call.revision,
        queue: call.queue.clone(),
        agent_id: agent_at(call, first.map_or(0, |evidence| evidence.span.start_ms)),
        language,
        started_at: written(call.started_at),
        speaker: first.map(|evidence| codes::speaker(evidence.channel).to_owned()),
        start_ms: first.map(|evidence| evidence.span.start_ms),
        end_ms: first.map(|evidence| evidence.span.end_ms),
        text: quote.map(|quote| quote.text.clone()),
        label: claim.map(|claim| claim.label.name().to_owned()),
        probability: claim.map(|claim| claim.probability),
        threshold: claim.map(|claim| claim.threshold),
        rulebook: assessment.provenance.rulebook.clone(),
        rulebook_version: assessment.provenance.rulebook_version.clone(),
        ..finding.row
    };
    with_evidence(row, &finding.evidence)
}

fn with_evidence(mut row: FindingRow, evidence: &[Evidence]) -> FindingRow {
    for Evidence { channel, span, quote, claim } in evidence {
        row.evidence_speaker.push(codes::speaker(*channel).to_owned());
        row.evidence_start_ms.push(span.start_ms);
        row.evidence_end_ms.push(span.end_ms);
        let quote = quote.as_ref();
        row.evidence_text.push(quote.map(|quote| quote.text.clone()).unwrap_or_default());
        row.evidence_utterance
            .push(quote.and_then(|quote| i64::try_from(quote.utterance).ok()).unwrap_or(-1));
        row.evidence_from_char.push(quote.map_or(0, |quote| count(quote.from_char)));
        row.evidence_to_char.push(quote.map_or(0, |quote| count(quote.to_char)));
        row.evidence_label.push(claim.map(|claim| claim.label.name().to_owned()).unwrap_or_default());
        row.evidence_probability.push(claim.map_or(0.0, |claim| claim.probability));
        row.evidence_threshold.push(claim.map_or(0.0, |claim| claim.threshold));
    }
    row
}
