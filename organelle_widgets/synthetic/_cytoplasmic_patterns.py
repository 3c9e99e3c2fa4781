"""How proteins outside the nucleus look: classes 6 to 17.

Each painter takes a generator and a `CellView` and returns the pattern on the cell's crop, already blurred by the
optics and about 1 where it is bright. Textures lean on the cell's reference channels where it has them: on recorded
cells that makes them as irregular as real ones. Descriptions follow the Human Protein Atlas' cell dictionary.

References
----------
Thul et al., "A subcellular map of the human proteome", Science 2017, https://doi.org/10.1126/science.aal3321
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from organelle_widgets.synthetic.grids import hazy, normalised
from organelle_widgets.synthetic.reference import paint_er, paint_microtubules, paint_spindle
from organelle_widgets.synthetic.strokes import dots, lines, stamp, walk
from organelle_widgets.synthetic.view import Spindle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.synthetic.view import CellView

__all__ = [
    "actin_filaments",
    "aggresome",
    "centrosome",
    "cytosol",
    "endoplasmic_reticulum",
    "golgi_apparatus",
    "intermediate_filaments",
    "microtubules",
    "mitochondria",
    "mitotic_spindle",
    "plasma_membrane",
    "vesicles",
]


def cytosol(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """Diffuse and finely granular, weaker in the nucleus."""
    grain = 1 + rng.uniform(0.05, 0.16) * view.noise(rng, 0.3) + 0.08 * view.noise(rng, 2)
    body = (0.35 + 0.65 * view.around_nucleus(float(rng.uniform(6, 20)))) * view.thickness
    tied = _texture(rng, view)
    nucleus = rng.uniform(0.08, 0.6) * view.soft_nucleus * (1 - 0.4 * view.nucleoli)
    if view.spindle is not None:
        nucleus = nucleus * 0.3
    level = body * tied * view.cytoplasm + nucleus
    return normalised(np.clip(level * grain, 0, None))


def _texture(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """What the reference channels say of the cytoplasm's texture, about 1 on the whole."""
    level = np.ones(view.shape, np.float32)
    for channel in (view.er, view.microtubules):
        share = rng.uniform(0.1, 0.6)
        if channel is not None:
            smooth = hazy(channel, max(float(rng.uniform(0.1, 0.5)) / view.pixel_size_um, 0.3))
            middle = float(np.median(smooth[view.cell][::4])) if view.cell.any() else 0.0
            if middle > 1e-3:
                level *= np.clip(smooth / middle, 0.2, 3) ** share
    return level


def endoplasmic_reticulum(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """The ER's net, much like the yellow channel."""
    er = view.er if view.er is not None else paint_er(rng, view)
    own = np.clip(1 + 0.15 * view.noise(rng, 0.3) + 0.2 * view.noise(rng, 3), 0.2, None)
    level = np.clip(normalised(er), 0, 1.5) ** rng.uniform(0.75, 1.15) * own * view.soft_cell
    envelope = np.exp(-((view.outside_um / 0.35) ** 2)) * (1 - view.soft_nucleus) * view.soft_cell
    dim = 1 - rng.uniform(0.3, 0.8) * view.soft_nucleus
    return normalised((level + rng.uniform(0, 0.35) * envelope) * dim)


def golgi_apparatus(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """A ribbon of patches on one side of the nucleus, around the centrosome."""
    px = view.pixel_size_um
    row, col = view.centrosome
    down = np.arange(view.shape[0], dtype=np.float32)[:, None] - np.float32(row)
    right = np.arange(view.shape[1], dtype=np.float32)[None] - np.float32(col)
    side = np.hypot(down, right) * px / rng.uniform(2.0, 5.0)
    band = (view.outside_um - rng.uniform(0.8, 2.0)) / rng.uniform(0.5, 1.3)
    ridge = np.exp(-((view.noise(rng, 1.3) / 0.5) ** 2))
    room = np.exp(-(side**2) - band**2) * view.cytoplasm * (0.1 + ridge)
    where = view.pick(rng, room, int(rng.integers(50, 150)))
    sizes = np.maximum(rng.uniform(0.1, 0.32, len(where)) / px, 0.9 * view.psf_px)
    ribbon = stamp(view.shape, where, sizes, rng.lognormal(-0.3, 0.5, len(where)))
    stray = view.pick(rng, view.cytoplasm * view.around_nucleus(5), int(rng.integers(0, 20)))
    bits = stamp(view.shape, stray, np.full(len(stray), view.psf_px), np.full(len(stray), 0.35))
    base = rng.uniform(0.01, 0.12) * cytosol(rng, view)
    return normalised(normalised(ribbon, 98) * view.cytoplasm + bits + base, 99.8)


def intermediate_filaments(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """A tangled net that cages the nucleus and thins out towards the edge."""
    net = sum(
        size * np.exp(-((view.noise(rng, scale) / 0.22) ** 2))
        for size, scale in ((0.8, 2.6), (0.7, 1.7), (0.4, 1.0))
    )
    fade = 0.12 + 0.88 * view.around_nucleus(float(rng.uniform(3, 8)))
    cage = np.exp(-((view.outside_um / 0.7) ** 2))
    patches = np.clip(1 + 0.35 * view.noise(rng, 6), 0.2, None)
    level = (net + 0.25) * fade * patches * view.thickness * view.cytoplasm
    px = view.pixel_size_um
    count = int(rng.integers(20, 70))
    starts = view.pick(rng, view.cytoplasm * view.around_nucleus(4), count)
    curls = walk(
        rng,
        starts,
        rng.uniform(0, 2 * np.pi, len(starts)),
        n_steps=24,
        step_px=0.4 / px,
        wobble=float(rng.uniform(0.06, 0.16)),
    )
    bundles = lines(view.shape, curls, rng.lognormal(-0.4, 0.4, len(starts)), view.psf_px)
    level = level + (0.4 * cage + 0.5 * bundles * fade) * view.cytoplasm
    return normalised(gaussian_filter(level, 0.6 * view.psf_px))


def actin_filaments(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """Straight parallel stress fibres across the cell, and the cortex."""
    px = view.pixel_size_um
    inside = view.pick(rng, view.cell & (view.edge_um > 0.4), int(rng.integers(25, 90)))
    main = _main_axis(view) + rng.normal(0, 0.15)
    angles = main + rng.normal(0, rng.uniform(0.03, 0.2), len(inside))
    half = rng.uniform(2.5, 11, len(inside)) / px
    reach = np.linspace(-1, 1, 28)[None, :, None] * half[:, None, None]
    bow = (1 - np.linspace(-1, 1, 28)[None, :, None] ** 2) * rng.normal(
        0, 0.4 / px, (len(inside), 1, 1)
    )
    ahead = np.stack([np.cos(angles), np.sin(angles)], 1)[:, None]
    aside = np.stack([-np.sin(angles), np.cos(angles)], 1)[:, None]
    fibres = inside[:, None] + reach * ahead + bow * aside
    bright = rng.lognormal(-0.7, 0.6, (len(inside), 1)) * (1 - np.linspace(-1, 1, 27)[None] ** 6)
    drawn = lines(view.shape, fibres, bright, max(view.psf_px, 0.16 / px))
    cortex = np.exp(-(((view.edge_um - 0.25) / 0.3) ** 2)) * np.clip(
        1 + 0.6 * view.noise(rng, 4), 0, 2
    )
    base = rng.uniform(0.15, 0.5) * cytosol(rng, view)
    level = drawn * (1 - rng.uniform(0, 0.6) * view.soft_nucleus) + rng.uniform(0.2, 0.8) * cortex
    return normalised(level * view.soft_cell + base)


def _main_axis(view: CellView) -> float:
    """Direction of the cell's long axis, radians from the row axis towards the column axis."""
    rows, cols = np.nonzero(view.cell)
    if len(rows) < 3:
        return 0.0
    spread = np.cov(rows, cols)
    return float(0.5 * np.arctan2(2 * spread[0, 1], spread[0, 0] - spread[1, 1]))


def microtubules(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """Much like the red channel."""
    red = view.microtubules if view.microtubules is not None else paint_microtubules(rng, view)
    own = np.clip(1 + 0.15 * view.noise(rng, 0.25) + 0.15 * view.noise(rng, 4), 0.2, None)
    level = np.clip(normalised(red), 0, 1.5) ** rng.uniform(0.8, 1.2) * own * view.soft_cell
    return normalised(level + rng.uniform(0, 0.12) * cytosol(rng, view))


def mitotic_spindle(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """The spindle's fibres; the rest of the protein is diffuse in the rounded cell."""
    recorded = view.microtubules if view.spindle is not None else None
    if view.spindle is None:
        view = _as_dividing(view)
    like_red = recorded is not None and rng.random() < 0.3
    fibres = recorded if recorded is not None and like_red else paint_spindle(rng, view)
    spots = stamp(
        view.shape,
        view.spindle.poles(view.pixel_size_um) if view.spindle else np.zeros((0, 2)),
        np.full(2, max(0.3 / view.pixel_size_um, view.psf_px)),
        np.full(2, rng.uniform(0, 1.2)),
    )
    base = (
        rng.uniform(0.05, 0.3) * view.soft_cell * np.clip(1 + 0.2 * view.noise(rng, 0.4), 0, None)
    )
    return normalised(
        normalised(fibres) + spots * view.soft_cell + base * (1 - 0.5 * view.soft_nucleus)
    )


def _as_dividing(view: CellView) -> CellView:
    """The same view with a spindle across the short axis of its nucleus."""
    rows, cols = np.nonzero(view.nucleus if view.nucleus.any() else view.cell)
    if len(rows) < 3:
        return view.with_landmarks(spindle=Spindle(*view.centrosome, 0.0, 5.0))
    spread = np.cov(rows, cols)
    short = 0.5 * np.arctan2(2 * spread[0, 1], spread[0, 0] - spread[1, 1]) + np.pi / 2
    width_um = 2 * np.sqrt(max(np.linalg.eigvalsh(spread)[0], 0)) * view.pixel_size_um
    half = float(np.clip(width_um + 2.5, 3.5, 7))
    return view.with_landmarks(
        spindle=Spindle(float(rows.mean()), float(cols.mean()), float(short), half)
    )


def centrosome(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """One or two dots beside the nucleus (the poles in mitosis), over a weak granular cytosol."""
    px = view.pixel_size_um
    if view.spindle is not None:
        where = view.spindle.poles(px)
    else:
        where = np.tile(np.array(view.centrosome), (int(rng.integers(1, 3)), 1))
        where = where + rng.normal(0, 0.45 / px, where.shape)
    sizes = np.maximum(rng.uniform(0.16, 0.38, len(where)) / px, 0.8 * view.psf_px)
    spots = stamp(view.shape, where, sizes, rng.uniform(0.7, 1.0, len(where)))
    halo = stamp(view.shape, where[:1], np.full(1, 1.2 / px), np.full(1, rng.uniform(0, 0.12)))
    base = rng.uniform(0.02, 0.16) * cytosol(rng, view)
    level = spots * view.soft_cell + halo * view.cytoplasm + base
    scaled: NDArray[np.float32] = level / np.float32(max(float(level.max()), 1e-6))
    return scaled


def plasma_membrane(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """The edge, ragged, brightest where cells touch; the rest of the membrane as a diffuse veil."""
    width = rng.uniform(0.2, 0.45)
    inset = 0.15 + rng.uniform(0, 0.25) * np.abs(view.noise(rng, 2.5))
    edge = np.exp(-(((view.edge_um - inset) / width) ** 2)) * view.cell
    edge = gaussian_filter(edge.astype(np.float32), 0.7 * view.psf_px) * view.cell
    ragged = np.clip(0.75 + 0.35 * view.noise(rng, 0.7) + 0.3 * view.noise(rng, 4), 0.05, None)
    if view.neighbours is not None and view.neighbours.any():
        contact = gaussian_filter(view.neighbours.astype(np.float32), 0.6 / view.pixel_size_um)
        ragged = ragged * (0.6 + 1.6 * np.clip(2.2 * contact, 0, 1))
    ruffles = np.clip(view.noise(rng, 0.5) - 0.9, 0, 1.2) * np.exp(
        -view.edge_um / rng.uniform(0.8, 3)
    )
    veil = rng.uniform(0.05, 0.4) * (1 + 0.25 * view.noise(rng, 0.3) + 0.15 * view.noise(rng, 3))
    veil = veil * (1 if rng.random() < 0.4 else _texture(rng, view) ** 0.6) * view.thickness
    veil = veil * (1 - rng.uniform(0, 0.5) * view.soft_nucleus)
    level = normalised(edge * ragged, 97) + rng.uniform(0, 0.9) * ruffles + np.clip(veil, 0, None)
    return normalised(level * view.cell)


def mitochondria(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """Short worms, crowded around the nucleus, along the microtubules."""
    px = view.pixel_size_um
    area = float(view.cell.sum()) * px**2
    room = (
        view.cytoplasm * (0.02 + view.around_nucleus(float(rng.uniform(1.5, 7)))) * view.thickness
    )
    if view.microtubules is not None:
        room = room * (0.15 + gaussian_filter(view.microtubules, 0.3 / px))
    starts = view.pick(rng, room, int(np.clip(area * rng.uniform(0.2, 0.6), 20, 800)))
    angles = rng.uniform(0, 2 * np.pi, len(starts))
    n_steps = int(rng.integers(5, 16))
    worms = walk(
        rng, starts, angles, n_steps=n_steps, step_px=0.35 / px, wobble=float(rng.uniform(0.1, 0.3))
    )
    ends = rng.integers(2, n_steps + 1, len(starts))
    worms[np.arange(n_steps + 1)[None] > ends[:, None]] = np.nan
    bright = rng.lognormal(-0.2, 0.35, len(starts))
    width = max(float(rng.uniform(0.1, 0.17)) / px, view.psf_px)
    drawn = lines(view.shape, worms, bright, width) * view.cytoplasm
    return normalised(np.minimum(drawn, 2.5) + rng.uniform(0.01, 0.1) * cytosol(rng, view))


def aggresome(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """One large bright blob beside the nucleus."""
    px = view.pixel_size_um
    where = np.array([view.centrosome])
    parts = np.concatenate([where, where + rng.normal(0, 0.5 / px, (int(rng.integers(1, 5)), 2))])
    sizes = rng.uniform(0.5, 1.0, len(parts)) / px
    blob = np.minimum(stamp(view.shape, parts, sizes, rng.uniform(0.6, 1, len(parts))), 1.3)
    blob = blob * np.clip(1 + 0.15 * view.noise(rng, 0.5), 0, None)
    few = view.pick(rng, view.cytoplasm * view.around_nucleus(5), int(rng.integers(0, 4)))
    small = stamp(view.shape, few, np.full(len(few), 0.35 / px), np.full(len(few), 0.4))
    base = rng.uniform(0.03, 0.2) * cytosol(rng, view)
    return normalised((blob + small) * view.cytoplasm + base, 99.8)


def vesicles(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """Many dots in the cytoplasm, of one size class a cell, crowded at the nucleus or all over."""
    px = view.pixel_size_um
    area = float(view.cell.sum()) * px**2
    room = view.cytoplasm * (0.05 + view.around_nucleus(float(rng.uniform(3, 25))))
    where = view.pick(rng, room, int(np.clip(area * rng.uniform(0.04, 0.5), 12, 700)))
    weights = rng.lognormal(-0.4, 0.6, len(where))
    typical = max(float(rng.uniform(0.09, 0.26)) / px, view.psf_px)
    small = gaussian_filter(dots(view.shape, where[:, 0], where[:, 1], weights), typical)
    large = stamp(view.shape, where[::9], np.full(len(where[::9]), 1.6 * typical), weights[::9])
    level = np.float32(2 * np.pi * typical**2) * small + rng.uniform(0, 0.6) * large
    return normalised(level * view.cytoplasm + rng.uniform(0.01, 0.15) * cytosol(rng, view), 99.7)
