"""The groups of labels that are trained together, and how one is chosen, fitted and calibrated."""
from dataclasses import dataclass

import numpy as np

import calibrate
import network
import thresholds
from contract import LABELS, TASKS
from dialogues import FOLDS, fold
from measures import average_precision
from network import Layers, Shape

SEED = 20
# How much a rendering's rows count in training: the written text most, and what is worse than life less.
WEIGHTS = {"written": 1.0, "bare": 0.7, "slipped": 0.5, "joined": 0.5, "cut": 0.3, "alone": 0.2}
# What calibration and thresholds are judged on: a recogniser's text lies between these three.
JUDGED = ("written", "bare", "slipped")
# A dialogue with any of these is no ordinary call.
BAD_CONDUCT = {"dismissive", "rude", "blame_shifting", "refuses_identification", "improper_promise"}
BAD_MOOD = {"dissatisfied", "threatens_escalation", "asks_supervisor"}
SHAPES = (
    Shape(0, 0.5, 16, 0.2),
    Shape(256, 0.6, 16, 0.1),
    Shape(256, 0.6, 16, 0.2),
)


@dataclass(frozen=True)
class Group:
    task: str
    speaker: str
    labels: tuple

    @property
    def exclusive(self):
        return self.task == "politeness"

    def __str__(self):
        return f"{self.task} of the {self.speaker}"


def groups():
    """Each task's labels by speaker; together in the order of the head's output."""
    for task in TASKS:
        for speaker in ("agent", "customer"):
            if labels := tuple(name for name, of, who in LABELS if (of, who) == (task, speaker)):
                yield Group(task, speaker, labels)


@dataclass
class Trained:
    group: Group
    shape: Shape
    layers: Layers          # calibrated
    thresholds: dict        # label -> (holds, doubt)
    trials: list            # (shape, mean average precision)
    out_of_fold: np.ndarray # calibrated probabilities of the training rows, [n, labels]
    rows: object            # those rows

    def probabilities(self, features):
        return network.probabilities(self.layers.logits(features), self.group.exclusive)


def train(group, rows):
    """`rows`: the training table, every speaker and rendering."""
    rows = rows.rows(rows.speaker == group.speaker)
    truth = rows.truth(group.labels)
    weight = np.array([WEIGHTS[name] for name in rows.rendering])
    trials = [(shape, _unseen(group, rows, truth, weight, shape)) for shape in SHAPES]
    merit = [_merit(rows, truth, logits) for _, logits in trials]
    shape, logits = trials[int(np.argmax(merit))]
    judged = np.isin(rows.rendering, JUDGED)
    fit = calibrate.temperature if group.exclusive else calibrate.platt
    scale, shift = fit(logits[judged], truth[judged], weight[judged])
    layers = network.fit(rows.features, truth, weight, shape, group.exclusive, SEED).rescaled(scale, shift)
    unseen = network.probabilities(logits * scale + shift, group.exclusive)
    calm = ordinary(rows)
    chosen = {label: thresholds.choose(label, truth[judged, j], unseen[judged, j], calm[judged])
              for j, label in enumerate(group.labels)}
    return Trained(group, shape, layers, chosen, [(s, m) for (s, _), m in zip(trials, merit)], unseen, rows)


def ordinary(rows):
    """Which rows are of calls without bad conduct and without a complaint."""
    spoilt = {name for name, labels in zip(rows.dialogue, rows.labels) if labels & (BAD_CONDUCT | BAD_MOOD)}
    return np.array([name not in spoilt for name in rows.dialogue])


def _unseen(group, rows, truth, weight, shape):
    """Logits of every row from a network that has not seen its dialogue."""
    part = np.array([fold(name) for name in rows.dialogue])
    logits = np.zeros_like(truth)
    for number in range(FOLDS):
        seen = part != number
        layers = network.fit(rows.features[seen], truth[seen], weight[seen], shape, group.exclusive, SEED + number)
        logits[~seen] = layers.logits(rows.features[~seen])
    return logits


def _merit(rows, truth, logits):
    """Average precision, over the labels and the renderings that count."""
    figures = [average_precision(truth[rows.rendering == name, j], logits[rows.rendering == name, j])
               for name in JUDGED for j in range(truth.shape[1])]
    return float(np.nanmean(figures))
