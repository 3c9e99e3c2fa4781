"""The table of cells: one row a cell with what its mask alone tells, and masks without some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CELL_COLUMNS", "LEAVE_OUT", "LeaveOut", "cell_table", "check_leave_out", "leave_out"]

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
    "is_fragment": "Whether more than half of the cell is probably out of view.",
}
"""Column names and their definitions."""

LeaveOut = Literal["nothing", "fragments", "border"]

LEAVE_OUT: tuple[LeaveOut, ...] = get_args(LeaveOut)
"""What can be left out: nothing, cells of which more than half is out of view, all cells on the border."""

_TYPICAL_CELL_UM2 = 700.0  # median over 73 HPA fields of the median whole cell, and of its nucleus
_TYPICAL_NUCLEUS_UM2 = 200.0
_HALF = 0.5
_WIDEST = (
    0.95  # a cell counts as widest at the edge when it is as wide there as anywhere, within 5 %
)


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

    Notes
    -----
    HPA's annotators don't judge a cell of which more than half is out of view. How much of it is in view isn't
    known; a cell on the border counts as a fragment when two of three signs say so:

    - its area is below half of the median of the cells that don't touch the border;
    - its nucleus is missing, or is cut by the edge and below half of the median nucleus of those cells;
    - it is widest where it touches the edge (a round cell cut beyond its middle is).

    In a field without any nucleus the other two have to agree. Where no cell is whole, medians of HPA fields take
    their place (700 um2 and 200 um2). On whole cells of real fields, cut by an edge of a random place, this is right
    for about nine in ten.
    """
    rows, cols = masks.shape
    ids, counts_in_rows, counts_in_cols = _counts(masks.cells)
    area = counts_in_rows.sum(axis=1)
    nuclei, nucleus_counts, _ = _counts(masks.nuclei)
    nucleus = np.zeros_like(area)
    nucleus[np.searchsorted(ids, nuclei)] = nucleus_counts.sum(axis=1)
    box, centroid = {}, {}
    for axis, counts in (("row", counts_in_rows), ("col", counts_in_cols)):
        seen = counts > 0
        size = counts.shape[1]
        box[f"min_{axis}"] = seen.argmax(axis=1)
        box[f"max_{axis}"] = size - seen[:, ::-1].argmax(axis=1)
        centroid[f"centroid_{axis}"] = counts @ np.arange(size) / np.maximum(area, 1)
    um2 = pixel_size_um**2
    widest = np.maximum(_widest_at_edge(counts_in_rows), _widest_at_edge(counts_in_cols))
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
    cut = np.isin(ids, _on_edge(masks.nuclei))
    table["is_fragment"] = _fragments(table, widest >= _WIDEST, cut)
    return pd.DataFrame({name: table[name] for name in CELL_COLUMNS})


def leave_out(masks: Masks, cells: pd.DataFrame, what: LeaveOut) -> Masks:
    """The masks without some of their cells.

    Parameters
    ----------
    masks : Masks
        Nuclei and cells.
    cells : pandas.DataFrame
        Their table; see `cell_table`.
    what : {"nothing", "fragments", "border"}
        Which cells go, with their nuclei: none, those with ``is_fragment``, or all with ``touches_border``.

    Returns
    -------
    Masks
        The other cells keep their ids; the same object where nothing is left out.

    Raises
    ------
    SettingsError
        If the word is another one.
    """
    check_leave_out(what)
    if what == "nothing":
        return masks
    gone = cells["is_fragment" if what == "fragments" else "touches_border"].to_numpy(bool)
    if not gone.any():
        return masks
    kept = np.ones(int(masks.cells.max()) + 1, np.int32)
    kept[cells["cell_id"].to_numpy()[gone]] = 0
    return Masks(masks.nuclei * kept[masks.nuclei], masks.cells * kept[masks.cells])


def check_leave_out(what: str) -> None:
    """Refuse a word that `leave_out` doesn't know.

    Parameters
    ----------
    what : str
        One of `LEAVE_OUT`.

    Raises
    ------
    SettingsError
        If it is another one.
    """
    if what not in LEAVE_OUT:
        message = f"Expected leave_out to be one of {', '.join(LEAVE_OUT)}; found {what!r}."
        raise SettingsError(message)


def _fragments(
    table: dict[str, NDArray[np.generic]], widest_at_edge: NDArray[np.bool_], cut: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which cells are probably more than half out of view: two of three signs; see `cell_table`."""
    border = table["touches_border"].astype(bool)
    area, nucleus = table["area_um2"].astype(float), table["nucleus_area_um2"].astype(float)
    small = area < _HALF * _median(area[~border], _TYPICAL_CELL_UM2)
    typical = _median(nucleus[~border & (nucleus > 0)], _TYPICAL_NUCLEUS_UM2)
    lost = (nucleus == 0) | (cut & (nucleus < _HALF * typical))
    if not nucleus.any():
        lost[:] = False
    votes = small.astype(int) + lost + widest_at_edge
    fragments: NDArray[np.bool_] = border & (votes >= 2)
    return fragments


def _median(values: NDArray[np.float64], otherwise: float) -> float:
    """The median, or a typical value where there is nothing to take it of."""
    return float(np.median(values)) if values.size else otherwise


def _widest_at_edge(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Width of each cell in the first or last row, the larger, as a share of its largest width: shape (n_cells,)."""
    at_edge = np.maximum(counts[:, 0], counts[:, -1])
    share: NDArray[np.float64] = at_edge / np.maximum(counts.max(axis=1), 1)
    return share


def _on_edge(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Ids with a pixel on the edge of the field."""
    edge = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    return np.unique(np.concatenate(edge))


def _counts(
    labels: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Ids that occur, ascending, and how many pixels each has in every row and in every column.

    Counted from runs of equal labels along the rows, of which there are far fewer than pixels.
    """
    rows, cols = labels.shape
    starts = np.ones(labels.shape, dtype=bool)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=starts[:, 1:])
    first = np.flatnonzero(starts)
    length = np.diff(first, append=labels.size)
    found = labels.ravel()[first]
    inside = found > 0
    first, length = first[inside], length[inside]
    ids, number = np.unique(found[inside], return_inverse=True)
    row, col = np.divmod(first, cols)
    in_rows = np.bincount(number * rows + row, length, ids.size * rows)
    bins = cols + 1  # a run ends one past its last column
    begun = np.bincount(number * bins + col, minlength=ids.size * bins)
    ended = np.bincount(number * bins + col + length, minlength=ids.size * bins)
    in_cols = (begun - ended).reshape(ids.size, bins).cumsum(axis=1)[:, :cols]
    return ids, in_rows.reshape(ids.size, rows).astype(np.int64), in_cols
