//! What is found without a phrase or a label of its own: waits, silences, interruptions.

use crate::{Channel, Evidence, Label, Measure, Observed, Span, is_back_channel};

use super::case::{Case, Hit, What};

/// The agent is away when nothing but back-channels is heard for this long after a hold request.
const AWAY_MS: u64 = 10_000;

/// Every place where a measure is met, in time order.
pub(super) fn found(case: &Case<'_>, measure: Measure, speaker: Channel) -> Vec<Hit> {
    match measure {
        Measure::Hold => holds(case, speaker),
        Measure::DeadAir => {
            let silences = case.acoustics.dead_air();
            silences.map(|span| spanned(span, None, !may_be_announced(case, span))).collect()
        }
        Measure::Silence => {
            case.acoustics.silences.iter().map(|silence| spanned(silence.span, None, true)).collect()
        }
        Measure::Overtalk => case.acoustics.overtalk.iter().map(|&span| spanned(span, None, true)).collect(),
        Measure::Interruption => {
            let by_speaker = case.acoustics.interruptions.iter().filter(|i| i.by == speaker);
            by_speaker
                .map(|i| spanned(i.overlap, Some(speaker), is_understood(case, speaker, i.overlap)))
                .collect()
        }
    }
}

/// Stretches in which the speaker is away after having asked to wait. Who listens to the other is not away.
fn holds(case: &Case<'_>, speaker: Channel) -> Vec<Hit> {
    let Some(threshold) = case.observations.thresholds.get(&Label::HoldRequest) else {
        return Vec::new();
    };
    let has_words = |o: &&Observed| !is_back_channel(o.utterance.text.as_str());
    let words: Vec<&Observed> =
        case.said_by(speaker).map(|(_, observed)| observed).filter(has_words).collect();
    let others =
        case.observations.utterances.iter().filter(|o| o.utterance.channel != speaker).filter(has_words);
    let others = crate::join(others.map(|o| o.utterance.span).collect(), 0);
    let mut found = Vec::new();
    for (at, asked) in words.iter().enumerate() {
        let score = asked.scores.get(&Label::HoldRequest).copied().unwrap_or(0.0);
        let back = words.get(at + 1).map_or(case.observations.duration_ms, |o| o.utterance.span.start_ms);
        let away = Span::new(asked.utterance.span.end_ms, back);
        let listening = others.iter().filter_map(|span| span.overlap(&away)).map(|span| span.len_ms()).sum();
        if threshold.may_hold(score) && away.len_ms().saturating_sub(listening) >= AWAY_MS {
            // Speech without words may be the return.
            let alone = case.wordless(speaker).all(|gap| gap.overlap(&away).is_none());
            found.push(spanned(away, Some(speaker), alone && score >= threshold.holds));
        }
    }
    found
}

/// Whether the agent may have asked to wait before a silence, in words that a model doubts or nobody understood.
fn may_be_announced(case: &Case<'_>, silence: Span) -> bool {
    let Some(threshold) = case.observations.thresholds.get(&Label::HoldRequest) else { return true };
    let before = |span: Span| span.start_ms < silence.start_ms;
    let utterances = || case.observations.utterances.iter().filter(|o| before(o.utterance.span));
    let customer = utterances()
        .rfind(|o| o.utterance.channel == Channel::Customer && !is_back_channel(o.utterance.text.as_str()));
    let since = customer.map_or(0, |o| o.utterance.span.start_ms);
    let doubtful = |o: &Observed| {
        let score = o.scores.get(&Label::HoldRequest).copied().unwrap_or(0.0);
        threshold.may_hold(score) || !case.is_heard(o)
    };
    utterances()
        .any(|o| o.utterance.channel == Channel::Agent && o.utterance.span.start_ms >= since && doubtful(o))
        || case.wordless(Channel::Agent).any(|gap| before(gap) && gap.start_ms >= since)
}

/// Whether the words that came in were understood: a back-channel interrupts nobody.
fn is_understood(case: &Case<'_>, speaker: Channel, overlap: Span) -> bool {
    case.said_by(speaker).any(|(_, o)| o.utterance.span.start_ms == overlap.start_ms && case.is_heard(o))
}

/// A match that is a stretch of time and no words.
fn spanned(span: Span, channel: Option<Channel>, certain: bool) -> Hit {
    let evidence = Evidence { channel, span, quote: None, claim: None };
    let doubt = if certain { 0.0 } else { 1.0 };
    Hit { span, utterance: None, turn: None, certain, holds: certain, what: What::Measure, doubt, evidence }
}
