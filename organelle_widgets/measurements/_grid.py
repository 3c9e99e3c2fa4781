"""One cell on a grid of a given physical step, for what does not need, or must not depend on, a field's own pixels.

Whole blocks of the field's pixels are averaged, and only the pixels of the cell itself: no neighbour and no
background is mixed in, and sums stay what they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.channels import channel_index

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "COARSE_UM",
    "FINE_UM",
    "N_PLANES",
    "PROTEIN",
    "ZONES_UM",
    "Grid",
    "grid_factors",
    "shrunk",
]

FINE_UM = 0.16
"""Step of the grid for spots, correlation and percentiles: about what a confocal microscope resolves."""
COARSE_UM = 0.32
"""Step of the grid for outlines, granularity and texture: that of HPA's 512 px images."""
ZONES_UM = 0.64
"""Step of the grid for distances in the cell."""
N_PLANES = 6
"""Four channels, the cell, its nucleus."""
PROTEIN = channel_index("green")
"""The channel that most is measured of."""

_CELL, _NUCLEUS = 4, 5
_HALF = np.float32(0.5)


@dataclass(frozen=True, eq=False)
class Grid:
    """One cell on one grid.

    Parameters
    ----------
    planes : ndarray of float32, shape (6, Y, X)
        Over each block of pixels: the sums of the four channels above background in the cell, and how many pixels
        belong to the cell and to its nucleus.
    pixel_size_um : float
        Step of the grid, um.
    block : int
        Pixels of the field to one of the grid.
    """

    planes: NDArray[np.float32]
    pixel_size_um: float
    block: int

    @cached_property
    def cover(self) -> NDArray[np.float32]:
        """Share of each grid pixel that the cell covers, shape (Y, X)."""
        cover: NDArray[np.float32] = self.planes[_CELL] * np.float32(1 / self.block)
        return cover

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Grid pixels of which the cell covers half or more, shape (Y, X); at least one."""
        return _half_or_best(self.cover, self.cover >= _HALF)

    @cached_property
    def nucleus(self) -> NDArray[np.bool_]:
        """Grid pixels in the cell that are half nucleus or more, shape (Y, X); at least one if there is a nucleus."""
        count = self.planes[_NUCLEUS]
        if not count.any():
            return np.zeros(count.shape, bool)
        return _half_or_best(count, (count > _HALF * self.planes[_CELL]) & self.inside)

    @cached_property
    def cytoplasm(self) -> NDArray[np.bool_]:
        """Grid pixels in the cell and not in its nucleus, shape (Y, X)."""
        outside: NDArray[np.bool_] = self.inside & ~self.nucleus
        return outside

    @cached_property
    def protein(self) -> NDArray[np.float32]:
        """Protein above background, the mean over the cell's part of each grid pixel: shape (Y, X), 0 outside."""
        protein: NDArray[np.float32] = self.planes[PROTEIN] / np.maximum(self.planes[_CELL], 1)
        return protein

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """Flat indices of the pixels `inside`, shape (n,)."""
        return np.flatnonzero(self.inside)

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """All channels above background in the pixels `inside`, shape (4, n), in the order of `places`."""
        found = self.planes.reshape(N_PLANES, -1)[: _CELL + 1].take(self.places, axis=1)
        values: NDArray[np.float32] = found[:_CELL] / found[_CELL]
        return values

    @cached_property
    def in_nucleus(self) -> NDArray[np.bool_]:
        """Which of `places` are in the nucleus, shape (n,)."""
        return self.nucleus.ravel()[self.places]


def grid_factors(pixel_size_um: float) -> tuple[int, int, int]:
    """How many pixels along an axis make one of the fine, the coarse and the zones' grid.

    Parameters
    ----------
    pixel_size_um : float
        The field's.

    Returns
    -------
    fine, coarse, zones : int
        Whole numbers, each a multiple of the one before, so that blocks of pixels fit. 2, 4 and 8 at 0.08 um; 1, 1 and
        2 at 0.32 um.
    """
    fine = max(1, round(FINE_UM / pixel_size_um))
    coarse = fine * max(1, round(COARSE_UM / (fine * pixel_size_um)))
    return fine, coarse, coarse * max(1, round(ZONES_UM / (coarse * pixel_size_um)))


def shrunk(planes: NDArray[Any], factor: int) -> NDArray[np.float32]:
    """Sums over blocks.

    Parameters
    ----------
    planes : ndarray of uint8, uint16 or float32, shape (n, Y, X)
        Y and X are multiples of the factor.
    factor : int
        Side of a block, px.

    Returns
    -------
    ndarray of float32, shape (n, Y / factor, X / factor)
        Exact up to float32's rounding of the sums.
    """
    if factor == 1:
        return planes.astype(np.float32, copy=False)
    count, rows, cols = planes.shape
    sums = np.empty((count, rows // factor, cols // factor), np.float32)
    for plane, out in zip(planes, sums, strict=True):  # one after the other stays in the cache
        out[:] = _shrunk(plane, factor)
    return sums


def _shrunk(plane: NDArray[Any], factor: int) -> NDArray[Any]:
    """Sums over blocks of one plane."""
    while factor % 2 == 0 and plane.dtype.itemsize < 4:
        plane, factor = _halved(plane), factor // 2
    if factor == 1:
        return plane
    plane = plane.astype(np.float32, copy=False)
    rows = _added([plane[start::factor] for start in range(factor)])
    return _added([rows[:, start::factor] for start in range(factor)])


def _added(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The sum of two or more arrays."""
    total = parts[0] + parts[1]
    for part in parts[2:]:
        total += part
    return total


def _halved(plane: NDArray[Any]) -> NDArray[Any]:
    """Sums over blocks of 2 x 2 in integers of twice the width.

    Two neighbours of a row are read as one wide integer, and its halves added: several times as fast as strided sums.
    """
    bits = 8 * plane.dtype.itemsize
    wide = plane.view(f"u{plane.dtype.itemsize * 2}")
    pairs = wide >> bits
    pairs += wide & ((1 << bits) - 1)
    return np.asarray(pairs[::2] + pairs[1::2])


def _half_or_best(amount: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The chosen pixels, or the one with the most where none was."""
    if not chosen.any():
        chosen = np.zeros(amount.shape, bool)
        chosen.ravel()[int(amount.argmax())] = True
    return chosen
