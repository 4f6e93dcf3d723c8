//! What a rule looks for, wherever in the rule it stands.

use std::collections::BTreeSet;

use super::{Clause, Condition, Measure, Pattern, Rule, Trigger};
use crate::Label;

impl Rule {
    /// Every pattern of the rule; excuses stand inside theirs.
    pub(crate) fn patterns(&self) -> Vec<&Pattern> {
        let mut all = Vec::new();
        all.extend(self.must.iter().chain(&self.must_not).flat_map(Clause::patterns));
        all.extend(self.trigger.iter().flat_map(Trigger::patterns));
        for precondition in &self.when {
            in_condition(&precondition.holds, &mut all);
        }
        all
    }

    /// Every label without which the rule can't be judged.
    pub(crate) fn labels(&self) -> BTreeSet<Label> {
        let mut labels = BTreeSet::new();
        let mut left = self.patterns();
        while let Some(pattern) = left.pop() {
            labels.extend(&pattern.labels);
            // Whether a wait was announced is for a label to say.
            if matches!(pattern.measure, Some(Measure::Hold | Measure::DeadAir)) {
                labels.insert(Label::HoldRequest);
            }
            left.extend(pattern.unless.as_deref());
            left.extend(pattern.window.as_ref().and_then(|window| window.before_last.as_deref()));
        }
        labels
    }

    /// Whether the rule must know who speaks: all that look for more than an outcome or a time of day.
    pub(crate) fn needs_roles(&self) -> bool {
        self.must.iter().chain(&self.must_not).any(Clause::needs_roles) || !self.patterns().is_empty()
    }
}

impl Clause {
    /// Every pattern of the clause.
    fn patterns(&self) -> Vec<&Pattern> {
        match self {
            Self::Found(pattern) => vec![pattern],
            Self::Sequence(steps) => steps.iter().collect(),
            Self::All(parts) => parts.iter().flat_map(Self::patterns).collect(),
            Self::Pace(_) | Self::TalkRatio(_) | Self::Outcome(_) | Self::StartedBetween(_) => Vec::new(),
        }
    }

    fn needs_roles(&self) -> bool {
        match self {
            Self::Found(_) | Self::Sequence(_) | Self::Pace(_) | Self::TalkRatio(_) => true,
            Self::All(parts) => parts.iter().any(Self::needs_roles),
            Self::Outcome(_) | Self::StartedBetween(_) => false,
        }
    }
}

impl Trigger {
    /// Every pattern of the trigger.
    pub(crate) fn patterns(&self) -> Vec<&Pattern> {
        match self {
            Self::First(any) | Self::Every(any) => any.iter().collect(),
            Self::Rounds(rounds) => vec![&rounds.open, &rounds.close],
        }
    }
}

fn in_condition<'a>(condition: &'a Condition, all: &mut Vec<&'a Pattern>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| in_condition(part, all))
        }
        Condition::Not(part) => in_condition(part, all),
        Condition::Found(pattern) => all.push(pattern),
        Condition::Attribute(_) | Condition::Outcome(_) | Condition::Spoken(_) => {}
    }
}
