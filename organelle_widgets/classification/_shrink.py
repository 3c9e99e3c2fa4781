"""What cells are cut from: a field as it is, or shrunk to the scale of the crops once, for all cells together.

Which pixels belong to a cell, and what share of a pixel on its outline, is decided here. Where a cell's crop lies,
and on which intensity scale, is said elsewhere.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification._taps import Taps, extremes, lying, resampled, taps
from organelle_widgets.core.channels import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.classification._taps import Span
    from organelle_widgets.core.field import Field

__all__ = ["FullView", "Grey", "ShrunkView"]

_BAND_PX = 128
"""Rows of the field that are shrunk at once."""
_UNITS = 65535.0


@dataclass(frozen=True, eq=False)
class Grey:
    """What stands for 0 and 1 in the crops of a field.

    Parameters
    ----------
    low, high : ndarray of float32, shape (4,)
        In the field's own grey values; ``high > low``.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @property
    def span(self) -> NDArray[np.float32]:
        """How far high lies above low, shape (4,)."""
        return self.high - self.low

    def hold(self, planes: NDArray[Any], out: NDArray[np.float32]) -> None:
        """Write pixels of all channels, each held between its low and its high; both of shape (4, ...)."""
        for plane, low, high, held in zip(planes, self.low, self.high, out, strict=True):
            np.clip(plane, low, high, out=held, casting="unsafe")


class FullView:
    """Cells of a field at its own scale; nothing of the field is copied but what is asked for.

    Parameters
    ----------
    field : Field
        The field.
    cells : ndarray of int32, shape (Y, X)
        Labels of its cells.
    grey : Grey
        What stands for 0 and 1.
    """

    step = 1.0
    nbytes = 0
    """What the view holds beside field and labels."""

    def __init__(self, field: Field, cells: NDArray[np.int32], grey: Grey) -> None:
        self._pixels, self._cells, self._grey = field.pixels, cells, grey
        self.shape = field.shape

    def read(self, cell: int, rows: Span, cols: Span, out: NDArray[np.float32]) -> None:
        """Write a cell's pixels in a rectangle, shape (4, rows, cols), in [0, 1]; zero where it is not."""
        box = slice(*rows), slice(*cols)
        self._grey.hold(self._pixels[:, box[0], box[1]], out)
        out -= self._grey.low[:, None, None]
        out /= self._grey.span[:, None, None]
        out *= self._cells[box] == cell


@dataclass(frozen=True, eq=False)
class _Shares:
    """What cells hold of new pixels that they share with others or with the background, one row a share.

    Parameters
    ----------
    cells, rows, cols : ndarray of int32, shape (n,)
        Whose share, and of which new pixel.
    values : ndarray of float32, shape (n, 4)
        The share's part of the new pixel's average.
    """

    cells: NDArray[np.int32]
    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    values: NDArray[np.float32]


class ShrunkView:
    """Cells of a field at the scale of its crops.

    A new pixel that lies in one cell is averaged once and kept in 16 bits. One on an outline is averaged for every
    cell that has part of it, over this part alone: the rest counts as zero, as if the cell had been cut out first.

    Parameters
    ----------
    field : Field
        The field.
    cells : ndarray of int32, shape (Y, X)
        Labels of its cells.
    grey : Grey
        What stands for 0 and 1.
    step : float
        Pixels of the field to one of the view; above 1.
    boxes : ndarray of int64, shape (n, 4)
        Of the cells, as `find_boxes` gives them. Nothing else is averaged.
    """

    def __init__(
        self,
        field: Field,
        cells: NDArray[np.int32],
        grey: Grey,
        step: float,
        boxes: NDArray[np.int64],
    ) -> None:
        self.step, self._n_rows = step, max(1, int(_BAND_PX / step))
        self._field, self._cells, self._grey, self._boxes = field, cells, grey, boxes
        self._rows, self._cols = (taps(length, step) for length in field.shape)
        self.shape = len(self._rows.index), len(self._cols.index)
        self._owners = np.zeros(self.shape, np.int32)
        self._pixels = np.zeros((len(CHANNELS), *self.shape), np.uint16)
        self._shares = _sorted_by_cell(self._all_bands())

    @property
    def nbytes(self) -> int:
        """What the view holds beside field and labels."""
        shares = self._shares
        own = (self._owners, self._pixels, shares.cells, shares.rows, shares.cols, shares.values)
        return sum(array.nbytes for array in own)

    def read(self, cell: int, rows: Span, cols: Span, out: NDArray[np.float32]) -> None:
        """Write a cell's pixels in a rectangle, shape (4, rows, cols), in [0, 1]; zero where it is not."""
        box = slice(*rows), slice(*cols)
        inside = (self._owners[box] == cell) * np.float32(1 / _UNITS)
        np.multiply(self._pixels[:, box[0], box[1]], inside, out=out)
        shares = self._shares
        first, last = np.searchsorted(shares.cells, [cell, cell + 1])
        y, x = shares.rows[first:last] - rows[0], shares.cols[first:last] - cols[0]
        seen = (y >= 0) & (y < inside.shape[0]) & (x >= 0) & (x < inside.shape[1])
        out[:, y[seen], x[seen]] = shares.values[first:last][seen].T

    def _all_bands(self) -> list[_Shares]:
        """Shrink band after band, as many at once as there are cores."""
        starts = range(0, self.shape[0], self._n_rows)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
            return [shares for shares in threads.map(self._band, starts) if shares is not None]

    def _band(self, start: int) -> _Shares | None:
        """Shrink some rows, as far as there are cells."""
        rows = self._rows.part(start, start + self._n_rows)
        top, bottom = rows.span
        here = self._boxes[(self._boxes[:, 0] < bottom) & (self._boxes[:, 1] > top)]
        if not len(here):
            return None
        left = int(here[:, 2].min() / self.step)
        cols = self._cols.part(left, int(np.ceil(here[:, 3].max() / self.step)))
        first, last = cols.span
        labels = self._cells[top:bottom, first:last]
        planes = self._field.pixels[:, top:bottom, first:last]
        rows, cols = rows.shifted(top), cols.shifted(first)
        low, high = extremes(labels, rows, cols)
        place = slice(start, start + len(low)), slice(left, left + low.shape[1])
        self._owners[place] = np.where(low == high, low, 0)
        self._pixels[:, *place] = self._shrunk(planes, rows, cols)
        return self._outlines(labels, planes, rows, cols, np.nonzero(low != high), (start, left))

    def _shrunk(self, planes: NDArray[Any], rows: Taps, cols: Taps) -> NDArray[np.uint16]:
        """Averages of all channels, in 65535ths."""
        held = lying(planes.shape[1:])
        self._grey.hold(planes, held)
        mean = resampled(held, rows, cols)
        flat = mean.T.reshape(mean.shape[2], -1)  # contiguous: a row for each new column
        covered = np.outer(rows.weights.sum(axis=1), self._grey.low)
        flat -= np.outer(cols.weights.sum(axis=1), covered)
        flat *= np.tile(_UNITS / self._grey.span, len(rows.index))
        flat += 0.5
        whole = np.clip(flat, 0, _UNITS, out=flat).astype(np.uint16)
        return whole.reshape(mean.shape[::-1]).T

    def _outlines(
        self,
        labels: NDArray[Any],
        planes: NDArray[Any],
        rows: Taps,
        cols: Taps,
        mixed: tuple[NDArray[Any], ...],
        corner: Span,
    ) -> _Shares:
        """Shares of the new pixels that no cell has alone: one cell of each after the other.

        Arrays have one row a pixel of the field in a new pixel, and one column a new pixel.
        """
        y, x = mixed
        height, width = rows.index.shape[1], cols.index.shape[1]
        place = rows.index[y].T[:, None] * labels.shape[1] + cols.index[x].T
        place = place.reshape(height * width, len(y))
        weights = (rows.weights[y].T[:, None] * cols.weights[x].T).reshape(place.shape)
        left = np.where(weights > 0, np.ravel(labels)[place], 0)
        values = np.empty((len(CHANNELS), *place.shape), np.float32)
        self._grey.hold(np.stack([np.ravel(plane)[place] for plane in planes]), values)
        values -= self._grey.low[:, None, None]
        values *= weights
        values /= self._grey.span[:, None, None]
        found: list[tuple[NDArray[Any], ...]] = []
        more = left.any(axis=0)
        while more.any():
            left, values, y, x = left[:, more], values[:, :, more], y[more], x[more]
            cell = left.max(axis=0)
            own = left == cell
            found.append((cell, y + corner[0], x + corner[1], (values * own).sum(axis=1).T))
            left[own] = 0
            more = left.any(axis=0)
        return _joined(found)


def _joined(parts: list[tuple[NDArray[Any], ...]]) -> _Shares:
    """Shares found one after the other as one table."""
    none = np.zeros(0, np.int32)
    parts = [*parts, (none, none, none, np.zeros((0, len(CHANNELS)), np.float32))]
    cells, rows, cols, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    cells, rows, cols = cells.astype(np.int32), rows.astype(np.int32), cols.astype(np.int32)
    return _Shares(cells, rows, cols, values.astype(np.float32))


def _sorted_by_cell(parts: list[_Shares]) -> _Shares:
    """All shares in ascending order of cell."""
    whole = _joined([(part.cells, part.rows, part.cols, part.values) for part in parts])
    order = np.argsort(whole.cells, kind="stable")
    return _Shares(whole.cells[order], whole.rows[order], whole.cols[order], whole.values[order])
