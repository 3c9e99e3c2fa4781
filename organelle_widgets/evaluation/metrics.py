"""Scores of multi-label probabilities in plain NumPy: precision, hits, calibration.

Functions of arrays only: nothing here reads files, runs models or knows what a field is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.evaluation.metrics_weighted import binned_error, ranking_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "average_precision",
    "calibration_error",
    "categorical_answers",
    "categorical_scores",
    "f1_score",
    "mean_over_present",
    "named_right",
    "roc_auc",
    "top_k",
]


def average_precision(truth: NDArray[Any], score: NDArray[Any]) -> float:
    """Area under the precision-recall curve as a sum of steps, without interpolation.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Which samples are positive.
    score : ndarray of float, shape (n,)
        Higher means more likely positive. Equal scores share one threshold.

    Returns
    -------
    float
        0 to 1; NaN where no sample is positive.

    References
    ----------
    Zhu M (2004). Recall, precision and average precision. University of Waterloo, working paper 2004-09. The
    definition is that of scikit-learn's ``average_precision_score``.
    """
    once = np.ones((1, len(np.asarray(truth))))
    return float(ranking_scores(truth, score, once)[0][0])


def roc_auc(truth: NDArray[Any], score: NDArray[Any]) -> float:
    """Area under the receiver operating characteristic: how often a positive is ranked above a negative.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Which samples are positive.
    score : ndarray of float, shape (n,)
        Higher means more likely positive. A pair of equal scores counts half.

    Returns
    -------
    float
        0 to 1, 0.5 by chance; NaN where no sample is positive or none is negative.

    References
    ----------
    Hanley, McNeil (1982). Radiology 143, 29. doi:10.1148/radiology.143.1.7063747. The definition is that of
    scikit-learn's ``roc_auc_score``.
    """
    once = np.ones((1, len(np.asarray(truth))))
    return float(ranking_scores(truth, score, once)[1][0])


def top_k(truth: NDArray[Any], probabilities: NDArray[Any], k: int) -> float:
    """Share of samples of which a true class is among the `k` most probable.

    Parameters
    ----------
    truth : ndarray of bool, shape (n, n_classes)
        Several may be true.
    probabilities : ndarray of float, shape (n, n_classes)
        Of equal ones the class of the lower index counts as more probable; a class of probability 0 is never
        named.
    k : int
        How many classes may be named.

    Returns
    -------
    float
        0 to 1; NaN without samples.
    """
    return float(named_right(truth, probabilities, k).mean()) if len(truth) else float("nan")


def named_right(truth: NDArray[Any], probabilities: NDArray[Any], k: int) -> NDArray[np.bool_]:
    """Of which samples a true class is among the `k` most probable.

    Parameters
    ----------
    truth : ndarray of bool, shape (n, n_classes)
        Several may be true.
    probabilities : ndarray of float, shape (n, n_classes)
        As for `top_k`.
    k : int
        How many classes may be named.

    Returns
    -------
    ndarray of bool, shape (n,)
        Nothing is right where there is no class.
    """
    named = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    hits = np.take_along_axis(truth & (probabilities > 0), named, axis=1)
    return np.asarray(hits.any(axis=1))


def f1_score(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Harmonic mean of precision and recall.

    Parameters
    ----------
    truth, predicted : ndarray of bool, shape (n,)
        What is so, and what was said.

    Returns
    -------
    float
        0 to 1; NaN where nothing is positive and nothing was said to be.
    """
    both = int(np.sum(truth & predicted))
    total = int(np.sum(truth) + np.sum(predicted))
    return 2 * both / total if total else float("nan")


def calibration_error(truth: NDArray[Any], probability: NDArray[Any], bins: int = 15) -> float:
    """Expected calibration error of one class.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Which samples are positive.
    probability : ndarray of float, shape (n,)
        From 0 to 1.
    bins : int
        Number of bins of equal width.

    Returns
    -------
    float
        Mean over samples of |share of positives - mean probability| of their bin, 0 to 1; NaN without samples.

    References
    ----------
    Naeini, Cooper, Hauskrecht (2015). Obtaining well calibrated probabilities using Bayesian binning. AAAI.
    doi:10.1609/aaai.v29i1.9602
    """
    return float(binned_error(truth, probability, np.ones((1, len(truth))), bins)[0])


def categorical_scores(truth: NDArray[Any], probabilities: NDArray[Any]) -> tuple[float, float]:
    """Accuracy and cross-entropy of samples with one true class.

    Parameters
    ----------
    truth : ndarray of bool, shape (n, n_classes)
        Rows with more or less than one true class are left out.
    probabilities : ndarray of float, shape (n, n_classes)
        Brought to a sum of 1 in every row, then clipped to at least 1e-7.

    Returns
    -------
    accuracy : float
        0 to 1; NaN where no sample has one class.
    cross_entropy : float
        Mean, in nats; a uniform guess among 19 has 2.94.
    """
    correct, loss = categorical_answers(truth, probabilities)
    if not len(loss):
        return float("nan"), float("nan")
    return float(correct.mean()), float(loss.mean())


def categorical_answers(
    truth: NDArray[Any], probabilities: NDArray[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether the most probable class is right, and the cross-entropy, of every sample with one true class.

    Parameters
    ----------
    truth : ndarray of bool, shape (n, n_classes)
        Rows with more or less than one true class are left out.
    probabilities : ndarray of float, shape (n, n_classes)
        As for `categorical_scores`.

    Returns
    -------
    correct : ndarray of bool, shape (n_single,)
        In the order of the rows that are left.
    loss : ndarray of float64, shape (n_single,)
        Nats.
    """
    single = np.sum(truth, axis=1) == 1
    right = np.argmax(truth[single], axis=1)
    chosen = np.asarray(probabilities, float)[single]
    total = chosen.sum(axis=1, keepdims=True)
    uniform = np.full_like(chosen, 1 / chosen.shape[1])
    share = np.divide(chosen, total, out=uniform, where=total > 0)
    correct: NDArray[np.bool_] = np.argmax(share, axis=1) == right
    return correct, -np.log(np.clip(share[np.arange(len(right)), right], 1e-7, 1))


def mean_over_present(values: NDArray[Any] | list[float]) -> float:
    """Mean of the values that exist.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        NaN marks a class that does not occur.

    Returns
    -------
    float
        NaN where none exists.
    """
    numbers = np.asarray(values, float)
    numbers = numbers[~np.isnan(numbers)]
    return float(numbers.mean()) if numbers.size else float("nan")
