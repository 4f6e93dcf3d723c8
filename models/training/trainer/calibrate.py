"""Logits to probabilities that mean what they say, fitted on predictions for dialogues that the
network had not seen."""
import numpy as np

# Newton's steps for a few numbers; from the start they stand still after some ten.
STEPS = 50
# A step that leads up is halved at most so often.
HALVINGS = 30
# Draws scales to 1 and shifts to 0 where a label has few examples; in units of one example.
PRIOR = 1.0


def platt(logits, truth, weight):
    """Scale and shift of each label, [labels] both: sigmoid(logit * scale + shift)."""
    pairs = [_platt(logits[:, j], truth[:, j], weight) for j in range(logits.shape[1])]
    return np.array([scale for scale, _ in pairs]), np.array([shift for _, shift in pairs])


def _platt(logit, truth, weight):
    inputs = np.zeros((len(logit), 2, 2))
    inputs[:, 1] = np.stack([logit, np.ones_like(logit)], 1)
    return _likeliest(inputs, np.stack([1 - truth, truth], 1), weight, np.array([1.0, 0.0]))


def choice(logits, truth, weight):
    """For labels of which exactly one holds, one scale for all and a shift for each, [labels] both: softmax(logits * scale + shift)."""
    count = truth.shape[1]
    inputs = np.concatenate([logits[:, :, None], np.broadcast_to(np.eye(count), (len(logits), count, count))], 2)
    found = _likeliest(inputs, truth, weight, np.array([1.0] + [0.0] * count))
    return np.full(count, found[0]), found[1:]


def _likeliest(inputs, truth, weight, start):
    """The numbers [k] under which softmax(inputs [n, labels, k] @ numbers) makes the truth [n, labels] likeliest."""
    def cost(numbers):
        logits = inputs @ numbers
        lost = np.logaddexp.reduce(logits, 1) - (logits * truth).sum(1)
        return weight @ lost + PRIOR / 2 * ((numbers - start) ** 2).sum()

    found = start
    for _ in range(STEPS):
        logits = inputs @ found
        share = np.exp(logits - np.logaddexp.reduce(logits, 1)[:, None])
        slope = np.einsum("nla,nl,n->a", inputs, share - truth, weight, optimize=True) + PRIOR * (found - start)
        mean = np.einsum("nla,nl->na", inputs, share)
        weighted = inputs * (share * weight[:, None])[:, :, None]
        curve = np.tensordot(weighted, inputs, ((0, 1), (0, 1))) - (mean * weight[:, None]).T @ mean
        step = np.linalg.solve(curve + PRIOR * np.eye(len(start)), slope)
        halvings = next((h for h in range(HALVINGS) if cost(found - step / 2 ** h) <= cost(found)), None)
        if halvings is None:
            break
        found = found - step / 2 ** halvings
    return found
