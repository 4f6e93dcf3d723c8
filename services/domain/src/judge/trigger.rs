//! The occasions on which an obligation falls due.

use crate::{Evidence, Pattern, Rounds, Trigger};

use super::case::{Case, Hit};
use super::window::find;

/// The doubt that a claim of several labels may leave, in shares of what one label may leave at its threshold. Each
/// label is allowed to be wrong now and then; a claim that needs three of them is wrong as soon as one of them is, so
/// their doubts add up (Boole's inequality), and together they may leave no more than one of them alone.
const MOST_DOUBT: f32 = 1.0;

/// One occasion, and what to play of it.
pub(super) struct Occasion {
    pub(super) hit: Hit,
    pub(super) shown: Vec<Evidence>,
}

impl Occasion {
    fn of(hit: Hit) -> Self {
        Self { shown: vec![hit.evidence.clone()], hit }
    }
}

/// The occasions, in time order; doubtful ones as far as they matter.
pub(super) fn occasions(case: &Case<'_>, trigger: &Trigger) -> Vec<Occasion> {
    match trigger {
        Trigger::First(any) => {
            let mut hits = in_time(case, any);
            let upto = hits.iter().position(|hit| hit.certain).map_or(hits.len(), |first| first + 1);
            hits.truncate(upto);
            hits.into_iter().map(Occasion::of).collect()
        }
        Trigger::Every(any) => in_time(case, any).into_iter().map(Occasion::of).collect(),
        Trigger::Rounds(wanted) => last_of(rounds(case, wanted), wanted.count).into_iter().collect(),
    }
}

/// The matches of all patterns in time order.
fn in_time(case: &Case<'_>, any: &[Pattern]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = any.iter().flat_map(|pattern| find(case, pattern, None)).collect();
    hits.sort_by_key(|hit| (hit.span.start_ms, hit.utterance, !hit.certain));
    hits
}

/// What opened a round, and what closed it in the very next turn of the other speaker.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) open: Hit,
    pub(super) close: Hit,
}

impl Round {
    pub(super) fn is_certain(&self) -> bool {
        self.open.certain && self.close.certain
    }

    /// A round is as doubtful as its weaker half: an answer that rejects has something to reject.
    fn doubt(&self) -> f32 {
        self.open.doubt.max(self.close.doubt)
    }
}

/// Every round that may have been one, in time order. One closing turn closes one round, whatever opened it.
pub(super) fn rounds(case: &Case<'_>, wanted: &Rounds) -> Vec<Round> {
    let (opens, closes) = (find(case, &wanted.open, None), find(case, &wanted.close, None));
    // The surest match of a turn speaks for it, the first of equals.
    let of_turn = |hits: &[Hit], turn: usize| {
        let here = hits.iter().filter(|hit| hit.turn == Some(turn));
        let surer = |one: &Hit, other: &Hit| (other.certain, -other.doubt) > (one.certain, -one.doubt);
        here.fold(None, |best: Option<&Hit>, hit| match best {
            Some(best) if !surer(best, hit) => Some(best),
            _ => Some(hit),
        })
        .cloned()
    };
    let mut closed: Vec<(usize, Round)> = Vec::new();
    for (number, _) in case.turns_of(wanted.open.speaker) {
        let next = case.turns_of(wanted.close.speaker).map(|(next, _)| next).find(|next| *next > number);
        if let Some(open) = of_turn(&opens, number)
            && let Some(next) = next
            && closed.last().is_none_or(|(turn, _)| *turn != next)
            && let Some(close) = of_turn(&closes, next)
        {
            closed.push((next, Round { open, close }));
        }
    }
    closed.into_iter().map(|(_, round)| round).collect()
}

/// The end of the first round with which so many were surely closed; where they never surely were, of the first with
/// which they may have been.
fn last_of(rounds: Vec<Round>, count: usize) -> Option<Occasion> {
    let shown = |rounds: &mut dyn Iterator<Item = &Round>| {
        rounds.flat_map(|round| [round.open.evidence.clone(), round.close.evidence.clone()]).collect()
    };
    // The surest rounds so far, the least doubtful first.
    let mut surest: Vec<&Round> = Vec::new();
    for round in rounds.iter().filter(|round| round.is_certain()) {
        let place = surest.partition_point(|other| other.doubt() <= round.doubt());
        surest.insert(place, round);
        surest.truncate(count);
        if surest.len() == count && surest.iter().map(|round| round.doubt()).sum::<f32>() <= MOST_DOUBT {
            surest.sort_by_key(|round| round.close.span.start_ms);
            return Some(Occasion { hit: round.close.clone(), shown: shown(&mut surest.into_iter()) });
        }
    }
    let last = rounds.get(count.checked_sub(1)?)?;
    let hit = Hit { certain: false, ..last.close.clone() };
    Some(Occasion { hit, shown: shown(&mut rounds.iter().take(count)) })
}
