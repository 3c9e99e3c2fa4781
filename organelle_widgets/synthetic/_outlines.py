"""Outlines of cells and nuclei: an ellipse with waves, and how deep a point lies in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GRID_UM", "Placed", "outline_score"]

GRID_UM = 0.3
"""Spacing of the grid on which outlines are computed before they are interpolated, um."""

_TURNS = 1441


@dataclass(frozen=True, eq=False)
class Placed:
    """The outline of one cell before neighbours cut into it.

    Parameters
    ----------
    row_um, col_um : float
        Centre, um from the canvas's first pixel.
    radius_um : float
        Mean radius.
    elongation : float
        Long axis over short axis.
    angle : float
        Direction of the long axis, radians from the row axis towards the column axis.
    waves : ndarray of float, shape (k, 2)
        Size and phase of the outline's harmonics, from the second on.
    dividing : bool
        Whether it is in mitosis.
    """

    row_um: float
    col_um: float
    radius_um: float
    elongation: float
    angle: float
    waves: NDArray[np.float64]
    dividing: bool


def outline_score(
    outline: Placed, rows: NDArray[np.float64], cols: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance from the centre as a share of the outline's radius: 1 on the outline."""
    down, right = rows[:, None] - outline.row_um, cols[None, :] - outline.col_um
    cos, sin = np.cos(outline.angle), np.sin(outline.angle)
    stretch = np.sqrt(outline.elongation)
    along, across = (cos * down + sin * right) / stretch, (cos * right - sin * down) * stretch
    turn = np.linspace(-np.pi, np.pi, _TURNS)
    order = np.arange(2, 2 + len(outline.waves))[:, None]
    size, phase = outline.waves[:, :1], outline.waves[:, 1:]
    reach = outline.radius_um * np.exp((size * np.cos(order * turn + phase)).sum(axis=0))
    where = (np.arctan2(across, along) / (2 * np.pi) + 0.5) * (_TURNS - 1)
    score: NDArray[np.float64] = np.hypot(along, across) / reach[where.astype(np.intp)]
    return score
