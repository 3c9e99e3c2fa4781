"""Grids under virtual pictures: smooth noise, distance maps, wide blurs, scaling.

Everything works on float32 canvases of shape (Y, X). What is drawn stroke by stroke is in `strokes`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "PSF_SIGMA_UM",
    "distance_um",
    "hazy",
    "normalised",
    "psf_sigma_px",
    "smooth_noise",
    "upsample",
]

PSF_SIGMA_UM = 0.115
"""Standard deviation of the point spread function: about 270 nm full width, a confocal's at 500-600 nm."""

_GRID_UM = 0.2


def psf_sigma_px(pixel_size_um: float) -> float:
    """Standard deviation of the blur by optics and pixels.

    Parameters
    ----------
    pixel_size_um : float
        Micrometres per pixel.

    Returns
    -------
    float
        In pixels, at least 0.45, for a pixel itself blurs.
    """
    return max(PSF_SIGMA_UM / pixel_size_um, 0.45)


def upsample(
    coarse: NDArray[Any], shape: tuple[int, int], step: float, *, cubic: bool = False
) -> NDArray[np.float32]:
    """Interpolate a coarse grid whose first point lies on the first pixel.

    Parameters
    ----------
    coarse : ndarray of float, shape (y, x)
        Values at every `step` pixels; the edge goes on where the grid ends.
    shape : tuple of int
        Rows and columns of the result.
    step : float
        Grid spacing, px.
    cubic : bool
        Cubic B-spline smoothing instead of straight interpolation.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        The interpolated values.
    """
    rows = _weights(shape[0], coarse.shape[0], step, cubic)
    cols = _weights(shape[1], coarse.shape[1], step, cubic)
    fine: NDArray[np.float32] = rows @ coarse.astype(np.float32, copy=False) @ cols.T
    return fine


@lru_cache(maxsize=128)
def _weights(n_fine: int, n_coarse: int, step: float, cubic: bool) -> NDArray[np.float32]:
    """Interpolation weights, shape (n_fine, n_coarse), rows adding up to 1."""
    position = np.minimum(np.arange(n_fine) / step + cubic, n_coarse - 1 - cubic)
    offsets = np.arange(-1, 3) if cubic else np.arange(2)
    nodes = position.astype(np.intp)[:, None] + offsets
    away = np.abs(position[:, None] - nodes)
    if cubic:
        near = 2 / 3 - away**2 + away**3 / 2
        shares = np.where(away < 1, near, np.clip(2 - away, 0, None) ** 3 / 6)
    else:
        shares = np.clip(1 - away, 0, None)
    weights = np.zeros((n_fine, n_coarse + 4), np.float32)
    np.put_along_axis(weights, np.clip(nodes, 0, n_coarse + 3), shares.astype(np.float32), axis=1)
    inside = weights[:, :n_coarse]
    scaled: NDArray[np.float32] = inside / inside.sum(1, keepdims=True)
    return scaled


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], scale_px: float
) -> NDArray[np.float32]:
    """Random hills: a cubic B-spline through white noise.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the values.
    shape : tuple of int
        Rows and columns.
    scale_px : float
        Typical distance between hills; below 1.2 the noise is white.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        Mean about 0, standard deviation about 1.
    """
    if scale_px < 1.2:
        return rng.standard_normal(shape, dtype=np.float32)
    step = round(float(scale_px), 2)
    size = (int(np.ceil(shape[0] / step)) + 3, int(np.ceil(shape[1] / step)) + 3)
    return upsample(rng.standard_normal(size, dtype=np.float32) * 2.08, shape, step, cubic=True)


def distance_um(mask: NDArray[np.bool_], pixel_size_um: float) -> NDArray[np.float32]:
    """Distance of every pixel of a mask to the nearest pixel outside; the picture's edge does not count.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X)
        The region.
    pixel_size_um : float
        Micrometres per pixel.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        Micrometres, 0 outside. Exact to about 0.1 um: fine pictures are measured on a coarser grid.
    """
    step = max(1, int(_GRID_UM / pixel_size_um))
    coarse = mask[::step, ::step]
    if not coarse.any():
        return np.where(mask, np.float32(pixel_size_um / 2), np.float32(0))
    if coarse.all():
        return np.full(mask.shape, 10.0, np.float32)
    spacing = step * pixel_size_um
    far = np.zeros(coarse.shape, np.float32)
    box = _box(coarse)
    far[box] = np.maximum(distance_transform_edt(coarse[box]) * spacing - spacing / 2, 0)
    return upsample(far, (mask.shape[0], mask.shape[1]), step) if step > 1 else far


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The region's bounding box with a frame of one pixel: it holds every nearest pixel outside."""
    ends = [np.flatnonzero(mask.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    rows, cols = (slice(max(int(low) - 1, 0), int(high) + 2) for low, high in ends)
    return rows, cols


def hazy(canvas: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """A wide blur, computed on a coarser grid.

    Parameters
    ----------
    canvas : ndarray of float32, shape (Y, X)
        What to blur.
    sigma_px : float
        Standard deviation of the blur, px.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        The blurred canvas; right to about half a grid step, which is less than `sigma_px` / 2.
    """
    shape = (canvas.shape[0], canvas.shape[1])
    step = int(sigma_px / 1.5)
    if step < 2 or min(shape) < 2 * step:
        blurred: NDArray[np.float32] = gaussian_filter(canvas, sigma_px, truncate=3.0)
        return blurred
    rows, cols = shape[0] // step * step, shape[1] // step * step
    blocks = canvas[:rows, :cols].reshape(rows // step, step, cols // step, step).mean((1, 3))
    return upsample(gaussian_filter(blocks, sigma_px / step, truncate=3.0), shape, step)


def normalised(canvas: NDArray[np.float32], top: float = 99.5) -> NDArray[np.float32]:
    """Scale so that a percentile of what is drawn becomes 1.

    Parameters
    ----------
    canvas : ndarray of float32, shape (Y, X)
        Not negative.
    top : float
        Percentile of the pixels that are not black.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        The scaled canvas; unchanged where all is black.
    """
    sample = canvas[::2, ::2].ravel() if canvas.size > 40000 else canvas.ravel()
    sample = sample[sample > 1e-4]
    if not sample.size:
        return canvas
    bright = max(float(np.percentile(sample, top)), 1e-6)
    return canvas / np.float32(bright)
