//! Why each verdict: what was looked for, what was found, and what came nearest. Nothing here rules on anything; it
//! tells what [`judge`](crate::judge) saw.

use crate::{
    Acoustics, Call, Clause, Condition, Evidence, Language, Observations, Pattern, Reason, Rounds, Rule,
    Rulebook, Trigger, Verdict,
};

use super::case::{Case, Hit, count};
use super::condition::{Truth, found_in, truth};
use super::near::{Near, nearest};
use super::rule::{unfit, verdict};
use super::sequence::chain;
use super::trigger::{Occasion, occasions, rounds};
use super::window::find;
use super::{case, outcome_of};

/// So many occasions are told one by one.
const MOST_OCCASIONS: usize = 3;
/// So many places of a match are told.
const MOST_FOUND: usize = 6;

/// A verdict and the way to it.
#[derive(Debug, Clone)]
pub struct Explanation<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// What it says.
    pub verdict: Verdict,
    /// What was looked at, in the order in which it decided.
    pub steps: Vec<Step<'r>>,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Step<'r> {
    /// What.
    pub wanted: Wanted<'r>,
    /// Whether it was so.
    pub came: Came,
    /// What was found.
    pub found: Vec<Evidence>,
    /// What nearly was, the nearest first.
    pub near: Vec<Near>,
    /// What was counted or measured, where that decides.
    pub measured: Option<f64>,
}

/// What a step looks at.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'r> {
    /// The call is one that the rulebook judges, and in which both sides spoke and can be told apart.
    Judgeable(Option<Reason>),
    /// A condition of the rule.
    Condition(&'r Condition),
    /// What makes the obligation fall due.
    Trigger(&'r Pattern),
    /// Rounds that make it fall due.
    Rounds(&'r Rounds),
    /// What must be there.
    Must(&'r Clause),
    /// What must not be there.
    MustNot(&'r Clause),
    /// One step of a sequence.
    Link(&'r Pattern),
    /// What excuses an offence.
    Excuse(&'r Pattern),
}

/// Whether something was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was.
    Yes,
    /// It was not.
    No,
    /// It can't be told.
    Unknown,
}

impl Came {
    fn counted(pattern: &Pattern, hits: &[Hit]) -> Self {
        if count(pattern, hits.iter().filter(|hit| hit.holds)) >= pattern.at_least {
            Self::Yes
        } else if count(pattern, hits.iter()) >= pattern.at_least {
            Self::Unknown
        } else {
            Self::No
        }
    }
}

/// Explains what a rulebook says of a call, rule by rule, in its order.
#[must_use]
pub fn explain<'r>(call: &Call, observations: &Observations, rulebook: &'r Rulebook) -> Vec<Explanation<'r>> {
    let acoustics = Acoustics::of(observations);
    let case = Case::new(call, observations, rulebook, &acoustics, outcome_of(call, observations));
    let explained = |rule| Explanation { rule, verdict: verdict(&case, rule), steps: steps(&case, rule) };
    rulebook.rules().iter().map(explained).collect()
}

fn steps<'r>(case: &Case<'_>, rule: &'r Rule) -> Vec<Step<'r>> {
    if let Some(answer) = unfit(case, rule) {
        let came = if answer.ruling == crate::Ruling::Unknown { Came::Unknown } else { Came::No };
        return vec![bare(Wanted::Judgeable(answer.reason), came, None)];
    }
    let mut steps: Vec<Step<'r>> = rule.when.iter().map(|one| condition(case, &one.holds)).collect();
    let occasions = rule.trigger.as_ref().map(|trigger| {
        steps.extend(trigger_steps(case, trigger));
        occasions(case, trigger)
    });
    match &occasions {
        None => steps.extend(demand(case, rule, None)),
        Some(occasions) => {
            let certain = occasions.iter().filter(|occasion| occasion.hit.certain).take(MOST_OCCASIONS);
            let told: Vec<&Occasion> = certain.chain(occasions.iter().find(|o| !o.hit.certain)).collect();
            steps.extend(told.into_iter().flat_map(|occasion| demand(case, rule, Some(&occasion.hit))));
        }
    }
    steps
}

fn bare(wanted: Wanted<'_>, came: Came, measured: Option<f64>) -> Step<'_> {
    Step { wanted, came, found: Vec::new(), near: Vec::new(), measured }
}

fn condition<'r>(case: &Case<'_>, holds: &'r Condition) -> Step<'r> {
    let came = match truth(case, holds) {
        Truth::Yes => Came::Yes,
        Truth::No => Came::No,
        Truth::Unknown(_) => Came::Unknown,
    };
    let mut step = bare(Wanted::Condition(holds), came, None);
    for pattern in found_in(holds) {
        let hits = find(case, pattern, None);
        step.near.extend(nearest(case, pattern, None, &hits));
        step.found.extend(shown(hits));
    }
    step
}

fn shown(hits: Vec<Hit>) -> impl Iterator<Item = Evidence> {
    hits.into_iter().map(|hit| hit.evidence).take(MOST_FOUND)
}

fn looked<'r>(case: &Case<'_>, wanted: Wanted<'r>, pattern: &Pattern, trigger: Option<&Hit>) -> Step<'r> {
    let hits = find(case, pattern, trigger);
    Step {
        wanted,
        came: Came::counted(pattern, &hits),
        near: nearest(case, pattern, trigger, &hits),
        measured: counted(pattern.at_least, count(pattern, hits.iter().filter(|hit| hit.holds))),
        found: shown(hits).collect(),
    }
}

/// A count, where more than one is asked for.
fn counted(wanted: usize, found: usize) -> Option<f64> {
    (wanted > 1).then(|| u32::try_from(found).map_or(f64::from(u32::MAX), f64::from))
}

fn trigger_steps<'r>(case: &Case<'_>, trigger: &'r Trigger) -> Vec<Step<'r>> {
    match trigger {
        Trigger::First(any) | Trigger::Every(any) => {
            any.iter().map(|pattern| looked(case, Wanted::Trigger(pattern), pattern, None)).collect()
        }
        Trigger::Rounds(wanted) => vec![rounds_step(case, trigger, wanted)],
    }
}

/// The rounds that were closed, and the turns in which one more nearly was.
fn rounds_step<'r>(case: &Case<'_>, trigger: &Trigger, wanted: &'r Rounds) -> Step<'r> {
    let closed = rounds(case, wanted);
    let came = match occasions(case, trigger).first() {
        Some(occasion) if occasion.hit.certain => Came::Yes,
        Some(_) => Came::Unknown,
        None => Came::No,
    };
    let closes = find(case, &wanted.close, None);
    let near = if came == Came::Yes { Vec::new() } else { nearest(case, &wanted.close, None, &closes) };
    let found = closed.iter().flat_map(|round| [round.open.evidence.clone(), round.close.evidence.clone()]);
    let certain = closed.iter().filter(|round| round.is_certain()).count();
    Step {
        wanted: Wanted::Rounds(wanted),
        came,
        found: found.take(2 * MOST_FOUND).collect(),
        near,
        measured: counted(wanted.count.max(2), certain),
    }
}

fn demand<'r>(case: &Case<'_>, rule: &'r Rule, trigger: Option<&Hit>) -> Vec<Step<'r>> {
    match (&rule.must, &rule.must_not) {
        (Some(clause), _) => clause_steps(case, Wanted::Must(clause), clause, trigger),
        (None, Some(clause)) => clause_steps(case, Wanted::MustNot(clause), clause, trigger),
        (None, None) => Vec::new(),
    }
}

fn clause_steps<'r>(
    case: &Case<'_>,
    wanted: Wanted<'r>,
    clause: &'r Clause,
    trigger: Option<&Hit>,
) -> Vec<Step<'r>> {
    let told = |is: bool, measured| vec![bare(wanted, if is { Came::Yes } else { Came::No }, measured)];
    match clause {
        Clause::Found(pattern) => {
            let mut steps = vec![looked(case, wanted, pattern, trigger)];
            if let Some(excuse) = &pattern.unless {
                let offences = find(case, pattern, trigger).into_iter().take(MOST_OCCASIONS);
                steps.extend(offences.map(|hit| looked(case, Wanted::Excuse(excuse), excuse, Some(&hit))));
            }
            steps
        }
        Clause::Sequence(links) => sequence_steps(case, links, trigger),
        Clause::All(parts) => {
            let each = |part| match wanted {
                Wanted::MustNot(_) => clause_steps(case, Wanted::MustNot(part), part, trigger),
                _ => clause_steps(case, Wanted::Must(part), part, trigger),
            };
            parts.iter().flat_map(each).collect()
        }
        Clause::Pace(pace) => {
            let range = match case.observations.language() {
                Some(Language::En) => pace.en,
                _ => pace.zh,
            };
            let measured = case.acoustics.agent_pace;
            told(measured.is_some_and(|pace| within(pace, range)), measured.map(f64::from))
        }
        Clause::TalkRatio(range) => {
            let measured = case.acoustics.talk_ratio;
            told(measured.is_some_and(|ratio| within(ratio, *range)), measured.map(f64::from))
        }
        Clause::Outcome(kinds) => {
            told(kinds.contains(&case.outcome.kind), Some(f64::from(case.outcome.probability)))
        }
        Clause::StartedBetween([from, before]) => {
            let clock = case::clock(case.call);
            told(clock.is_some_and(|clock| (*from..*before).contains(&clock.time())), None)
        }
    }
}

fn within(measured: f32, [least, most]: [f32; 2]) -> bool {
    (least..=most).contains(&measured)
}

/// The links that follow each other, and what came nearest to the first that is missing.
fn sequence_steps<'r>(case: &Case<'_>, links: &'r [Pattern], trigger: Option<&Hit>) -> Vec<Step<'r>> {
    let sure = chain(case, links, trigger, true);
    let mut steps: Vec<Step<'r>> = links
        .iter()
        .zip(&sure)
        .map(|(link, hit)| Step {
            found: vec![hit.evidence.clone()],
            ..bare(Wanted::Link(link), Came::Yes, None)
        })
        .collect();
    if let Some(missing) = links.get(sure.len()) {
        let hits = find(case, missing, trigger);
        let near = nearest(case, missing, trigger, &[]);
        let came = if hits.is_empty() { Came::No } else { Came::Unknown };
        steps.push(Step { near, ..bare(Wanted::Link(missing), came, None) });
    }
    steps
}
