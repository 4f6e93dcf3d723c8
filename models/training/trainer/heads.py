"""The heads after training: calibrated, with thresholds, both from dialogues that the network has not seen."""
import random
from collections import Counter
from dataclasses import dataclass

import numpy as np

import calibrate
import thresholds
from dialogues import spoken
from network import Group, Layers, lines, probabilities, truth
from renderings import RENDERINGS

# What calibration and thresholds are judged on, and how much each counts: a recogniser's text is like these.
JUDGED = {"written": 1.0, "bare": 1.0, "slipped": 0.5}
SEED = 21
# A dialogue with any of these is no ordinary call.
BAD_CONDUCT = {"dismissive", "rude", "blame_shifting", "refuses_identification", "improper_promise"}
BAD_MOOD = {"dissatisfied", "threatens_escalation", "asks_supervisor"}


@dataclass
class Head:
    """One group's network after calibration."""
    group: Group
    layers: Layers
    thresholds: dict  # label -> (holds, doubt, decides)

    def probabilities(self, features):
        return probabilities(self.layers.logits(features), self.group.exclusive)


class Unseen:
    """Lines of dialogues that the network has not seen, with their features."""

    def __init__(self, dialogues, shipped, judged=JUDGED):
        dice = random.Random(SEED)
        takes = Counter(spoken(d.id) for d in dialogues if d.was_heard)
        self.lines, self.langs, self.weight, self.calm, self.written = [], [], [], [], []
        for name, weight in judged.items():
            for dialogue in dialogues:
                # What a recogniser wrote has its slips already, and may be there several times.
                if dialogue.was_heard and name != "written":
                    continue
                some = lines(RENDERINGS[name](dialogue, dice))
                self.lines += some
                self.langs += [dialogue.lang] * len(some)
                self.weight += [weight / takes[spoken(dialogue.id)] if dialogue.was_heard else weight] * len(some)
                self.calm += [ordinary(dialogue)] * len(some)
                self.written += [name == "written"] * len(some)
        self.weight, self.calm, self.written = np.array(self.weight), np.array(self.calm), np.array(self.written)
        self.features = shipped.features(self.lines)
        self.speaker = np.array([line.speaker for line in self.lines])


def ordinary(dialogue):
    """Without bad conduct and without a complaint."""
    return not any(u.labels & (BAD_CONDUCT | BAD_MOOD) for u in dialogue.utterances)


def finish(group, layers, unseen):
    theirs = unseen.speaker == group.speaker
    given = truth([line for line in unseen.lines if line.speaker == group.speaker], group.labels)
    logits, weight, calm = layers.logits(unseen.features[theirs]), unseen.weight[theirs], unseen.calm[theirs]
    fit = calibrate.choice if group.exclusive else calibrate.platt
    scale, shift = fit(logits, given, weight)
    score = probabilities(logits * scale + shift, group.exclusive)
    chosen = {label: thresholds.choose(label, given[:, j], score[:, j], calm, weight) for j, label in enumerate(group.labels)}
    return Head(group, layers.rescaled(scale, shift), chosen)
