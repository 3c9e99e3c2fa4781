"""Geometry of cells, on masks that can be counted by hand."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.core.cells import CELL_COLUMNS, cell_table, leave_out
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import SettingsError

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
        "is_fragment": False,
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


def round_cells(*places, shape=(200, 300), radius=30, nucleus=12):
    """Round cells around (row, col) with a round nucleus in the middle."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    cells, nuclei = np.zeros((2, *shape), np.int32)
    for number, (row, col) in enumerate(places, 1):
        distance = np.hypot(rows - row, cols - col)
        cells[(distance < radius) & (cells == 0)] = number
        nuclei[distance < nucleus] = number
    return Masks(nuclei, cells)


@pytest.mark.parametrize(("hidden", "fragment"), [(10, False), (25, False), (37, True), (55, True)])
def test_a_round_cell_is_a_fragment_once_its_middle_is_out_of_view(hidden, fragment):
    masks = round_cells((100, 150), (100, 230), (30 - hidden, 60))
    assert cell_table(masks, 0.3)["is_fragment"].tolist() == [False, False, fragment]


@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right"])
def test_fragments_at_every_edge(edge):
    place = {"top": (-8, 150), "bottom": (207, 150), "left": (100, -8), "right": (100, 307)}[edge]
    masks = round_cells((60, 60), (140, 240), place)
    assert cell_table(masks, 0.3)["is_fragment"].tolist() == [False, False, True]


def test_a_small_whole_cell_at_the_edge_is_no_fragment():
    masks = round_cells((100, 150), (100, 230))
    small = round_cells((9, 60), radius=10, nucleus=4)
    both = Masks(masks.nuclei + 3 * small.nuclei, masks.cells + 3 * small.cells)
    table = cell_table(both, 0.3)
    assert table["touches_border"].tolist() == [False, False, True]
    assert table["area_um2"].iloc[2] < 0.2 * table["area_um2"].iloc[0]
    assert not table["is_fragment"].any()


def test_masks_of_cells_alone_have_fragments_too():
    masks = round_cells((100, 150), (-8, 60), (22, 240))
    bare = Masks(np.zeros_like(masks.cells), masks.cells)
    assert cell_table(bare, 0.3)["is_fragment"].tolist() == [False, True, False]


def test_where_no_cell_is_whole_typical_areas_take_the_place_of_the_median():
    masks = round_cells((-8, 60), (20, 200))
    assert cell_table(masks, 0.5)["is_fragment"].tolist() == [True, False]


def test_a_cell_larger_than_the_field_is_no_fragment():
    masks = round_cells((30, 30), shape=(60, 60), radius=99)
    assert cell_table(masks, 0.5)["is_fragment"].tolist() == [False]


@pytest.mark.parametrize(
    ("what", "left"), [("nothing", [1, 2, 3, 4]), ("fragments", [1, 2, 4]), ("border", [1, 4])]
)
def test_leaving_out(what, left):
    masks = round_cells((100, 100), (20, 240), (-8, 60), (100, 240))
    kept = leave_out(masks, cell_table(masks, 0.3), what)
    assert kept.cell_ids.tolist() == left
    assert np.unique(kept.nuclei[kept.nuclei > 0]).tolist() == left
    assert (kept.cells[kept.cells > 0] == masks.cells[kept.cells > 0]).all()
    assert (kept is masks) == (what == "nothing")


def test_those_that_stay_are_judged_as_before():
    masks = round_cells((100, 100), (14, 240), (-8, 60), (100, 240), (-4, 150))
    table = cell_table(masks, 0.3)
    again = cell_table(leave_out(masks, table, "fragments"), 0.3)
    assert table["is_fragment"].sum() == 2
    assert not again["is_fragment"].any()


def test_leaving_out_something_else_is_refused():
    masks = round_cells((100, 100))
    with pytest.raises(SettingsError, match="nothing, fragments, border; found 'edges'"):
        leave_out(masks, cell_table(masks, 0.3), "edges")


def cut_cells(cells, rng):
    """A random part of a field: which of its whole cells the new edge cuts, their visible share, the verdict."""
    rows, cols = cells.shape
    height, width = (int(side * rng.uniform(0.5, 0.85)) for side in cells.shape)
    top, left = rng.integers(rows - height), rng.integers(cols - width)
    part = cells[top : top + height, left : left + width]
    before = np.bincount(cells.ravel())
    edge = np.concatenate([cells[0], cells[-1], cells[:, 0], cells[:, -1]])
    table = cell_table(Masks(np.zeros_like(part), part), 0.32)
    ids = table["cell_id"].to_numpy()
    known = table["touches_border"].to_numpy() & ~np.isin(ids, edge)
    share = np.bincount(part.ravel(), minlength=before.size)[ids] / before[ids]
    return share[known] < 0.5, table["is_fragment"].to_numpy()[known]


@pytest.mark.data
def test_real_cells_cut_by_an_edge_are_judged_right(data):
    rng = np.random.default_rng(0)
    paths = sorted((data / "cell_masks").glob("*_mask.png"))[::6]
    pairs = [cut_cells(iio.imread(path)[::4, ::4].astype(np.int32), rng) for path in paths * 3]
    truth, said = (np.concatenate(part) for part in zip(*pairs, strict=True))
    assert truth.size > 400
    assert np.mean(truth == said) > 0.84
    assert np.mean(truth[said]) > 0.85
    assert np.mean(said[truth]) > 0.65
