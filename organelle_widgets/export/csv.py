"""The table of cells as CSV, for R, pandas and spreadsheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from organelle_widgets.core.cell_columns import CELL_TABLE_COLUMNS
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._cells import EMBEDDING, cells_of_run
from organelle_widgets.export._run import Exported, chosen_fields, fields_without_cells

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["CSV_COLUMNS", "CsvExporter"]

CSV_COLUMNS = CELL_TABLE_COLUMNS
"""Column names of a field's file and their definitions."""


@EXPORTERS.register("csv", title="Table of cells (CSV)")
@dataclass(frozen=True)
class CsvExporter(Exporter):
    """One row a cell: geometry, predicted classes, confidence and all 19 probabilities.

    UTF-8, commas, a header line, numbers to six significant digits; the columns are described in
    `CSV_COLUMNS`. A field without cells gives the header line alone, so that every program still reads it. The
    table of a run begins with the column ``field`` and the source's own columns.
    """

    filename: ClassVar[str] = "cells.csv"
    mimetype: ClassVar[str] = "text/csv"
    by_default: ClassVar[bool] = True
    one_file: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the table of a field."""
        _write_rows(result.table()[list(CSV_COLUMNS)], path)

    def _write_run(
        self, results: Results, path: Path, monitor: Monitor, where: str | None
    ) -> Exported:
        """Write the table of a run, a batch at a time."""
        fields = chosen_fields(results, where)
        cells = cells_of_run(results, monitor, where)
        names = [name for name in cells.schema.names if name != EMBEDDING]
        _write_rows(pd.DataFrame(columns=names), path)
        n_cells = 0
        for batch in cells.batches:
            _write_rows(_frame(batch.select(names)), path, more=True)
            n_cells += batch.num_rows
        return Exported(path, len(fields), n_cells, fields_without_cells(fields))


def _frame(batch: pa.RecordBatch) -> pd.DataFrame:
    """A batch for pandas, in which whole numbers stay whole where some are missing."""
    import pyarrow as pa

    frame: pd.DataFrame = batch.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def _write_rows(table: pd.DataFrame, path: Path, *, more: bool = False) -> None:
    """Write the rows, after the header line or after earlier rows."""
    table.to_csv(
        path,
        mode="a" if more else "w",
        header=not more,
        index=False,
        encoding="utf-8",
        float_format="%.6g",
        lineterminator="\n",
    )
