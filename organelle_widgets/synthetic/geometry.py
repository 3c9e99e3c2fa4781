"""Where virtual cells lie and what shapes they have: the masks, before anything is painted.

Sizes and shapes are chosen to look like HPA fields: cells 15 to 50 um across, mostly 20 to 45, half to three quarters
of the field covered, neighbours touching, borders cutting cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import find_objects, label

from organelle_widgets.synthetic._nuclei import draw_nuclei
from organelle_widgets.synthetic._outlines import GRID_UM, Placed, outline_score
from organelle_widgets.synthetic.grids import smooth_noise, upsample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.synthetic.view import Spindle

__all__ = ["Layout", "Style", "lay_out"]


@dataclass(frozen=True)
class Style:
    """What the cells of one field have in common, as cells of one line do.

    Parameters
    ----------
    radius_um : float
        Typical radius of a cell.
    elongation : float
        Typical long axis over short axis.
    ruggedness : float
        Depth of bays and points of the outline, 0 for smooth.
    cover : float
        Aimed share of the field that cells cover.
    """

    radius_um: float
    elongation: float
    ruggedness: float
    cover: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Style:
        """A random cell line.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of all choices.

        Returns
        -------
        Style
            One in seven has small cells.
        """
        small = rng.random() < 0.15
        usual = rng.normal(11, 1.2) if small else rng.normal(20.5, 3.2)
        return cls(
            radius_um=float(np.clip(usual, 9, 28)),
            elongation=float(rng.uniform(1.1, 1.4 if small else 2.2)),
            ruggedness=float(rng.uniform(0.4, 1.3)),
            cover=float(rng.uniform(0.5, 0.8)),
        )


@dataclass(frozen=True, eq=False)
class Layout:
    """Masks of a canvas of virtual cells.

    Parameters
    ----------
    cells, nuclei : ndarray of int32, shape (Y, X)
        Labels 1 to n; a cell that was pushed off the canvas has none.
    placed : tuple of Placed
        Cell `i` has label `i + 1`.
    spindles : dict of int to Spindle
        By label, for those that divide.
    pixel_size_um : float
        Micrometres per pixel.
    """

    cells: NDArray[np.int32]
    nuclei: NDArray[np.int32]
    placed: tuple[Placed, ...]
    spindles: dict[int, Spindle]
    pixel_size_um: float


def lay_out(
    rng: np.random.Generator,
    shape: tuple[int, int],
    pixel_size_um: float,
    *,
    dividing: list[bool],
    style: Style,
    margin_px: int = 0,
) -> Layout:
    """Place cells and draw their masks.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all choices.
    shape : tuple of int
        Rows and columns of the canvas.
    pixel_size_um : float
        Micrometres per pixel.
    dividing : list of bool
        One a cell to place: whether it is in mitosis.
    style : Style
        What the cells have in common.
    margin_px : int
        No centre lies in a frame of this width.

    Returns
    -------
    Layout
        Labels of cells and nuclei.
    """
    inner_um = [(n - 2 * margin_px) * pixel_size_um for n in shape]
    fitting = np.sqrt(inner_um[0] * inner_um[1] / max(len(dividing), 1) / np.pi)
    radius_um = min(style.radius_um, max(1.3 * float(fitting), 2 * pixel_size_um))
    if radius_um < style.radius_um and len(dividing) < 3:
        radius_um = style.radius_um
    placed: list[Placed] = []
    for divides in dividing:
        shaped = _shape(rng, style, radius_um, divides)
        row, col = _place(rng, placed, shaped.radius_um, inner_um, margin_px * pixel_size_um)
        placed.append(replace(shaped, row_um=row, col_um=col))
    cells = _draw_cells(rng, shape, pixel_size_um, placed)
    nuclei, spindles = draw_nuclei(rng, cells, placed, pixel_size_um)
    return Layout(cells, nuclei, tuple(placed), spindles, pixel_size_um)


def _shape(rng: np.random.Generator, style: Style, radius_um: float, divides: bool) -> Placed:
    """A cell of the field's style, at no place yet; dividing cells are small and round."""
    radius = radius_um * float(np.clip(rng.lognormal(0, 0.17), 0.7, 1.5))
    angle = float(rng.uniform(0, np.pi))
    order = np.arange(2, 9)
    size = style.ruggedness * 0.36 / order**1.6 * rng.standard_normal(order.size)
    waves = np.stack([size, rng.uniform(0, 2 * np.pi, order.size)], axis=1)
    if divides:
        return Placed(0, 0, min(radius, 0.68 * radius_um, 11.5), 1.06, angle, waves * 0.08, True)
    stretch = float(np.clip(style.elongation * rng.lognormal(0, 0.15), 1.0, 2.6))
    return Placed(0, 0, radius, stretch, angle, waves, False)


def _place(
    rng: np.random.Generator,
    placed: list[Placed],
    radius_um: float,
    size_um: list[float],
    margin_um: float,
) -> tuple[float, float]:
    """A centre inside the frame: mostly beside another cell, sometimes alone."""
    spots = margin_um + rng.uniform(0, 1, (40, 2)) * size_um
    if not placed:
        return float(spots[0, 0]), float(spots[0, 1])
    others = np.array([[cell.row_um, cell.col_um, cell.radius_um] for cell in placed])
    gaps = np.hypot(*(spots[:, None] - others[None, :, :2]).transpose(2, 0, 1))
    nearness = (gaps / (others[None, :, 2] + radius_um)).min(axis=1)
    aim = 0.82 if rng.random() < 0.7 else 1.15
    cost = np.abs(nearness - aim) + 3 * np.clip(0.72 - nearness, 0, None)
    best = int(cost.argmin())
    return float(spots[best, 0]), float(spots[best, 1])


def _window(
    outline: Placed, shape: tuple[int, int], pixel_size_um: float, step: int
) -> tuple[slice, slice] | None:
    """The part of the canvas that an outline can reach, starting on the coarse grid."""
    reach = outline.radius_um * np.sqrt(outline.elongation) * 1.7
    bounds = []
    for centre, size in ((outline.row_um, shape[0]), (outline.col_um, shape[1])):
        low = max(int((centre - reach) / pixel_size_um) // step * step, 0)
        high = min(int((centre + reach) / pixel_size_um) + 2, size)
        bounds.append((low, high))
    (top, bottom), (left, right) = bounds
    return (
        (slice(top, bottom), slice(left, right)) if bottom - top > 1 and right - left > 1 else None
    )


def _fine_score(
    rng: np.random.Generator, outline: Placed, window: tuple[slice, slice], px: float, step: int
) -> NDArray[np.float32]:
    """The score of every pixel of a window, with ruffles, by way of a coarse grid."""
    size = (window[0].stop - window[0].start, window[1].stop - window[1].start)
    grid = [np.arange(w.start, w.stop + step, step) * px for w in window]
    coarse = outline_score(outline, grid[0], grid[1]).astype(np.float32)
    rough = 0.1 if outline.dividing else 1.0
    coarse += rough * 0.05 * smooth_noise(rng, coarse.shape, 6 / (px * step))
    coarse += rough * 0.018 * smooth_noise(rng, coarse.shape, 1.5 / (px * step))
    return upsample(coarse, size, step)


def _draw_cells(
    rng: np.random.Generator, shape: tuple[int, int], px: float, placed: list[Placed]
) -> NDArray[np.int32]:
    """Labels: every pixel goes to the cell in whose outline it lies deepest."""
    cells = np.zeros(shape, np.int32)
    best = np.ones(shape, np.float32)
    step = max(1, int(GRID_UM / px))
    for index, outline in enumerate(placed, 1):
        window = _window(outline, shape, px, step)
        if window is None:
            continue
        score = _fine_score(rng, outline, window, px, step)
        wins = score < best[window]
        best[window][wins] = score[wins]
        cells[window][wins] = index
    return _whole(cells, len(placed))


def _whole(cells: NDArray[np.int32], n_cells: int) -> NDArray[np.int32]:
    """Keep of every cell only its largest piece."""
    for index, window in enumerate(find_objects(cells, max_label=n_cells), 1):
        if window is None:
            continue
        crop = cells[window]
        pieces, count = label(crop == index)
        if count > 1:
            sizes = np.bincount(pieces.ravel())
            sizes[0] = 0
            crop[(pieces > 0) & (pieces != sizes.argmax())] = 0
    return cells
