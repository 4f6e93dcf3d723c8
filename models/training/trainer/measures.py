"""Figures of merit. `truth`, `score` and `weight` are [n]; a figure that nothing supports is nan."""
import numpy as np


def average_precision(truth, score):
    """Area under the precision-recall curve."""
    order = np.argsort(-score, kind="stable")
    hits = truth[order]
    if not hits.any():
        return float("nan")
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits > 0].mean())


def counts(truth, found, weight=1.0):
    """True positives, false positives, false negatives, each row as much as it weighs."""
    return tuple(float((weight * rows).sum()) for rows in (truth * found, (1 - truth) * found, truth * (1 - found)))


def precision_recall(truth, found, weight=1.0):
    right, wrong, missed = counts(truth, found, weight)
    return (right / (right + wrong) if right + wrong else float("nan"),
            right / (right + missed) if right + missed else float("nan"))


def f_score(truth, found, beta=1.0, weight=1.0):
    """F with recall weighed `beta` times as much as precision."""
    right, wrong, missed = counts(truth, found, weight)
    whole = (1 + beta**2) * right + beta**2 * missed + wrong
    return (1 + beta**2) * right / whole if whole else float("nan")


def calibration_error(truth, score, bins=10):
    """Mean distance of a score from the share that it stands for, over equal bins of score."""
    place = np.minimum((score * bins).astype(int), bins - 1)
    gaps = [abs(score[place == b].sum() - truth[place == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(score))
