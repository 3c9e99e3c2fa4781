"""The measurements of one cell that a biologist reads first, with units, as the cell panel gets them.

Which columns are shown, how they are called on the page and how their numbers are written. What they mean stands in
`organelle_widgets.measurements`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.measurements import definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from organelle_widgets.core.field import Field
    from organelle_widgets.measurements import Measurement

__all__ = ["ABSENT", "measurement_rows"]

ABSENT = "–"
"""Stands for a value that a cell does not have."""


def _two_decimals(value: float) -> str:
    """A share, a shape or a correlation."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _count(value: float) -> str:
    """A number of things."""
    return f"{value:.0f}"


def _three_digits(value: float) -> str:
    """Grey levels of 8 bit, of 16 bit or as fractions: whole from 100 on, else three digits."""
    if not value:
        return "0"
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:#.3g}"


def _ratio(value: float) -> str:
    """A ratio, which is rarely past 100."""
    return _two_decimals(value) if value < 10 else f"{value:.0f}"


def _percent(value: float) -> str:
    """A share in per cent."""
    return f"{100 * value:.0f} %"


def _square_microns(value: float) -> str:
    """A small area."""
    return f"{value:.2f} µm²" if value < 10 else f"{value:.0f} µm²"


@dataclass(frozen=True)
class _Figure:
    """One number: its name on the page, its column, how it is written and the channel that it needs."""

    label: str
    column: str
    write: Callable[[float], str] = _two_decimals
    channel: str = ""


_ROWS: tuple[tuple[str, str, tuple[_Figure, ...]], ...] = (
    (
        "Protein",
        "Mean of the protein channel above background, grey levels",
        (
            _Figure("Nucleus", "protein_mean_nucleus", _three_digits),
            _Figure("Cytoplasm", "protein_mean_cytoplasm", _three_digits),
            _Figure("Edge", "protein_mean_edge", _three_digits),
            _Figure("Nuc. / cyt.", "protein_ratio_nucleus_cytoplasm", _ratio),
        ),
    ),
    (
        "Correlation",
        "Of the protein with each reference marker in this cell: −1 to 1",
        (
            _Figure("Nuclei", "pearson_nuclei"),
            _Figure("Microtubules", "pearson_microtubules", channel="red"),
            _Figure("ER", "pearson_er", channel="yellow"),
        ),
    ),
    (
        "Spots",
        "Bright spots of the protein, about 0.4 to 1.5 µm wide",
        (
            _Figure("Number", "spot_count", _count),
            _Figure("Median size", "spot_area_median_um2", _square_microns),
            _Figure("Protein in", "spot_protein_share", _percent),
        ),
    ),
    (
        "Shape",
        "Of the cell's outline",
        (
            _Figure("Roundness", "form_factor"),
            _Figure("Solidity", "solidity"),
            _Figure("Eccentricity", "eccentricity"),
        ),
    ),
)


def measurement_rows(field: Field, values: Mapping[str, float] | None) -> list[dict[str, Any]]:
    """What was measured of a cell, row by row.

    Parameters
    ----------
    field : Field
        The cell's field; a channel that was not recorded is named where a value is missing for it.
    values : mapping of str to float or None
        By column; None while the cell is being measured.

    Returns
    -------
    list of dict
        ``title``, ``tip`` and ``figures``: each ``label``, ``value`` as text (empty while it is being measured,
        `ABSENT` where the cell has none) and ``tip``, its definition.
    """
    known = definitions()
    return [
        {
            "title": title,
            "tip": tip,
            "figures": [
                _told(figure, known[figure.column], field, values)
                for figure in figures
                if figure.column in known
            ],
        }
        for title, tip, figures in _ROWS
    ]


def _told(
    figure: _Figure, column: Measurement, field: Field, values: Mapping[str, float] | None
) -> dict[str, str]:
    """One number in words."""
    tip = _definition(column)
    if values is None:
        return {"label": figure.label, "value": "", "tip": tip}
    value = values.get(figure.column, math.nan)
    if math.isfinite(value):
        return {"label": figure.label, "value": figure.write(value), "tip": tip}
    return {"label": figure.label, "value": ABSENT, "tip": f"{_why(figure, field)} {tip}"}


def _definition(column: Measurement) -> str:
    """What a column means, in the signs that the page uses."""
    unit = "" if column.unit in ("1", "count") else f" In {column.unit}."
    text = f"{column.definition}{unit}".replace("NaN", ABSENT)
    return re.sub(r"\bum(2?)\b", lambda found: "µm²" if found[1] else "µm", text)


def _why(figure: _Figure, field: Field) -> str:
    """Why a value is missing."""
    if figure.channel in field.missing:
        name = next(channel.name for channel in CHANNELS if channel.key == figure.channel)
        return f"The field has no channel of {name}."
    return "This cell has no such value."
