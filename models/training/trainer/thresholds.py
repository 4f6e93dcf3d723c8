"""From which probability a label holds, from which it is in doubt, and from which it is likelier than not worth telling.

Chosen on predictions for dialogues that the network had not seen. `holds` and `doubt` are for rules:
what accuses somebody must be right, so in ordinary calls hardly an utterance may be taken for it;
what an obligation asks for is looked for by F1, since a miss accuses the agent as much as a false
find spares one. `decides` is for who wants one answer an utterance: the best F1, whatever it costs.
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
DESCRIPTION = Policy(1.0, 0.08, 0.1)
# The thing is looked for in a few turns or a whole call; false finds in a call of 30 utterances still add up.
OBLIGATION = Policy(1.0, 0.02, 0.03)
# An agent says some 17 utterances a call, and may be accused of five kinds of misconduct in each; at
# most 2 % of ordinary calls may end in a false accusation. So a label has 0.02 / 17 / 5 of them, which is
# less than the validation dialogues can tell. A thousandth accused 4 of their 172 calls without misconduct
# falsely, half of it 2.
MISCONDUCT = Policy(0.5, 0.0005, 0.003, least_doubt=0.4)
# Starts a rule or a risk, and is told of the caller.
TRIGGER = Policy(0.7, 0.005, 0.01)
# Once among many of an upset caller's utterances is enough.
MOOD = Policy(0.7, 0.015, 0.03)
POLICIES = {
    "courteous": DESCRIPTION,
    "neutral": Policy(1.0, 1.0, 1.0),
    "dismissive": MISCONDUCT,
    # Fatal: the call fails whatever the rest, so better in doubt than wrong.
    "rude": Policy(0.5, 0.0005, 0.003, precision=0.9, least_doubt=0.5),
    "blame_shifting": MISCONDUCT,
    "improper_promise": MISCONDUCT,
    "refuses_identification": MISCONDUCT,
    "states_issue": DESCRIPTION,
    "explains": DESCRIPTION,
    "offers_solution": DESCRIPTION,
    "dissatisfied": MOOD,
    # Three make a serious violation, and a caller has a dozen utterances for them.
    "rejects_explanation": Policy(0.5, 0.005, 0.03),
    # What is told before a check is a serious violation; a find accuses only where a check was missed, too.
    "discloses_account_data": Policy(0.5, 0.001, 0.006),
} | dict.fromkeys(("threatens_escalation", "asks_supervisor", "asks_identification",
                   "repeat_contact", "survey_invitation"), TRIGGER)


def choose(label, truth, score, ordinary, weight):
    """(holds, doubt, decides) of one label. `ordinary` [n] bool: the utterances of ordinary calls; `weight` [n]: how
    much each utterance counts."""
    policy = POLICIES.get(label, OBLIGATION)
    clean = ordinary & (truth == 0)
    false_share = lambda threshold: float(weight[clean & (score >= threshold)].sum() / weight[clean].sum())
    quality = lambda threshold, beta: f_score(truth, score >= threshold, beta, weight)
    allowed = [t for t in GRID if false_share(t) <= policy.false_share and _precise(truth, score, t, policy, weight)]
    holds = float(max(allowed or GRID[-1:], key=lambda t: (quality(t, policy.beta), t)))
    # Where what holds is low already, there is no band of doubt.
    floor = min(policy.least_doubt, holds)
    doubt = next((t for t in GRID if t >= floor and false_share(t) <= policy.doubtful_share), holds)
    decides = float(max(GRID, key=lambda t: quality(t, 1.0)))
    return holds, float(min(doubt, holds)), decides


def _precise(truth, score, threshold, policy, weight):
    found = score >= threshold
    return not policy.precision or (found.any() and precision_recall(truth, found, weight)[0] >= policy.precision)
