"""The table of cells as Parquet, for DuckDB, Polars, pandas, R and Spark."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from organelle_widgets.core.labels import CLASSES
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._cells import CellStream, cells_of_result, cells_of_run
from organelle_widgets.export._plain import as_json
from organelle_widgets.export._run import Exported, chosen_fields, fields_without_cells

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["SCHEMA_VERSION", "ParquetExporter"]

SCHEMA_VERSION = 1
"""Rises when a column changes its meaning or goes; new columns don't count."""


@EXPORTERS.register("parquet", title="Table of cells (Parquet)", requires=("pyarrow",))
@dataclass(frozen=True)
class ParquetExporter(Exporter):
    """One row a cell: the field's name, the source's own columns, those of the CSV table, and the embedding.

    Numbers are exact; columns are packed by zstd, in row groups of 32,768 cells. The file's own key-value metadata
    says what it is: ``schema`` (``organelle_widgets.cells``), ``schema_version``, ``columns`` (JSON: name to
    meaning), ``classes`` (JSON: the 19 names in the order of their columns), ``threshold`` and ``provenance`` (JSON).
    The meaning of a column is also the metadata ``description`` of its Arrow field.
    """

    filename: ClassVar[str] = "cells.parquet"
    mimetype: ClassVar[str] = "application/vnd.apache.parquet"
    one_file: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the table of a field."""
        _write_cells(cells_of_result(result), path)

    def _write_run(
        self, results: Results, path: Path, monitor: Monitor, where: str | None
    ) -> Exported:
        """Write the table of a run, a row group at a time."""
        fields = chosen_fields(results, where)
        n_cells = _write_cells(cells_of_run(results, monitor, where), path)
        return Exported(path, len(fields), n_cells, fields_without_cells(fields))


def _write_cells(cells: CellStream, path: Path) -> int:
    """Write all batches; how many cells there were."""
    import pyarrow.parquet as pq

    schema = cells.schema.with_metadata(_metadata(cells))
    n_cells = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in cells.batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            n_cells += batch.num_rows
    return n_cells


def _metadata(cells: CellStream) -> dict[str, str]:
    """What the file says of itself."""
    columns = {column.name: column.metadata[b"description"].decode() for column in cells.schema}
    return {
        "schema": "organelle_widgets.cells",
        "schema_version": str(SCHEMA_VERSION),
        "columns": json.dumps(columns),
        "classes": json.dumps([c.name for c in CLASSES]),
        "threshold": f"{cells.threshold:g}",
        "provenance": as_json(cells.provenance),
    }
