"""Calibration: logits become probabilities that come true as often as they say, class by class.

The labels of real cells are those of their fields, so a calibrated probability answers "how often do annotators give
this label to the field of such a cell?". Few classes have many fields; those with few lean on what all share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Calibration", "fit_calibration"]

_STRENGTH = np.array([100.0, 30.0])
"""How strongly slope and offset of a class are held to what all classes share: as strongly as so many fields."""
_LOWEST_SLOPE = 0.1


@dataclass(frozen=True, eq=False)
class Calibration:
    """Platt scaling of each class: ``sigmoid(slope * logit + offset)``.

    Parameters
    ----------
    slope, offset : ndarray of float32, shape (19,)
        Slopes are above 0, so that the order of cells within a class stays.
    n_cells, n_fields : int
        What it was fitted on.
    """

    slope: NDArray[np.float32]
    offset: NDArray[np.float32]
    n_cells: int = 0
    n_fields: int = 0

    def __call__(self, logits: NDArray[Any]) -> NDArray[np.float32]:
        """Calibrated probabilities.

        Parameters
        ----------
        logits : ndarray of float, shape (n, 19)
            What the network gives before its sigmoid.

        Returns
        -------
        ndarray of float32, shape (n, 19)
            In (0, 1).
        """
        return np.asarray(expit(self.slope * logits + self.offset), np.float32)


def fit_calibration(
    logits: NDArray[Any], truth: NDArray[Any], field_of: NDArray[Any]
) -> Calibration:
    """Fit slope and offset of each class.

    Parameters
    ----------
    logits : ndarray of float, shape (n, 19)
        Of cells that the network has not learnt from.
    truth : ndarray of float, shape (n, 19)
        1 for the classes that a cell, or its field, has.
    field_of : ndarray of int, shape (n,)
        Number of the field of each cell. Fields weigh as the square root of their number of cells, whose labels are
        one and the same; the pull to the shared values weighs as some fields do.

    Returns
    -------
    Calibration
        One slope and offset for all classes is fitted first, then each class is fitted with a Gaussian prior around
        them.

    References
    ----------
    Platt J (1999). Probabilistic outputs for support vector machines. Advances in Large Margin Classifiers.
    """
    _, number, counts = np.unique(field_of, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(counts[number])
    n_fields, n_classes = len(counts), truth.shape[1]
    strength = _STRENGTH * weight.sum() / max(n_fields, 1)
    every = np.repeat(weight, n_classes)
    shared = _fitted(logits.ravel(), truth.ravel(), every, np.array([1.0, 0.0]), np.zeros(2))
    each = [_fitted(logits[:, c], truth[:, c], weight, shared, strength) for c in range(n_classes)]
    slope, offset = np.array(each, np.float32).T
    return Calibration(slope, offset, len(logits), n_fields)


def _fitted(
    logit: NDArray[Any],
    truth: NDArray[Any],
    weight: NDArray[np.float64],
    prior: NDArray[np.float64],
    strength: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Slope and offset of the highest posterior."""

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = values[0] * logit + values[1]
        pull = values - prior
        nll = (weight * (np.logaddexp(0, scores) - truth * scores)).sum()
        error = weight * (expit(scores) - truth)
        slopes = np.array([(error * logit).sum(), error.sum()]) + strength * pull
        return float(nll + 0.5 * (strength * pull**2).sum()), slopes

    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[(_LOWEST_SLOPE, 5), (-8, 8)])
    return np.asarray(found.x, np.float64)
