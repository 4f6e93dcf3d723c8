//! What rules look for, in words.

use callqa_domain::{After, Before, Clause, Condition, Measure, Pattern, Rounds, Window};

use super::Tongue;

impl Tongue {
    /// `agent: greeting, in the first 2 turns or 10 s`.
    pub fn pattern(self, pattern: &Pattern) -> String {
        let mut said = Vec::new();
        if !pattern.labels.is_empty() {
            said.push(self.any_label(&pattern.labels));
        }
        if !pattern.phrases.is_empty() {
            let lists = pattern.phrases.join(self.pick("、", ", "));
            said.push(self.pick(format!("词表“{lists}”中的话"), format!("a phrase of the list {lists}")));
        }
        said.extend(pattern.measure.map(|measure| self.measure(measure).to_owned()));
        let mut words = format!(
            "{}{}{}",
            self.speaker(pattern.speaker),
            self.pick("：", ": "),
            said.join(self.pick("或", " or "))
        );
        if pattern.at_least > 1 {
            let different = if pattern.different {
                self.pick("种不同的", " different ones")
            } else {
                self.pick("次", " times")
            };
            words.push_str(&self.pick(
                format!("，至少{}{different}", pattern.at_least),
                format!(", at least {}{different}", pattern.at_least),
            ));
        }
        if let Some(answerer) = pattern.answered_by {
            let who = self.speaker(answerer);
            words.push_str(&self.pick(format!("，并得到{who}回答"), format!(", answered by the {who}")));
        }
        if let Some(window) = &pattern.window {
            words.push_str(self.pick("，", ", "));
            words.push_str(&self.window(window));
        }
        words
    }

    fn measure(self, measure: Measure) -> &'static str {
        match measure {
            Measure::Hold => self.pick("请客户等待10秒以上", "away for 10 s or more after asking to wait"),
            Measure::Silence => self.pick("双方沉默3秒以上", "silence of both sides for 3 s or more"),
            Measure::DeadAir => {
                self.pick("未告知的沉默10秒以上", "unannounced silence of both sides for 10 s or more")
            }
            Measure::Overtalk => self.pick("双方同时说话", "both sides speaking at once"),
            Measure::Interruption => self.pick("打断对方", "interrupting"),
        }
    }

    fn window(self, window: &Window) -> String {
        let mut parts = Vec::new();
        if let Some(first) = &window.first {
            let (turns, seconds) = (first.turns, first.seconds);
            parts.push(self.pick(
                format!("开场{turns}轮或{seconds}秒内"),
                format!("in the first {turns} turns or {seconds} s"),
            ));
        }
        if let Some(turns) = window.last_turns {
            parts.push(self.pick(format!("最后{turns}轮"), format!("in the last {turns} turns")));
        }
        if let Some(seconds) = window.last_seconds {
            parts.push(self.pick(format!("最后{seconds}秒"), format!("in the last {seconds} s")));
        }
        if let Some(share) = window.last_share {
            let share = share * 100.0;
            parts.push(
                self.pick(format!("最后{share:.0}%的时间"), format!("in the last {share:.0} % of the time")),
            );
        }
        parts.extend(window.before_trigger.as_ref().map(|before| self.before(before)));
        if let Some(last) = &window.before_last {
            let last = self.pattern(last);
            parts.push(
                self.pick(format!("不晚于最后一次（{last}）"), format!("no later than the last ({last})")),
            );
        }
        parts.extend(window.after_trigger.as_ref().map(|after| self.after(after)));
        parts.join(self.pick("，或", ", or "))
    }

    fn before(self, Before { turns, seconds }: &Before) -> String {
        match self.extent(*turns, *seconds) {
            Some(extent) => self.pick(format!("此前{extent}"), format!("within {extent} before it")),
            None => self.pick("此前", "before it").to_owned(),
        }
    }

    fn after(self, After { turns, seconds, same_turn }: &After) -> String {
        let extent = match self.extent(*turns, *seconds) {
            Some(extent) => self.pick(format!("此后{extent}内"), format!("within {extent} after it")),
            None => self.pick("此后", "after it").to_owned(),
        };
        let same = self.pick("同一轮或", "in the same turn or ");
        if *same_turn { format!("{same}{extent}") } else { extent }
    }

    fn extent(self, turns: Option<usize>, seconds: Option<f64>) -> Option<String> {
        let turns = turns.map(|turns| self.pick(format!("{turns}轮"), format!("{turns} turns")));
        let seconds = seconds.map(|seconds| self.pick(format!("{seconds}秒"), format!("{seconds} s")));
        let both: Vec<String> = turns.into_iter().chain(seconds).collect();
        (!both.is_empty()).then(|| both.join(self.pick("或", " or ")))
    }

    /// What must hold for a rule to apply.
    pub fn condition(self, condition: &Condition) -> String {
        let each = |parts: &[Condition]| parts.iter().map(|part| self.condition(part)).collect::<Vec<_>>();
        match condition {
            Condition::All(parts) => each(parts).join(self.pick("；并且", "; and ")),
            Condition::Any(parts) => each(parts).join(self.pick("；或者", "; or ")),
            Condition::Not(part) => format!("{}({})", self.pick("没有", "not "), self.condition(part)),
            Condition::Found(pattern) => self.pattern(pattern),
            Condition::Attribute(attribute) => {
                format!("{} = {}", attribute.name.name(), attribute.is.join(self.pick("或", " or ")))
            }
            Condition::Outcome(kinds) => {
                let names: Vec<&str> = kinds.iter().map(|&kind| self.outcome(kind)).collect();
                format!("{}{}", self.pick("结果是", "outcome "), names.join(self.pick("或", " or ")))
            }
            Condition::Spoken(spoken) => {
                let (who, seconds) = (self.speaker(spoken.speaker), spoken.at_least_seconds);
                self.pick(
                    format!("{who}说话不少于{seconds}秒"),
                    format!("the {who} speaks for {seconds} s or more"),
                )
            }
        }
    }

    /// Rounds that make an obligation fall due.
    pub fn rounds(self, Rounds { count, open, close }: &Rounds) -> String {
        let (open, close) = (self.pattern(open), self.pattern(close));
        self.pick(
            format!("{count}个回合（{open} → 紧接的一轮 {close}）"),
            format!("{count} rounds of ({open} → in the very next turn, {close})"),
        )
    }

    /// What is demanded or forbidden.
    pub fn clause(self, clause: &Clause) -> String {
        match clause {
            Clause::Found(pattern) => self.pattern(pattern),
            Clause::Sequence(links) => {
                links.iter().map(|link| self.pattern(link)).collect::<Vec<_>>().join(" → ")
            }
            Clause::All(parts) => parts
                .iter()
                .map(|part| self.clause(part))
                .collect::<Vec<_>>()
                .join(self.pick("；并且", "; and ")),
            Clause::Pace(pace) => {
                let ([zh_least, zh_most], [en_least, en_most]) = (pace.zh, pace.en);
                self.pick(
                    format!("语速每分钟{zh_least}–{zh_most}字（英文{en_least}–{en_most}词）"),
                    format!("{zh_least}–{zh_most} Han characters or {en_least}–{en_most} words a minute"),
                )
            }
            Clause::TalkRatio([least, most]) => self.pick(
                format!("坐席说话占比{least}–{most}"),
                format!("agent's share of speech {least}–{most}"),
            ),
            Clause::Outcome(kinds) => {
                let names: Vec<&str> = kinds.iter().map(|&kind| self.outcome(kind)).collect();
                format!("{}{}", self.pick("结果是", "outcome "), names.join(self.pick("或", " or ")))
            }
            Clause::StartedBetween([from, before]) => self.pick(
                format!("在{from}至{before}之间拨打"),
                format!("called from {from} and before {before}"),
            ),
        }
    }
}
