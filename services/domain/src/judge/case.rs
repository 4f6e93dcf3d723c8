//! A call as the rules see it: turns, and where a pattern matches.

use crate::{
    Acoustics, Call, Channel, Claim, Evidence, Label, Measure, Observations, Observed, Outcome, Pattern,
    Quote, Rulebook, Span, Turn, is_back_channel, turns,
};

use super::phrase;

/// The agent is away when nothing but back-channels is heard for this long after a hold request.
const AWAY_MS: u64 = 10_000;

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
        Self { call, observations, rulebook, acoustics, outcome, turns, turn_of, conversation }
    }

    /// Where a pattern matches anywhere in the call, its window apart, in time order.
    pub(super) fn matches(&self, pattern: &Pattern) -> Vec<Hit> {
        let mut hits = Vec::new();
        if let Some(measure) = pattern.measure {
            hits.extend(self.measured(measure, pattern.speaker));
        }
        for (index, observed) in self.said_by(pattern.speaker) {
            let labelled = pattern.labels.iter().filter_map(|&label| self.labelled(index, observed, label));
            hits.extend(labelled.max_by(|a, b| (a.holds, a.certain).cmp(&(b.holds, b.certain))));
            if let Some(list) = &pattern.phrases {
                let phrases = self.rulebook.phrases(list);
                let found = phrases.flat_map(|phrase| phrase::find(observed.utterance.text.as_str(), phrase));
                hits.extend(found.map(|chars| self.quoted(index, observed, chars, None, true)));
            }
        }
        hits
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

    /// The share of a speaker's speech inside a span that was heard well, 0–1; 1 where nothing was said.
    #[allow(clippy::cast_precision_loss)] // milliseconds of one call
    pub(super) fn coverage(&self, speakers: &[Channel], within: Span) -> f32 {
        let (mut spoken, mut heard) = (0, 0);
        for &speaker in speakers {
            let well = self.said_by(speaker).filter(|(_, o)| self.is_heard(o));
            let well = crate::join(well.map(|(_, o)| o.utterance.span).collect(), 0);
            for part in self.observations.speech(speaker).iter().filter_map(|speech| speech.overlap(&within))
            {
                spoken += part.len_ms();
                heard += well.iter().filter_map(|span| span.overlap(&part)).map(|s| s.len_ms()).sum::<u64>();
            }
        }
        if spoken == 0 { 1.0 } else { heard as f32 / spoken as f32 }
    }

    fn is_heard(&self, observed: &Observed) -> bool {
        observed.utterance.confidence >= self.rulebook.confidence_floor()
    }

    /// A label that holds or is in doubt.
    fn labelled(&self, index: usize, observed: &Observed, label: Label) -> Option<Hit> {
        let threshold = self.observations.thresholds.get(&label)?;
        let probability = *observed.scores.get(&label)?;
        if probability < threshold.doubt.min(threshold.holds) {
            return None;
        }
        let claim = Claim { label, probability, threshold: threshold.holds };
        let chars = 0..observed.utterance.text.as_str().chars().count();
        Some(self.quoted(index, observed, chars, Some(claim), probability >= threshold.holds))
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

    fn measured(&self, measure: Measure, speaker: Channel) -> Vec<Hit> {
        match measure {
            Measure::Hold => self.holds(speaker),
            Measure::DeadAir => self.acoustics.dead_air().map(|span| spanned(span, None)).collect(),
            Measure::Interruption => {
                let by_speaker = self.acoustics.interruptions.iter().filter(|i| i.by == speaker);
                by_speaker.map(|i| spanned(i.overlap, Some(speaker))).collect()
            }
        }
    }

    /// Stretches in which the speaker is away after having asked to wait.
    fn holds(&self, speaker: Channel) -> Vec<Hit> {
        let Some(threshold) = self.observations.thresholds.get(&Label::HoldRequest) else {
            return Vec::new();
        };
        let words: Vec<&Observed> = self
            .said_by(speaker)
            .map(|(_, observed)| observed)
            .filter(|o| !is_back_channel(o.utterance.text.as_str()))
            .collect();
        let mut found = Vec::new();
        for (at, asked) in words.iter().enumerate() {
            let score = asked.scores.get(&Label::HoldRequest).copied().unwrap_or(0.0);
            let back = words.get(at + 1).map_or(self.observations.duration_ms, |o| o.utterance.span.start_ms);
            let away = Span::new(asked.utterance.span.end_ms, back);
            if score >= threshold.holds && away.len_ms() >= AWAY_MS {
                found.push(spanned(away, Some(speaker)));
            }
        }
        found
    }
}

/// A match that is a stretch of time and no words.
fn spanned(span: Span, channel: Option<Channel>) -> Hit {
    let evidence = Evidence { channel, span, quote: None, claim: None };
    Hit { span, utterance: None, turn: None, certain: true, holds: true, evidence }
}
