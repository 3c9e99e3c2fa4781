"""What the masks of a cell do not tell: where its nucleoli and its centrosome are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.synthetic.grids import hazy, smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.synthetic.view import CellView

__all__ = ["draw_nucleoli", "find_centrosome"]


def draw_nucleoli(
    rng: np.random.Generator, inside_um: NDArray[np.float32], pixel_size_um: float
) -> NDArray[np.float32]:
    """One to five roundish nucleoli, well inside a nucleus.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of number, size, place and shape.
    inside_um : ndarray of float32, shape (Y, X)
        Depth in the nucleus, um.
    pixel_size_um : float
        Micrometres per pixel.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        0 to 1.
    """
    shape = (inside_um.shape[0], inside_um.shape[1])
    room = np.flatnonzero(inside_um > min(1.6, 0.5 * float(inside_um.max())))
    canvas = np.zeros(shape, np.float32)
    if not room.size:
        return canvas
    rough = 0.18 * smooth_noise(rng, shape, 1.0 / pixel_size_um)
    deepest = float(inside_um.max())
    for _ in range(int(rng.integers(2, 8))):
        row, col = np.unravel_index(int(room[rng.integers(room.size)]), shape)
        radius = float(np.clip(rng.lognormal(-0.05, 0.45), 0.45, 2.4)) * min(1.0, deepest / 5)
        stretch, angle = rng.uniform(1.0, 1.5), rng.uniform(0, np.pi)
        reach = int(2.5 * radius / pixel_size_um) + 2
        window = tuple(slice(max(c - reach, 0), c + reach + 1) for c in (int(row), int(col)))
        down, right = (
            np.arange(w.start, min(w.stop, n)) for w, n in zip(window, shape, strict=True)
        )
        down, right = (down[:, None] - row) * pixel_size_um, (right[None] - col) * pixel_size_um
        along = np.cos(angle) * down + np.sin(angle) * right
        across = np.cos(angle) * right - np.sin(angle) * down
        score = np.hypot(along / stretch, across * stretch) / radius + rough[window]
        canvas[window] = np.maximum(canvas[window], np.clip((1.2 - score) / 0.4, 0, 1))
    inner: NDArray[np.float32] = canvas * np.clip((inside_um - 0.3) / 0.4, 0, 1)
    return inner


def find_centrosome(
    rng: np.random.Generator, view: CellView, bright: NDArray[np.float32] | None = None
) -> tuple[float, float]:
    """A place beside the nucleus, on the side with more room.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the choice.
    view : CellView
        The cell; its own centrosome is not read.
    bright : ndarray of float32, shape (Y, X), optional
        Recorded microtubules: where they are bright, the place is likelier.

    Returns
    -------
    tuple of float
        Row and column, px.
    """
    near = view.cell & (view.outside_um > 0.3) & (view.outside_um < 1.8)
    if not near.any():
        near = view.cell
    weight = near * (0.05 + view.edge_um) ** 3
    if bright is not None:
        weight = weight * (0.05 + hazy(bright, 0.6 / view.pixel_size_um)) ** 2
    spot = view.pick(rng, weight, 1)
    row, col = spot[0] if len(spot) else (view.shape[0] / 2, view.shape[1] / 2)
    return float(row), float(col)
