"""Logits to probabilities that mean what they say, fitted on predictions for dialogues that the
network had not seen."""
import numpy as np

from network import probabilities

# Newton's steps for two numbers; it stands still after six or seven.
STEPS = 30
# Draws scale to 1 and shift to 0 where a label has few examples; in units of one example.
PRIOR = 1.0


def platt(logits, truth, weight):
    """Scale and shift of each label, [labels] both: sigmoid(logit * scale + shift)."""
    pairs = [_platt(logits[:, j], truth[:, j], weight) for j in range(logits.shape[1])]
    return np.array([scale for scale, _ in pairs]), np.array([shift for _, shift in pairs])


def _platt(logit, truth, weight):
    inputs = np.stack([logit, np.ones_like(logit)], 1)
    start = np.array([1.0, 0.0])
    found = start.copy()
    for _ in range(STEPS):
        probability = probabilities(inputs @ found, False)
        slope = inputs.T @ (weight * (probability - truth)) + PRIOR * (found - start)
        curve = (inputs * (weight * probability * (1 - probability))[:, None]).T @ inputs + PRIOR * np.eye(2)
        found = found - np.linalg.solve(curve, slope)
    return found


def temperature(logits, truth, weight):
    """One scale for labels of which exactly one holds; the shifts are zero."""
    scales = np.exp(np.linspace(np.log(0.3), np.log(3), 461))
    loss = [-(weight * np.log((probabilities(logits * s, True) * truth).sum(1).clip(1e-9))).sum() for s in scales]
    return np.full(truth.shape[1], scales[int(np.argmin(loss))]), np.zeros(truth.shape[1])
