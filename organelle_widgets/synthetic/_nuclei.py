"""Nuclei of a layout of cells, and the chromosomes and spindles of those that divide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import find_objects

from organelle_widgets.synthetic._outlines import GRID_UM, Placed, outline_score
from organelle_widgets.synthetic.grids import distance_um, smooth_noise, upsample
from organelle_widgets.synthetic.view import Spindle

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["draw_nuclei"]


def draw_nuclei(
    rng: np.random.Generator, cells: NDArray[np.int32], placed: list[Placed], px: float
) -> tuple[NDArray[np.int32], dict[int, Spindle]]:
    """Labels of the nuclei, and the spindles of dividing cells."""
    nuclei = np.zeros_like(cells)
    spindles: dict[int, Spindle] = {}
    for index, window in enumerate(find_objects(cells, max_label=len(placed)), 1):
        if window is None:
            continue
        own = cells[window] == index
        depth = distance_um(own, px)
        origin = (window[0].start * px, window[1].start * px)
        if placed[index - 1].dividing:
            nucleus, spindle = _chromosomes(rng, placed[index - 1], own.shape, origin, px)
            row, col = window[0].start + spindle.row, window[1].start + spindle.col
            spindles[index] = Spindle(row, col, spindle.angle, spindle.half_length_um)
        else:
            nucleus = _nucleus(rng, placed[index - 1], depth, origin, px)
        rim = min(0.6, 0.2 * float(depth.max()))
        nuclei[window][own & nucleus & (depth > rim)] = index
    return nuclei, spindles


def _nucleus(
    rng: np.random.Generator,
    cell: Placed,
    depth: NDArray[np.float32],
    origin: tuple[float, float],
    px: float,
) -> NDArray[np.bool_]:
    """A smooth ellipse, now and then with a bay, near the middle of what the neighbours left."""
    usual = 7.6 * (cell.radius_um / 16) ** 0.6 * float(rng.lognormal(0, 0.08))
    radius = min(usual, 0.66 * cell.radius_um)
    deepest = np.unravel_index(int(depth.argmax()), depth.shape)
    middle = np.array(origin) + np.array(deepest) * px
    centre = np.array([cell.row_um, cell.col_um])
    pull = float(rng.uniform(0.3, 0.6))
    row, col = centre + pull * np.clip(middle - centre, -0.5 * cell.radius_um, 0.5 * cell.radius_um)
    waves = np.stack(
        [rng.normal(0, 0.07, 3) / np.arange(1, 4), rng.uniform(0, 2 * np.pi, 3)], axis=1
    )
    stretch = float(np.clip(1.12 * cell.elongation**0.5 * rng.lognormal(0, 0.1), 1.0, 1.9))
    angle = cell.angle + float(rng.normal(0, 0.3))
    outline = Placed(float(row), float(col), radius, stretch, angle, waves, True)
    step = max(1, int(GRID_UM / px))
    grid = [origin[axis] + np.arange(0, depth.shape[axis] + step, step) * px for axis in (0, 1)]
    score = outline_score(outline, grid[0], grid[1]).astype(np.float32)
    return upsample(score, (depth.shape[0], depth.shape[1]), step) < 1


def _chromosomes(
    rng: np.random.Generator,
    cell: Placed,
    shape: tuple[int, ...],
    origin: tuple[float, float],
    px: float,
) -> tuple[NDArray[np.bool_], Spindle]:
    """Condensed chromosomes in prometaphase, metaphase or anaphase, and the spindle that holds them."""
    scale = min(cell.radius_um / 11, 1.0)
    angle = float(rng.uniform(0, np.pi))
    row, col = cell.row_um - origin[0], cell.col_um - origin[1]
    stage = rng.choice(3, p=[0.25, 0.5, 0.25])
    apart, half_width, half_length = ((0, 3.2, 4.6), (0, 1.6, 5.4), (3.2, 1.2, 4.6))[stage]
    pole = (5.2, 5.6, 6.6)[stage] * scale
    down, right = np.arange(shape[0])[:, None] * px - row, np.arange(shape[1])[None] * px - col
    along = np.cos(angle) * down + np.sin(angle) * right
    across = np.cos(angle) * right - np.sin(angle) * down
    rough = smooth_noise(rng, (shape[0], shape[1]), 1.2 / px)
    away = np.abs(np.abs(along) - apart * scale) / (half_width * scale)
    score = np.hypot(away, across / (half_length * scale)) + (0.16 if stage == 0 else 0.1) * rough
    return score < 1, Spindle(row / px, col / px, angle, pole)
