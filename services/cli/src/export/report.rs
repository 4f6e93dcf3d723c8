//! A report of one call: a page that needs nothing else, to read on a screen or on paper.

use askama::Template;
use callqa_domain::{Class, Evidence, FlagReason, OutcomeKind, Rule, Ruling, Verdict};

use super::Told;
use super::timeline::{self, Timeline};
use super::transcript::{self, Line, Part};
use crate::CliError;
use crate::render::time;
use crate::words::Tongue;

/// A score from here on needs no attention; below the second one it needs it soon.
const GOOD_FROM: u32 = 90;
const POOR_BELOW: u32 = 70;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    tongue: Tongue,
    call: &'a str,
    facts: Vec<Fact>,
    score: u32,
    /// For its colour.
    score_class: &'static str,
    provisional: bool,
    outcome: &'static str,
    outcome_percent: Option<String>,
    flag: Option<FlagTold>,
    measures: Vec<Fact>,
    timeline: Timeline,
    groups: Vec<Group<'a>>,
    lines: Vec<Line>,
    made: Vec<Fact>,
}

struct Fact {
    name: &'static str,
    value: String,
}

struct FlagTold {
    priority: u32,
    reasons: Vec<String>,
}

/// Rules with the same answer.
struct Group<'a> {
    name: &'static str,
    class: &'static str,
    /// Worth unfolding.
    open: bool,
    rules: Vec<RuleTold<'a>>,
}

struct RuleTold<'a> {
    id: &'a str,
    title: &'a str,
    tell: &'a str,
    class: &'static str,
    /// For its colour.
    class_code: &'static str,
    deducted: u32,
    reason: Option<&'static str>,
    places: Vec<Place>,
}

/// A piece of evidence.
struct Place {
    time: String,
    until: Option<String>,
    who: &'static str,
    utterance: Option<usize>,
    parts: Vec<Part>,
    claim: Option<ClaimTold>,
}

struct ClaimTold {
    label: String,
    probability: String,
    threshold: String,
}

/// The page.
///
/// # Errors
/// Where it can't be written.
pub(super) fn html(told: &Told<'_>, tongue: Tongue) -> Result<String, CliError> {
    let (judgement, observations) = (told.judgement, &told.filed.observations);
    let verdicts = &judgement.verdicts;
    let score = judgement.scorecard.score;
    let known = judgement.outcome.kind != OutcomeKind::Unknown;
    let page = Page {
        tongue,
        call: &told.filed.call.call_id,
        facts: facts(told, tongue),
        score,
        score_class: match score {
            GOOD_FROM.. => "good",
            POOR_BELOW.. => "fair",
            _ => "poor",
        },
        provisional: judgement.scorecard.provisional,
        outcome: tongue.outcome(judgement.outcome.kind),
        outcome_percent: known.then(|| percent(judgement.outcome.probability)),
        flag: judgement.flag.as_ref().map(|flag| FlagTold {
            priority: flag.priority,
            reasons: flag.reasons.iter().map(|reason| flagged(told, reason, tongue)).collect(),
        }),
        measures: measures(told, tongue),
        timeline: timeline::of(observations, verdicts, tongue),
        groups: groups(told, tongue),
        lines: transcript::of(observations, verdicts, told.rulebook.confidence_floor(), tongue),
        made: made(told, tongue),
    };
    page.render().map_err(|source| CliError::Template { source })
}

fn percent(share: f32) -> String {
    format!("{:.0} %", share * 100.0)
}

fn facts(told: &Told<'_>, tongue: Tongue) -> Vec<Fact> {
    let call = &told.filed.call;
    let agents: Vec<&str> = call.legs.iter().map(|leg| leg.agent_id.as_str()).collect();
    let moment = call.started_at.or(call.answered_at);
    let all = [
        (tongue.pick("时间", "started"), moment.map(|moment| moment.to_string())),
        (tongue.pick("时长", "length"), Some(time(told.filed.observations.duration_ms))),
        (tongue.pick("坐席", "agent"), Some(agents.join(", "))),
        (tongue.pick("队列", "queue"), call.queue.clone()),
        (
            tongue.pick("语言", "language"),
            told.filed.observations.language().map(|language| language.code().to_owned()),
        ),
    ];
    let given = all.into_iter().filter_map(|(name, value)| Some(Fact { name, value: value? }));
    given.filter(|fact| !fact.value.is_empty()).collect()
}

/// A reason by the name of its rule, where it has one.
fn flagged(told: &Told<'_>, reason: &FlagReason, tongue: Tongue) -> String {
    let words = tongue.flag(reason);
    match told.rulebook.rule(reason.code()) {
        Some(rule) => words.replace(reason.code(), tongue.told(&rule.title)),
        None => words,
    }
}

fn measures(told: &Told<'_>, tongue: Tongue) -> Vec<Fact> {
    let (acoustics, coverage) = (&told.judgement.acoustics, told.judgement.coverage);
    let mono = told.filed.observations.is_mono();
    let pace = |pace: f32| tongue.pick(format!("{pace:.0} /分钟"), format!("{pace:.0} a minute"));
    let by_agent = acoustics.interruptions_by(callqa_domain::Channel::Agent);
    let all = [
        (tongue.pick("坐席说话占比", "agent's share of speech"), acoustics.talk_ratio.map(percent)),
        (tongue.pick("坐席语速", "agent's pace"), acoustics.agent_pace.map(pace)),
        (tongue.pick("客户语速", "customer's pace"), acoustics.customer_pace.map(pace)),
        (tongue.pick("坐席打断", "interruptions by the agent"), (!mono).then(|| by_agent.to_string())),
        (tongue.pick("同时说话", "both at once"), (!mono).then(|| acoustics.overtalk.len().to_string())),
        (tongue.pick("沉默（≥3秒）", "silences (≥ 3 s)"), Some(acoustics.silences.len().to_string())),
        (tongue.pick("冷场（≥10秒）", "dead air (≥ 10 s)"), Some(acoustics.dead_air().count().to_string())),
        (tongue.pick("听清比例", "speech understood"), Some(percent(coverage.intelligible))),
    ];
    all.into_iter().filter_map(|(name, value)| Some(Fact { name, value: value? })).collect()
}

fn groups<'a>(told: &Told<'a>, tongue: Tongue) -> Vec<Group<'a>> {
    let kinds = [
        (Ruling::Violated, "violated", true),
        (Ruling::Unknown, "unknown", true),
        (Ruling::Met, "met", true),
        (Ruling::NotApplicable, "not-applicable", false),
    ];
    let group = |(ruling, class, open): (Ruling, &'static str, bool)| {
        let of_kind = told.judgement.verdicts.iter().filter(|verdict| verdict.ruling == ruling);
        let rules =
            of_kind.filter_map(|verdict| Some(rule(verdict, told.rulebook.rule(&verdict.rule)?, tongue)));
        Group { name: tongue.ruling(ruling), class, open, rules: rules.collect() }
    };
    let mut groups: Vec<Group<'a>> = kinds.into_iter().map(group).collect();
    groups.retain(|group| !group.rules.is_empty());
    groups
}

fn rule<'a>(verdict: &Verdict, rule: &'a Rule, tongue: Tongue) -> RuleTold<'a> {
    RuleTold {
        id: &rule.id,
        title: tongue.told(&rule.title),
        tell: tongue.told(&rule.tell),
        class: tongue.class(rule.class),
        class_code: match rule.class {
            Class::Fatal | Class::Serious => "serious",
            Class::Minor => "minor",
            Class::Notice | Class::Praise => "notice",
        },
        deducted: verdict.deducted,
        reason: verdict.reason.map(|reason| tongue.reason(reason)),
        places: verdict.evidence.iter().map(|evidence| place(evidence, tongue)).collect(),
    }
}

fn place(evidence: &Evidence, tongue: Tongue) -> Place {
    let quote = evidence.quote.as_ref();
    Place {
        time: time(evidence.span.start_ms),
        until: quote.is_none().then(|| time(evidence.span.end_ms)),
        who: evidence.channel.map_or(tongue.pick("双方", "both"), |channel| tongue.speaker(channel)),
        utterance: quote.map(|quote| quote.utterance),
        parts: quote.map_or_else(Vec::new, |quote| transcript::parts(&quote.text, tongue)),
        claim: evidence.claim.map(|claim| ClaimTold {
            label: tongue.label(claim.label),
            probability: format!("{:.2}", claim.probability),
            threshold: format!("{:.2}", claim.threshold),
        }),
    }
}

fn made(told: &Told<'_>, tongue: Tongue) -> Vec<Fact> {
    let rulebook = told.rulebook;
    vec![
        Fact {
            name: tongue.pick("规则手册", "rulebook"),
            value: format!("{} {}", rulebook.id(), rulebook.version()),
        },
        Fact {
            name: tongue.pick("规则手册摘要", "rulebook digest"), value: rulebook.digest().to_owned()
        },
        Fact {
            name: tongue.pick("声学定义版本", "acoustic definitions"),
            value: told.judgement.acoustics.version.to_string(),
        },
        Fact { name: "callqa", value: env!("CARGO_PKG_VERSION").to_owned() },
    ]
}
