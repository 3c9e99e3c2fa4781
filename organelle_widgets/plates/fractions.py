"""The share of cells that show each class, group by group, with intervals that know of fields and wells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from organelle_widgets.plates.answers import ANSWER_TABLE, ANSWERS, Unit, Units, count_units
from organelle_widgets.plates.resampling import (
    FEW_UNITS,
    check_draws,
    expanded_tail,
    interval,
    student_interval,
    weighted_shares,
)
from organelle_widgets.plates.wells import natural_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["FRACTION_COLUMNS", "class_fractions"]

FRACTION_COLUMNS: dict[str, str] = {
    "class_index": 'The class, 0 to 18; -1 for "Not sure".',
    "code": "Its two letters.",
    "name": "Its name.",
    "color": "Its display colour.",
    "n_units": "Fields, or wells, of the group that have cells.",
    "n_cells": "Cells of the group.",
    "n_showing": "Cells of the group that show the class.",
    "fraction": "The share, 0 to 1.",
    "low": "Low end of its interval; empty for a group of one unit.",
    "high": "High end.",
}
"""Columns of the table, after those of the groups."""


def class_fractions(
    table: pd.DataFrame,
    by: str | Sequence[str],
    n_draws: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    *,
    unit: Unit = "auto",
) -> pd.DataFrame:
    """Share of the cells that show each class, by group, with bootstrap intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Cells, or cells counted; see `organelle_widgets.plates.answers.count_answers`.
    by : str or sequence of str
        The columns that make groups; none for one group of all.
    n_draws : int
        Bootstrap draws.
    confidence : float
        What the intervals should cover, for instance 0.95.
    seed : int
        The same seed gives the same intervals.
    unit : {"auto", "well", "field"}
        What is drawn; see `organelle_widgets.plates.answers.count_units`.

    Returns
    -------
    pandas.DataFrame
        20 rows a group, groups in natural order: the columns of `by`, then `FRACTION_COLUMNS`. ``attrs`` holds
        ``unit``, ``by``, ``confidence``, ``n_draws`` and ``notes`` (whole sentences).

    Raises
    ------
    InputError
        If a column is missing.
    SettingsError
        If a number or the unit is out of its range.

    Notes
    -----
    Cells of one field share its stain, focus and neighbours, and are therefore not independent: an interval made of
    cells would be too narrow. Whole fields are drawn with replacement (whole wells, where every group has two or
    more), with all of their cells. The ends are percentiles of the draws, expanded for few units. Percentiles can't
    reach beyond what the units show, so for two to four units the ends are the share plus and minus the draws'
    standard error times Student's t, within 0 and 1. Where no cell, or every cell, of a group shows a class,
    draws can't differ, and the exact binomial end (Clopper, Pearson 1934) takes their place; it takes the cells as
    independent, and is a lower bound of the uncertainty.

    References
    ----------
    See `organelle_widgets.plates.resampling`. Clopper, Pearson (1934). Biometrika 26, 404. doi:10.1093/biomet/26.4.404
    """
    check_draws(n_draws, confidence, seed)
    units = count_units(table, by, unit)
    rng = np.random.default_rng(seed)
    groups = sorted(units.groups().items(), key=lambda item: natural_key(item[0]))
    parts = [_group(units.by, key, part, n_draws, confidence, rng) for key, part in groups]
    columns = [*units.by, *FRACTION_COLUMNS]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    found.attrs = {
        "unit": units.noun,
        "by": units.by,
        "confidence": confidence,
        "n_draws": n_draws,
        "notes": (*units.notes, *_few(units)),
    }
    return found[columns]


def _group(
    by: tuple[str, ...],
    key: tuple[Any, ...],
    part: pd.DataFrame,
    n_draws: int,
    confidence: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The 20 rows of one group."""
    counts, totals = part[list(ANSWERS)].to_numpy(), part["n_cells"].to_numpy()
    showing, cells = counts.sum(axis=0), int(totals.sum())
    low, high = _ends(counts, totals, n_draws, confidence, rng)
    columns: dict[str, Any] = dict(zip(by, key, strict=True))
    columns |= {str(name): ANSWER_TABLE[name] for name in ANSWER_TABLE}
    columns |= {"n_units": len(part), "n_cells": cells, "n_showing": showing}
    columns |= {"fraction": showing / max(cells, 1), "low": low, "high": high}
    return pd.DataFrame(columns)


def _ends(
    counts: NDArray[Any],
    totals: NDArray[Any],
    n_draws: int,
    confidence: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Low and high ends, shape (2, 20); NaN for fewer than two units."""
    n, cells, showing = len(totals), totals.sum(), counts.sum(axis=0)
    if n < 2:
        return np.full((2, counts.shape[1]), np.nan)
    draws, widening = weighted_shares(counts, totals, n_draws, rng), np.sqrt(n / (n - 1))
    if n < FEW_UNITS:
        ends = student_interval(showing / cells, draws, confidence, n - 1, widening)
    else:
        ends = interval(draws, expanded_tail(confidence, n - 1, widening))
    least = ((1 - confidence) / 2) ** (1 / cells)
    low, high = np.clip(ends, 0, 1)
    return np.stack(
        [np.where(showing == cells, least, low), np.where(showing == 0, 1 - least, high)]
    )


def _few(units: Units) -> list[str]:
    """What is said of groups with too few units."""
    sizes = [len(part) for part in units.groups().values()]
    notes = []
    if one := sum(size == 1 for size in sizes):
        groups = f"{one} group{'s' if one > 1 else ''} of one {units.noun} each"
        notes.append(f"{groups}: without a second {units.noun} there is no interval.")
    if few := sum(1 < size < FEW_UNITS for size in sizes):
        groups = f"{few} group{'s' if few > 1 else ''} of fewer than {FEW_UNITS} {units.noun}s"
        notes.append(f"{groups}: the interval rests on the t distribution and is rough.")
    return notes
