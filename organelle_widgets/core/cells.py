"""The table of cells: one row a cell with what its mask alone tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.masks import Masks

__all__ = ["CELL_COLUMNS", "cell_table"]

CELL_COLUMNS: dict[str, str] = {
    "cell_id": "The cell's id in the masks.",
    "centroid_row": "Mean row of the cell's pixels, 0 at the top edge's pixel centres.",
    "centroid_col": "Mean column of the cell's pixels.",
    "min_row": "First row of the bounding box.",
    "min_col": "First column of the bounding box.",
    "max_row": "One past the last row of the bounding box.",
    "max_col": "One past the last column of the bounding box.",
    "area_um2": "Area of the cell, um2.",
    "nucleus_area_um2": "Area of its nucleus, um2; 0 where none was found.",
    "touches_border": "Whether the cell touches the edge of the field.",
}
"""Column names and their definitions."""


def cell_table(masks: Masks, pixel_size_um: float) -> pd.DataFrame:
    """Geometry of every cell.

    Parameters
    ----------
    masks : Masks
        Nuclei and cells.
    pixel_size_um : float
        Micrometres per pixel.

    Returns
    -------
    pandas.DataFrame
        One row a cell in ascending order of id; the columns of `CELL_COLUMNS`.
    """
    ids = masks.cell_ids
    number = np.zeros(int(masks.cells.max()) + 1, dtype=np.intp)  # ids may have wide gaps
    number[ids] = np.arange(1, ids.size + 1)
    labels = number[masks.cells]
    area = np.bincount(labels.ravel(), minlength=ids.size + 1)[1:]
    nucleus = np.bincount(masks.nuclei.ravel(), minlength=number.size)[ids]
    row_counts = _counts_along(labels, ids.size + 1)[1:]
    col_counts = _counts_along(labels.T, ids.size + 1)[1:]
    box, centroid = {}, {}
    for axis, counts in (("row", row_counts), ("col", col_counts)):
        seen = counts > 0
        size = counts.shape[1]
        box[f"min_{axis}"] = seen.argmax(axis=1)
        box[f"max_{axis}"] = size - seen[:, ::-1].argmax(axis=1)
        centroid[f"centroid_{axis}"] = counts @ np.arange(size) / np.maximum(area, 1)
    rows, cols = labels.shape
    um2 = pixel_size_um**2
    table = {
        "cell_id": ids,
        **centroid,
        **box,
        "area_um2": area * um2,
        "nucleus_area_um2": nucleus * um2,
        "touches_border": (box["min_row"] == 0)
        | (box["min_col"] == 0)
        | (box["max_row"] == rows)
        | (box["max_col"] == cols),
    }
    return pd.DataFrame({name: table[name] for name in CELL_COLUMNS})


def _counts_along(labels: NDArray[np.intp], n_labels: int) -> NDArray[np.int64]:
    """Pixels of each label in each row: shape (n_labels, rows)."""
    rows = labels.shape[0]
    counts = np.zeros((n_labels, rows), dtype=np.int64)
    for row in range(rows):
        counts[:, row] = np.bincount(labels[row], minlength=n_labels)
    return counts
