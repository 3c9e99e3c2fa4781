"""Averaging pixels of one size into pixels of another, along lines.

What is summed over which pixels, and how fast, belongs here; what the pixels mean does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from organelle_widgets.core.channels import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Span", "Taps", "extremes", "lying", "resampled", "taps"]

Span = tuple[int, int]
"""First and one past the last pixel along an axis."""


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


def extremes(labels: NDArray[Any], rows: Taps, cols: Taps) -> tuple[NDArray[Any], NDArray[Any]]:
    """Smallest and largest value among the pixels of every new pixel.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
        An image.
    rows, cols : Taps
        The new rows and columns.

    Returns
    -------
    lowest, highest : ndarray, shape (n_rows, n_cols)
        Of the image's dtype.
    """
    found = []
    for choose in (np.minimum, np.maximum):
        extreme = labels
        for axis, along in enumerate((rows, cols)):
            lines = [_picked(extreme, pick, axis) for pick in along.picks()]
            extreme = lines[0].copy()
            for line in lines[1:]:
                choose(extreme, line, out=extreme)
        found.append(extreme)
    return found[0], found[1]


def _picked(image: NDArray[Any], pick: slice | NDArray[np.int64], axis: int) -> NDArray[Any]:
    """Some lines of an image: a view where they are evenly spaced."""
    if isinstance(pick, slice):
        return image[(slice(None),) * axis + (pick,)]
    return image.take(pick, axis=axis)
