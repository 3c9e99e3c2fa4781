"""Bootstrap intervals of shares: units are drawn anew with replacement, with all of their cells.

Only counts go in, one row a unit, so that ten thousand fields take seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FEW_UNITS",
    "check_draws",
    "expanded_tail",
    "interval",
    "student_interval",
    "weighted_shares",
]

FEW_UNITS = 5
"""Below so many units percentiles of draws say too little, and Student's t takes their place."""

_BATCH = 2_000_000
"""Weights that are held at once."""


def check_draws(n_draws: int, confidence: float, seed: int) -> None:
    """Refuse numbers that no bootstrap can be made with.

    Parameters
    ----------
    n_draws : int
        At least 100.
    confidence : float
        Above 0.5 and below 1.
    seed : int
        0 or more.

    Raises
    ------
    SettingsError
        If one is out of its range.
    """
    if n_draws < 100 or not 0.5 < confidence < 1 or seed < 0:
        message = (
            "Expected 100 draws or more, a confidence above 0.5 and below 1 and a seed of 0 or more; found "
            f"{n_draws} draws, confidence {confidence:g}, seed {seed}."
        )
        raise SettingsError(message)


def weighted_shares(
    counts: NDArray[Any],
    totals: NDArray[Any],
    n_draws: int,
    rng: np.random.Generator,
    *,
    pooled: bool = True,
) -> NDArray[np.float64]:
    """Shares of every draw.

    Parameters
    ----------
    counts : ndarray, shape (n_units, n_answers)
        Cells with each answer.
    totals : ndarray, shape (n_units,)
        All cells; at least 1 each.
    n_draws : int
        How many draws; each takes as many units as there are.
    rng : numpy.random.Generator
        Where chance comes from.
    pooled : bool
        Whether a share is of all cells drawn (large units weigh more), else the mean of the units' own shares.

    Returns
    -------
    ndarray of float64, shape (n_draws, n_answers)
        Shares, 0 to 1.
    """
    n = len(totals)
    over = totals.astype(float) if pooled else np.ones(n)
    values = counts.astype(float) if pooled else counts / totals[:, None]
    shares = np.empty((n_draws, counts.shape[1]))
    step = max(1, _BATCH // n)
    for start in range(0, n_draws, step):
        stop = min(start + step, n_draws)
        weights = rng.multinomial(n, np.full(n, 1 / n), size=stop - start).astype(float)
        shares[start:stop] = (weights @ values) / (weights @ over)[:, None]
    return shares


def expanded_tail(
    confidence: float, degrees: NDArray[Any] | float, widening: NDArray[Any] | float
) -> NDArray[np.float64]:
    """Share of the draws to cut off at each end, so that few units don't make the interval too narrow.

    Parameters
    ----------
    confidence : float
        For instance 0.95.
    degrees : float or ndarray, shape (n_values,)
        Degrees of freedom of the standard error.
    widening : float or ndarray, shape (n_values,)
        The standard error over that of the draws; sqrt(n / (n - 1)) for a mean of n units.

    Returns
    -------
    ndarray of float64, shape of the parameters
        0.025 for very many units at 0.95, less for few.

    References
    ----------
    Hesterberg (2015). What teachers should know about the bootstrap, section 5.3 (expanded percentile interval).
    American Statistician 69, 371. doi:10.1080/00031305.2015.1089789
    """
    t = stats.t.isf((1 - confidence) / 2, degrees)
    tail: NDArray[np.float64] = stats.norm.sf(widening * t)
    return np.asarray(tail)


def interval(draws: NDArray[Any], tail: NDArray[Any] | float) -> NDArray[np.float64]:
    """Low and high end of the percentile interval.

    Parameters
    ----------
    draws : ndarray of float, shape (n_draws, n_values)
        One column a value.
    tail : float or ndarray, shape (n_values,)
        What to cut off at each end.

    Returns
    -------
    ndarray of float64, shape (2, n_values)
        The ends.

    References
    ----------
    Efron, Tibshirani (1993). An Introduction to the Bootstrap, section 13.3. doi:10.1201/9780429246593.
    Draws of whole clusters: Field, Welsh (2007). J. R. Stat. Soc. B 69, 369. doi:10.1111/j.1467-9868.2007.00593.x
    """
    ordered = np.sort(draws, axis=0)
    last = len(ordered) - 1
    at = np.broadcast_to(np.asarray(tail, float), ordered.shape[1:]) * last
    return np.stack([_between(ordered, at), _between(ordered, last - at)])


def student_interval(
    center: NDArray[Any],
    draws: NDArray[Any],
    confidence: float,
    degrees: NDArray[Any] | float,
    widening: NDArray[Any] | float,
) -> NDArray[np.float64]:
    """Estimate plus and minus the draws' standard error times Student's t.

    Parameters
    ----------
    center : ndarray, shape (n_values,)
        The estimates.
    draws : ndarray of float, shape (n_draws, n_values)
        Their draws.
    confidence, degrees, widening
        As in `expanded_tail`.

    Returns
    -------
    ndarray of float64, shape (2, n_values)
        The ends.

    References
    ----------
    Efron, Tibshirani (1993). An Introduction to the Bootstrap, chapter 12. doi:10.1201/9780429246593
    """
    half = stats.t.isf((1 - confidence) / 2, degrees) * widening * draws.std(axis=0)
    return np.stack([center - half, center + half])


def _between(ordered: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at fractional positions of sorted columns."""
    below = np.floor(at).astype(int)
    above = np.minimum(below + 1, len(ordered) - 1)
    columns = np.arange(ordered.shape[1])
    part = at - below
    values: NDArray[np.float64] = (
        ordered[below, columns] * (1 - part) + ordered[above, columns] * part
    )
    return values
