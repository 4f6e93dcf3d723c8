"""The outcome of a call from its cues: a small calibrated model over what the heads said.

Columns, for each label of `CUES` in this order: the highest probability in the call; the highest in
its last third of utterances; and the latest strong one, where each later utterance of the call takes
a tenth away. Then: the share of utterances that are the customer's, whether the customer spoke
last, and the logarithm of the number of utterances. services/domain/src/outcome.rs lays it out alike.
"""
from dataclasses import dataclass

import numpy as np

OUTCOMES = ("resolved", "partially_resolved", "unresolved")
CUES = (
    "states_issue", "repeat_contact", "explains", "offers_solution", "rejects_explanation", "confirms_resolved",
    "says_unresolved", "promises_callback", "escalates", "dissatisfied", "threatens_escalation", "asks_supervisor",
    "nothing_more", "greeting", "identity_verification", "empathy_apology", "anything_else", "survey_invitation",
    "closing", "discloses_account_data", "blame_shifting", "refuses_identification", "improper_promise",
    "courteous", "dismissive", "rude",
)
FADE = 0.9
COLUMNS = 3 * len(CUES) + 3
FOLDS = 5
PENALTIES = (1.0, 10.0, 30.0, 100.0)
# Newton's method needs a solver for 3 × 81 numbers; plain descent with momentum is there in this many steps.
STEPS = 600
# How often each dialogue is drawn with other scores in place of its labels.
DRAWS = 4


def columns(scores, agent):
    """[COLUMNS] of a call: `scores` a dict by label for each utterance, `agent` whether the agent spoke it."""
    count = len(scores)
    row = np.zeros(COLUMNS, np.float64)
    for place, label in enumerate(CUES):
        values = np.array([said.get(label, 0.0) for said in scores])
        row[3 * place] = values.max(initial=0)
        row[3 * place + 1] = values[count - -(-count // 3):].max(initial=0)
        row[3 * place + 2] = (values * FADE ** np.arange(count - 1, -1, -1)).max(initial=0)
    row[-3] = 1 - np.mean(agent) if count else 0
    row[-2] = float(count > 0 and not agent[-1])
    row[-1] = np.log1p(count)
    return row


@dataclass
class Scores:
    """Scores that the heads gave to utterances which they had not seen, by label and truth."""
    given: dict  # (label, truth) -> [n]

    def draw(self, dialogue, speaker_of, dice):
        drawn = []
        for utterance in dialogue.utterances:
            row = {}
            for label in CUES:
                if speaker_of(label) == utterance.speaker:
                    known = self.given[label, label in utterance.labels]
                    row[label] = float(known[dice.integers(len(known))])
            drawn.append(row)
        return drawn


@dataclass
class Model:
    weights: np.ndarray  # [COLUMNS, 3], over raw columns
    bias: np.ndarray     # [3]

    def probabilities(self, rows):
        return softmax(rows @ self.weights + self.bias)


def softmax(logits):
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def train(rows, truth, group):
    """`rows` [n, COLUMNS], `truth` [n] places in OUTCOMES, `group` [n] the dialogue, so that its draws stay together.

    Returns the model, calibrated by a temperature on predictions for dialogues not seen, the penalty that was
    chosen, and those predictions."""
    fold = group % FOLDS
    best = None
    for penalty in PENALTIES:
        logits = np.zeros((len(rows), 3))
        for number in range(FOLDS):
            model = _fit(rows[fold != number], truth[fold != number], penalty)
            logits[fold == number] = rows[fold == number] @ model.weights + model.bias
        scale = min(np.linspace(0.3, 2, 86), key=lambda s: _cost(logits * s, truth))
        cost = _cost(logits * scale, truth)
        if best is None or cost < best[0]:
            best = cost, penalty, scale, softmax(logits * scale)
    _, penalty, scale, unseen = best
    model = _fit(rows, truth, penalty)
    return Model(model.weights * scale, model.bias * scale), penalty, unseen


def _cost(logits, truth):
    return -np.log(softmax(logits)[np.arange(len(truth)), truth].clip(1e-9)).mean()


def _fit(rows, truth, penalty):
    mean, spread = rows.mean(0), rows.std(0) + 0.05
    inputs = (rows - mean) / spread
    given = np.eye(3)[truth]
    weights, bias = np.zeros((rows.shape[1], 3)), np.log(given.mean(0).clip(1e-3))
    speed_w, speed_b = np.zeros_like(weights), np.zeros_like(bias)
    for _ in range(STEPS):
        slope = (softmax(inputs @ weights + bias) - given) / len(rows)
        speed_w = 0.9 * speed_w - 0.05 * (inputs.T @ slope + penalty / len(rows) * weights)
        speed_b = 0.9 * speed_b - 0.05 * slope.sum(0)
        weights, bias = weights + speed_w, bias + speed_b
    raw = weights / spread[:, None]
    return Model(raw, bias - mean @ raw)
