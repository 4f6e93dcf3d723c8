"""The network that learns: the encoder, and on top of it one small network for each group of labels."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from contract import LABELS, TASKS
from dialogues import contexts
from encoder import WIDTH

# The embedding of an utterance, read with the turns before it.
FEATURES = WIDTH
HIDDEN = 256
# Little, and none in the encoder: an hour of two cores ends before either has learned its lines by heart.
DROPOUT = 0.1
# An embedding has length 1, so that a component is about 1/20: brought to 1 for the layer behind.
GAIN = 20.0
# How much politeness counts beside the other tasks: what it accuses of is the gravest, and it is learned the slowest.
POLITENESS_WEIGHT = 1.75


@dataclass(frozen=True)
class Group:
    """Labels of one task that one speaker can have."""
    task: str
    speaker: str
    labels: tuple

    @property
    def exclusive(self):
        return self.task == "politeness"


def groups():
    """In the order of the heads' outputs."""
    for task in TASKS:
        for speaker in ("agent", "customer"):
            if labels := tuple(name for name, of, who in LABELS if (of, who) == (task, speaker)):
                yield Group(task, speaker, labels)


GROUPS = tuple(groups())


@dataclass
class Layers:
    """features @ first + first_bias -> relu -> @ second + second_bias, float64."""
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray

    def logits(self, features):
        """[n, labels] of features [n, FEATURES]."""
        return np.maximum(features.astype(np.float64) @ self.first + self.first_bias, 0) @ self.second + self.second_bias

    def rescaled(self, scale, shift):
        """The layers whose logits are `logits * scale + shift`; both [labels]."""
        return Layers(self.first, self.first_bias, self.second * scale, self.second_bias * scale + shift)


class Network(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Dropout(DROPOUT / 2), nn.Linear(FEATURES, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT),
                          nn.Linear(HIDDEN, len(group.labels)))
            for group in GROUPS)

    def forward(self, lines):
        """Logits of every line for each group, whoever speaks."""
        features = self.encoder(lines).float() * GAIN
        return [head(features).float() for head in self.heads]

    def layers(self, number):
        """The head of `GROUPS[number]` over features as the encoder gives them."""
        first, second = (module for module in self.heads[number] if isinstance(module, nn.Linear))
        array = lambda parameter: parameter.detach().numpy().astype(np.float64).T
        return Layers(array(first.weight) * GAIN, array(first.bias), array(second.weight), array(second.bias))


@dataclass(frozen=True)
class Line:
    """An utterance with what came before it."""
    speaker: str
    text: str
    labels: frozenset
    before: tuple  # of the turn before and the one before that: (texts, speaker) or None
    number: int | None = None  # of its utterance; a request has none

    def texts(self):
        return (self.text, *(text for turn in self.before if turn for text in turn[0]))

    def alone(self):
        return Line(self.speaker, self.text, self.labels, (None, None), self.number)


def lines(dialogue):
    pairs = zip(dialogue.utterances, contexts(dialogue.utterances))
    return [Line(u.speaker, u.text, u.labels, tuple(before), u.number) for u, before in pairs]


def truth(some, labels):
    """[n, labels] float64 of 0 and 1."""
    return np.array([[label in line.labels for label in labels] for line in some], np.float64).reshape(-1, len(labels))


def losses(some, logits):
    """[n], of each line, over all groups together. A politeness label is one choice; of the others each is one."""
    total = torch.zeros(len(some))
    for group, values in zip(GROUPS, logits):
        theirs = torch.tensor([i for i, line in enumerate(some) if line.speaker == group.speaker], dtype=torch.long)
        if not len(theirs):
            continue
        given = torch.from_numpy(truth([some[i] for i in theirs], group.labels)).float()
        values = values[theirs]
        if group.exclusive:
            lost = POLITENESS_WEIGHT * functional.cross_entropy(values, given.argmax(1), reduction="none")
        else:
            # The mean over labels would let a task of fourteen learn fourteen times as slowly.
            lost = functional.binary_cross_entropy_with_logits(values, given, reduction="none").sum(1) / 2
        total = total.index_add(0, theirs, lost)
    return total


def loss(some, each):
    """Of a batch, from `losses`: what agents and customers say counts alike."""
    speakers = [line.speaker for line in some]
    return sum(each[torch.tensor([s == speaker for s in speakers])].mean() for speaker in sorted(set(speakers)))


def politer(logits, first):
    """The loss of pairs of requests, the politer one first, that stand from row `first` on: by how much
    likelier `courteous` is than `dismissive` or `rude`."""
    number, group = next((i, group) for i, group in enumerate(GROUPS) if group.exclusive)
    values = logits[number][first:]
    cold = [group.labels.index(label) for label in ("dismissive", "rude")]
    manner = values[:, group.labels.index("courteous")] - values[:, cold].logsumexp(1)
    return functional.softplus(manner[1::2] - manner[0::2]).mean()


def probabilities(logits, exclusive):
    if not exclusive:
        return 1 / (1 + np.exp(-logits.clip(-60, 60)))
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)
