"""A small network over a group of labels that one speaker can have: inputs reduced by principal
components, no or one hidden layer, trained by Adam. Plain numpy, so that a run repeats to the bit."""
from dataclasses import dataclass

import numpy as np

from encoder import WIDTH
from features import FEATURES

BATCH = 256
STEP = 2e-3
MOMENTS = (0.9, 0.999)


@dataclass(frozen=True)
class Shape:
    """What cross-validation chooses from."""
    hidden: int            # 0: linear
    decay: float           # of weights, an epoch's step
    dropout: float
    epochs: int
    current: int = 192     # principal components of the utterance itself
    context: int = 64      # and of each of the two turns before
    context_scale: float = 0.7
    members: int = 1       # networks whose logits are averaged


@dataclass
class Layers:
    """features @ first + first_bias -> relu -> @ second + second_bias; linear where second is None."""
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray | None
    second_bias: np.ndarray | None

    def logits(self, features):
        inner = features.astype(np.float64) @ self.first + self.first_bias
        return inner if self.second is None else np.maximum(inner, 0) @ self.second + self.second_bias


def projection(embeddings, shape):
    """[FEATURES, inputs]: centred principal components of unit spread; absent context gives zeros."""
    mean = embeddings.mean(0)
    _, spread, axes = np.linalg.svd(embeddings - mean, full_matrices=False)
    spread = spread / np.sqrt(len(embeddings))
    scaled = axes.T / np.sqrt(spread**2 + (0.02 * spread[0])**2)
    # Signs of singular vectors are arbitrary: pin them.
    scaled = scaled * np.where(np.abs(scaled).argmax(0) >= 0, np.sign(scaled[np.abs(scaled).argmax(0), np.arange(scaled.shape[1])]), 1)
    widths = (shape.current, shape.context, shape.context)
    matrix, bias = np.zeros((FEATURES, sum(widths) + 2)), np.zeros(sum(widths) + 2)
    start = 0
    for block, width in enumerate(widths):
        scale = 1.0 if block == 0 else shape.context_scale
        columns = slice(start, start + width)
        matrix[block * WIDTH:(block + 1) * WIDTH, columns] = scaled[:, :width] * scale
        offset = -(mean @ scaled[:, :width]) * scale
        if block == 0:
            bias[columns] = offset
        else:
            present = 3 * WIDTH + 1 + 2 * (block - 1)
            matrix[present, columns] = offset
            matrix[present, start_of_flags(widths) + block - 1] = 1
        start += width
    return matrix, bias


def start_of_flags(widths):
    return sum(widths)


def fit(features, truth, weight, shape, exclusive, seed):
    """Layers over raw features. `weight` [n]: how much each row counts. `exclusive`: one label a row."""
    written = features[:, :WIDTH].astype(np.float64)
    matrix, bias = projection(written, shape)
    inputs = (features.astype(np.float64) @ matrix + bias).astype(np.float32)
    members = [_member(inputs, truth.astype(np.float32), weight.astype(np.float32), shape, exclusive, seed + number)
               for number in range(shape.members)]
    first = np.concatenate([m[0] for m in members], 1).astype(np.float64)
    first_bias = np.concatenate([m[1] for m in members]).astype(np.float64)
    if not shape.hidden:
        return Layers(matrix @ members[0][0], bias @ members[0][0] + members[0][1], None, None)
    second = np.concatenate([m[2] for m in members]).astype(np.float64) / len(members)
    second_bias = np.mean([m[3] for m in members], 0).astype(np.float64)
    return Layers(matrix @ first, bias @ first + first_bias, second, second_bias)


def _member(inputs, truth, weight, shape, exclusive, seed):
    dice = np.random.default_rng(seed)
    labels = truth.shape[1]
    sizes = [inputs.shape[1], shape.hidden, labels] if shape.hidden else [inputs.shape[1], labels]
    parameters = []
    for i, (rows, columns) in enumerate(zip(sizes, sizes[1:])):
        gain = np.sqrt(2 / rows) if i < len(sizes) - 2 else 0.1 * np.sqrt(1 / rows)
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
            rate = STEP * 0.5 * (1 + np.cos(np.pi * steps / total))
            _adam(parameters, moments, gradients, rate, steps, shape.decay)
    return parameters


def _gradients(parameters, inputs, truth, weight, shape, exclusive, dice):
    if shape.dropout:
        kept = (dice.random(inputs.shape, np.float32) >= shape.dropout * 0.5) / np.float32(1 - shape.dropout * 0.5)
        inputs = inputs * kept
    if not shape.hidden:
        slope = _slope(inputs @ parameters[0] + parameters[1], truth, weight, exclusive)
        return [inputs.T @ slope, slope.sum(0)]
    inner = inputs @ parameters[0] + parameters[1]
    mask = (inner > 0).astype(np.float32)
    if shape.dropout:
        mask *= (dice.random(inner.shape, np.float32) >= shape.dropout) / np.float32(1 - shape.dropout)
    hidden = inner * mask
    slope = _slope(hidden @ parameters[2] + parameters[3], truth, weight, exclusive)
    back = (slope @ parameters[2].T) * mask
    return [inputs.T @ back, back.sum(0), hidden.T @ slope, slope.sum(0)]


def _slope(logits, truth, weight, exclusive):
    return (probabilities(logits, exclusive) - truth) * (weight / weight.sum())[:, None]


def _adam(parameters, moments, gradients, rate, steps, decay):
    first, second = MOMENTS
    for value, (mean, square), gradient in zip(parameters, moments, gradients):
        mean += (1 - first) * (gradient - mean)
        square += (1 - second) * (gradient**2 - square)
        step = mean / (1 - first**steps) / (np.sqrt(square / (1 - second**steps)) + 1e-8)
        value -= rate * (step + (decay * value if value.ndim > 1 else 0))


def probabilities(logits, exclusive):
    if not exclusive:
        return 1 / (1 + np.exp(-logits.clip(-60, 60)))
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)
