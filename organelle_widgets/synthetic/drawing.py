"""Strokes that all virtual pictures are made of: smooth noise, distance maps, dots, lines, wandering paths.

Everything works on one float32 canvas of shape (Y, X) and takes lengths in pixels. What a cell looks like does not
belong here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "PSF_SIGMA_UM",
    "distance_um",
    "dots",
    "hazy",
    "lines",
    "normalised",
    "psf_sigma_px",
    "smooth_noise",
    "stamp",
    "upsample",
    "walk",
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
    far = np.maximum(distance_transform_edt(coarse) * spacing - spacing / 2, 0)
    return upsample(far, mask.shape, step) if step > 1 else far.astype(np.float32)


def dots(
    shape: tuple[int, int], rows: NDArray[Any], cols: NDArray[Any], weights: NDArray[Any] | float
) -> NDArray[np.float32]:
    """Points shared among their four nearest pixels; what lies outside is left out.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    rows, cols : ndarray of float, shape (n,)
        Positions, px.
    weights : ndarray of float, shape (n,), or float
        Total of each point.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        The sum of all points.
    """
    height, width = shape[0] + 2, shape[1] + 2
    rows, cols = rows + 1.0, cols + 1.0
    keep = (rows >= 0) & (cols >= 0) & (rows < height - 1) & (cols < width - 1)
    rows, cols = rows[keep], cols[keep]
    weights = np.broadcast_to(weights, keep.shape)[keep]
    top, left = rows.astype(np.intp), cols.astype(np.intp)
    down, right = rows - top, cols - left
    first = top * width + left
    lower, upper = weights * down, weights * (1 - down)
    index = np.concatenate([first, first + 1, first + width, first + width + 1])
    shares = [upper * (1 - right), upper * right, lower * (1 - right), lower * right]
    total = np.bincount(index, np.concatenate(shares), height * width)
    return total.reshape(height, width)[1:-1, 1:-1].astype(np.float32)


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


def stamp(
    shape: tuple[int, int],
    points: NDArray[Any],
    sigmas_px: NDArray[Any],
    weights: NDArray[Any],
) -> NDArray[np.float32]:
    """Round soft spots, one after the other: for up to a few hundred of different sizes.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    points : ndarray of float, shape (n, 2)
        Rows and columns of the centres, px.
    sigmas_px : ndarray of float, shape (n,)
        Standard deviations of the spots, px.
    weights : ndarray of float, shape (n,)
        Heights at the centres.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        The sum of all spots.
    """
    canvas = np.zeros(shape, np.float32)
    for (row, col), sigma, weight in zip(points, sigmas_px, weights, strict=True):
        reach = int(np.ceil(3 * sigma))
        ys = np.arange(max(int(row) - reach, 0), min(int(row) + reach + 2, shape[0]))
        xs = np.arange(max(int(col) - reach, 0), min(int(col) + reach + 2, shape[1]))
        if ys.size and xs.size:
            bell = -0.5 / sigma**2
            spot = np.outer(np.exp((ys - row) ** 2 * bell), np.exp((xs - col) ** 2 * bell))
            canvas[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1] += weight * spot
    return canvas


def lines(
    shape: tuple[int, int],
    paths: NDArray[Any],
    weights: NDArray[Any],
    sigma_px: float,
) -> NDArray[np.float32]:
    """Blurred lines along paths.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    paths : ndarray of float, shape (n, steps, 2)
        Rows and columns along each line, px; from the first NaN on, a line has ended.
    weights : ndarray of float, shape (n,) or (n, steps - 1)
        Brightness of each line, or of each of its pieces.
    sigma_px : float
        Blur; a line of weight 1 is about 1 high in its middle.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        The sum of all lines.
    """
    if not paths.size:
        return np.zeros(shape, np.float32)
    start, move = paths[:, :-1], np.diff(paths, axis=1)
    length = np.hypot(move[..., 0], move[..., 1])
    longest = float(np.nanmax(length, initial=1.0))
    pieces = max(1, int(np.ceil(longest / max(0.8, 0.8 * sigma_px))))
    share = ((np.arange(pieces) + 0.5) / pieces)[None, None, :, None]
    points = start[:, :, None] + share * move[:, :, None]
    each = np.broadcast_to(weights.reshape(len(paths), -1), length.shape) * length / pieces
    each = np.broadcast_to(each[:, :, None], points.shape[:3])
    alive = np.isfinite(points[..., 0])
    drawn = dots(shape, points[..., 0][alive], points[..., 1][alive], each[alive])
    blurred: NDArray[np.float32] = gaussian_filter(drawn, sigma_px, truncate=3.0)
    return blurred * np.float32(sigma_px * np.sqrt(2 * np.pi))


def walk(
    rng: np.random.Generator,
    starts: NDArray[Any],
    angles: NDArray[Any],
    *,
    n_steps: int,
    step_px: float,
    wobble: float,
    steer: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]] | None = None,
) -> NDArray[np.float64]:
    """Paths of stiff filaments, all at once.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the bends.
    starts : ndarray of float, shape (n, 2)
        Rows and columns, px.
    angles : ndarray of float, shape (n,)
        First directions, radians from the row axis towards the column axis.
    n_steps : int
        Steps of every path.
    step_px : float
        Length of a step, px.
    wobble : float
        Standard deviation of the change of curvature a step, radians.
    steer : callable, optional
        Given positions (n, 2) and directions (n,), returns the turn to add, radians; NaN ends a path.

    Returns
    -------
    ndarray of float64, shape (n, n_steps + 1, 2)
        Positions, NaN after a path's end.
    """
    here, heading = starts.astype(float), angles.astype(float)
    bend = np.zeros(len(heading))
    paths = np.empty((len(heading), n_steps + 1, 2))
    paths[:, 0] = here
    for index in range(1, n_steps + 1):
        bend = 0.8 * bend + wobble * rng.standard_normal(len(heading))
        heading = heading + bend
        if steer is not None:
            heading = heading + steer(here, heading)
        here = here + step_px * np.stack([np.cos(heading), np.sin(heading)], axis=1)
        paths[:, index] = here
    return paths


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
