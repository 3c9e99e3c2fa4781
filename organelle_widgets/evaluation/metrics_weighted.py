"""Scores of many weightings of the same samples at once, which is what a bootstrap asks for.

A resample with replacement is a weighting: a sample that was drawn twice weighs 2, one that was not drawn weighs 0.
Samples are sorted once, not once a resample. Functions of arrays only; with weights of 1 each gives the plain score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["binned_error", "mean_over_classes", "ranking_scores", "ratio", "recalls"]


def ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    """A quotient that is NaN where it would divide by zero.

    Parameters
    ----------
    above, below : ndarray of float, shapes that broadcast
        Numerator and denominator, 0 or more.

    Returns
    -------
    ndarray of float64, shape of both
        The quotient.
    """
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    quotient = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient


def mean_over_classes(values: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of the classes that have a value.

    Parameters
    ----------
    values : ndarray of float, shape (n_weightings, n_classes)
        NaN marks a class without one.

    Returns
    -------
    ndarray of float64, shape (n_weightings,)
        NaN where no class has a value.
    """
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))


def ranking_scores(
    truth: NDArray[Any], score: NDArray[Any], weights: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average precision and area under the ROC curve of one class.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Which samples are positive.
    score : ndarray of float, shape (n,)
        Higher means more likely positive. Equal scores share one threshold.
    weights : ndarray of float, shape (n_weightings, n)
        How much each sample counts, 0 or more.

    Returns
    -------
    average_precision : ndarray of float64, shape (n_weightings,)
        0 to 1; NaN where no positive counts.
    auc : ndarray of float64, shape (n_weightings,)
        0 to 1; NaN where no positive or no negative counts.

    References
    ----------
    As for `organelle_widgets.evaluation.metrics.average_precision` and ``roc_auc``.
    """
    truth, score = np.asarray(truth, bool), np.asarray(score, float)
    if not truth.size:
        nothing = np.full(len(weights), np.nan)
        return nothing, nothing.copy()
    order = np.argsort(-score, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    ranked = weights[:, order]
    named = np.cumsum(ranked, axis=1, dtype=float)[:, last_of_ties]
    hits = np.cumsum(ranked * truth[order], axis=1, dtype=float)[:, last_of_ties]
    step = np.diff(hits, prepend=0.0, axis=1)
    misses = np.diff(named - hits, prepend=0.0, axis=1)
    precision = np.divide(hits, named, out=np.zeros_like(hits), where=named > 0)
    positives, negatives = hits[:, -1], named[:, -1] - hits[:, -1]
    above = np.sum(misses * (hits - step / 2), axis=1)
    return ratio(np.sum(step * precision, axis=1), positives), ratio(above, positives * negatives)


def binned_error(
    truth: NDArray[Any], probability: NDArray[Any], weights: NDArray[Any], bins: int = 15
) -> NDArray[np.float64]:
    """Expected calibration error of one class.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Which samples are positive.
    probability : ndarray of float, shape (n,)
        From 0 to 1.
    weights : ndarray of float, shape (n_weightings, n)
        How much each sample counts.
    bins : int
        Number of bins of equal width.

    Returns
    -------
    ndarray of float64, shape (n_weightings,)
        0 to 1; NaN where nothing counts.

    References
    ----------
    As for `organelle_widgets.evaluation.metrics.calibration_error`.
    """
    probability = np.asarray(probability, float)
    which = np.minimum((probability * bins).astype(int), bins - 1)
    gap = np.zeros((len(probability), bins))
    gap[np.arange(len(probability)), which] = np.asarray(truth, float) - probability
    return ratio(np.abs(weights @ gap).sum(axis=1), weights.sum(axis=1))


def recalls(truth: NDArray[Any], right: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Share of the samples of each class that were named right.

    Parameters
    ----------
    truth : ndarray of bool, shape (n, n_classes)
        The class of each sample.
    right : ndarray of bool, shape (n,)
        Whether it was named.
    weights : ndarray of float, shape (n_weightings, n)
        How much each sample counts.

    Returns
    -------
    ndarray of float64, shape (n_weightings, n_classes)
        0 to 1; NaN where no sample of the class counts. The mean over classes is the balanced accuracy.
    """
    return ratio(weights @ (truth & right[:, None]).astype(float), weights @ truth.astype(float))
