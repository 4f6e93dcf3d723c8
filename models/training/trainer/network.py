"""A small network for labels that one speaker can have, trained by Adam. Plain numpy, so that a
run repeats to the bit."""
from dataclasses import dataclass, replace

import numpy as np

from encoder import WIDTH
from features import FEATURES

BATCH = 256
STEP = 2e-3
MOMENTS = (0.9, 0.999)
# Of weights, a step; cross-validation is indifferent between a tenth and four times of it.
DECAY = 0.5
# e5's embeddings lie in a narrow cone: without their mean a component is about 1/30.
GAIN = 30.0
# How often an input is silenced, as a share of how often a hidden unit is.
INPUT_DROPOUT = 0.5


@dataclass(frozen=True)
class Shape:
    """What cross-validation chooses from."""
    hidden: int           # units; 0: linear
    dropout: float
    epochs: int
    context_scale: float  # of the turns before, against the utterance itself

    def __str__(self):
        kind = f"one hidden layer of {self.hidden}" if self.hidden else "linear"
        return f"{kind}, dropout {self.dropout}, {self.epochs} epochs, context × {self.context_scale}"


@dataclass
class Layers:
    """features @ first + first_bias -> relu -> @ second + second_bias; linear where second is None."""
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray | None
    second_bias: np.ndarray | None

    def logits(self, features):
        """[n, labels] float64, before sigmoid or softmax."""
        inner = features.astype(np.float64) @ self.first + self.first_bias
        return inner if self.second is None else np.maximum(inner, 0) @ self.second + self.second_bias

    def rescaled(self, scale, shift):
        """The layers whose logits are `logits * scale + shift`; both [labels]."""
        if self.second is None:
            return replace(self, first=self.first * scale, first_bias=self.first_bias * scale + shift)
        return replace(self, second=self.second * scale, second_bias=self.second_bias * scale + shift)


def fit(features, truth, weight, shape, exclusive, seed):
    """Layers over raw features. `weight` [n]: how much each row counts. `exclusive`: one label a row."""
    matrix, bias = _centring(features[:, :WIDTH].astype(np.float64).mean(0), shape.context_scale)
    inputs = (features.astype(np.float64) @ matrix + bias).astype(np.float32)
    found = _descend(inputs, truth.astype(np.float32), weight.astype(np.float32), shape, exclusive, seed)
    first, first_bias, *rest = (parameter.astype(np.float64) for parameter in found)
    return Layers(matrix @ first, bias @ first + first_bias, *(rest or (None, None)))


def probabilities(logits, exclusive):
    if not exclusive:
        return 1 / (1 + np.exp(-logits.clip(-60, 60)))
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def _centring(mean, context_scale):
    """[FEATURES, inputs] and [inputs]: embeddings without their mean; an absent turn gives zeros."""
    inputs = 3 * WIDTH + 2
    matrix, bias = np.zeros((FEATURES, inputs)), np.zeros(inputs)
    for block, scale in enumerate((GAIN, GAIN * context_scale, GAIN * context_scale)):
        columns = slice(block * WIDTH, (block + 1) * WIDTH)
        matrix[columns, columns] = np.eye(WIDTH) * scale
        if block == 0:
            bias[columns] = -mean * scale
        else:
            present = 3 * WIDTH + 2 * block - 1
            matrix[present, columns] = -mean * scale
            matrix[present, 3 * WIDTH + block - 1] = 1
    return matrix, bias


def _descend(inputs, truth, weight, shape, exclusive, seed):
    dice = np.random.default_rng(seed)
    sizes = [inputs.shape[1], *([shape.hidden] if shape.hidden else []), truth.shape[1]]
    parameters = []
    for rows, columns in zip(sizes, sizes[1:]):
        gain = np.sqrt(2 / rows) if columns == shape.hidden else 0.1 * np.sqrt(1 / rows)
        parameters += [(dice.standard_normal((rows, columns)) * gain).astype(np.float32), np.zeros(columns, np.float32)]
    share = np.average(truth, axis=0, weights=weight).clip(1e-3, 1 - 1e-3)
    parameters[-1] = (np.log(share) if exclusive else np.log(share / (1 - share))).astype(np.float32)
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    steps, total = 0, shape.epochs * -(-len(inputs) // BATCH)
    for _ in range(shape.epochs):
        order = dice.permutation(len(inputs))
        for start in range(0, len(order), BATCH):
            picked = order[start:start + BATCH]
            gradients = _gradients(parameters, inputs[picked], truth[picked], weight[picked], shape, exclusive, dice)
            steps += 1
            _adam(parameters, moments, gradients, STEP * 0.5 * (1 + np.cos(np.pi * steps / total)), steps)
    return parameters


def _gradients(parameters, inputs, truth, weight, shape, exclusive, dice):
    inputs = inputs * _kept(inputs.shape, shape.dropout * INPUT_DROPOUT, dice)
    inner = inputs @ parameters[0] + parameters[1]
    if not shape.hidden:
        slope = _slope(inner, truth, weight, exclusive)
        return [inputs.T @ slope, slope.sum(0)]
    mask = (inner > 0) * _kept(inner.shape, shape.dropout, dice)
    hidden = inner * mask
    slope = _slope(hidden @ parameters[2] + parameters[3], truth, weight, exclusive)
    back = (slope @ parameters[2].T) * mask
    return [inputs.T @ back, back.sum(0), hidden.T @ slope, slope.sum(0)]


def _kept(shape, dropped, dice):
    """0 for what is silenced, and for the rest what keeps the sum."""
    return (dice.random(shape, np.float32) >= dropped).astype(np.float32) / np.float32(1 - dropped)


def _slope(logits, truth, weight, exclusive):
    return (probabilities(logits, exclusive) - truth) * (weight / weight.sum())[:, None]


def _adam(parameters, moments, gradients, rate, steps):
    first, second = MOMENTS
    for value, (mean, square), gradient in zip(parameters, moments, gradients):
        mean += (1 - first) * (gradient - mean)
        square += (1 - second) * (gradient**2 - square)
        step = mean / (1 - first**steps) / (np.sqrt(square / (1 - second**steps)) + 1e-8)
        value -= rate * (step + (DECAY * value if value.ndim > 1 else 0))
