"""Figures of merit. `truth` and `score` are lists or arrays of one label; what nothing supports is nan."""
import math

import numpy as np

BINS = 10


def counts(truth, found):
    truth, found = np.asarray(truth, bool), np.asarray(found, bool)
    return int((truth & found).sum()), int((~truth & found).sum()), int((truth & ~found).sum())


def precision_recall_f1(truth, found):
    right, wrong, missed = counts(truth, found)
    share = lambda part, whole: part / whole if whole else math.nan
    return share(right, right + wrong), share(right, right + missed), share(2 * right, 2 * right + wrong + missed)


def auc(truth, score):
    """That a positive stands above a negative; ties count half."""
    truth, score = np.asarray(truth, bool), np.asarray(score, float)
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    for value in np.unique(score):
        same = score == value
        ranks[same] = ranks[same].mean()
    positives, negatives = truth.sum(), (~truth).sum()
    if not positives or not negatives:
        return math.nan
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def calibration_error(truth, score):
    """Expected calibration error over equal bins of score."""
    truth, score = np.asarray(truth, float), np.asarray(score, float)
    place = np.minimum((score * BINS).astype(int), BINS - 1)
    return float(sum(abs(score[place == b].sum() - truth[place == b].sum()) for b in range(BINS)) / len(score))


def positive_calibration_error(truth, score, least=0.1):
    """The same over scores of at least `least`: not over the sea of zeros."""
    truth, score = np.asarray(truth, float), np.asarray(score, float)
    told = score >= least
    return calibration_error(truth[told], score[told]) if told.any() else math.nan


def brier_skill(truth, score):
    """1 for a seer, 0 for who always says the label's share."""
    truth, score = np.asarray(truth, float), np.asarray(score, float)
    blind = np.mean((truth - truth.mean()) ** 2)
    return float(1 - np.mean((truth - score) ** 2) / blind) if blind else math.nan
