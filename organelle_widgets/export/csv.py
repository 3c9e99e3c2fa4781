"""The table of cells as CSV, for R, pandas and spreadsheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from organelle_widgets.core.cells import CELL_COLUMNS
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.export._base import EXPORTERS, Exporter

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.results import FieldResult

__all__ = ["CSV_COLUMNS", "CsvExporter"]

CSV_COLUMNS: dict[str, str] = {
    **CELL_COLUMNS,
    "predicted_classes": "Names of the classes at or above the threshold, most probable first, with | "
    "between them; empty where the answer is not sure.",
    "top_class": "Name of the class that the confidence belongs to.",
    "confidence": "Probability of the first predicted class, or of the most probable one where not sure.",
    "unusual": "Whether the cell is unlike any that the classifier was trained on; then the answer is not sure.",
    "strangeness": "How unlike: below 1 for 99 of 100 real cells of the kind that the classifier was made for; empty "
    "where the classifier does not say.",
    **{
        column: f"Probability of the class {name}, 0 to 1."
        for column, name in zip(PROBABILITY_COLUMNS, CLASS_NAMES, strict=True)
    },
}
"""Column names of the file and their definitions."""


@EXPORTERS.register("csv", title="Table of cells (CSV)")
@dataclass(frozen=True)
class CsvExporter(Exporter):
    """One row a cell: geometry, predicted classes, confidence and all 19 probabilities.

    UTF-8, commas, a header line, numbers to six significant digits; the columns are described in
    `CSV_COLUMNS`. A field without cells gives the header line alone, so that every program still reads it.
    """

    filename: ClassVar[str] = "cells.csv"
    mimetype: ClassVar[str] = "text/csv"
    by_default: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the table."""
        result.table().to_csv(
            path,
            columns=list(CSV_COLUMNS),
            index=False,
            encoding="utf-8",
            float_format="%.6g",
            lineterminator="\n",
        )
