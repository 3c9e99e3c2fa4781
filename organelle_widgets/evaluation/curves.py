"""What is drawn of a classifier's answers: confusion, reliability, precision against recall.

Tables of numbers only; pictures are made of them elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.evaluation.metrics_weighted import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RELIABILITY_BINS", "confusion_matrix", "precision_recall", "reliability"]

RELIABILITY_BINS = 15
"""Bins of equal width from 0 to 1, as in the expected calibration error."""


def confusion_matrix(truth: NDArray[Any], probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """How often samples of one class were given another.

    Parameters
    ----------
    truth : ndarray of bool, shape (n, n_classes)
        Samples with more or less than one true class are left out: it can't be told which of several classes a wrong
        answer was given in place of.
    probabilities : ndarray of float, shape (n, n_classes)
        The most probable class is the answer; of equal ones that of the lower index.

    Returns
    -------
    ndarray of int64, shape (n_classes, n_classes + 1)
        Rows are true classes, columns answers; the last column counts samples whose every probability is 0, of which
        nothing was said.
    """
    n_classes = truth.shape[1]
    single = np.sum(truth, axis=1) == 1
    right = np.argmax(truth[single], axis=1)
    answer = np.argmax(probabilities[single], axis=1)
    answer = np.where(np.any(probabilities[single] > 0, axis=1), answer, n_classes)
    cells = np.bincount(right * (n_classes + 1) + answer, minlength=n_classes * (n_classes + 1))
    return cells.reshape(n_classes, n_classes + 1)


def reliability(
    truth: NDArray[Any], probability: NDArray[Any], bins: int = RELIABILITY_BINS
) -> dict[str, list[Any]]:
    """What came true of what was said, by how sure it was said.

    Parameters
    ----------
    truth : ndarray of bool, any shape
        Which answers are right.
    probability : ndarray of float, the same shape
        From 0 to 1.
    bins : int
        Number of bins of equal width.

    Returns
    -------
    dict of str to list
        ``low`` and ``high`` end of every bin; ``n``, how many answers it holds; ``said``, their mean probability, and
        ``true``, the share that is right: both NaN in an empty bin.

    References
    ----------
    DeGroot, Fienberg (1983). The Statistician 32, 12. doi:10.2307/2987588
    """
    said = np.asarray(probability, float).ravel()
    which = np.minimum((said * bins).astype(int), bins - 1)
    counts = np.bincount(which, minlength=bins)
    edges = np.linspace(0, 1, bins + 1)
    return {
        "low": edges[:-1].tolist(),
        "high": edges[1:].tolist(),
        "n": counts.tolist(),
        "said": ratio(np.bincount(which, weights=said, minlength=bins), counts).tolist(),
        "true": ratio(np.bincount(which, weights=np.ravel(truth), minlength=bins), counts).tolist(),
    }


def precision_recall(
    truth: NDArray[Any], score: NDArray[Any], most: int = 200
) -> dict[str, list[float]]:
    """Precision and recall at every threshold that occurs.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Which samples are positive.
    score : ndarray of float, shape (n,)
        Higher means more likely positive.
    most : int
        At most so many points, spread evenly over the thresholds; the first and the last are kept.

    Returns
    -------
    dict of str to list of float
        ``threshold``, descending; ``precision`` and ``recall`` of the samples at or above it. Empty lists where no
        sample is positive.
    """
    truth, score = np.asarray(truth, bool), np.asarray(score, float)
    if not truth.any():
        return {"threshold": [], "precision": [], "recall": []}
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    if len(ends) > most:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, most).round().astype(int))]
    hits = np.cumsum(truth[order])[ends]
    return {
        "threshold": score[order][ends].tolist(),
        "precision": (hits / (ends + 1)).tolist(),
        "recall": (hits / truth.sum()).tolist(),
    }
