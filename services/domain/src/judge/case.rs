//! A call as the rules see it: turns, and where a pattern matches.

use crate::{
    Acoustics, Call, Channel, Claim, Evidence, Label, Observations, Observed, Outcome, Pattern, Quote,
    Rulebook, Span, Turn, turns,
};

use super::measure;
use crate::rulebook::Wording;

/// Of the speech in which something was due, this share must have been heard to say that it was missing.
const COVERAGE_NEEDED: f32 = 0.8;

/// Everything a rule may look at.
pub(super) struct Case<'a> {
    pub(super) call: &'a Call,
    pub(super) observations: &'a Observations,
    pub(super) rulebook: &'a Rulebook,
    pub(super) acoustics: &'a Acoustics,
    pub(super) outcome: Outcome,
    pub(super) turns: Vec<Turn>,
    /// The turn of each utterance; `None` for a back-channel inside the other's turn.
    turn_of: Vec<Option<usize>>,
    /// The words of each utterance, ready for phrases.
    heard: Vec<Wording>,
    /// From the first word to the last.
    pub(super) conversation: Span,
}

/// A place where a pattern matches.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) span: Span,
    /// The utterance, where the match is words.
    pub(super) utterance: Option<usize>,
    /// The turn, where the match lies in one.
    pub(super) turn: Option<usize>,
    /// The model is sure and the words were heard well.
    pub(super) certain: bool,
    /// The model is sure, however well the words were heard.
    pub(super) holds: bool,
    pub(super) evidence: Evidence,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        call: &'a Call,
        observations: &'a Observations,
        rulebook: &'a Rulebook,
        acoustics: &'a Acoustics,
        outcome: Outcome,
    ) -> Self {
        let turns = turns(&observations.utterances);
        let mut turn_of = vec![None; observations.utterances.len()];
        for (number, turn) in turns.iter().enumerate() {
            turn.utterances.iter().for_each(|&utterance| turn_of[utterance] = Some(number));
        }
        let spans = observations.utterances.iter().map(|o| o.utterance.span);
        let conversation = spans.reduce(|all, span| all.cover(&span)).unwrap_or(Span::new(0, 0));
        let ready = |o: &Observed| Wording::new(o.utterance.text.as_str(), rulebook.listens_by_sound());
        let heard = observations.utterances.iter().map(ready).collect();
        Self { call, observations, rulebook, acoustics, outcome, turns, turn_of, heard, conversation }
    }

    /// Where a pattern matches anywhere in the call, its window apart, in time order.
    pub(super) fn matches(&self, pattern: &Pattern) -> Vec<Hit> {
        let mut hits = Vec::new();
        if let Some(measure) = pattern.measure {
            hits.extend(measure::found(self, measure, pattern.speaker));
        }
        for (index, observed) in self.said_by(pattern.speaker) {
            let labelled = pattern.labels.iter().filter_map(|&label| self.labelled(index, observed, label));
            let labelled = labelled.max_by(|a, b| (a.holds, a.certain).cmp(&(b.holds, b.certain)));
            // Words that are there speak for themselves where a label is in doubt, and once where it is not.
            if labelled.as_ref().is_some_and(|hit| hit.holds) {
                hits.extend(labelled);
                continue;
            }
            let phrases = self.phrases(index, observed, pattern);
            hits.extend(labelled.filter(|_| phrases.is_empty()));
            hits.extend(phrases);
        }
        hits
    }

    /// Where the phrases of a pattern stand in an utterance.
    fn phrases(&self, index: usize, observed: &Observed, pattern: &Pattern) -> Vec<Hit> {
        let phrases = pattern.phrases.iter().flat_map(|list| self.rulebook.phrases(list));
        let found = phrases.flat_map(|phrase| phrase.find(&self.heard[index]));
        found.map(|chars| self.quoted(index, observed, chars, None, true)).collect()
    }

    /// The utterances of a speaker, with their indices.
    pub(super) fn said_by(&self, speaker: Channel) -> impl Iterator<Item = (usize, &Observed)> {
        let all = self.observations.utterances.iter().enumerate();
        all.filter(move |(_, observed)| observed.utterance.channel == speaker)
    }

    /// The turns of a speaker, with their numbers.
    pub(super) fn turns_of(&self, speaker: Channel) -> impl DoubleEndedIterator<Item = (usize, &Turn)> {
        self.turns.iter().enumerate().filter(move |(_, turn)| turn.channel == speaker)
    }

    /// A speaker's speech in which no words were found.
    pub(super) fn wordless(&self, speaker: Channel) -> impl Iterator<Item = Span> {
        self.observations.gaps.iter().filter(move |gap| gap.channel == speaker).map(|gap| gap.span)
    }

    /// Whether enough was heard to say that something was missing. A conversation begins with its first words;
    /// speech before them that nobody understood may have held what was due at the beginning.
    pub(super) fn is_heard_within(&self, speakers: &[Channel], within: Span) -> bool {
        let from = if within.start_ms <= self.conversation.start_ms { 0 } else { within.start_ms };
        self.coverage(speakers, Span::new(from, within.end_ms)) >= COVERAGE_NEEDED
    }

    /// The share of a speaker's speech inside a span that was heard well, 0–1; 1 where nothing was said.
    #[allow(clippy::cast_precision_loss)] // milliseconds of one call
    pub(super) fn coverage(&self, speakers: &[Channel], within: Span) -> f32 {
        let (mut spoken, mut heard) = (0u64, 0u64);
        for &speaker in speakers {
            let well = self.said_by(speaker).filter(|(_, o)| self.is_heard(o));
            let well = crate::join(well.map(|(_, o)| o.utterance.span).collect(), 0);
            for part in self.observations.speech(speaker).iter().filter_map(|speech| speech.overlap(&within))
            {
                spoken = spoken.saturating_add(part.len_ms());
                let parts = well.iter().filter_map(|span| span.overlap(&part));
                heard = parts.fold(heard, |sum, span| sum.saturating_add(span.len_ms()));
            }
        }
        if spoken == 0 { 1.0 } else { heard as f32 / spoken as f32 }
    }

    pub(super) fn is_heard(&self, observed: &Observed) -> bool {
        observed.utterance.confidence >= self.rulebook.confidence_floor()
    }

    /// A label that holds or is in doubt.
    fn labelled(&self, index: usize, observed: &Observed, label: Label) -> Option<Hit> {
        let threshold = self.observations.thresholds.get(&label)?;
        let probability = *observed.scores.get(&label)?;
        if !threshold.may_hold(probability) {
            return None;
        }
        let claim = Claim { label, probability, threshold: threshold.holds };
        let claim = (!probability.is_nan()).then_some(claim);
        let chars = 0..observed.utterance.text.as_str().chars().count();
        Some(self.quoted(index, observed, chars, claim, probability >= threshold.holds))
    }

    fn quoted(
        &self,
        index: usize,
        observed: &Observed,
        chars: std::ops::Range<usize>,
        claim: Option<Claim>,
        holds: bool,
    ) -> Hit {
        let utterance = &observed.utterance;
        let text = utterance.text.as_str().chars().skip(chars.start).take(chars.len()).collect();
        let quote = Quote { utterance: index, from_char: chars.start, to_char: chars.end, text };
        let channel = Some(utterance.channel);
        Hit {
            span: utterance.span,
            utterance: Some(index),
            turn: self.turn_of[index],
            certain: holds && self.is_heard(observed),
            holds,
            evidence: Evidence { channel, span: utterance.span, quote: Some(quote), claim },
        }
    }
}
