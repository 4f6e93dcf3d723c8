//! A call as the rules see it: turns, and where a pattern matches.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::DateTime;

use crate::{
    Acoustics, Call, Channel, Claim, Evidence, Label, Observations, Observed, Outcome, Pattern, Quote,
    Rulebook, Span, Threshold, Turn, turns,
};

use super::measure;
use crate::rulebook::{PhraseList, Wording};

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
    /// The words of each utterance, made ready when a phrase is first looked for in them.
    heard: Vec<OnceCell<Wording>>,
    /// From the first word to the last.
    pub(super) conversation: Span,
    /// What was heard well of each speaker, joined, in time order.
    heard_well: BTreeMap<Channel, Vec<Span>>,
}

/// What matched: of `different` matches each is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Label(Label),
    /// Which list of the pattern, and which entry of it.
    Phrase(usize, usize),
    Measure,
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
    pub(super) what: What,
    /// How much of the doubt that one label may leave this match leaves: 0 for none, 1 at the threshold.
    pub(super) doubt: f32,
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
        let heard = observations.utterances.iter().map(|_| OnceCell::new()).collect();
        let floor = rulebook.confidence_floor();
        let sides = [Channel::Agent, Channel::Customer, Channel::Mixed];
        let heard_well = sides.map(|speaker| (speaker, heard_well(observations, speaker, floor))).into();
        Self {
            call,
            observations,
            rulebook,
            acoustics,
            outcome,
            turns,
            turn_of,
            heard,
            conversation,
            heard_well,
        }
    }

    /// Where a pattern matches anywhere in the call, its window apart, in time order.
    pub(super) fn matches(&self, pattern: &Pattern) -> Vec<Hit> {
        let mut hits = Vec::new();
        if let Some(measure) = pattern.measure {
            hits.extend(measure::found(self, measure, pattern.speaker));
        }
        let thresholds = &self.observations.thresholds;
        let labels: Vec<_> =
            pattern.labels.iter().filter_map(|&label| Some((label, thresholds.get(&label)?))).collect();
        for (index, observed) in self.said_by(pattern.speaker) {
            let labelled = labels
                .iter()
                .filter_map(|(label, threshold)| self.labelled(index, observed, *label, threshold));
            if pattern.different {
                hits.extend(labelled);
                hits.extend(self.phrases(index, observed, pattern));
                continue;
            }
            // The surest speaks for the utterance.
            let sure = |a: &Hit, b: &Hit| (a.holds, a.certain).cmp(&(b.holds, b.certain));
            let labelled = labelled.max_by(|a, b| sure(a, b).then(b.doubt.total_cmp(&a.doubt)));
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
        if pattern.phrases.is_empty() {
            return Vec::new();
        }
        let text = observed.utterance.text.as_str();
        let heard = self.heard[index].get_or_init(|| Wording::new(text, self.rulebook.listens_by_sound()));
        // A list that is part of two counts once.
        let mut lists: Vec<&PhraseList> = Vec::new();
        for list in pattern.phrases.iter().flat_map(|name| self.rulebook.phrases(name)) {
            if lists.iter().all(|known| known.name() != list.name()) {
                lists.push(list);
            }
        }
        let found = lists.into_iter().enumerate().flat_map(|(list, phrases)| {
            let found = phrases.find(text, heard).into_iter();
            found.map(move |(entry, chars)| (What::Phrase(list, entry), chars))
        });
        apart(found.collect())
            .into_iter()
            .map(|(what, chars)| self.quoted(index, observed, chars, what, None))
            .collect()
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
            let well = self.heard_well.get(&speaker).map_or(&[][..], Vec::as_slice);
            for part in self.observations.speech(speaker).iter().filter_map(|speech| speech.overlap(&within))
            {
                spoken = spoken.saturating_add(part.len_ms());
                let later = well.iter().skip_while(|span| span.end_ms <= part.start_ms);
                let near = later.take_while(|span| span.start_ms < part.end_ms);
                let parts = near.filter_map(|span| span.overlap(&part));
                heard = parts.fold(heard, |sum, span| sum.saturating_add(span.len_ms()));
            }
        }
        if spoken == 0 { 1.0 } else { heard as f32 / spoken as f32 }
    }

    pub(super) fn is_heard(&self, observed: &Observed) -> bool {
        observed.utterance.confidence >= self.rulebook.confidence_floor()
    }

    /// A label that holds or is in doubt.
    fn labelled(
        &self,
        index: usize,
        observed: &Observed,
        label: Label,
        threshold: &Threshold,
    ) -> Option<Hit> {
        let probability = *observed.scores.get(&label)?;
        if !threshold.may_hold(probability) {
            return None;
        }
        let claim = Claim { label, probability, threshold: threshold.holds };
        let chars = 0..observed.utterance.text.as_str().chars().count();
        Some(self.quoted(index, observed, chars, What::Label(label), Some(claim)))
    }

    /// An utterance with what a classifier says of it.
    pub(super) fn whole(&self, index: usize, observed: &Observed, claim: Claim) -> Evidence {
        let chars = 0..observed.utterance.text.as_str().chars().count();
        self.quoted(index, observed, chars, What::Label(claim.label), Some(claim)).evidence
    }

    /// Words that match, with what a classifier says of them where one does.
    fn quoted(
        &self,
        index: usize,
        observed: &Observed,
        chars: Range<usize>,
        what: What,
        claim: Option<Claim>,
    ) -> Hit {
        let utterance = &observed.utterance;
        let text = characters(utterance.text.as_str(), &chars).to_owned();
        let quote = Quote { utterance: index, from_char: chars.start, to_char: chars.end, text };
        let holds = claim.is_none_or(|claim| claim.probability >= claim.threshold);
        let shown = claim.filter(|claim| !claim.probability.is_nan());
        Hit {
            span: utterance.span,
            utterance: Some(index),
            turn: self.turn_of[index],
            certain: holds && self.is_heard(observed),
            holds,
            what,
            doubt: claim.map_or(0.0, doubt),
            evidence: Evidence {
                channel: Some(utterance.channel),
                span: utterance.span,
                quote: Some(quote),
                claim: shown,
            },
        }
    }
}

/// The same words count once, whichever phrases find them: of those that overlap, the first, and of two that begin
/// together the longer.
fn apart(mut found: Vec<(What, Range<usize>)>) -> Vec<(What, Range<usize>)> {
    found.sort_by_key(|(_, chars)| (chars.start, Reverse(chars.end)));
    let mut end = 0;
    found.retain(|(_, chars)| {
        let is_apart = chars.start >= end;
        if is_apart {
            end = chars.end;
        }
        is_apart
    });
    found
}

/// These characters of a text.
fn characters<'t>(text: &'t str, chars: &Range<usize>) -> &'t str {
    let byte = |text: &str, char| text.char_indices().nth(char).map_or(text.len(), |(at, _)| at);
    let rest = &text[byte(text, chars.start)..];
    &rest[..byte(rest, chars.len())]
}

/// What was heard well of a speaker, joined, in time order.
fn heard_well(observations: &Observations, speaker: Channel, floor: f32) -> Vec<Span> {
    let said = observations.utterances.iter().map(|observed| &observed.utterance);
    let well = said.filter(|said| said.channel == speaker && said.confidence >= floor);
    crate::join(well.map(|said| said.span).collect(), 0)
}

/// The date and time of a call as a clock on the call centre's wall showed it.
pub(super) fn clock(call: &Call) -> Option<DateTime> {
    let moment = call.started_at.or(call.answered_at)?;
    Some(moment.offset.to_datetime(moment.at))
}

/// How many matches a pattern has in these.
pub(super) fn count<'h>(pattern: &Pattern, hits: impl Iterator<Item = &'h Hit>) -> usize {
    if !pattern.different {
        return hits.count();
    }
    let mut different: Vec<What> = Vec::new();
    for hit in hits {
        if !different.contains(&hit.what) {
            different.push(hit.what);
        }
    }
    different.len()
}

/// The share of the doubt that its threshold allows a label.
fn doubt(claim: Claim) -> f32 {
    let (left, allowed) = (1.0 - claim.probability, 1.0 - claim.threshold);
    if left <= 0.0 {
        0.0
    } else if left < allowed {
        left / allowed
    } else {
        1.0
    }
}
