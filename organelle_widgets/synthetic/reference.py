"""The three reference channels of a virtual cell: microtubules, DNA and endoplasmic reticulum.

Each painter takes a `CellView` and returns its channel in about [0, 1] on the cell's crop, already blurred by the
optics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.synthetic.grids import hazy, normalised
from organelle_widgets.synthetic.strokes import lines, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from organelle_widgets.synthetic.view import CellView

__all__ = [
    "paint_dna",
    "paint_er",
    "paint_microtubules",
    "paint_spindle",
    "stay_in_cytoplasm",
]


def paint_dna(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """The blue channel: chromatin in clumps, dark nucleoli; condensed and bright in mitosis.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the texture.
    view : CellView
        The cell.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        About 0.6 in a usual nucleus, about 1 in chromosomes.
    """
    if view.spindle is not None:
        lumps = 1 + 0.12 * view.noise(rng, 0.7)
        return np.clip(view.soft_nucleus * lumps, 0, 1.4)
    coarse, fine = rng.uniform(0.08, 0.2), rng.uniform(0.08, 0.2)
    chromatin = 1 + coarse * view.noise(rng, 1.3) + fine * view.noise(rng, 0.45)
    holes = np.clip(view.noise(rng, 0.9) - 1.2, 0, 1)
    rim = 1 + rng.uniform(0, 0.15) * np.exp(-(((view.inside_um - 0.4) / 0.4) ** 2))
    dark = rng.uniform(0.5, 0.8)
    level = chromatin * rim * (1 - dark * view.nucleoli) * (1 - 0.35 * holes)
    painted: NDArray[np.float32] = np.clip(0.6 * view.soft_nucleus * level, 0, None)
    return painted


def paint_er(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """The yellow channel: a net of tubules, denser and brighter around a dark nucleus.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the texture.
    view : CellView
        The cell.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        In about [0, 1].
    """
    net = sum(np.exp(-((view.noise(rng, scale) / 0.6) ** 2)) for scale in (0.75, 0.42))
    holes = np.clip(view.noise(rng, 1.3) - 0.9, 0, 1)
    patches = 1 + 0.25 * view.noise(rng, 5)
    texture = (0.4 + 0.32 * net + 0.28 * view.noise(rng, 0.24)) * (1 - 0.55 * holes) * patches
    fade = 0.1 + 0.9 * view.around_nucleus(float(rng.uniform(3, 7)))
    level = texture * fade * view.thickness * view.cytoplasm
    if view.spindle is None:
        envelope = (
            np.exp(-((view.outside_um / 0.3) ** 2)) * view.soft_cell * (1 - view.soft_nucleus)
        )
        level = level + 0.35 * envelope * patches
        grain = 1 + 0.3 * view.noise(rng, 0.3)
        level = level + rng.uniform(0.03, 0.15) * view.soft_nucleus * grain
    else:
        level = level * (1 - 0.75 * _spindle_zone(view))
    return normalised(np.clip(level, 0, None))


def _spindle_zone(view: CellView) -> NDArray[np.float32]:
    """1 inside the spindle, fading outside."""
    if view.spindle is None:
        return np.zeros(view.shape, np.float32)
    spindle, px = view.spindle, view.pixel_size_um
    down = (np.arange(view.shape[0], dtype=np.float32)[:, None] - spindle.row) * px
    right = (np.arange(view.shape[1], dtype=np.float32)[None] - spindle.col) * px
    along = np.cos(spindle.angle) * down + np.sin(spindle.angle) * right
    across = np.cos(spindle.angle) * right - np.sin(spindle.angle) * down
    half = spindle.half_length_um
    zone: NDArray[np.float32] = np.exp(-((along / half) ** 4) - (across / (0.75 * half)) ** 4)
    return zone.astype(np.float32)


def paint_microtubules(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """The red channel: bundles from the centrosome that bend along nucleus and edge.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the filaments.
    view : CellView
        The cell.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        In about [0, 1].
    """
    if view.spindle is not None:
        haze = view.thickness * view.cytoplasm * (1 + 0.2 * view.noise(rng, 0.3))
        return normalised(paint_spindle(rng, view) + np.clip(0.2 * haze, 0, None))
    px = view.pixel_size_um
    count = int(rng.uniform(0.18, 0.5) * view.cell.sum() * px**2) + 12
    starts = np.tile(np.array(view.centrosome), (count, 1))
    free = rng.random(count) < 0.6
    nearby = view.pick(rng, view.cytoplasm * (0.05 + view.around_nucleus(6)), int(free.sum()))
    starts[np.flatnonzero(free)[: len(nearby)]] = nearby
    starts += rng.normal(0, 1.1 / px, starts.shape)
    paths = walk(
        rng,
        starts,
        rng.uniform(0, 2 * np.pi, count),
        n_steps=int(rng.integers(28, 60)),
        step_px=0.5 / px,
        wobble=float(rng.uniform(0.04, 0.1)),
        steer=stay_in_cytoplasm(rng, view),
    )
    along = np.linspace(0, 1, paths.shape[1] - 1)
    bright = (
        rng.lognormal(-0.3, 0.55, (count, 1)) * np.minimum(0.4 + 6 * along, 1) * (1 - 0.5 * along)
    )
    drawn = lines(view.shape, paths, bright, view.psf_px)
    haze = hazy(drawn, 1.2 / px)
    level = (drawn + rng.uniform(0.3, 1.0) * haze) * (0.4 + 0.6 * view.thickness) * view.soft_cell
    over_nucleus = np.clip(view.outside_um / 0.4, rng.uniform(0.15, 0.7), 1)
    return normalised(level * over_nucleus)


def stay_in_cytoplasm(
    rng: np.random.Generator, view: CellView
) -> Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]:
    """A rule for `walk`: bend away from the cell's edge and from the nucleus, which a few pass over.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides which filaments end at the edge.
    view : CellView
        The cell.

    Returns
    -------
    callable
        Turns of n filaments from their positions (n, 2) and directions (n,).
    """
    px = view.pixel_size_um
    step = max(1, int(0.35 / px))
    edge, outside = view.edge_um[::step, ::step], view.outside_um[::step, ::step]
    if min(edge.shape) < 2:
        return lambda _here, heading: np.zeros(len(heading))
    clearance = np.stack([np.minimum(edge, outside), edge])
    slope_row, slope_col = np.gradient(clearance, step * px, axis=(1, 2))
    last_row, last_col = edge.shape[0] - 1, edge.shape[1] - 1
    over = rng.uniform(0, 0.25)

    def steer(here: NDArray[Any], heading: NDArray[Any]) -> NDArray[Any]:
        """Turn towards open ground, the more the less room is ahead."""
        reach = 0.8 / px
        with np.errstate(invalid="ignore"):
            rows = (here[:, 0] + reach * np.cos(heading)) / step
            cols = (here[:, 1] + reach * np.sin(heading)) / step
        gone = ~(np.isfinite(rows) & np.isfinite(cols))
        row = np.clip(np.nan_to_num(rows), 0, last_row).astype(np.intp)
        col = np.clip(np.nan_to_num(cols), 0, last_col).astype(np.intp)
        rule = (np.arange(len(heading)) < over * len(heading)).astype(np.intp)
        at = (rule, row, col)
        room, down, right = clearance[at], slope_row[at], slope_col[at]
        side = np.cos(heading) * right - np.sin(heading) * down
        turn = 0.8 * np.clip(1 - room / 0.6, 0, 1) * np.sign(side)
        ends = (room < 0.35) & (rng.random(len(room)) < 0.3)
        return np.where(gone | ends, np.nan, turn)

    return steer


def paint_spindle(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """Fibres from pole to pole and asters around the poles.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the fibres.
    view : CellView
        A dividing cell.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        In about [0, 1]; black where the cell does not divide.
    """
    if view.spindle is None:
        return np.zeros(view.shape, np.float32)
    px = view.pixel_size_um
    poles = view.spindle.poles(px)
    axis = poles[0] - poles[1]
    normal = np.array([-axis[1], axis[0]]) / max(float(np.hypot(*axis)), 1e-6)
    count = int(rng.integers(45, 80))
    share = np.linspace(0, 1, 24)[None, :, None]
    bulge = rng.normal(0, 0.38 * view.spindle.half_length_um / px, (count, 1, 1))
    bow = bulge * np.sin(np.pi * share) ** 0.8
    reach = rng.uniform(0.45, 1.0, (count, 1, 1))
    flip = rng.random((count, 1, 1)) < 0.5
    way = np.where(flip, 1 - share * reach, share * reach)
    fibres = poles[1] + way * axis + bow * normal
    asters = walk(
        rng,
        np.repeat(poles, 20, axis=0) + rng.normal(0, 0.3 / px, (40, 2)),
        rng.uniform(0, 2 * np.pi, 40),
        n_steps=8,
        step_px=0.45 / px,
        wobble=0.05,
    )
    drawn = lines(view.shape, fibres, rng.lognormal(-0.2, 0.4, count), view.psf_px)
    drawn = drawn + 0.5 * lines(
        view.shape, asters, np.linspace(1, 0.2, 8)[None].repeat(40, 0), view.psf_px
    )
    return normalised(drawn * view.soft_cell * (1 - 0.4 * view.soft_nucleus))
