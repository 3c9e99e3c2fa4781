"""From the probabilities of the HPA Cell Segmentator's networks to labels of nuclei and cells.

`exact` is the published algorithm at full size, pixel by pixel; `fast` is the same one at a quarter of the size,
corrected for what it costs there. Maps are four planes of uint8: nucleus border, nucleus, cell border, cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage as ndi
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import remove_small_holes, remove_small_objects
from skimage.segmentation import find_boundaries, watershed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["PUBLISHED_UM", "Limits", "exact", "fast"]

PUBLISHED_UM = 0.08
"""Micrometres per pixel for which the published sizes in pixels are meant."""

_BORDER = 0.05  # a border is where its probability exceeds this
_OPEN = 1 - 0.05  # seeds lie where both borders together are below this
_SEED_DROP = 0.25  # seeds need this much less than the nucleus threshold, but no border
_SEED_UM2 = 3.2  # 500 px
_HOLE_UM2 = 6.4  # 1000 px
_SPECK_UM2 = 0.0512  # 8 px
_CLOSING_UM = 0.48  # 6 px
_QUARTER_UM = 4 * PUBLISHED_UM
_BLUR = 0.6  # standard deviation of the interpolation of labels, pixels of the quarter size
_CELL_SHARE = (
    0.75  # a cell's pixels: leaves out about the two pixels that full size takes off every border
)
_NUCLEUS_SHARE = 0.5


@dataclass(frozen=True)
class Limits:
    """Thresholds (probabilities) and smallest areas (um2); the defaults are the published ones."""

    nucleus: float = 0.4
    cell: float = 0.22
    nucleus_um2: float = 16.0
    cell_um2: float = 35.2

    def cell_threshold(self, cell: NDArray[np.uint8]) -> float:
        """Half of Otsu's threshold of the cells' probability, but at least `cell`."""
        counts = np.bincount(cell.ravel(), minlength=256)
        levels = np.flatnonzero(counts)
        if len(levels) < 2:
            return max(self.cell, 0.5 * float(levels[0]) / 255)
        heights, edges = np.histogram(levels / 255, bins=256, weights=counts[levels])
        otsu = threshold_otsu(hist=(heights, (edges[:-1] + edges[1:]) / 2))
        return max(self.cell, 0.5 * float(otsu))


def exact(
    maps: NDArray[np.uint8], um: float, limits: Limits
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Labels of nuclei and cells, of the maps' size; `um` is their pixel size."""
    nuclei = _nuclei(maps, um, limits, lines=True)
    smallest = limits.cell_um2 / um**2
    cells = _cells(maps, nuclei, um, limits, _parted_by_gaps)
    cells = label(_without_small(label(cells > 0), smallest)).astype(np.int32)
    inside = label((cells > 0) & (nuclei > 0))
    inside = _without_small(inside, limits.nucleus_um2 / um**2) > 0
    return np.where(inside, cells, 0).astype(np.int32), cells


def fast(
    maps: NDArray[np.uint8], shape: tuple[int, int], um: float, limits: Limits
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Labels of nuclei and cells of `shape`, pixels of `um`, from maps with pixels of 0.32 um."""
    nuclei = _nuclei(maps, _QUARTER_UM, limits, lines=False)
    cells = _cells(maps, nuclei, _QUARTER_UM, limits, _parted)
    inside = label((cells > 0) & (nuclei > 0))
    inside = _without_small(inside, limits.nucleus_um2 / _QUARTER_UM**2) > 0
    large, numbers = _enlarged(cells, shape, _CELL_SHARE, limits.cell_um2 / um**2)
    cores, _ = _enlarged(numbers[np.where(inside, cells, 0)], shape, _NUCLEUS_SHARE, 0)
    cores[cores != large] = 0
    return cores, large


def _nuclei(
    maps: NDArray[np.uint8], um: float, limits: Limits, *, lines: bool
) -> NDArray[np.int32]:
    """Labels of nuclei; `lines` leaves one pixel between nuclei that touch."""
    border, nucleus, cell_border, _ = maps
    sums = border.astype(np.int16) + cell_border
    seeds = _above(nucleus, limits.nucleus - _SEED_DROP) & ~_above(sums, _OPEN)
    seeds = remove_small_objects(seeds, max_size=_below(_SEED_UM2, um))
    inside = remove_small_holes(_above(nucleus, limits.nucleus), max_size=_below(_HOLE_UM2, um))
    inside = remove_small_objects(inside, max_size=_below(_SPECK_UM2, um))
    markers, _ = ndi.label(seeds)
    parted = watershed(inside.astype(np.uint8), markers, mask=inside, watershed_line=lines)
    kept: NDArray[np.int32] = label(_without_small(parted, limits.nucleus_um2 / um**2))
    return kept.astype(np.int32)


def _cells(
    maps: NDArray[np.uint8],
    nuclei: NDArray[np.int32],
    um: float,
    limits: Limits,
    parts: Callable[[NDArray[np.int32]], NDArray[np.int32]],
) -> NDArray[np.int32]:
    """Labels of cells: from the nuclei over the cells' body, smoothed, then into the borders."""
    border, cell = maps[2], maps[3]
    relief = -cell.astype(np.int16)
    body = _above(cell, limits.cell_threshold(cell))
    cells = watershed(relief, nuclei, mask=body)
    cells = _closed(_without_small(cells, limits.cell_um2 / um**2), round(4 * _CLOSING_UM / um) / 4)
    cells = parts(cells)
    cells = watershed(relief, cells, mask=(cells > 0) | _above(border, _BORDER))
    return parts(cells.astype(np.int32))


def _above(plane: NDArray[Any], probability: float) -> NDArray[np.bool_]:
    """Where 255 times a probability exceeds it."""
    above: NDArray[np.bool_] = plane > int(np.floor(probability * 255 + 1e-9))
    return above


def _below(area_um2: float, um: float) -> int:
    """The largest whole number of pixels that is less than an area."""
    return max(0, int(np.ceil(area_um2 / um**2 - 1e-6)) - 1)


def _without_small(labels: NDArray[Any], smallest: float) -> NDArray[np.int32]:
    """The labels with at least `smallest` pixels, with their ids."""
    keep = np.bincount(labels.ravel()) >= smallest - 1e-6
    keep[0] = False
    ids = np.where(keep, np.arange(keep.size), 0).astype(np.int32)
    kept: NDArray[np.int32] = ids[labels]
    return kept


def _closed(labels: NDArray[np.int32], radius: float) -> NDArray[np.int32]:
    """Labels with what is narrower than a disk closed; where two meet, the higher id wins as published."""
    reach = int(radius)
    rows, cols = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    footprint = np.hypot(rows, cols) <= radius if reach else np.ones((1, 1), bool)
    closed: NDArray[np.int32] = ndi.grey_closing(labels, footprint=footprint)
    return closed


def _parted_by_gaps(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Regions of one label, holes filled, each less one pixel all around: the gaps keep neighbours apart."""
    inner = np.where(find_boundaries(labels), 0, labels) > 0
    parts: NDArray[np.int32] = ndi.label(ndi.binary_fill_holes(inner))[0]
    return parts


def _parted(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Regions of one label, holes filled, no pixel lost: the gaps run between the pixels, on a grid twice as fine."""
    rows, cols = labels.shape
    fine = np.zeros((2 * rows - 1, 2 * cols - 1), bool)
    some = labels > 0
    across = fine[::2, 1::2] = some[:, 1:] & (labels[:, 1:] == labels[:, :-1])
    down = fine[1::2, ::2] = some[1:] & (labels[1:] == labels[:-1])
    fine[::2, ::2] = some
    fine[1::2, 1::2] = across[1:] & across[:-1] & down[:, 1:] & down[:, :-1]
    parts: NDArray[np.int32] = ndi.label(ndi.binary_fill_holes(fine))[0][::2, ::2]
    return parts


def _enlarged(
    labels: NDArray[np.int32], shape: tuple[int, int], share: float, smallest: float
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Labels on a grid of `shape`, and the new number of each old one (0 where it has too few pixels there).

    A pixel belongs to the label that holds at least `share` of it (over one half) after interpolation.
    """
    large = np.zeros(shape, np.int32)
    boxes = ndi.find_objects(labels)
    numbers = np.zeros(len(boxes) + 1, np.int32)
    weights = [_weights(n, m) for n, m in zip(labels.shape, shape, strict=True)]
    for old, box in enumerate(boxes, start=1):
        if box is None:
            continue
        small, fine = zip(*map(_around, box, labels.shape, shape), strict=True)
        rows, cols = (w[f, s] for w, f, s in zip(weights, fine, small, strict=True))
        wins = rows @ (labels[small] == old).astype(np.float32) @ cols.T > share
        if np.count_nonzero(wins) >= max(smallest - 1e-6, 1):
            numbers[old] = numbers.max() + 1
            np.copyto(large[fine], numbers[old], where=wins)
    return large, numbers


def _around(box: slice, size: int, fine: int) -> tuple[slice, slice]:
    """A stretch of a coarse axis with two more samples at each end, and the same stretch of the fine axis."""
    start, stop = max(0, box.start - 2), min(size, box.stop + 2)
    return slice(start, stop), slice(start * fine // size, -(-stop * fine // size))


@lru_cache(maxsize=4)
def _weights(size: int, fine: int) -> NDArray[np.float32]:
    """Matrix that interpolates `size` samples to `fine` with a Gaussian: shape (fine, size)."""
    centres = (np.arange(fine, dtype=np.float32) + 0.5) * np.float32(size / fine) - 0.5
    distance = centres[:, None] - np.arange(size, dtype=np.float32)
    weights = np.exp(-(distance**2) / np.float32(2 * _BLUR**2))
    normed: NDArray[np.float32] = weights / weights.sum(axis=1, keepdims=True)
    return normed
