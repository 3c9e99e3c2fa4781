"""From the small U-Net's maps to labels of nuclei and cells, at the network's pixel size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage as ndi
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.morphology import local_maxima, reconstruction, remove_small_holes
from skimage.segmentation import watershed

from organelle_widgets.core.masks import relabel
from organelle_widgets.segmentation._scale import drop_small

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["join_lobes", "join_specks", "outline_cells", "outline_nuclei"]

_DIP = 0.2  # how far depth must fall between two peaks for them to be two nuclei
_SMOOTH = 1.0  # pixels, of depth before its peaks are sought
_DEPTHS = 48  # steps of depth
_LINE = 0.5  # border probability that cells don't cross until everything else is taken
_BARRIER_UM = 150.0  # a certain border counts as much as so much distance from the nucleus
_FAR_UM = 100.0
_JOINED = 0.3  # touching nuclei with less border between them are lobes of one
_SPECK = 0.3  # of the median nucleus's area: less may be a fragment beside the real nucleus
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

    Nuclei whose mean probability is less than half-way from the threshold to 1 are dropped.

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
    return drop_small(_drop_unsure(labels.astype(np.int32), nucleus, threshold), smallest)


def _drop_unsure(
    nuclei: NDArray[np.int32], nucleus: NDArray[np.float32], threshold: float
) -> NDArray[np.int32]:
    """Labels of the nuclei that are on average at least half-way from the threshold to certain."""
    pixels = np.bincount(nuclei.ravel())
    mean = np.bincount(nuclei.ravel(), nucleus.ravel()) / np.maximum(pixels, 1)
    sure = mean >= (1 + threshold) / 2
    sure[0] = False
    return np.where(sure[nuclei], nuclei, 0).astype(np.int32)


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
    first, second, evidence = _meetings(nuclei, border)
    open_line = evidence < _JOINED
    return _joined(nuclei, first[open_line], second[open_line])


def join_specks(
    cells: NDArray[np.int32], nuclei: NDArray[np.int32], border: NDArray[np.float32]
) -> NDArray[np.int32]:
    """Labels of cells, with those whose nucleus is a speck given to a neighbour where no border runs between them.

    Of several such neighbours the one with the least border takes the speck, so that no two of them become one.

    Parameters
    ----------
    cells, nuclei : ndarray of int32, shape (Y, X)
        Labels with the same ids; a nucleus of less than 0.3 of the median area is a speck.
    border : ndarray of float32, shape (Y, X)
        Probability of border between cells.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        Numbered 1, 2, 3, ...
    """
    areas = np.bincount(nuclei.ravel(), minlength=int(cells.max()) + 1)
    if areas.size == 1:
        return cells
    speck = areas < _SPECK * np.median(areas[1:])
    first, second, evidence = _meetings(cells, border)
    order = np.argsort(evidence, kind="stable")
    order = order[(evidence < _JOINED)[order] & (speck[first] != speck[second])[order]]
    specks = np.where(speck[first], first, second)[order]
    nearest = order[np.unique(specks, return_index=True)[1]]
    return _joined(cells, first[nearest], second[nearest])


def _meetings(
    labels: NDArray[np.int32], border: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of labels that touch, and the mean probability of border along the line where they do."""
    near = ndi.maximum_filter(border, _NEAR)
    pairs, line = [], []
    for one, other in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        meets = (labels[one] != labels[other]) & (labels[one] > 0) & (labels[other] > 0)
        pairs.append(np.sort([labels[one][meets], labels[other][meets]], axis=0))
        line.append(np.maximum(near[one][meets], near[other][meets]))
    size = int(labels.max()) + 1
    low, high = np.concatenate(pairs, axis=1).astype(np.int64)
    lines, which = np.unique(low * size + high, return_inverse=True)
    evidence = np.bincount(which, np.concatenate(line)) / np.maximum(np.bincount(which), 1)
    return lines // size, lines % size, evidence


def _joined(
    labels: NDArray[np.int32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Labels with the pairs made one, numbered 1, 2, 3, ..."""
    size = int(labels.max()) + 1
    links = coo_array((np.ones(first.size), (first, second)), (size, size))
    _, numbers = connected_components(links, directed=False)
    return relabel(np.where(labels > 0, numbers[labels], 0))


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
    distance = ndi.distance_transform_edt(nuclei == 0) * um
    inside = (cell > threshold) | (nuclei > 0)
    if not stained:
        inside |= distance < _RIM_UM
    inside = remove_small_holes(inside, max_size=int(_HOLE_UM2 / um**2))
    relief = (border * _BARRIER_UM + np.minimum(distance, _FAR_UM)).round().astype(np.uint8)
    within = inside & ((border < _LINE) | (nuclei > 0))
    first = watershed(relief, nuclei, mask=within)
    lines = inside & ((border >= _LINE) | (first > 0))
    grown: NDArray[np.int32] = watershed(relief, first, mask=lines).astype(np.int32)
    return grown
