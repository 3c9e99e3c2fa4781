"""What can be measured of a cell, in plain columns with units and definitions.

`measure_cells` gives the table, `MEASUREMENTS` says what each of its columns means. One group of measurements is one
file here (shape, intensity, colocalisation, ...); how a cell is cut and put on a grid for them is in the files with a
leading underscore. Nothing here classifies: classifiers may read the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organelle_widgets.measurements._base import (
    GROUPS,
    Measurement,
    MeasurementGroup,
    definitions,
)
from organelle_widgets.measurements._crop import CellCrop
from organelle_widgets.measurements._grid import Grid
from organelle_widgets.measurements.table import measure_cells

if TYPE_CHECKING:
    MEASUREMENTS: dict[str, Measurement]

__all__ = [
    "GROUPS",
    "MEASUREMENTS",
    "CellCrop",
    "Grid",
    "Measurement",
    "MeasurementGroup",
    "definitions",
    "measure_cells",
]


def __getattr__(name: str) -> Any:
    """`MEASUREMENTS`, made when it is first asked for: other packages may add groups."""
    if name == "MEASUREMENTS":
        return definitions()
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
