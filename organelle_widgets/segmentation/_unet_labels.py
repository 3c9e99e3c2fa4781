"""From the small U-Net's maps to labels of nuclei and cells, at the network's pixel size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage as ndi
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from skimage.morphology import local_maxima, reconstruction, remove_small_holes
from skimage.segmentation import watershed

from organelle_widgets.core.masks import relabel
from organelle_widgets.segmentation._scale import drop_small

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["join_lobes", "outline_cells", "outline_nuclei"]

_DIP = 0.2  # how far depth must fall between two peaks for them to be two nuclei
_SMOOTH = 1.0  # pixels, of depth before its peaks are sought
_DEPTHS = 48  # steps of depth
_LINE = 0.5  # border probability that cells don't cross until everything else is taken
_LEVELS = 24  # steps of the relief: on level ground fronts advance at equal pace
_JOINED = 0.3  # touching nuclei with less border between them are lobes of one
_NEAR = 5  # pixels around the line between two nuclei in which a border counts
_HOLE_UM2 = 100.0  # vacuoles and gaps up to this size belong to the cell
_RIM_UM = 4.0  # a cell's least cytoplasm where no stain shows any


def outline_nuclei(
    nucleus: NDArray[np.float32],
    depth: NDArray[np.float32],
    *,
    threshold: float,
    smallest: float,
) -> NDArray[np.int32]:
    """Labels of nuclei: blobs of likely nucleus, parted by a watershed from the peaks of depth.

    Parameters
    ----------
    nucleus, depth : ndarray of float32, shape (Y, X)
        Probability of nucleus, and depth in it.
    threshold : float
        Probability from which a pixel is nucleus.
    smallest : float
        Smaller nuclei are dropped, pixels.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        Numbered 1, 2, 3, ...
    """
    inside = ndi.binary_fill_holes(nucleus > threshold)
    steps = (ndi.gaussian_filter(depth, _SMOOTH) * _DEPTHS).round().astype(np.uint8)
    lowered = steps - np.minimum(steps, round(_DIP * _DEPTHS)).astype(np.uint8)
    peaks = local_maxima(reconstruction(lowered, steps), connectivity=2)
    blobs, count = ndi.label(inside)
    seeds, _ = ndi.label(peaks & inside, np.ones((3, 3)))
    seedless = np.ones(count + 1, bool)
    seedless[blobs[seeds > 0]] = seedless[0] = False
    if seedless.any():
        seeds = np.where(seedless[blobs], blobs + seeds.max(), seeds)
    labels = watershed(_DEPTHS - steps, seeds, mask=inside)
    return drop_small(labels.astype(np.int32), smallest)


def join_lobes(nuclei: NDArray[np.int32], border: NDArray[np.float32]) -> NDArray[np.int32]:
    """Labels of nuclei, with those that touch made one where no border of cells runs between them.

    Parameters
    ----------
    nuclei : ndarray of int32, shape (Y, X)
        Labels.
    border : ndarray of float32, shape (Y, X)
        Probability of border between cells.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        Numbered 1, 2, 3, ...
    """
    near = ndi.maximum_filter(border, _NEAR)
    first, second, line = [], [], []
    for one, other in (
        ((slice(1, None),), (slice(-1),)),
        ((..., slice(1, None)), (..., slice(-1))),
    ):
        meets = (nuclei[one] != nuclei[other]) & (nuclei[one] > 0) & (nuclei[other] > 0)
        first.append(nuclei[one][meets])
        second.append(nuclei[other][meets])
        line.append(np.maximum(near[one][meets], near[other][meets]))
    pairs = np.sort(np.stack([np.concatenate(first), np.concatenate(second)]), axis=0)
    size = int(nuclei.max()) + 1
    lines, which = np.unique(pairs[0] * size + pairs[1], return_inverse=True)
    evidence = np.bincount(which, np.concatenate(line)) / np.maximum(np.bincount(which), 1)
    joined = lines[evidence < _JOINED]
    links = sparse.coo_array((np.ones(joined.size), np.divmod(joined, size)), (size, size))
    _, numbers = connected_components(links, directed=False)
    return relabel(np.where(nuclei > 0, numbers[nuclei], 0))


def outline_cells(
    cell: NDArray[np.float32],
    border: NDArray[np.float32],
    nuclei: NDArray[np.int32],
    *,
    threshold: float,
    um: float,
    stained: bool = True,
) -> NDArray[np.int32]:
    """Labels of cells, with the ids of their nuclei.

    Cells grow from their nuclei, first up to the lines where borders are likely, then into those lines. Cytoplasm
    behind such a line that has no nucleus of its own is nobody's.

    Parameters
    ----------
    cell, border : ndarray of float32, shape (Y, X)
        Probability of cell, and of border between cells.
    nuclei : ndarray of int32, shape (Y, X)
        Labels of nuclei.
    threshold : float
        Probability from which a pixel is cell.
    um : float
        Micrometres per pixel.
    stained : bool
        Whether any stain shows the cytoplasm; if not, every cell gets a rim of 4 um.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        Labels.
    """
    inside = (cell > threshold) | (nuclei > 0)
    if not stained:
        inside |= ndi.distance_transform_edt(nuclei == 0) * um < _RIM_UM
    inside = remove_small_holes(inside, max_size=int(_HOLE_UM2 / um**2))
    relief = _levels(border)
    within = inside & ((border < _LINE) | (nuclei > 0))
    first = watershed(relief, nuclei, mask=within)
    lines = inside & ((border >= _LINE) | (first > 0))
    grown: NDArray[np.int32] = watershed(relief, first, mask=lines).astype(np.int32)
    return grown


def _levels(plane: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The plane in a few steps."""
    return (plane * _LEVELS).round().astype(np.uint8)
