//! An explanation for people.

use callqa_domain::{Came, Distance, Evidence, Explanation, Judgement, Near, Rulebook, Step, Wanted};

use crate::filed::Filed;
use crate::render::time;
use crate::words::Tongue;

/// The explanation of one call.
pub fn of(
    filed: &Filed,
    judgement: &Judgement,
    rulebook: &Rulebook,
    explained: &[Explanation<'_>],
    tongue: Tongue,
) -> String {
    let provisional = if judgement.scorecard.provisional { "*" } else { "" };
    let mut text = format!(
        "{}  {}  {} {}{provisional}  {}  {} {}\n",
        filed.call.call_id,
        time(filed.observations.duration_ms),
        tongue.pick("得分", "score"),
        judgement.scorecard.score,
        tongue.outcome(judgement.outcome.kind),
        rulebook.id(),
        rulebook.version(),
    );
    if let Some(flag) = &judgement.flag {
        let reasons: Vec<String> = flag.reasons.iter().map(|reason| tongue.flag(reason)).collect();
        let flagged = tongue.pick("需人工复核，优先级", "flagged for review, priority");
        text.push_str(&format!("  {flagged} {}: {}\n", flag.priority, reasons.join(tongue.pick("；", "; "))));
    }
    explained.iter().for_each(|explanation| rule(explanation, tongue, &mut text));
    text.push('\n');
    text
}

fn rule(Explanation { rule, verdict, steps }: &Explanation<'_>, tongue: Tongue, text: &mut String) {
    let points = if verdict.deducted > 0 { format!(", −{}", verdict.deducted) } else { String::new() };
    text.push_str(&format!(
        "\n{}  {}\n  {}{points} ({})\n  “{}”\n",
        rule.id,
        tongue.told(&rule.title),
        tongue.ruling(verdict.ruling),
        tongue.class(rule.class),
        tongue.told(&rule.tell),
    ));
    if let Some(reason) = verdict.reason {
        text.push_str(&format!("  {}\n", tongue.reason(reason)));
    }
    for (number, one) in (1..).zip(steps) {
        text.push_str(&format!("  {number}. {}\n", sentence(one, tongue)));
        one.found
            .iter()
            .for_each(|evidence| text.push_str(&format!("       {}\n", played(evidence, tongue))));
        one.near.iter().for_each(|near| text.push_str(&format!("     ~ {}\n", nearly(near, tongue))));
    }
}

/// What a step looked at, and what came of it.
pub(super) fn sentence(step: &Step<'_>, tongue: Tongue) -> String {
    let came = came(step.came, tongue);
    let measured = step.measured.map_or_else(String::new, |measured| {
        let rounded = (measured * 100.0).round() / 100.0;
        format!(" ({rounded})")
    });
    let (what, of) = wanted(step.wanted, tongue);
    if of.is_empty() {
        format!("{what}: {came}{measured}")
    } else {
        format!("{what}: {of}: {came}{measured}")
    }
}

fn came(came: Came, tongue: Tongue) -> &'static str {
    match came {
        Came::Yes => tongue.pick("是", "yes"),
        Came::No => tongue.pick("否", "no"),
        Came::Unknown => tongue.pick("不确定", "in doubt"),
    }
}

fn wanted(wanted: Wanted<'_>, tongue: Tongue) -> (&'static str, String) {
    match wanted {
        // The reason stands beside the verdict.
        Wanted::Judgeable(_) => (tongue.pick("可以评判", "can be judged"), String::new()),
        Wanted::Condition(condition) => {
            (tongue.pick("适用条件", "applies when"), tongue.condition(condition))
        }
        Wanted::Trigger(pattern) => (tongue.pick("触发", "falls due at"), tongue.pattern(pattern)),
        Wanted::Rounds(rounds) => (tongue.pick("触发", "falls due after"), tongue.rounds(rounds)),
        Wanted::Must(clause) => (tongue.pick("必须", "must"), tongue.clause(clause)),
        Wanted::MustNot(clause) => (tongue.pick("不得", "must not"), tongue.clause(clause)),
        Wanted::Link(pattern) => (tongue.pick("步骤", "step"), tongue.pattern(pattern)),
        Wanted::Excuse(pattern) => (tongue.pick("可免责", "excused by"), tongue.pattern(pattern)),
    }
}

/// `0:12 agent "…" explains 0.97 (counts from 0.50)`.
pub(super) fn played(evidence: &Evidence, tongue: Tongue) -> String {
    let who = evidence.channel.map_or(tongue.pick("双方", "call"), |channel| tongue.speaker(channel));
    let start = time(evidence.span.start_ms);
    let mut words = match &evidence.quote {
        Some(quote) => format!("{start} {who} “{}”", quote.text),
        None => format!("{start}–{} {who}", time(evidence.span.end_ms)),
    };
    if let Some(claim) = evidence.claim {
        let from = tongue.pick("阈值", "counts from");
        words.push_str(&format!(
            "  {} {:.2} ({from} {:.2})",
            tongue.label(claim.label),
            claim.probability,
            claim.threshold
        ));
    }
    words
}

fn nearly(near: &Near, tongue: Tongue) -> String {
    format!("{}: {}", played(&near.evidence, tongue), distance(near.by, tongue))
}

/// What was wanting.
pub(super) fn distance(by: Distance, tongue: Tongue) -> String {
    #[allow(clippy::cast_precision_loss)] // milliseconds of one call
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    match by {
        Distance::Probability { short_by } => {
            tongue.pick(format!("比阈值低{short_by:.2}"), format!("{short_by:.2} below the threshold"))
        }
        Distance::Confidence { heard, floor } => tongue.pick(
            format!("听得不够清（{heard:.2}，需{floor:.2}）"),
            format!("not heard well enough ({heard:.2}, needs {floor:.2})"),
        ),
        Distance::TooEarly { by_ms: 0, .. } => {
            tongue.pick("不在规定的位置".to_owned(), "not where it counts".to_owned())
        }
        Distance::TooEarly { by_ms, turns } => tongue.pick(
            format!("早了{turns}轮，{:.1}秒", seconds(by_ms)),
            format!("{turns} turns, {:.1} s too early", seconds(by_ms)),
        ),
        Distance::TooLate { by_ms, turns } => tongue.pick(
            format!("晚了{turns}轮，{:.1}秒", seconds(by_ms)),
            format!("{turns} turns, {:.1} s too late", seconds(by_ms)),
        ),
        Distance::Unanswered => tongue.pick("没有得到回答".to_owned(), "nobody answered".to_owned()),
        Distance::Length { short_by_ms } => tongue.pick(
            format!("还差{:.1}秒", seconds(short_by_ms)),
            format!("{:.1} s too short", seconds(short_by_ms)),
        ),
    }
}
