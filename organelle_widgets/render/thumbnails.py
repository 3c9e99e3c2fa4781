"""Small pictures of single cells: square, centred, neighbours dimmed, one contrast for the whole field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.channels import CHANNEL_KEYS
from organelle_widgets.render.composite import composite, downscale, field_windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks
    from organelle_widgets.render.composite import Window

__all__ = ["THUMBNAIL_CHANNELS", "cell_channels", "cell_thumbnails"]

THUMBNAIL_CHANNELS: tuple[str, ...] = ("green", "blue", "red")
"""Protein on nuclei and microtubules."""

_DIMMED = 0.35
"""Brightness of what is not the cell, as a share."""

_MARGIN = 1.12
"""Side of the crop, in sides of the cell's box."""

_MAX_LEVELS = 6


def cell_thumbnails(
    field: Field,
    masks: Masks,
    cells_table: pd.DataFrame,
    size_px: int = 96,
    channels: Sequence[str | int] = THUMBNAIL_CHANNELS,
    windows: Mapping[str, Window] | None = None,
    colors: Mapping[str, str] | None = None,
) -> NDArray[np.uint8]:
    """One small picture a cell.

    Each crop is a square around the cell's box, scaled to fill the picture, except that a cell much
    smaller than the others stays smaller. What is not the cell is dimmed to 35 %; what is outside of
    the field is black. The contrast is the field's, so brightness can be compared between cells.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        Its cells.
    cells_table : pandas.DataFrame
        Rows of `FieldResult.cells`, in the order wanted.
    size_px : int
        Side of the pictures, px.
    channels : sequence of str or int
        Which channels to blend, by key, name or index.
    windows : mapping of str to tuple of float, optional
        Display windows by channel key; the field's own by default.
    colors : mapping of str to str, optional
        Colours ``#RRGGBB`` by channel key; the conventional ones by default.

    Returns
    -------
    ndarray of uint8, shape (n, size_px, size_px, 3)
        In the order of `cells_table`.

    Raises
    ------
    InputError
        If a channel is unknown or a colour can't be read.
    """
    pictures = np.zeros((len(cells_table), size_px, size_px, 3), dtype=np.uint8)
    if not len(cells_table):
        return pictures
    image = composite(field, channels, windows, colors)
    levels = [(image, masks.cells)]
    squares = _squares(cells_table)
    for picture, cell_id, square in zip(
        pictures, cells_table["cell_id"].to_numpy(), squares, strict=True
    ):
        _draw_cell(picture, levels, int(cell_id), square)
    return pictures


def cell_channels(
    field: Field,
    masks: Masks,
    cell_row: Any,
    size_px: int = 160,
    windows: Mapping[str, Window] | None = None,
    colors: Mapping[str, str] | None = None,
) -> NDArray[np.uint8]:
    """The four channels of one cell, each in its colour, and all of them together.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        Its cells.
    cell_row : pandas.Series
        A row of `FieldResult.cells`.
    size_px : int
        Side of the pictures, px.
    windows : mapping of str to tuple of float, optional
        Display windows by channel key; the field's own by default.
    colors : mapping of str to str, optional
        Colours ``#RRGGBB`` by channel key; the conventional ones by default.

    Returns
    -------
    ndarray of uint8, shape (5, size_px, size_px, 3)
        Microtubules, protein, nuclei, ER in the order of a field's channels, then the composite of all.
        A missing channel is black.

    Raises
    ------
    InputError
        If a colour can't be read.
    """
    shown = windows or field_windows(field)
    square = _square_of(cell_row, 0.0)
    rows, cols = _window_of(square, field.shape)
    part = replace(field, pixels=field.pixels[:, rows, cols])
    labels = masks.cells[rows, cols]
    moved = (square[0] - rows.start, square[1] - cols.start, square[2])
    pictures = np.zeros((5, size_px, size_px, 3), dtype=np.uint8)
    for picture, channels in zip(
        pictures, [*([key] for key in CHANNEL_KEYS), CHANNEL_KEYS], strict=True
    ):
        levels = [(composite(part, channels, shown, colors), labels)]
        _draw_cell(picture, levels, int(cell_row["cell_id"]), moved)
    return pictures


def _square_of(cell_row: Any, smallest: float) -> tuple[float, float, float]:
    """First row, first column and side of the crop of one cell, in pixel edges."""
    height = cell_row["max_row"] - cell_row["min_row"]
    width = cell_row["max_col"] - cell_row["min_col"]
    side = max(_MARGIN * max(height, width), smallest, 1.0)
    row = (cell_row["max_row"] + cell_row["min_row"] - side) / 2
    col = (cell_row["max_col"] + cell_row["min_col"] - side) / 2
    return float(row), float(col), float(side)


def _squares(cells_table: pd.DataFrame) -> list[tuple[float, float, float]]:
    """The crops of all cells; none under half of the median side."""
    sides = np.maximum(
        cells_table["max_row"] - cells_table["min_row"],
        cells_table["max_col"] - cells_table["min_col"],
    )
    smallest = 0.5 * _MARGIN * float(np.median(sides))
    return [_square_of(row, smallest) for row in cells_table.to_dict("records")]


def _window_of(square: tuple[float, float, float], shape: tuple[int, int]) -> tuple[slice, slice]:
    """The part of the field that a crop needs."""
    row, col, side = square
    parts = [
        slice(max(0, int(np.floor(start)) - 1), min(size, int(np.ceil(start + side)) + 1))
        for start, size in ((row, shape[0]), (col, shape[1]))
    ]
    return parts[0], parts[1]


def _draw_cell(
    picture: NDArray[np.uint8],
    levels: list[tuple[NDArray[np.uint8], NDArray[np.int32]]],
    cell_id: int,
    square: tuple[float, float, float],
) -> None:
    """Fill one picture from the pyramid, which grows by halves where it is too fine."""
    row, col, side = square
    size = picture.shape[0]
    level = int(np.clip(np.floor(np.log2(max(side / size, 1.0)) + 0.3), 0, _MAX_LEVELS))
    while len(levels) <= level:
        image, labels = levels[-1]
        levels.append((downscale(image, 2), labels[::2, ::2]))
    image, labels = levels[level]
    scale = 2.0**level
    at = (np.arange(size) + 0.5) * (side / size)
    rows, cols = (row + at) / scale - 0.5, (col + at) / scale - 0.5
    (r0, r1, wr, in_r), (c0, c1, wc, in_c) = (
        _taps(rows, image.shape[0]),
        _taps(cols, image.shape[1]),
    )
    window = np.s_[r0[0] : r1[-1] + 1, c0[0] : c1[-1] + 1]
    patch = image[window].astype(np.float32)
    patch *= np.where(labels[window] == cell_id, np.float32(1), np.float32(_DIMMED))[..., None]
    r0, r1, c0, c1 = r0 - r0[0], r1 - r0[0], c0 - c0[0], c1 - c0[0]
    mixed = patch[r0] + (patch[r1] - patch[r0]) * wr[:, None, None]
    mixed = mixed[:, c0] + (mixed[:, c1] - mixed[:, c0]) * wc[None, :, None]
    mixed *= (in_r[:, None] & in_c[None, :])[..., None]
    picture[...] = np.rint(mixed)


def _taps(at: NDArray[np.float64], size: int) -> tuple[NDArray[Any], ...]:
    """Two neighbours, the second's weight, and whether the place is inside, along one axis."""
    inside = (at > -0.5 - 1e-9) & (at < size - 0.5 + 1e-9)
    held = np.clip(at, 0, size - 1)
    first = np.floor(held).astype(np.intp)
    return first, np.minimum(first + 1, size - 1), (held - first).astype(np.float32), inside
