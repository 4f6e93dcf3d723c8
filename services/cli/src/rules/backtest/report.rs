//! What two rulebooks say of many calls, as tables.

use std::collections::{BTreeMap, BTreeSet};

use callqa_domain::{Rulebook, Ruling};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, LineStyle, Table};

use super::Backtest;
use super::change::{Change, Standing};
use crate::rules::counted;

/// So many calls, agents or teams are listed, those that change most first; the counts are always whole.
const LISTED: usize = 30;

/// From which ruling to which; `None` where a rulebook has no such rule.
type Turned = (Option<Ruling>, Option<Ruling>);

/// Everything, as text.
pub fn text(backtest: &Backtest<'_>) -> String {
    let changes: Vec<&Change<'_>> = backtest.changes().collect();
    let changed = changes.iter().filter(|change| change.is_one()).count();
    let name = |rulebook: &Rulebook| format!("{} {}", rulebook.id(), rulebook.version());
    let mut text = format!(
        "{} -> {}: {}, of which {changed} would be judged otherwise\n",
        name(backtest.from),
        name(backtest.to),
        counted(changes.len(), "call")
    );
    if backtest.superseded > 0 {
        text.push_str(&format!(
            "({} superseded by another of the same call)\n",
            counted(backtest.superseded, "result")
        ));
    }
    if backtest.unread > 0 {
        text.push_str(&format!("({} rows or calls could not be read and are not in it)\n", backtest.unread));
    }
    if changes.is_empty() {
        return text;
    }
    text.push_str(&rules(&changes, backtest));
    text.push_str(&flags(&changes));
    let tenants: BTreeSet<&str> = changes.iter().map(|change| change.tenant.as_str()).collect();
    let named = |change: &Change<'_>, name: &Option<String>| match name {
        None => "not known".to_owned(),
        Some(name) if tenants.len() > 1 => format!("{}/{name}", change.tenant),
        Some(name) => name.clone(),
    };
    text.push_str(&groups("", &changes, |_| "all".to_owned()));
    text.push_str(&groups("team", &changes, |change| named(change, &change.team)));
    text.push_str(&groups("agent", &changes, |change| named(change, &change.agent)));
    text
}

/// By rule: how many verdicts changed, and from what to what.
fn rules(changes: &[&Change<'_>], backtest: &Backtest<'_>) -> String {
    let mut counted: BTreeMap<&str, BTreeMap<Turned, usize>> = BTreeMap::new();
    for changed in changes.iter().flat_map(|change| &change.verdicts) {
        *counted.entry(changed.rule).or_default().entry((changed.from, changed.to)).or_default() += 1;
    }
    if counted.is_empty() {
        return "\nno verdict changes\n".to_owned();
    }
    let ruling = |ruling: Option<Ruling>| ruling.map_or("no rule", Ruling::name).replace('_', " ");
    let mut rows = Vec::new();
    let new = backtest.to.rules().iter().filter(|rule| backtest.from.rule(&rule.id).is_none());
    for rule in backtest.from.rules().iter().chain(new) {
        let Some(pairs) = counted.get(rule.id.as_str()) else { continue };
        let mut rule_and_sum = (rule.id.clone(), pairs.values().sum::<usize>().to_string());
        let mut pairs: Vec<_> = pairs.iter().collect();
        pairs.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for ((from, to), count) in pairs {
            let (rule, sum) = std::mem::take(&mut rule_and_sum);
            rows.push(vec![rule, sum, count.to_string(), format!("{} -> {}", ruling(*from), ruling(*to))]);
        }
    }
    table(&["rule", "changed", "calls", "verdict"], &[1, 2], rows)
}

/// Calls that are newly flagged, and those that no longer are.
fn flags(changes: &[&Change<'_>]) -> String {
    let list = |title: &str, is_flagged: bool| {
        let turned =
            changes.iter().filter(|c| c.before.flagged != c.after.flagged && c.after.flagged == is_flagged);
        let ids: Vec<&str> = turned.map(|change| change.call_id.as_str()).collect();
        let shown = ids.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
        let more = ids.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(" and {more} more (--json lists all)") } else { String::new() };
        let colon = if ids.is_empty() { "" } else { ": " };
        format!("{title}: {}{colon}{shown}{more}\n", counted(ids.len(), "call"))
    };
    format!("\n{}{}", list("newly flagged", true), list("no longer flagged", false))
}

/// Scores and flags of some calls, by both rulebooks.
#[derive(Debug, Default)]
struct Sum {
    calls: usize,
    changed: usize,
    scores: [u64; 2],
    flagged: [usize; 2],
}

impl Sum {
    fn add(&mut self, change: &Change<'_>) {
        self.calls += 1;
        self.changed += usize::from(change.is_one());
        for (at, Standing { score, flagged }) in [change.before, change.after].into_iter().enumerate() {
            self.scores[at] += u64::from(score);
            self.flagged[at] += usize::from(flagged);
        }
    }

    #[allow(clippy::cast_precision_loss)] // scores of calls are far below 2^52
    fn means(&self) -> [f64; 2] {
        self.scores.map(|sum| sum as f64 / self.calls.max(1) as f64)
    }

    fn difference(&self) -> f64 {
        let [before, after] = self.means();
        after - before
    }
}

/// Calls, mean score and flags of each group; those whose mean score moves most first.
fn groups(title: &str, changes: &[&Change<'_>], name: impl Fn(&Change<'_>) -> String) -> String {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for change in changes {
        sums.entry(name(change)).or_default().add(change);
    }
    let mut sums: Vec<(String, Sum)> = sums.into_iter().collect();
    sums.sort_by(|(_, a), (_, b)| b.difference().abs().total_cmp(&a.difference().abs()));
    let more = sums.len().saturating_sub(LISTED);
    let rows = sums.into_iter().take(LISTED).map(|(name, sum)| {
        let [before, after] = sum.means();
        let counts = [sum.calls, sum.changed, sum.flagged[0], sum.flagged[1]].map(|count| count.to_string());
        let [calls, changed, flagged_before, flagged_after] = counts;
        let scores = [format!("{before:.1}"), format!("{after:.1}"), format!("{:+.1}", sum.difference())];
        let [before, after, difference] = scores;
        vec![name, calls, changed, before, after, difference, flagged_before, flagged_after]
    });
    let header = [title, "calls", "changed", "score before", "after", "change", "flagged before", "after"];
    let mut text = table(&header, &[1, 2, 3, 4, 5, 6, 7], rows.collect());
    if more > 0 {
        text.push_str(&format!("and {more} more whose mean score moves less\n"));
    }
    text
}

/// A table, an empty line before it, with numbers to the right.
fn table(header: &[&str], numbers: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table.set_header(header);
    table.add_rows(rows);
    for &column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("\n{}\n", table.trim_fmt())
}
