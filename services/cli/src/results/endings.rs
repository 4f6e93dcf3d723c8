//! Calls by their ending, put together from rows that may come again, in any order.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, VecDeque};

use callqa_proto::wire::{DeadLetterRow, FindingRow, ResultRow};

use crate::render::{CallLine, Ended, FlagLine, Played};

/// The flag that has no rule of its own: its evidence is what the customer said last of these.
const UNRESOLVED: &str = "outcome.unresolved";
/// Labels that speak for [`UNRESOLVED`].
const SIGNS_OF_UNRESOLVED: [&str; 5] =
    ["says_unresolved", "rejects_explanation", "threatens_escalation", "asks_supervisor", "dissatisfied"];

/// Rows of calls that have not ended yet may come before their ending. A call has about a hundred of them, so
/// this holds those of two hundred calls at work; older ones only cost a line of evidence on a screen.
const AHEAD: usize = 20_000;

/// The endings of calls: one a call, of its highest revision; there an assessment before anything else, the later of
/// equals.
#[derive(Debug)]
pub struct Endings {
    rows: Vec<ResultRow>,
    /// Places in `rows`; those of superseded revisions have their call's.
    by_id: HashMap<String, usize>,
    /// The same by tenant and call id.
    by_call: HashMap<(String, String), usize>,
    tenants: BTreeSet<String>,
    dead_letters: HashMap<String, DeadLetterRow>,
    /// By result id, of each flagged result that counts: its place in `rows`, and at most one finding a flag.
    findings: HashMap<String, (usize, Vec<FindingRow>)>,
    ahead: VecDeque<FindingRow>,
}

/// What a row did to the endings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A call that had no ending yet.
    New,
    /// A call that had one, which is another now.
    Replaced,
    /// A call that had one, which stays.
    Again,
}

impl Endings {
    /// No endings yet.
    pub fn new() -> Self {
        Self {
            rows: Vec::new(),
            by_id: HashMap::new(),
            by_call: HashMap::new(),
            tenants: BTreeSet::new(),
            dead_letters: HashMap::new(),
            findings: HashMap::new(),
            ahead: VecDeque::new(),
        }
    }

    /// Takes a row of the results topic.
    pub fn result(&mut self, row: ResultRow) -> Taken {
        let ahead = std::mem::take(&mut self.ahead);
        let (early, ahead): (VecDeque<_>, _) =
            ahead.into_iter().partition(|finding| finding.result_id == row.result_id);
        self.ahead = ahead;
        let index = self.index(&row);
        let flagged = row.flagged.then(|| row.result_id.clone());
        let taken = match self.rows.get_mut(index) {
            None => {
                self.rows.push(row);
                Taken::New
            }
            Some(known) if *known != row && supersedes(&row, known) => {
                if known.result_id != row.result_id {
                    self.findings.remove(&known.result_id);
                }
                *known = row;
                Taken::Replaced
            }
            Some(_) => return Taken::Again,
        };
        if let Some(result_id) = flagged {
            self.findings.entry(result_id).or_insert((index, Vec::new()));
            early.into_iter().for_each(|finding| self.finding(finding));
        }
        taken
    }

    /// The place of this row's call, the next free one for a new call.
    fn index(&mut self, row: &ResultRow) -> usize {
        let mut index = self.by_id.get(&row.ending_id).copied().unwrap_or(self.rows.len());
        if let Some((tenant, call_id)) = row.tenant.clone().zip(row.call_id.clone()) {
            self.tenants.insert(tenant.clone());
            index = *self.by_call.entry((tenant, call_id)).or_insert(index);
        }
        self.by_id.insert(row.ending_id.clone(), index);
        index
    }

    /// Takes a row of the dead letters' topic: the sentence to a reason.
    pub fn dead_letter(&mut self, row: DeadLetterRow) {
        self.dead_letters.insert(row.ending_id.clone(), row);
    }

    /// Takes a row of the findings topic.
    pub fn finding(&mut self, row: FindingRow) {
        let Some((index, kept)) = self.findings.get_mut(&row.result_id) else {
            self.ahead.push_back(row);
            if self.ahead.len() > AHEAD {
                self.ahead.pop_front();
            }
            return;
        };
        if !self.rows.get(*index).is_some_and(|result| shows_a_flag(&row, &result.flag_reasons)) {
            return;
        }
        let is_label = row.kind == "label";
        let is_of_its_flag =
            |known: &FindingRow| known.kind == row.kind && (is_label || known.name == row.name);
        match kept.iter_mut().find(|known| is_of_its_flag(known)) {
            None => kept.push(row),
            Some(known) if is_label && row.start_ms > known.start_ms => *known = row,
            Some(_) => {}
        }
    }

    /// Whether the findings of any result are shown.
    pub fn wants_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    /// Whether this revision of a call has ended.
    pub fn contains(&self, ending_id: &str) -> bool {
        self.by_id.contains_key(ending_id)
    }

    /// The rows, in the order in which calls first ended.
    pub fn rows(&self) -> &[ResultRow] {
        &self.rows
    }

    /// The findings of a result that show its flags.
    fn findings(&self, row: &ResultRow) -> &[FindingRow] {
        self.findings.get(&row.result_id).map_or(&[], |(_, kept)| kept.as_slice())
    }

    /// What is known of a call that was not assessed.
    pub fn dead_letter_of(&self, row: &ResultRow) -> Option<&DeadLetterRow> {
        self.dead_letters.get(&row.ending_id).filter(|_| row.score.is_none())
    }

    /// The call of this ending, for a table; with its tenant where there are several.
    pub fn line(&self, ending_id: &str) -> Option<CallLine> {
        let row = self.rows.get(*self.by_id.get(ending_id)?)?;
        let mut line = call_line(row, self.findings(row), self.dead_letter_of(row));
        if let Some(tenant) = row.tenant.as_ref().filter(|_| self.tenants.len() > 1) {
            line.call = format!("{tenant}/{}", line.call);
        }
        Some(line)
    }

    /// All calls for a table, by name.
    pub fn lines(&self) -> Vec<CallLine> {
        let mut lines: Vec<CallLine> = self.rows.iter().filter_map(|row| self.line(&row.ending_id)).collect();
        lines.sort_by(|a, b| a.call.cmp(&b.call));
        lines
    }
}

/// Whether a row counts in the place of another of the same call.
fn supersedes(row: &ResultRow, known: &ResultRow) -> bool {
    match row.revision.cmp(&known.revision) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => known.score.is_none() || row.score.is_some(),
    }
}

/// A result with its findings, for a table.
pub fn call_line(row: &ResultRow, findings: &[FindingRow], dead_letter: Option<&DeadLetterRow>) -> CallLine {
    let reason = row.reason.clone().unwrap_or_default();
    let ended = match (row.score, row.ending.as_str()) {
        (Some(score), _) => Ended::Assessed {
            score,
            provisional: row.provisional,
            outcome: row.outcome.clone().unwrap_or_else(|| "unknown".to_owned()),
        },
        (None, "excluded") => Ended::Excluded(reason),
        (None, _) => {
            let detail = dead_letter.map(|row| row.detail.clone()).unwrap_or_default();
            Ended::DeadLettered { reason, detail }
        }
    };
    let short = row.ending_id.get(..12).unwrap_or(&row.ending_id);
    CallLine {
        call: row.call_id.clone().unwrap_or_else(|| format!("(unreadable event {short})")),
        duration_ms: row.duration_ms,
        language: row.language.clone(),
        ended,
        flags: row.flag_reasons.iter().map(|reason| flag(reason, findings)).collect(),
    }
}

/// Whether a finding may be what [`flag`] shows of one of these.
fn shows_a_flag(row: &FindingRow, reasons: &[String]) -> bool {
    match row.kind.as_str() {
        "verdict" => reasons.contains(&row.name),
        "label" => {
            SIGNS_OF_UNRESOLVED.contains(&row.name.as_str())
                && reasons.iter().any(|reason| reason == UNRESOLVED)
        }
        _ => false,
    }
}

fn flag(reason: &str, findings: &[FindingRow]) -> FlagLine {
    let of_rule = findings.iter().find(|row| row.kind == "verdict" && row.name == reason);
    let sign = |row: &&FindingRow| row.kind == "label" && SIGNS_OF_UNRESOLVED.contains(&row.name.as_str());
    let last_sign = || findings.iter().filter(sign).max_by_key(|row| row.start_ms);
    let finding = of_rule.or_else(|| if reason == UNRESOLVED { last_sign() } else { None });
    FlagLine { reason: reason.to_owned(), evidence: finding.and_then(played) }
}

fn played(row: &FindingRow) -> Option<Played> {
    Some(Played {
        speaker: row.speaker.clone()?,
        start_ms: row.start_ms?,
        end_ms: row.end_ms?,
        text: row.text.clone().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(ending_id: &str, result_id: &str, score: Option<u32>) -> ResultRow {
        ResultRow {
            ending_id: ending_id.into(),
            result_id: result_id.into(),
            call_id: Some(ending_id.into()),
            ending: if score.is_some() { "assessed" } else { "dead_lettered" }.into(),
            score,
            ..ResultRow::default()
        }
    }

    fn finding(kind: &str, name: &str, start_ms: u64, text: &str) -> FindingRow {
        FindingRow {
            result_id: "r".into(),
            row_id: format!("{kind}{name}{start_ms}"),
            kind: kind.into(),
            name: name.into(),
            speaker: Some("customer".into()),
            start_ms: Some(start_ms),
            end_ms: Some(start_ms + 1000),
            text: Some(text.into()),
            ..FindingRow::default()
        }
    }

    #[test]
    fn a_repeat_is_the_same_ending() {
        let mut endings = Endings::new();
        assert_eq!(endings.result(result("a", "r", Some(80))), Taken::New);
        assert_eq!(endings.result(result("a", "r", Some(80))), Taken::Again);
        assert_eq!(endings.rows().len(), 1);
    }

    #[track_caller]
    fn check_kept(first: Option<u32>, second: Option<u32>, expect: Option<u32>) {
        let mut endings = Endings::new();
        endings.result(result("a", "r1", first));
        endings.result(result("a", "r2", second));
        assert_eq!(endings.rows()[0].score, expect);
    }

    #[test]
    fn an_assessment_beats_a_dead_letter_and_the_later_of_equals_counts() {
        check_kept(Some(80), None, Some(80));
        check_kept(None, Some(70), Some(70));
        check_kept(Some(80), Some(70), Some(70));
    }

    #[test]
    fn only_another_row_replaces() {
        let mut endings = Endings::new();
        let mut takes = |row: ResultRow, expect: Taken| assert_eq!(endings.result(row), expect);
        takes(result("a", "r", None), Taken::New);
        takes(result("a", "r", None), Taken::Again);
        takes(result("a", "r", Some(80)), Taken::Replaced);
        takes(result("a", "r", Some(80)), Taken::Again);
        takes(result("a", "r", None), Taken::Again);
    }

    fn revision(tenant: &str, revision: u32, score: Option<u32>) -> ResultRow {
        let id = format!("{tenant} {revision}");
        let (tenant, call_id) = (Some(tenant.into()), Some("c".into()));
        ResultRow { tenant, call_id, revision: Some(revision), ..result(&id, &id, score) }
    }

    #[test]
    fn of_several_revisions_the_highest_counts() {
        for order in [[0, 1], [1, 0]] {
            let mut endings = Endings::new();
            for number in order {
                endings.result(revision("t", number, (number == 0).then_some(80)));
            }
            let revisions: Vec<Option<u32>> = endings.rows().iter().map(|row| row.revision).collect();
            assert_eq!(revisions, [Some(1)], "{order:?}");
            assert!(endings.contains("t 0") && endings.contains("t 1"), "both have ended");
            assert_eq!(endings.lines()[0].call, "c");
        }
    }

    #[test]
    fn calls_of_several_tenants_bear_their_names() {
        let mut endings = Endings::new();
        for tenant in ["t", "u"] {
            endings.result(revision(tenant, 0, Some(80)));
        }
        let calls: Vec<String> = endings.lines().into_iter().map(|line| line.call).collect();
        assert_eq!(calls, ["t/c", "u/c"]);
    }

    #[test]
    fn evidence_comes_from_the_rule_or_the_last_sign() {
        let mut endings = Endings::new();
        let reasons =
            vec!["conduct.rude".to_owned(), "outcome.unresolved".to_owned(), "coverage.impaired".to_owned()];
        endings.finding(finding("label", "says_unresolved", 9_000, "还是不行"));
        endings.result(ResultRow { flagged: true, flag_reasons: reasons, ..result("a", "r", Some(0)) });
        endings.finding(finding("label", "dissatisfied", 5_000, "太差了"));
        endings.finding(finding("label", "greeting", 99_000, "您好"));
        endings.finding(finding("verdict", "conduct.rude", 3_000, "你有病"));
        endings
            .finding(FindingRow { result_id: "old".into(), ..finding("verdict", "conduct.rude", 1, "旧") });
        let flags = endings.line("a").unwrap().flags;
        let texts: Vec<Option<&str>> =
            flags.iter().map(|flag| flag.evidence.as_ref().map(|played| played.text.as_str())).collect();
        assert_eq!(texts, [Some("你有病"), Some("还是不行"), None]);
    }

    #[test]
    fn of_many_findings_those_that_are_shown_are_kept() {
        let mut endings = Endings::new();
        let flag_reasons = vec!["conduct.rude".to_owned(), UNRESOLVED.to_owned()];
        let row = ResultRow { flagged: true, flag_reasons, ..result("a", "r", Some(0)) };
        endings.result(row.clone());
        for start_ms in 0..1_000 {
            endings.finding(finding("label", "says_unresolved", start_ms, "还是不行"));
            endings.finding(finding("label", "greeting", start_ms, "您好"));
            endings.finding(finding("verdict", "script.closing", start_ms, "再见"));
            endings.finding(finding("verdict", "conduct.rude", start_ms, "你有病"));
        }
        let kept: Vec<(&str, Option<u64>)> =
            endings.findings(&row).iter().map(|row| (row.name.as_str(), row.start_ms)).collect();
        assert_eq!(kept, [("says_unresolved", Some(999)), ("conduct.rude", Some(0))]);
        assert!(endings.ahead.is_empty());
    }

    #[test]
    fn no_finding_of_a_superseded_result_is_kept() {
        let flag_reasons = vec!["conduct.rude".to_owned()];
        let flagged = ResultRow { flagged: true, flag_reasons, ..revision("t", 0, Some(0)) };
        let rude = FindingRow {
            result_id: flagged.result_id.clone(),
            ..finding("verdict", "conduct.rude", 3_000, "你有病")
        };
        for order in [[flagged.clone(), revision("t", 1, Some(80))], [revision("t", 1, Some(80)), flagged]] {
            let mut endings = Endings::new();
            for row in order {
                endings.result(row);
                endings.finding(rude.clone());
            }
            assert!(!endings.wants_findings());
            assert!(endings.lines()[0].flags.is_empty());
        }
    }
}
