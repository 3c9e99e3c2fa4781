"""Two groups of a plate compared, class by class: how large the difference is, and whether chance explains it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.plates.answers import ANSWER_TABLE, ANSWERS, Unit, Units, count_units
from organelle_widgets.plates.ranks import mann_whitney
from organelle_widgets.plates.resampling import (
    FEW_UNITS,
    check_draws,
    expanded_tail,
    interval,
    student_interval,
    weighted_shares,
)
from organelle_widgets.plates.wells import in_natural_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COMPARISON_COLUMNS", "compare_groups", "effect_word", "same_value"]

COMPARISON_COLUMNS: dict[str, str] = {
    "class_index": 'The class, 0 to 18; -1 for "Not sure".',
    "code": "Its two letters.",
    "name": "Its name.",
    "color": "Its display colour.",
    "mean_a": "Mean of the units' shares in the first group, 0 to 1.",
    "mean_b": "The same in the second group.",
    "difference": "Second minus first.",
    "low": "Low end of its interval; empty where a group has one unit.",
    "high": "High end.",
    "cliffs_delta": "Cliff's delta: chance that a unit of the second group shows more than one of the first, minus "
    "the chance that it shows less; -1 to 1. Also called the rank-biserial correlation.",
    "effect": "The same in a word: negligible, small, medium, large.",
    "cohens_h": "Cohen's h: difference of the arcsine-transformed mean shares; 0.2 small, 0.5 medium, 0.8 large.",
    "p_value": "Two-sided Mann-Whitney U test on the units' shares.",
    "p_adjusted": "The same after Benjamini and Hochberg over all rows.",
    "significant": "Whether p_adjusted is at or below alpha.",
}
"""Columns of the table."""

_EFFECTS = ((0.147, "negligible"), (0.33, "small"), (0.474, "medium"))


def compare_groups(
    table: pd.DataFrame,
    by: str,
    a: Any,
    b: Any,
    unit: Unit = "auto",
    *,
    n_draws: int = 2000,
    confidence: float = 0.95,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare how often two groups show each class.

    Parameters
    ----------
    table : pandas.DataFrame
        Cells, or cells counted; see `organelle_widgets.plates.answers.count_answers`.
    by : str
        The column that names the group.
    a, b : object
        Two of its values: the first is the reference, such as the untreated cells. Text is understood for numbers.
    unit : {"auto", "well", "field"}
        What is independent: wells where both groups have two or more, else fields.
    n_draws : int
        Bootstrap draws for the interval of the difference.
    confidence : float
        What the intervals should cover.
    alpha : float
        Share of false discoveries that is accepted.
    seed : int
        The same seed gives the same intervals.

    Returns
    -------
    pandas.DataFrame
        20 rows, the 19 classes and "Not sure": `COMPARISON_COLUMNS`. ``attrs`` holds ``by``, ``a``, ``b``, ``unit``,
        ``n_units`` and ``n_cells`` (a pair each), ``confidence``, ``alpha``, ``smallest_p`` and ``notes``.

    Raises
    ------
    InputError
        If the column is missing, a group is unknown, has no cells, or the two are the same.
    SettingsError
        If a number or the unit is out of its range.

    Notes
    -----
    One unit, a well or a field, is one observation, whatever its number of cells: cells of one unit share their
    treatment and stain, and to count them as independent would find differences in nothing. The interval draws the
    units of both groups anew (percentiles expanded by the Welch-Satterthwaite degrees of freedom; Student's t below
    five units). The test is exact up to about eight against eight units, ties included. "Not sure" is one of the 20
    rows that are corrected for, as it is one that people will read.

    References
    ----------
    Mann, Whitney (1947). Ann. Math. Statist. 18, 50. doi:10.1214/aoms/1177730491.
    Cliff (1993). Psychol. Bull. 114, 494. doi:10.1037/0033-2909.114.3.494; words: Romano et al. (2006), "Appropriate
    statistics for ordinal level data", Florida Association of Institutional Research.
    Cohen (1988). Statistical Power Analysis, chapter 6. doi:10.4324/9780203771587.
    Benjamini, Hochberg (1995). J. R. Stat. Soc. B 57, 289. doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    check_draws(n_draws, confidence, seed)
    if not 0 < alpha < 1:
        message = f"Expected alpha above 0 and below 1; found {alpha!r}."
        raise SettingsError(message)
    first, second = _values(table, by, a, b)
    units = count_units(table[table[by].isin([first, second])], by, unit)
    parts = [units.groups().get((value,)) for value in (first, second)]
    one, two = (
        _counts(part, by, value) for part, value in zip(parts, (first, second), strict=True)
    )
    found = _statistics(one, two, confidence, n_draws, np.random.default_rng(seed))
    found["significant"] = found["p_adjusted"] <= alpha
    sizes = (len(one[1]), len(two[1]))
    found.attrs = {
        "by": by,
        "a": first,
        "b": second,
        "unit": units.noun,
        "n_units": sizes,
        "n_cells": (int(one[1].sum()), int(two[1].sum())),
        "confidence": confidence,
        "alpha": alpha,
        "smallest_p": _smallest_p(*sizes),
        "notes": (*units.notes, *_words(units, sizes, alpha)),
    }
    return found[list(COMPARISON_COLUMNS)]


def effect_word(cliffs_delta: float) -> str:
    """How large an effect is.

    Parameters
    ----------
    cliffs_delta : float
        -1 to 1.

    Returns
    -------
    {"negligible", "small", "medium", "large"}
        Below 0.147, 0.33 and 0.474, and above, whatever the sign (Romano et al. 2006).
    """
    return next((word for limit, word in _EFFECTS if abs(cliffs_delta) < limit), "large")


def same_value(values: pd.Series, wanted: Any) -> Any:
    """The value of a column that a person means by a text.

    Parameters
    ----------
    values : pandas.Series
        The column.
    wanted : object
        A value, or its text: ``"10"`` for 10.

    Returns
    -------
    object
        One of the column's values.

    Raises
    ------
    InputError
        If there is none, listing what there is.
    """
    there = in_natural_order(values.dropna().unique())
    for value in there:
        if value == wanted or str(value).strip() == str(wanted).strip():
            return value
    listed = ", ".join(repr(str(value)) for value in there[:12]) + (
        ", ..." if len(there) > 12 else ""
    )
    message = (
        f"Expected a value of {values.name!r} out of {listed or 'none'}; found {str(wanted)!r}."
    )
    raise InputError(message)


def _values(table: pd.DataFrame, by: str, a: Any, b: Any) -> tuple[Any, Any]:
    """The two groups, as the column has them."""
    if by not in table.columns:
        message = (
            f"Expected a table with the column {by!r}; found {', '.join(map(str, table.columns))}."
        )
        raise InputError(message)
    first, second = same_value(table[by], a), same_value(table[by], b)
    if first == second:
        message = f"Expected two groups of {by!r}; found {str(first)!r} twice."
        raise InputError(message)
    return first, second


def _counts(part: pd.DataFrame | None, by: str, value: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Counts and cells of one group's units."""
    if part is None or part.empty:
        message = f"Expected cells where {by} is {str(value)!r}; found none with a field or well."
        raise InputError(message)
    return part[list(ANSWERS)].to_numpy(), part["n_cells"].to_numpy()


def _statistics(
    one: tuple[NDArray[Any], NDArray[Any]],
    two: tuple[NDArray[Any], NDArray[Any]],
    confidence: float,
    n_draws: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """All columns but ``significant``."""
    shares_a, shares_b = (counts / cells[:, None] for counts, cells in (one, two))
    mean_a, mean_b = shares_a.mean(axis=0), shares_b.mean(axis=0)
    draws = weighted_shares(*two, n_draws, rng, pooled=False) - weighted_shares(
        *one, n_draws, rng, pooled=False
    )
    low, high = _ends(shares_a, shares_b, draws, confidence)
    delta, p = mann_whitney(shares_a, shares_b)
    columns: dict[str, Any] = {str(name): ANSWER_TABLE[name] for name in ANSWER_TABLE}
    columns |= {"mean_a": mean_a, "mean_b": mean_b, "difference": mean_b - mean_a}
    columns |= {"low": low, "high": high, "cliffs_delta": delta}
    columns |= {"effect": [effect_word(value) for value in delta]}
    columns |= {"cohens_h": 2 * (np.arcsin(np.sqrt(mean_b)) - np.arcsin(np.sqrt(mean_a)))}
    columns |= {"p_value": p, "p_adjusted": stats.false_discovery_control(p)}
    return pd.DataFrame(columns)


def _ends(
    a: NDArray[Any], b: NDArray[Any], draws: NDArray[Any], confidence: float
) -> NDArray[np.float64]:
    """Ends of the difference's interval, shape (2, 20); NaN where a group has one unit."""
    sizes = np.array([len(a), len(b)])
    if sizes.min() < 2:
        return np.full((2, a.shape[1]), np.nan)
    squares = np.stack([a.var(axis=0, ddof=1) / sizes[0], b.var(axis=0, ddof=1) / sizes[1]])
    total = np.maximum(squares.sum(axis=0), 1e-300)
    plain = np.maximum((squares * ((sizes - 1) / sizes)[:, None]).sum(axis=0), 1e-300)
    welch = total**2 / np.maximum((squares**2 / (sizes - 1)[:, None]).sum(axis=0), 1e-300)
    degrees = np.clip(welch, sizes.min() - 1, sizes.sum() - 2)
    widening = np.sqrt(total / plain)
    if sizes.min() < FEW_UNITS:
        center = b.mean(axis=0) - a.mean(axis=0)
        return np.clip(student_interval(center, draws, confidence, degrees, widening), -1, 1)
    return interval(draws, expanded_tail(confidence, degrees, widening))


def _smallest_p(n_a: int, n_b: int) -> float:
    """The smallest p that the test can give: all units of one group above all of the other."""
    return min(1.0, 2 / math.comb(n_a + n_b, n_a))


def _words(units: Units, sizes: tuple[int, int], alpha: float) -> list[str]:
    """What a reader must know of few units."""
    least, several = _smallest_p(*sizes), f"{sizes[0]} and {sizes[1]} {units.noun}s"
    notes = []
    if least > alpha:
        notes.append(
            f"With {several} the smallest p that the test can give is {least:.2g}: no difference can be "
            f"significant at {alpha:g}, however large it is. Look at the effect sizes, and add {units.noun}s."
        )
    elif least * len(ANSWERS) > alpha:
        notes.append(
            f"With {several} the smallest p that the test can give is {least:.2g}: after the correction for "
            f"{len(ANSWERS)} rows a class on its own can't be significant at {alpha:g}."
        )
    if min(sizes) == 1:
        notes.append(f"A group of one {units.noun} gives no interval.")
    return notes
