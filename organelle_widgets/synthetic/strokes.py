"""Strokes of virtual pictures: dots, spots, lines and wandering paths.

Each is drawn on one float32 canvas of shape (Y, X); lengths are in pixels. What a cell looks like does not belong here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["dots", "lines", "stamp", "walk"]


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
