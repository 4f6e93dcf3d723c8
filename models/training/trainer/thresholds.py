"""From which probability a label holds, and from which it is in doubt.

Chosen on predictions for dialogues that the network had not seen. What accuses somebody must be
right: precision counts double (F0.5), and in ordinary calls few utterances may be taken for it.
What an obligation asks for is looked for by F1: a miss accuses the agent as much as a false find
spares one.
"""
from dataclasses import dataclass

import numpy as np

from measures import f_score, precision_recall

GRID = np.round(np.arange(0.10, 0.991, 0.005), 3)


@dataclass(frozen=True)
class Policy:
    beta: float               # of the F-score
    false_share: float        # of the utterances of ordinary calls at most this may be taken for the label
    doubtful_share: float     # and at most this may be in doubt or more
    precision: float = 0.0    # at least, over all dialogues
    least_doubt: float = 0.3  # below this probability nothing is in doubt


# Descriptions: nothing is deducted for them alone.
DESCRIPTION = Policy(1.0, 0.05, 0.06)
# The thing is looked for in a few turns or a whole call; false finds in a call of 30 utterances still add up.
OBLIGATION = Policy(1.0, 0.02, 0.03)
# A fifth of a percent of 30 utterances is one ordinary call of seventeen that is accused; twice
# that is in doubt.
MISCONDUCT = Policy(0.5, 0.002, 0.004, least_doubt=0.4)
# Starts a rule or a risk, and is told of the caller.
TRIGGER = Policy(0.5, 0.005, 0.01)
# Once among many of an upset caller's utterances is enough.
MOOD = Policy(0.5, 0.01, 0.02)
POLICIES = {
    "courteous": DESCRIPTION,
    "neutral": Policy(1.0, 1.0, 1.0),
    "dismissive": MISCONDUCT,
    # Fatal: the call fails whatever the rest, so better in doubt than wrong.
    "rude": Policy(0.5, 0.001, 0.002, precision=0.95, least_doubt=0.5),
    "blame_shifting": MISCONDUCT,
    "improper_promise": MISCONDUCT,
    "refuses_identification": MISCONDUCT,
    "states_issue": DESCRIPTION,
    "explains": DESCRIPTION,
    "offers_solution": DESCRIPTION,
    "dissatisfied": MOOD,
    # Three make a violation, so one false one does not.
    "rejects_explanation": Policy(0.7, 0.02, 0.03),
} | dict.fromkeys(("discloses_account_data", "threatens_escalation", "asks_supervisor", "asks_identification",
                   "repeat_contact", "survey_invitation"), TRIGGER)


def choose(label, truth, score, ordinary):
    """(holds, doubt) of one label. `ordinary` [n] bool: the utterances of ordinary calls."""
    policy = POLICIES.get(label, OBLIGATION)
    clean = score[ordinary & (truth == 0)]
    false_share = lambda threshold: float((clean >= threshold).mean())
    allowed = [t for t in GRID if false_share(t) <= policy.false_share and _precise(truth, score, t, policy)]
    holds = float(max(allowed or GRID[-1:], key=lambda t: (f_score(truth, score >= t, policy.beta), t)))
    # Where what holds is low already, there is no band of doubt.
    floor = min(policy.least_doubt, holds)
    doubt = next((t for t in GRID if t >= floor and false_share(t) <= policy.doubtful_share), holds)
    return holds, float(min(doubt, holds))


def _precise(truth, score, threshold, policy):
    found = score >= threshold
    return not policy.precision or (found.any() and precision_recall(truth, found)[0] >= policy.precision)
