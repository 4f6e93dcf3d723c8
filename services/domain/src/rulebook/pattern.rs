//! What a rule looks for, wherever in the rule it stands.

use std::collections::BTreeSet;

use super::{Clause, Condition, Measure, Pattern, Rule, Trigger};
use crate::Label;

impl Rule {
    /// Every pattern of the rule; excuses stand inside theirs.
    pub(crate) fn patterns(&self) -> Vec<&Pattern> {
        let mut all = Vec::new();
        for clause in self.must.iter().chain(&self.must_not) {
            if let Clause::Found(pattern) = clause {
                all.push(pattern);
            }
        }
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
        }
        labels
    }

    /// Whether the rule must know who speaks: all that look for more than an outcome.
    pub(crate) fn needs_roles(&self) -> bool {
        let outcome = matches!(self.must.as_ref().or(self.must_not.as_ref()), Some(Clause::Outcome(_)));
        !outcome || !self.patterns().is_empty()
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
