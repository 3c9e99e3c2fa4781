"""What the nuclei channel tells of a field's pixel size and focus.

Nuclei are the one thing in a field whose size and outline are known beforehand, so they serve as a ruler. Here are
the two measures; what they mean for a person is said in `organelle_widgets.core._quality_words`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["block_mean", "box_blur", "grown", "nucleus_edge_um", "nucleus_width_um", "otsu"]

_WIDTH_SIDE_PX = 512  # sizes are measured in an image of about this side
_SMALLEST_PX = 6.0  # in that image; narrower things may be noise
_EDGE_STEP_UM = 0.32  # slopes are measured at this pixel size
_EDGE_SIDE_PX = 640  # in a window of at most this side in the middle of the field
_SLOPE_REACH_PX, _CLEAR_PX = 2, 3
_MIN_CORE_PX, _MIN_OUTLINE_PX = 20, 10


def nucleus_width_um(plane: NDArray[Any], pixel_size_um: float) -> float | None:
    """How wide bright things in the nuclei channel are; no mask is needed.

    The channel is divided at Otsu's threshold. Of all straight runs of bright pixels along rows and columns, this
    is the length in which the median bright pixel lies: for a disc, 0.9 of its diameter.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        The nuclei channel.
    pixel_size_um : float
        Micrometres per pixel.

    Returns
    -------
    float or None
        Micrometres; None where nothing stands out, or only things of a few pixels.

    References
    ----------
    Otsu 1979, doi:10.1109/TSMC.1979.4310076
    """
    step = max(1, round(max(plane.shape) / _WIDTH_SIDE_PX))
    image = box_blur(block_mean(plane, step))
    low, high = (float(value) for value in np.percentile(image, [0.5, 99.8]))
    if not low < high:
        return None
    bright = image > otsu(image, low, high)
    lengths = np.sort(np.concatenate([_runs(bright), _runs(bright.T)]))
    if not lengths.size:
        return None
    pixels = lengths.cumsum()
    median = float(lengths[np.searchsorted(pixels, pixels[-1] / 2)])
    return median * step * pixel_size_um if median >= _SMALLEST_PX else None


def nucleus_edge_um(
    plane: NDArray[Any], nuclei: NDArray[np.int32], pixel_size_um: float
) -> float | None:
    """How blurred the edges of nuclei are.

    A step blurred by a Gaussian is steepest in its middle, contrast / (sigma sqrt(2 pi)). The contrast of a nucleus
    is that of its core to the background; its slope is the median along its outline, the steepest within 2 px.
    Against noise, the image is first brought to about 0.32 um a pixel and averaged over 3 x 3 pixels, so that no
    edge is found sharper than about 0.25 um.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        The nuclei channel.
    nuclei : ndarray of int32, shape (Y, X)
        Labels of the nuclei; 0 is background.
    pixel_size_um : float
        Micrometres per pixel.

    Returns
    -------
    float or None
        Sigma of the median nucleus, um; None where no nucleus can be measured.
    """
    step = max(1, round(_EDGE_STEP_UM / pixel_size_um))
    rows, cols = (_middle(side, _EDGE_SIDE_PX * step) for side in plane.shape)
    image = block_mean(plane[rows, cols], step)
    labels = nuclei[rows, cols][step // 2 :: step, step // 2 :: step]
    labels = labels[: image.shape[0], : image.shape[1]]
    if min(image.shape) < 2 * _CLEAR_PX or not labels.any():
        return None
    inside = labels > 0
    clear = ~grown(inside, _CLEAR_PX)
    background = float(np.median(image[clear])) if clear.any() else float(image.min())
    slope = grown(np.hypot(*np.gradient(box_blur(image))), _SLOPE_REACH_PX) / (step * pixel_size_um)
    outline = inside & grown(~inside, 1)
    ids, steepness = _medians(labels[outline], slope[outline])
    core = inside & ~grown(~inside, _CLEAR_PX)
    pixels = np.bincount(labels[core], minlength=int(labels.max()) + 1)
    contrast = np.bincount(labels[core], image[core], pixels.size) / np.maximum(pixels, 1)
    contrast = contrast[ids] - background
    usable = (pixels[ids] >= _MIN_CORE_PX) & (contrast > 0) & (steepness > 0)
    if not usable.any():
        return None
    return float(np.median(contrast[usable] / steepness[usable]) / math.sqrt(2 * math.pi))


def block_mean(plane: NDArray[Any], step: int) -> NDArray[np.float32]:
    """Means of blocks of step x step pixels; what is left over at the far edges is not used.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        Of any numbers.
    step : int
        Side of a block, pixels; at least 1.

    Returns
    -------
    ndarray of float32, shape (Y // step, X // step)
        The means.
    """
    step = min(step, *plane.shape)
    rows, cols = (side // step for side in plane.shape)
    cut = plane[: rows * step, : cols * step]
    if step == 1:
        return cut.astype(np.float32)
    summed = cut.reshape(rows, step, cols * step).sum(axis=1, dtype=np.float32)
    means: NDArray[np.float32] = np.zeros((rows, cols), np.float32)
    for offset in range(step):
        means += summed[:, offset::step]
    means /= step * step
    return means


def _middle(side: int, length: int) -> slice:
    """The middle of an axis, at most `length` long."""
    start = max(0, (side - length) // 2)
    return slice(start, start + min(side, length))


def box_blur(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 3 x 3 pixels; at the edges, of those that are there twice."""
    padded = np.pad(image, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    blurred: NDArray[np.float32] = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)
    return blurred


def otsu(image: NDArray[np.float32], low: float, high: float) -> float:
    """Otsu's threshold among 128 bins from low to high."""
    edges = np.linspace(low, high, 129)
    scaled = np.clip((image - np.float32(low)) * np.float32(128 / (high - low)), 0, 127)
    counts = np.bincount(scaled.astype(np.intp).ravel(), minlength=128).astype(float)
    below, total = counts.cumsum(), float(counts.sum())
    sums = (counts * (edges[1:] + edges[:-1]) / 2).cumsum()
    between = (sums[-1] * below - sums * total) ** 2 / np.maximum(below * (total - below), 1)
    return float(edges[int(between[:-1].argmax()) + 1])


def _runs(bright: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Lengths of the runs of True along the rows."""
    padded = np.zeros((bright.shape[0], bright.shape[1] + 2), np.int8)
    padded[:, 1:-1] = bright
    turns = np.diff(padded, axis=1).ravel()
    return np.flatnonzero(turns == -1) - np.flatnonzero(turns == 1)


def grown(image: NDArray[Any], reach: int) -> NDArray[Any]:
    """The largest value within `reach` pixels along rows and columns (a square)."""
    grown = image
    for axis in (0, 1):
        line = np.moveaxis(grown, axis, 0)
        largest = line.copy()
        for shift in range(1, reach + 1):
            np.maximum(largest[shift:], line[:-shift], out=largest[shift:])
            np.maximum(largest[:-shift], line[shift:], out=largest[:-shift])
        grown = np.moveaxis(largest, 0, axis)
    return grown


def _medians(
    labels: NDArray[np.int32], values: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Labels of at least ten pixels, and the median value of each."""
    order = np.lexsort((values, labels))
    ids, first, size = np.unique(labels[order], return_index=True, return_counts=True)
    enough = size >= _MIN_OUTLINE_PX
    return ids[enough], values[order][(first + size // 2)[enough]]
