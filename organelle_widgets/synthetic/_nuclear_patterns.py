"""How proteins of the nucleus look: classes 0 to 5.

Each painter takes a generator and a `CellView` and returns the pattern on the cell's crop, already blurred by the
optics and about 1 where it is bright. Descriptions follow the Human Protein Atlas' cell dictionary.

References
----------
Thul et al., "A subcellular map of the human proteome", Science 2017, https://doi.org/10.1126/science.aal3321
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from organelle_widgets.synthetic.grids import normalised
from organelle_widgets.synthetic.strokes import stamp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.synthetic.view import CellView

__all__ = [
    "fibrillar_centers",
    "nuclear_bodies",
    "nuclear_membrane",
    "nuclear_speckles",
    "nucleoli",
    "nucleoplasm",
]


def nucleoplasm(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """The whole nucleus, smooth to granular, without or with weak nucleoli."""
    grain = rng.uniform(0.06, 0.2) * view.noise(rng, 0.35) + rng.uniform(0, 0.15) * view.noise(
        rng, 1.0
    )
    level = np.clip(1 + grain, 0.2, None) * (1 - rng.uniform(0.4, 0.95) * view.nucleoli)
    if view.dna is not None:
        level = level * _relative(view.dna, view.nucleus) ** rng.uniform(0, 0.6)
    return normalised(level * view.soft_nucleus)


def _relative(channel: NDArray[np.float32], region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A channel relative to its middle in a region, between 0.3 and 2."""
    middle = float(np.median(channel[region])) if region.any() else 0.0
    if middle <= 1e-3:
        return np.ones_like(channel)
    relative: NDArray[np.float32] = np.clip(channel / np.float32(middle), 0.3, 2.0)
    return relative


def nuclear_membrane(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """A thin rim, here and there a fold, over a faint nucleus."""
    width = rng.uniform(0.14, 0.26)
    rim = np.exp(-(((view.inside_um - 0.15) / width) ** 2)) * (view.inside_um > 0)
    rim = gaussian_filter(rim.astype(np.float32), 0.7 * view.psf_px) * (
        1 + 0.22 * view.noise(rng, 0.8)
    )
    fold = np.exp(-((view.noise(rng, 5.0) / 0.035) ** 2)) * np.clip(view.noise(rng, 4) - 0.6, 0, 1)
    body = rng.uniform(0.08, 0.35) * view.soft_nucleus * (1 + 0.15 * view.noise(rng, 0.4))
    level = normalised(np.clip(rim, 0, None), 97) + 0.5 * fold * view.soft_nucleus + body
    return normalised(np.clip(level, 0, None))


def nucleoli(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """The nucleoli filled, sometimes as rims, over a weak nucleoplasm."""
    rim = rng.uniform(0, 0.6) if rng.random() < 0.3 else 0.0
    shell = 4 * view.nucleoli * (1 - view.nucleoli)
    filled = (1 - rim) * view.nucleoli + rim * shell
    grain = np.clip(1 + 0.18 * view.noise(rng, 0.4), 0.3, None)
    base = rng.uniform(0.05, 0.35) * nucleoplasm(rng, view)
    return normalised(normalised(filled * grain) * view.soft_nucleus + base)


def fibrillar_centers(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """A few small dots inside the nucleoli."""
    where = view.pick(rng, view.nucleoli**2, int(rng.integers(7, 30)))
    sizes = np.maximum(rng.uniform(0.12, 0.28, len(where)) / view.pixel_size_um, 0.8 * view.psf_px)
    spots = stamp(view.shape, where, sizes, rng.lognormal(-0.2, 0.4, len(where)))
    glow = rng.uniform(0, 0.2) * view.nucleoli + rng.uniform(0.02, 0.15) * view.soft_nucleus
    return normalised(normalised(spots, 98) + glow)


def nuclear_speckles(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """Ten to forty irregular patches all over the nucleus, none in the nucleoli."""
    room = view.soft_nucleus * (view.inside_um > 0.5) * (view.nucleoli < 0.3)
    area = float(view.nucleus.sum()) * view.pixel_size_um**2
    where = view.pick(rng, room, int(np.clip(area * rng.uniform(0.09, 0.25), 6, 55)))
    sizes = np.maximum(rng.uniform(0.2, 0.48, len(where)) / view.pixel_size_um, 0.8 * view.psf_px)
    spots = stamp(view.shape, where, sizes, rng.lognormal(0, 0.3, len(where)))
    ragged = np.clip(spots * (1 + 0.35 * view.noise(rng, 0.45)), 0, 1.6)
    base = rng.uniform(0.12, 0.4) * (1 - 0.8 * view.nucleoli) * (1 + 0.12 * view.noise(rng, 0.5))
    return normalised(np.clip(ragged + base, 0, None) * view.soft_nucleus)


def nuclear_bodies(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """Two to a dozen sharp round dots, over a weak nucleoplasm."""
    room = view.soft_nucleus * (view.inside_um > 0.6) * (1 - view.nucleoli)
    where = view.pick(rng, room, int(rng.integers(2, 13)))
    sizes = np.maximum(rng.uniform(0.16, 0.4, len(where)) / view.pixel_size_um, 0.8 * view.psf_px)
    spots = stamp(view.shape, where, sizes, rng.lognormal(0, 0.25, len(where)))
    base = rng.uniform(0.05, 0.4) * nucleoplasm(rng, view)
    return normalised(spots + base, 99.8)
