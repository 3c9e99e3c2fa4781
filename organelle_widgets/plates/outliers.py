"""Which wells stand out from their plate: robust distances from the median, and what they mean in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "FEWEST",
    "LIMIT",
    "WELL_MEASURES",
    "WellMeasure",
    "robust_spread",
    "robust_z",
    "shown",
    "standing_out",
]

LIMIT = 3.5
"""A well is flagged where its robust z is beyond."""
FEWEST = 6
"""With fewer wells nothing can be said to stand out."""


@dataclass(frozen=True)
class WellMeasure:
    """A number by which wells are compared with their plate.

    Parameters
    ----------
    column : str
        Of `WELL_COLUMNS`.
    title : str
        A few words.
    unit : str
        Empty for plain numbers; ``"%"`` where shares are shown times 100.
    low, high : str
        What a flagged well is said to have; empty where that side is nothing to worry about.
    least : float
        Differences from the plate's median below it are never flagged, whatever the spread.
    relative : bool
        Whether `least` is a share of the median.
    of_cells : bool
        Whether it is a share of cells; then it must also be beyond what so few cells may give by chance.
    """

    column: str
    title: str
    unit: str
    low: str
    high: str
    least: float
    relative: bool = False
    of_cells: bool = False


WELL_MEASURES: tuple[WellMeasure, ...] = (
    WellMeasure("cells_per_field", "Cells a field", "", "few cells", "many cells", 0.25, True),
    WellMeasure(
        "border_share", "On the border", "%", "", "many cells on the border", 0.1, of_cells=True
    ),
    WellMeasure(
        "unusual_share", "Unusual cells", "%", "", "many unusual cells", 0.05, of_cells=True
    ),
    WellMeasure("not_sure_share", "Not sure", "%", "", "many cells not sure", 0.05, of_cells=True),
    WellMeasure(
        "median_cell_area_um2", "Cell area", "µm²", "small cells", "large cells", 0.15, True
    ),
    WellMeasure(
        "median_nucleus_area_um2", "Nucleus area", "µm²", "small nuclei", "large nuclei", 0.15, True
    ),
    WellMeasure("nucleus_edge_um", "Blur of nuclei", "µm", "", "out of focus", 0.1),
    WellMeasure("saturated_share", "Saturated pixels", "%", "", "saturated", 0.02),
)
"""What wells are compared by."""


def robust_z(values: NDArray[Any]) -> NDArray[np.float64]:
    """How far each value is from the median, in robust standard deviations.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        May hold NaN, which stay NaN.

    Returns
    -------
    ndarray of float64, shape (n,)
        0.6745 (x - median) / MAD; where more than half of the values are equal, (x - median) / (1.2533 mean absolute
        deviation); 0 where all are.

    References
    ----------
    Iglewicz, Hoaglin (1993). How to Detect and Handle Outliers. ASQC Quality Press.
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return np.full(values.shape, np.nan)
    spread = robust_spread(known)
    off = values - np.median(known)
    return np.asarray(off / spread if spread else off * 0, float)


def robust_spread(values: NDArray[Any]) -> float:
    """A standard deviation that outliers don't move.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        At least one, none NaN.

    Returns
    -------
    float
        The median absolute deviation over 0.6745; where more than half of the values are equal, 1.2533 times the
        mean absolute deviation from the median.
    """
    away = np.abs(values - np.median(values))
    return float(np.median(away) / 0.6745 or 1.2533 * away.mean())


def shown(measure: WellMeasure, value: float) -> str:
    """A value with its unit, as people read it.

    Parameters
    ----------
    measure : WellMeasure
        What it is a value of.
    value : float
        In the table's own unit.

    Returns
    -------
    str
        Such as ``"12 %"`` or ``"0.42 µm"``.
    """
    if measure.unit == "%":
        return f"{100 * value:.0f} %"
    text = f"{value:.2g}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{text} {measure.unit}".strip()


def standing_out(plate: pd.DataFrame, measure: WellMeasure) -> list[str]:
    """What is said of every well of a plate by one measure.

    Parameters
    ----------
    plate : pandas.DataFrame
        Wells of one plate; see `well_quality`.
    measure : WellMeasure
        What to compare them by.

    Returns
    -------
    list of str
        Such as ``"few cells (3, plate 41)"``; empty for wells that don't stand out, and for all of too few wells.
    """
    values = plate[measure.column].to_numpy(float)
    if np.isfinite(values).sum() < FEWEST:
        return [""] * len(values)
    middle = float(np.nanmedian(values))
    least = np.full(len(values), measure.least * (abs(middle) if measure.relative else 1))
    if measure.of_cells:
        least = np.maximum(least, _by_chance(middle, plate["n_cells"].to_numpy(float)))
    words = []
    for value, z, enough in zip(values, robust_z(values), least, strict=True):
        word = measure.high if z > 0 else measure.low
        out = abs(z) > LIMIT and abs(value - middle) >= enough and word
        words.append(
            f"{word} ({shown(measure, value)}, plate {shown(measure, middle)})" if out else ""
        )
    return words


def _by_chance(share: float, n_cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the share of so many cells may be off by chance: 3.5 binomial standard errors."""
    n = np.maximum(n_cells, 1)
    likely = np.clip(share, 1 / n, 1)
    return np.asarray(LIMIT * np.sqrt(likely * (1 - np.minimum(likely, 0.5)) / n))
