"""The protein channel of one cell: which painter draws which class, and how patterns mix.

The patterns themselves are in `_nuclear_patterns` and `_cytoplasmic_patterns`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.core.labels import NEGATIVE
from organelle_widgets.synthetic import _cytoplasmic_patterns as cytoplasmic
from organelle_widgets.synthetic import _nuclear_patterns as nuclear
from organelle_widgets.synthetic.grids import hazy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from organelle_widgets.synthetic.view import CellView

    Painter = Callable[[np.random.Generator, CellView], NDArray[np.float32]]

__all__ = ["MITOTIC_CLASSES", "PAINTERS", "SPINDLE", "paint_protein"]

SPINDLE = 11
"""Index of `Mitotic spindle`, which only dividing cells show."""

MITOTIC_CLASSES = (6, 9, 11, 12, 13, 14, 16, 17, NEGATIVE)
"""Classes that a dividing cell can show: it has no nucleus, no Golgi ribbon and no microtubule net."""


def _negative(rng: np.random.Generator, view: CellView) -> NDArray[np.float32]:
    """No specific signal: a trace of autofluorescence."""
    glow = 0.7 * cytoplasmic.cytosol(rng, view) + 0.3 * view.soft_cell
    return glow * np.float32(rng.uniform(0.0, 0.035))


PAINTERS: dict[int, Painter] = {
    0: nuclear.nucleoplasm,
    1: nuclear.nuclear_membrane,
    2: nuclear.nucleoli,
    3: nuclear.fibrillar_centers,
    4: nuclear.nuclear_speckles,
    5: nuclear.nuclear_bodies,
    6: cytoplasmic.endoplasmic_reticulum,
    7: cytoplasmic.golgi_apparatus,
    8: cytoplasmic.intermediate_filaments,
    9: cytoplasmic.actin_filaments,
    10: cytoplasmic.microtubules,
    11: cytoplasmic.mitotic_spindle,
    12: cytoplasmic.centrosome,
    13: cytoplasmic.plasma_membrane,
    14: cytoplasmic.mitochondria,
    15: cytoplasmic.aggresome,
    16: cytoplasmic.cytosol,
    17: cytoplasmic.vesicles,
    NEGATIVE: _negative,
}
"""Class index -> painter."""


def paint_protein(
    rng: np.random.Generator, view: CellView, classes: tuple[int, ...]
) -> NDArray[np.float32]:
    """The protein of one cell, one pattern or several on top of each other.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all choices.
    view : CellView
        The cell; reference channels that it has are used.
    classes : tuple of int
        Class indices. In a mixture every pattern keeps at least 0.45 of its brightness.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        About 1 where the protein is bright, 0 outside the cell but for blur; no noise.
    """
    shown = [index for index in classes if index != NEGATIVE] or [NEGATIVE]
    total = np.zeros(view.shape, np.float32)
    for place, index in enumerate(rng.permutation(shown)):
        share = 1.0 if place == 0 else rng.uniform(0.45, 1.0)
        total += np.float32(share) * PAINTERS[int(index)](rng, view)
    return total if shown == [NEGATIVE] else _stained(rng, view, total)


def _stained(
    rng: np.random.Generator, view: CellView, clean: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What staining adds: unspecific antibody, clumps of it, and light from out of focus."""
    spread = view.thickness * (1 - 0.5 * view.soft_nucleus)
    unspecific = rng.uniform(0.0, 0.09) * (spread if view.er is None else spread * np.sqrt(view.er))
    specks = np.clip(view.noise(rng, 0.25) - 2.2, 0, 1) * rng.uniform(0, 0.12) * view.soft_cell
    clumps = np.clip(1 + rng.uniform(0.05, 0.22) * view.noise(rng, 0.22), 0.3, None)
    haze = rng.uniform(0.03, 0.22) * hazy(clean, float(rng.uniform(0.6, 1.6)) / view.pixel_size_um)
    stained: NDArray[np.float32] = clean * clumps + haze + unspecific + specks
    return stained
