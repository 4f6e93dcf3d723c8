"""From which probability a label holds, and from which it is in doubt.

Chosen on predictions for dialogues that the network had not seen. What accuses somebody must be
right: precision counts double (F0.5), and few ordinary utterances may be taken for it. What an
obligation asks for is looked for by F1: a miss accuses the agent as much as a false find spares
one.
"""
from dataclasses import dataclass

import numpy as np

from measures import f_score, precision_recall

GRID = np.round(np.arange(0.10, 0.991, 0.005), 3)


@dataclass(frozen=True)
class Policy:
    beta: float               # of the F-score
    false_share: float        # at most this share of ordinary utterances may be taken for the label
    doubtful_share: float     # and at most this one may be in doubt or more
    precision: float = 0.0    # at least


# An obligation: a false find costs little, but the thing searched for is often looked for in a whole call.
OBLIGATION = Policy(1.0, 0.02, 0.03)
# What deducts, or is told of the customer, and may come up in any of a call's 20 to 40 utterances.
ACCUSATION = Policy(0.5, 0.005, 0.01)
POLICIES = {
    # A fifth of a percent of 30 utterances is one call of seventeen.
    "dismissive": Policy(0.5, 0.002, 0.006),
    "blame_shifting": Policy(0.5, 0.002, 0.006),
    "improper_promise": Policy(0.5, 0.002, 0.006),
    # Fatal: the call fails whatever the rest.
    "rude": Policy(0.5, 0.001, 0.003, precision=0.95),
} | {label: ACCUSATION for label in (
    "discloses_account_data", "refuses_identification", "dissatisfied", "threatens_escalation", "asks_supervisor",
    "repeat_contact", "rejects_explanation", "survey_invitation", "asks_identification")}
# Of what lies in the band of doubt, about a third or more should be the label.
LEAST_DOUBT = 0.3
# A band wider than this would leave too many calls without a verdict.
WIDEST_BAND = 0.25


def choose(label, truth, score, ordinary):
    """(holds, doubt) of one label. `ordinary` [n] bool: the utterances that must not be taken for it."""
    policy = POLICIES.get(label, OBLIGATION)
    clean = ordinary & (truth == 0)
    false_share = lambda threshold: float((score[clean] >= threshold).mean()) if clean.any() else 0.0
    allowed = [t for t in GRID if false_share(t) <= policy.false_share and _precise(truth, score, t, policy)]
    allowed = allowed or [GRID[-1]]
    holds = float(max(allowed, key=lambda t: (f_score(truth, score >= t, policy.beta), t)))
    floor = max(min(LEAST_DOUBT, holds), holds - WIDEST_BAND)
    doubt = next((t for t in GRID if t >= floor and false_share(t) <= policy.doubtful_share), holds)
    return holds, float(min(doubt, holds))


def _precise(truth, score, threshold, policy):
    found = score >= threshold
    return not policy.precision or (found.any() and precision_recall(truth, found)[0] >= policy.precision)
