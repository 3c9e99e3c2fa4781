"""Confidence intervals by drawing the fields anew, with replacement.

Cells of one field share its antibody, its stain and its exposure, so they are no independent witnesses: fields are
drawn, and all cells of a field come along with it. What is computed of a draw is not decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["draws", "percentile_interval", "resampled"]

_BATCH = 64
"""Draws that are scored together: enough to keep Python out of the way, few enough to stay in the cache."""
_DEFINED = 0.5
"""Share of the draws that must have a value before an interval is given."""


def draws(n: int, n_resamples: int, seed: int = 0) -> Iterator[NDArray[np.float64]]:
    """Draw samples with replacement, as weights.

    Parameters
    ----------
    n : int
        How many samples there are; each draw takes as many.
    n_resamples : int
        How many draws.
    seed : int
        The same seed gives the same draws.

    Yields
    ------
    ndarray of float64, shape (up to 64, n)
        How often each sample was taken; every row sums to `n`.

    Raises
    ------
    SettingsError
        If a number is negative, or there is nothing to draw from.
    """
    if n < 1 or n_resamples < 0 or seed < 0:
        message = (
            "Expected at least 1 sample, 0 or more draws and a seed of 0 or more; found "
            f"{n} samples, {n_resamples} draws, seed {seed}."
        )
        raise SettingsError(message)
    rng = np.random.default_rng(seed)
    for start in range(0, n_resamples, _BATCH):
        taken = rng.multinomial(n, np.full(n, 1 / n), size=min(_BATCH, n_resamples - start))
        yield taken.astype(float)


def resampled(
    statistic: Callable[[NDArray[np.float64]], Mapping[str, NDArray[Any]]],
    n: int,
    n_resamples: int,
    seed: int = 0,
) -> dict[str, NDArray[Any]]:
    """Statistics of every draw.

    Parameters
    ----------
    statistic : callable
        Takes weights of shape (n_draws, n) and gives, by name, arrays whose first axis has n_draws entries.
    n : int
        How many samples there are.
    n_resamples : int
        How many draws, at least 1.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    dict of str to ndarray, shape (n_resamples, ...)
        The statistics by name.

    Raises
    ------
    SettingsError
        If a number is out of its range.
    """
    if n_resamples < 1:
        message = f"Expected at least 1 draw; found {n_resamples}."
        raise SettingsError(message)
    parts = [statistic(weights) for weights in draws(n, n_resamples, seed)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def percentile_interval(values: NDArray[Any], level: float = 0.95) -> NDArray[np.float64]:
    """The percentile bootstrap interval.

    Parameters
    ----------
    values : ndarray of float, shape (n_resamples, ...)
        One statistic, or several, of every draw; NaN where a draw has none.
    level : float
        Share of the draws between the two ends, above 0 and below 1.

    Returns
    -------
    ndarray of float64, shape (2, ...)
        Low and high end; NaN where fewer than half of the draws have a value.

    Raises
    ------
    SettingsError
        If the level is out of its range.

    References
    ----------
    Efron, Tibshirani (1993). An Introduction to the Bootstrap, section 13.3. doi:10.1201/9780429246593.
    Draws of whole clusters: Field, Welsh (2007). J. R. Stat. Soc. B 69, 369. doi:10.1111/j.1467-9868.2007.00593.x
    """
    if not 0 < level < 1:
        message = f"Expected a level above 0 and below 1; found {level!r}."
        raise SettingsError(message)
    values = np.asarray(values, float)
    table = values.reshape(len(values), -1)
    ends = np.full((2, table.shape[1]), np.nan)
    for column, one in enumerate(table.T):
        known = one[~np.isnan(one)]
        if len(known) and len(known) >= _DEFINED * len(one):
            ends[:, column] = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return ends.reshape(2, *values.shape[1:])
