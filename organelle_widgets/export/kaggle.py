"""The submission of the Human Protein Atlas competition of 2021, for whoever compares with its solutions."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from organelle_widgets.core.settings import setting
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._run import Exported, chosen_fields, skipping
from organelle_widgets.io.coco_rle import encode_labels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["KAGGLE_COLUMNS", "KaggleExporter"]

KAGGLE_COLUMNS: tuple[str, ...] = ("ImageID", "ImageWidth", "ImageHeight", "PredictionString")
"""Columns of the file."""


@EXPORTERS.register("kaggle", title="Submission of the HPA competition of 2021 (CSV)")
@dataclass(frozen=True)
class KaggleExporter(Exporter):
    """One row a field, with ``class confidence mask`` for each cell and class, blanks between.

    ``ImageID`` is the field's name. Classes are 0 to 18; confidences are probabilities with six significant digits;
    masks are those of whole cells at the field's full size, see `organelle_widgets.io.coco_rle`. A field without
    cells has an empty prediction. `organelle_widgets.evaluation.kaggle_table.read_kaggle_table` reads the file.

    Parameters
    ----------
    least_confidence : float
        Triples of a lower probability are left out. The competition's score gains from every triple, so 0 writes all
        19 of each cell; a few hundredths make the file several times smaller.

    References
    ----------
    https://www.kaggle.com/competitions/hpa-single-cell-image-classification/overview/evaluation
    """

    filename: ClassVar[str] = "submission.csv"
    mimetype: ClassVar[str] = "text/csv"
    one_file: ClassVar[bool] = True

    least_confidence: float = setting(
        0.0,
        label="Least confidence",
        minimum=0,
        maximum=1,
        step=0.01,
        help="Classes of a lower probability are left out; more makes a smaller file.",
    )

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the header and one row."""
        _write_rows(path, iter([self._row(result)]))

    def _write_run(
        self, results: Results, path: Path, monitor: Monitor, where: str | None
    ) -> Exported:
        """Write one row a field; masks are read one field at a time, images are not."""
        fields = chosen_fields(results, where)
        skipped: list[str] = []
        cells: list[int] = []

        def rows() -> Iterator[list[str]]:
            for index, name in enumerate(fields["field"]):
                monitor.report(name, index / len(fields))
                with skipping(name, skipped):
                    result = results.result(name, pixels=self.needs_pixels)
                    row = self._row(result)
                    cells.append(result.n_cells)
                    yield row

        _write_rows(path, rows())
        return Exported(path, len(cells), sum(cells), tuple(skipped))

    def _row(self, result: FieldResult) -> list[str]:
        """The row of a field."""
        rows, cols = result.field.shape
        masks = list(encode_labels(result.masks.cells).values())
        shown = np.nonzero(result.probabilities >= self.least_confidence)
        triples = (
            f"{c} {result.probabilities[i, c]:.6g} {masks[i]}" for i, c in zip(*shown, strict=True)
        )
        return [result.field.name, str(cols), str(rows), " ".join(triples)]


def _write_rows(path: Path, rows: Iterator[list[str]]) -> None:
    """Write the table, a row at a time."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(KAGGLE_COLUMNS)
        writer.writerows(rows)
