"""A field at the scale of its crops: shrunk once, for all its cells together.

How pixels of one size are averaged into pixels of another belongs here, and the two views that cells are cut from:
the field as it is, and the field shrunk. Where a cell's crop lies, and on which intensity scale, is said elsewhere.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from organelle_widgets.core.channels import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["FullView", "Grey", "ShrunkView", "Taps", "find_boxes", "lying", "resampled", "taps"]

Span = tuple[int, int]
"""First and one past the last pixel along an axis."""

_BAND_ROWS = 32
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


@dataclass(frozen=True, eq=False)
class Taps:
    """Which pixels of a line every new pixel averages.

    Parameters
    ----------
    index : ndarray of int64, shape (n, k)
        The pixels, all within the line.
    weights : ndarray of float32, shape (n, k)
        Their shares; they sum to 1, or to less where the new pixel reaches beyond the line.
    """

    index: NDArray[np.int64]
    weights: NDArray[np.float32]

    def part(self, start: int, stop: int) -> Taps:
        """The same of some of the new pixels."""
        return Taps(self.index[start:stop], self.weights[start:stop])

    def shifted(self, offset: int) -> Taps:
        """The same of a line that begins `offset` pixels later."""
        return Taps(self.index - offset, self.weights)

    @property
    def span(self) -> Span:
        """The stretch of the line that is read."""
        return int(self.index.min()), int(self.index.max()) + 1

    def matrix(self, length: int) -> Any:
        """As a sparse matrix, shape (n, length): new pixels from those of the line."""
        n, k = self.index.shape
        ends = np.arange(0, n * k + 1, k, dtype=np.int32)
        values = self.weights.ravel(), self.index.ravel().astype(np.int32), ends
        return sparse.csr_array(values, shape=(n, length))

    def picks(self) -> Iterator[slice | NDArray[np.int64]]:
        """The first pixel of every new one, the second, ...: a slice where they are evenly spaced."""
        for column in self.index.T:
            gap = int(column[1] - column[0]) if len(column) > 1 else 1
            even = gap > 0 and bool((np.diff(column) == gap).all())
            yield slice(int(column[0]), int(column[-1]) + 1, gap) if even else column


def taps(length: int, step: float, origin: float = 0.0, count: int | None = None) -> Taps:
    """Lay new pixels over a line of pixels.

    Shrinking averages over the area of the new pixel, which is the anti-aliasing; enlarging interpolates linearly.
    Beyond the ends everything counts as zero.

    Parameters
    ----------
    length : int
        Pixels of the line.
    step : float
        Pixels to one new pixel.
    origin : float
        Where the first new pixel begins, in pixels from the beginning of the line.
    count : int, optional
        How many new pixels; as many as cover the line, by default.

    Returns
    -------
    Taps
        One row a new pixel.
    """
    count = int(np.ceil(length / step - 1e-6)) if count is None else count
    width = max(step, 1.0)
    first = origin + (np.arange(count)[:, None] + 0.5) * step - width / 2
    index = np.floor(first + 1e-9).astype(np.int64) + np.arange(int(np.ceil(width)) + 1)
    overlap = np.clip(np.minimum(index + 1, first + width) - np.maximum(index, first), 0, 1)
    overlap[(index < 0) | (index >= length) | (overlap < 1e-6)] = 0
    used = max(1, int(overlap.any(axis=0).nonzero()[0].max(initial=0)) + 1)
    weights = (overlap[:, :used] / width).astype(np.float32)
    return Taps(np.clip(index[:, :used], 0, length - 1), weights)


def lying(shape: Sequence[int]) -> NDArray[np.float32]:
    """An empty image for `resampled`.

    Parameters
    ----------
    shape : sequence of int
        Rows and columns.

    Returns
    -------
    ndarray of float32, shape (4, rows, cols)
        In memory all channels of a row lie together.
    """
    rows, cols = shape
    return np.empty((rows, len(CHANNELS), cols), np.float32).transpose(1, 0, 2)


def resampled(image: NDArray[np.float32], rows: Taps, cols: Taps) -> NDArray[np.float32]:
    """Average or interpolate an image of several channels along both axes.

    Parameters
    ----------
    image : ndarray of float32, shape (4, Y, X)
        Fastest where ``image.transpose(1, 0, 2)`` is contiguous.
    rows, cols : Taps
        The new rows and columns.

    Returns
    -------
    ndarray of float32, shape (4, n_rows, n_cols)
        A view of an array that is contiguous the other way round.
    """
    channels, height, width = image.shape
    lines = rows.matrix(height) @ image.transpose(1, 0, 2).reshape(height, -1)
    turned = np.ascontiguousarray(lines.reshape(-1, width).T)
    found: NDArray[np.float32] = cols.matrix(width) @ turned
    return found.reshape(-1, len(rows.index), channels).T


def _picked(image: NDArray[Any], pick: slice | NDArray[np.int64], axis: int) -> NDArray[Any]:
    """Some lines of an image: a view where they are evenly spaced."""
    if isinstance(pick, slice):
        return image[(slice(None),) * axis + (pick,)]
    return image.take(pick, axis=axis)


def _extremes(labels: NDArray[Any], rows: Taps, cols: Taps) -> list[NDArray[Any]]:
    """Smallest and largest label in every new pixel."""
    found = []
    for choose in (np.minimum, np.maximum):
        extreme = labels
        for axis, along in enumerate((rows, cols)):
            lines = [_picked(extreme, pick, axis) for pick in along.picks()]
            extreme = lines[0].copy()
            for line in lines[1:]:
                choose(extreme, line, out=extreme)
        found.append(extreme)
    return found


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
        self.step = step
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
        starts = range(0, self.shape[0], _BAND_ROWS)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
            return [shares for shares in threads.map(self._band, starts) if shares is not None]

    def _band(self, start: int) -> _Shares | None:
        """Shrink some rows, as far as there are cells."""
        rows = self._rows.part(start, start + _BAND_ROWS)
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
        low, high = _extremes(labels, rows, cols)
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
        while y.size:
            cell = left.max(axis=0)
            own = left == cell
            share = (values * own).sum(axis=1).T
            found.append((cell, y + corner[0], x + corner[1], share))
            left[own] = 0
            more = left.any(axis=0)
            left, values, y, x = left[:, more], values[:, :, more], y[more], x[more]
        return _joined(found)


def find_boxes(labels: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bounding boxes of all labels, from the runs of equal labels along rows.

    Parameters
    ----------
    labels : ndarray of int32, shape (Y, X)
        0 is background.

    Returns
    -------
    ids : ndarray of int64, shape (n,)
        The labels that occur, ascending.
    boxes : ndarray of int64, shape (n, 4)
        First row, one past the last row, first column, one past the last column.
    """
    width, flat = labels.shape[1], labels.ravel()
    begins = np.ones(flat.size, bool)
    np.not_equal(flat[1:], flat[:-1], out=begins[1:])
    begins[::width] = True
    starts = np.flatnonzero(begins)
    stops, found = np.append(starts[1:], flat.size), flat[starts]
    starts, stops, found = starts[found > 0], stops[found > 0], found[found > 0]
    occurs = np.zeros(int(found.max(initial=0)) + 1, bool)
    occurs[found] = True
    ids = np.flatnonzero(occurs)
    place = np.searchsorted(ids, found)
    rows = starts // width
    boxes = np.tile(np.array([labels.shape[0], 0, width, 0]), (len(ids), 1))
    np.minimum.at(boxes[:, 0], place, rows)
    np.maximum.at(boxes[:, 1], place, rows + 1)
    np.minimum.at(boxes[:, 2], place, starts - rows * width)
    np.maximum.at(boxes[:, 3], place, stops - rows * width)
    return ids, boxes


def _joined(parts: list[tuple[NDArray[Any], ...]]) -> _Shares:
    """Shares found one after the other as one table."""
    none = np.zeros(0, np.int32)
    parts = [*parts, (none, none, none, np.zeros((0, len(CHANNELS)), np.float32))]
    cells, rows, cols, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    whole = (column.astype(np.int32) for column in (cells, rows, cols))
    return _Shares(*whole, values.astype(np.float32))


def _sorted_by_cell(parts: list[_Shares]) -> _Shares:
    """All shares in ascending order of cell."""
    whole = _joined([(part.cells, part.rows, part.cols, part.values) for part in parts])
    order = np.argsort(whole.cells, kind="stable")
    return _Shares(whole.cells[order], whole.rows[order], whole.cols[order], whole.values[order])
