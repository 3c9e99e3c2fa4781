"""What was measured of each cell as CSV, and a second file that says what each column means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._run import (
    Exported,
    chosen_fields,
    fields_without_cells,
    skipping,
)
from organelle_widgets.measurements import (
    GROUPS,
    MEASUREMENTS,
    Measurement,
    definitions,
    measure_cells,
)

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["MeasurementColumnsExporter", "MeasurementsExporter"]

_CELL_ID = Measurement(
    "cell_id", "1", "The cell's id in the masks, as in cells.csv.", "identification"
)


@EXPORTERS.register("measurements_csv", title="Measurements of cells (CSV)")
@dataclass(frozen=True)
class MeasurementsExporter(Exporter):
    """One row a cell: `organelle_widgets.measurements.measure_cells`, to be joined with ``cells.csv`` by ``cell_id``.

    UTF-8, commas, a header line, numbers to six significant digits; a value that a cell doesn't have is an empty
    place. A field without cells gives the header line alone. The table of a run begins with the column ``field`` and
    the source's own columns; its images are read again, one field at a time.
    """

    filename: ClassVar[str] = "measurements.csv"
    mimetype: ClassVar[str] = "text/csv"
    needs_pixels: ClassVar[bool] = True
    by_default: ClassVar[bool] = True
    one_file: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:
        """Measure the cells and write the table."""
        _write_csv(measure_cells(result.field, result.masks), path)

    def _write_run(
        self, results: Results, path: Path, monitor: Monitor, where: str | None
    ) -> Exported:
        """Measure field by field and add each one's rows."""
        fields = chosen_fields(results, where)
        names = ["field", *results.extra_columns, "cell_id", *MEASUREMENTS]
        skipped = list(fields_without_cells(fields))
        n_fields = n_cells = 0
        _write_csv(pd.DataFrame(columns=names), path)
        for index, (name, found) in enumerate(zip(fields["field"], fields["n_cells"], strict=True)):
            monitor.report(name, index / len(fields))
            with skipping(name, skipped):
                if found:
                    result = results.result(name)
                    table = measure_cells(result.field, result.masks)
                    table = table.assign(field=name, **result.field.extra)
                    _write_csv(table.reindex(columns=names), path, more=True)
                n_fields, n_cells = n_fields + 1, n_cells + int(found)
        return Exported(path, n_fields, n_cells, tuple(skipped))


@EXPORTERS.register("measurements_columns", title="Meaning of the measurements (CSV)")
@dataclass(frozen=True)
class MeasurementColumnsExporter(Exporter):
    """One row a column of ``measurements.csv``: its name, unit, definition and group."""

    filename: ClassVar[str] = "measurements_columns.csv"
    mimetype: ClassVar[str] = "text/csv"
    by_default: ClassVar[bool] = True
    one_file: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:  # noqa: ARG002
        """Write the definitions; they are the same for every result."""
        self._write_definitions(path)

    def _write_run(
        self,
        results: Results,
        path: Path,
        monitor: Monitor,  # noqa: ARG002
        where: str | None,
    ) -> Exported:
        """Write the definitions once."""
        fields = chosen_fields(results, where)
        self._write_definitions(path)
        return Exported(path, len(fields), int(fields["n_cells"].sum()))

    def _write_definitions(self, path: Path) -> None:
        """Write one row a column."""
        columns = [_CELL_ID, *definitions().values()]
        table = pd.DataFrame([asdict(column) for column in columns])
        titles = {name: entry.title for name, entry in GROUPS.entries().items()}
        _write_csv(table.assign(group=table["group"].replace(titles)), path)


def _write_csv(table: pd.DataFrame, path: Path, *, more: bool = False) -> None:
    """Write a table as every program reads it, or add its rows to one."""
    table.to_csv(
        path,
        mode="a" if more else "w",
        header=not more,
        index=False,
        encoding="utf-8",
        float_format="%.6g",
        lineterminator="\n",
    )
