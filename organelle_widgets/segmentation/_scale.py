"""From a field's pixels to those at which a backend works, and its labels back to the field's."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage as ndi

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["drop_small", "enlarge", "resample", "shrink"]


def shrink(plane: NDArray[Any], factor: int) -> NDArray[np.float32]:
    """Means of squares of `factor` pixels; the last row and column are repeated to fill the last squares."""
    rows, cols = plane.shape
    if factor > 1:
        plane = np.pad(plane, ((0, -rows % factor), (0, -cols % factor)), mode="edge")
    blocks = plane.reshape(plane.shape[0] // factor, factor, plane.shape[1] // factor, factor)
    means: NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return means


def resample(plane: NDArray[Any], ratio: float) -> NDArray[np.float32]:
    """The plane with pixels `ratio` times as wide: averaged in whole squares first, interpolated then.

    Pixel edges stay aligned: row 0 begins where row 0 began. A ratio within 2 % of a whole number counts as whole.
    """
    whole, rest = _parts(ratio)
    means = shrink(plane, whole)
    if rest == 1:
        return means
    shape = tuple(max(1, round(size / ratio)) for size in plane.shape)
    out: NDArray[np.float32] = ndi.affine_transform(
        means, (rest, rest), (rest - 1) / 2, shape, order=1, mode="nearest"
    )
    return out


def drop_small(labels: NDArray[np.int32], smallest: float) -> NDArray[np.int32]:
    """The labels with at least `smallest` pixels, numbered 1, 2, 3, ..."""
    keep = np.bincount(labels.ravel()) >= max(smallest, 1)
    keep[0] = False
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return numbers[labels]


def enlarge(labels: NDArray[np.int32], ratio: float, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Labels on pixels `ratio` times as wide, such as `resample` makes, on the field's pixels, with smooth borders.

    Each label's share of a fine pixel is interpolated; a pixel goes to the largest share where labels hold
    more than half of it.
    """
    if labels.shape == shape:
        return labels
    large = np.zeros(shape, np.int32)
    best = np.zeros(shape, np.float32)
    total = np.zeros(shape, np.float32)
    whole, rest = _parts(ratio)
    step = whole * rest
    weights = [_weights(n, m, step) for n, m in zip(labels.shape, shape, strict=True)]
    for label, box in enumerate(ndi.find_objects(labels), start=1):
        if box is None:
            continue
        small = tuple(
            slice(max(0, s.start - 2), min(n, s.stop + 2))
            for s, n in zip(box, labels.shape, strict=True)
        )
        fine = tuple(
            slice(round(s.start * step), m if s.stop == n else min(m, round(s.stop * step)))
            for s, n, m in zip(small, labels.shape, shape, strict=True)
        )
        rows, cols = (w[f, s] for w, f, s in zip(weights, fine, small, strict=True))
        share = rows @ (labels[small] == label).astype(np.float32) @ cols.T
        np.copyto(large[fine], label, where=share > best[fine])
        np.maximum(best[fine], share, out=best[fine])
        total[fine] += share
    large *= total > 0.5
    return large


def _parts(ratio: float) -> tuple[int, float]:
    """A ratio as whole pixels to average times what is left to interpolate; 1 for up to 2 %."""
    nearest = max(1, round(ratio))
    if abs(ratio / nearest - 1) <= 0.02:
        return nearest, 1.0
    whole = max(1, int(ratio))
    return whole, ratio / whole


@lru_cache(maxsize=8)
def _weights(size: int, fine: int, step: float) -> NDArray[np.float32]:
    """Matrix that interpolates `size` samples to `fine`, `step` times as many, with a Gaussian of 0.6 samples."""
    centres = (np.arange(fine) + 0.5) / step - 0.5
    weights = np.exp(-((centres[:, None] - np.arange(size)) ** 2) / (2 * 0.6**2))
    normed: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    normed.flags.writeable = False
    return normed
