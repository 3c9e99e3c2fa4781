"""Geometry of cells, on masks that can be counted by hand."""

from __future__ import annotations

import numpy as np

from organelle_widgets.core.cells import CELL_COLUMNS, cell_table
from organelle_widgets.core.masks import Masks

CELLS = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 3, 3, 0, 0, 0],
        [0, 3, 3, 0, 0, 9],
        [0, 3, 3, 0, 0, 9],
        [0, 0, 0, 0, 0, 0],
    ]
)
NUCLEI = np.where(np.arange(5)[:, None] == 2, CELLS, 0) * (CELLS == 3)


def test_numbers_of_two_cells():
    table = cell_table(Masks(NUCLEI, CELLS), pixel_size_um=0.5)
    assert table.columns.tolist() == list(CELL_COLUMNS)
    assert table.iloc[0].to_dict() == {
        "cell_id": 3,
        "centroid_row": 2.0,
        "centroid_col": 1.5,
        "min_row": 1,
        "min_col": 1,
        "max_row": 4,
        "max_col": 3,
        "area_um2": 1.5,
        "nucleus_area_um2": 0.5,
        "touches_border": False,
    }
    assert table.loc[1, ["cell_id", "centroid_row", "centroid_col"]].tolist() == [9, 2.5, 5]
    assert table["touches_border"].tolist() == [False, True]
    assert table.loc[1, "nucleus_area_um2"] == 0


def test_a_cell_in_two_pieces_has_one_box():
    cells = np.zeros((5, 9), int)
    cells[1, 1] = cells[3, 7] = 4
    row = cell_table(Masks(np.zeros_like(cells), cells), 1.0).iloc[0]
    assert row[["min_row", "min_col", "max_row", "max_col"]].tolist() == [1, 1, 4, 8]
    assert row[["centroid_row", "centroid_col", "area_um2"]].tolist() == [2, 4, 2]


def test_every_edge_counts_as_border():
    cells = np.zeros((7, 7), int)
    cells[0, 3], cells[6, 3], cells[3, 0], cells[3, 6], cells[3, 3] = 1, 2, 3, 4, 5
    table = cell_table(Masks(np.zeros_like(cells), cells), 1.0)
    assert table["touches_border"].tolist() == [True] * 4 + [False]


def test_no_cells_have_all_columns():
    nothing = np.zeros((4, 5), int)
    table = cell_table(Masks(nothing, nothing), 1.0)
    assert table.empty
    assert table.columns.tolist() == list(CELL_COLUMNS)


def test_ids_far_apart_cost_no_memory():
    cells = np.zeros((1200, 1000), np.int32)
    cells[5:7, 5:7] = 1_150_000  # a row per id would be a table of 9 GB
    table = cell_table(Masks(np.zeros_like(cells), cells), 1.0)
    assert table["cell_id"].tolist() == [1_150_000]
    assert table["area_um2"].tolist() == [4]
