//! What the classifiers can say of an utterance: the contract's labels, with stable ids.

use serde::{Deserialize, Serialize};

use crate::Channel;

macro_rules! labels {
    ($($(#[$doc:meta])* $variant:ident = $name:literal in $task:ident by $who:ident),* $(,)?) => {
        /// A classifier's label. The serialised names are published and never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Label { $($(#[$doc])* $variant),* }

        impl Label {
            /// Every label, in the order in which the classifiers put out their probabilities.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The published name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The classifier that knows this label.
            #[must_use]
            pub fn task(self) -> Task {
                match self { $(Self::$variant => Task::$task),* }
            }

            /// Whose utterances can have this label: the agent's or the customer's.
            #[must_use]
            pub fn speaker(self) -> Channel {
                match self { $(Self::$variant => Channel::$who),* }
            }
        }
    };
}

/// One of the three classifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Agent utterances, exactly one label.
    Politeness,
    /// Both speakers, any number of labels.
    Resolution,
    /// Agent utterances, any number of labels.
    Script,
}

impl Task {
    /// The three tasks.
    pub const ALL: [Self; 3] = [Self::Politeness, Self::Resolution, Self::Script];

    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Politeness => "politeness",
            Self::Resolution => "resolution",
            Self::Script => "script",
        }
    }

    /// The labels of this task, in the order of the classifier's output.
    pub fn labels(self) -> impl Iterator<Item = Label> {
        Label::ALL.iter().copied().filter(move |label| label.task() == self)
    }
}

labels! {
    /// An act of courtesy beyond the bare form.
    Courteous = "courteous" in Politeness by Agent,
    /// Businesslike.
    Neutral = "neutral" in Politeness by Agent,
    /// Impatience, command tone, rhetorical question, contempt, brush-off.
    Dismissive = "dismissive" in Politeness by Agent,
    /// Insult, abuse, threat, open mockery of the person.
    Rude = "rude" in Politeness by Agent,
    /// Customer says what is wrong or wanted.
    StatesIssue = "states_issue" in Resolution by Customer,
    /// Customer has contacted or complained about this before.
    RepeatContact = "repeat_contact" in Resolution by Customer,
    /// Agent gives a reason, rule, cause or procedure.
    Explains = "explains" in Resolution by Agent,
    /// Agent proposes or does something that would solve it.
    OffersSolution = "offers_solution" in Resolution by Agent,
    /// Customer does not accept what was explained or offered.
    RejectsExplanation = "rejects_explanation" in Resolution by Customer,
    /// Customer says or clearly accepts that it is solved.
    ConfirmsResolved = "confirms_resolved" in Resolution by Customer,
    /// Customer says that it is still not solved.
    SaysUnresolved = "says_unresolved" in Resolution by Customer,
    /// Agent says that somebody will call back or follow up.
    PromisesCallback = "promises_callback" in Resolution by Agent,
    /// Agent hands the case to a person with more power.
    Escalates = "escalates" in Resolution by Agent,
    /// Customer is angry or disappointed with the service or the company.
    Dissatisfied = "dissatisfied" in Resolution by Customer,
    /// Customer names regulator, media, lawyer, court or social networks.
    ThreatensEscalation = "threatens_escalation" in Resolution by Customer,
    /// Customer asks for a supervisor or to lodge a complaint.
    AsksSupervisor = "asks_supervisor" in Resolution by Customer,
    /// Customer asks for the agent's name or number.
    AsksIdentification = "asks_identification" in Resolution by Customer,
    /// Customer says that there is nothing else.
    NothingMore = "nothing_more" in Resolution by Customer,
    /// A hello, welcome or thanks for calling.
    Greeting = "greeting" in Script by Agent,
    /// Name or staff number.
    SelfIdentification = "self_identification" in Script by Agent,
    /// Asks for or checks proof of who is calling.
    IdentityVerification = "identity_verification" in Script by Agent,
    /// Asks to wait.
    HoldRequest = "hold_request" in Script by Agent,
    /// Speaks to the wait on coming back.
    HoldReturn = "hold_return" in Script by Agent,
    /// Apology or understanding for the customer's trouble.
    EmpathyApology = "empathy_apology" in Script by Agent,
    /// Asks whether there is anything else.
    AnythingElse = "anything_else" in Script by Agent,
    /// Invites the customer to rate the service.
    SurveyInvitation = "survey_invitation" in Script by Agent,
    /// A polite goodbye, thanks or wish.
    Closing = "closing" in Script by Agent,
    /// Reads out or changes data of an account.
    DisclosesAccountData = "discloses_account_data" in Script by Agent,
    /// Not my department, not our problem, your own fault, in place of help.
    BlameShifting = "blame_shifting" in Script by Agent,
    /// Declines to give name or number.
    RefusesIdentification = "refuses_identification" in Script by Agent,
    /// Guarantees, waives or advises what an agent may not.
    ImproperPromise = "improper_promise" in Script by Agent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serialised_ones() {
        for &label in Label::ALL {
            assert_eq!(serde_json::to_value(label).unwrap(), label.name());
        }
        for task in Task::ALL {
            assert_eq!(serde_json::to_value(task).unwrap(), task.name());
        }
    }

    #[test]
    fn tasks_have_the_contracts_number_of_labels() {
        assert_eq!(Task::ALL.map(|task| task.labels().count()), [4, 14, 13]);
    }
}
