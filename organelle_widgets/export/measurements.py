"""What was measured of each cell as CSV, and a second file that says what each column means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.measurements import GROUPS, Measurement, definitions, measure_cells

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.results import FieldResult

__all__ = ["MeasurementColumnsExporter", "MeasurementsExporter"]

_CELL_ID = Measurement(
    "cell_id", "1", "The cell's id in the masks, as in cells.csv.", "identification"
)


@EXPORTERS.register("measurements_csv", title="Measurements of cells (CSV)")
@dataclass(frozen=True)
class MeasurementsExporter(Exporter):
    """One row a cell: `organelle_widgets.measurements.measure_cells`, to be joined with ``cells.csv`` by ``cell_id``.

    UTF-8, commas, a header line, numbers to six significant digits; a value that a cell doesn't have is an empty
    place. A field without cells gives the header line alone.
    """

    filename: ClassVar[str] = "measurements.csv"
    mimetype: ClassVar[str] = "text/csv"
    needs_pixels: ClassVar[bool] = True
    by_default: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:
        """Measure the cells and write the table."""
        _write_csv(measure_cells(result.field, result.masks), path)


@EXPORTERS.register("measurements_columns", title="Meaning of the measurements (CSV)")
@dataclass(frozen=True)
class MeasurementColumnsExporter(Exporter):
    """One row a column of ``measurements.csv``: its name, unit, definition and group."""

    filename: ClassVar[str] = "measurements_columns.csv"
    mimetype: ClassVar[str] = "text/csv"
    by_default: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:  # noqa: ARG002
        """Write the definitions; they are the same for every result."""
        columns = [_CELL_ID, *definitions().values()]
        table = pd.DataFrame([asdict(column) for column in columns])
        titles = {name: entry.title for name, entry in GROUPS.entries().items()}
        _write_csv(table.assign(group=table["group"].replace(titles)), path)


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as every program reads it."""
    table.to_csv(path, index=False, encoding="utf-8", float_format="%.6g", lineterminator="\n")
