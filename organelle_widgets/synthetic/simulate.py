"""A drawn protein on a recorded cell: simulated green channels for training a classifier.

The masks and the reference channels are real, only the protein is drawn, with the painters of the virtual fields. Their
textures follow the real microtubules and ER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import binary_fill_holes, gaussian_filter

from organelle_widgets.core.labels import NEGATIVE, class_index
from organelle_widgets.errors import InputError
from organelle_widgets.synthetic.grids import normalised
from organelle_widgets.synthetic.landmarks import draw_nucleoli, find_centrosome
from organelle_widgets.synthetic.optics import Exposure, record
from organelle_widgets.synthetic.proteins import paint_protein
from organelle_widgets.synthetic.view import CellView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["simulate_protein"]


def simulate_protein(
    nucleus_mask: NDArray[Any],
    cell_mask: NDArray[Any],
    reference: NDArray[np.float32],
    classes: int | str | Sequence[int | str],
    pixel_size_um: float,
    rng: np.random.Generator,
    *,
    noisy: bool = True,
) -> NDArray[np.float32]:
    """Draw the protein channel of one recorded cell.

    Parameters
    ----------
    nucleus_mask, cell_mask : ndarray of bool or integers, shape (Y, X)
        The cell; what is not 0 belongs to it.
    reference : ndarray of float32, shape (3, Y, X) or (4, Y, X)
        The recorded channels in [0, 1]: microtubules, nuclei, ER (red, blue, yellow); or all four channels of
        a crop, whose protein is not read. A channel that is all 0 counts as missing.
    classes : int, str or sequence
        One class or a mixture, as indices, names or codes. `Negative` counts only on its own.
    pixel_size_um : float
        Micrometres per pixel of the crop.
    rng : numpy.random.Generator
        Source of all choices.
    noisy : bool
        Add background, photon and read noise; else the clean pattern.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        In [0, 1], with a random brightness; black outside the cell but for blur and noise.

    Raises
    ------
    InputError
        If shapes or values can't be those of a cell, or a class is unknown.
    """
    cell, nucleus = np.asarray(cell_mask) > 0, np.asarray(nucleus_mask) > 0
    nucleus = binary_fill_holes(nucleus) if nucleus.ndim == 2 else nucleus
    planes = _planes(cell, nucleus, reference, pixel_size_um)
    wanted = [classes] if isinstance(classes, (str, int, np.integer)) else list(classes)
    found = tuple(sorted({class_index(part) for part in wanted})) or (NEGATIVE,)
    view = _view(rng, cell, nucleus, planes, pixel_size_um)
    clean = paint_protein(rng, view, found)
    level = np.float32(rng.uniform(0.25, 1.0) if found != (NEGATIVE,) else 1.0)
    if not noisy:
        pattern: NDArray[np.float32] = np.clip(level * clean, 0, 1)
        return pattern
    exposure = Exposure.draw(rng, (0.7, 1.0))
    return record(rng, level * clean, exposure, pixel_size_um)


def _planes(
    cell: NDArray[np.bool_],
    nucleus: NDArray[np.bool_],
    reference: NDArray[np.float32],
    pixel_size_um: float,
) -> list[NDArray[np.float32] | None]:
    """Checked microtubules, DNA and ER, each scaled to its own brightness; None where missing."""
    given = np.asarray(reference, dtype=np.float32)
    if cell.ndim != 2 or nucleus.shape != cell.shape or 0 in cell.shape:
        message = f"Expected two masks of one shape (Y, X); found {nucleus.shape} and {cell.shape}."
        raise InputError(message)
    if given.ndim != 3 or given.shape[0] not in (3, 4) or given.shape[1:] != cell.shape:
        message = (
            f"Expected reference channels of shape (3, {cell.shape[0]}, {cell.shape[1]}), or 4 channels; "
            f"found {given.shape}."
        )
        raise InputError(message)
    if not cell.any():
        message = "Expected a cell mask with at least one pixel; found none."
        raise InputError(message)
    if not 0.01 <= pixel_size_um <= 5:
        message = f"Expected a pixel size of 0.01 to 5 um; found {pixel_size_um!r}."
        raise InputError(message)
    channels = given[[0, 2, 3]] if len(given) == 4 else given
    return [normalised(channel * cell) if channel.any() else None for channel in channels]


def _view(
    rng: np.random.Generator,
    cell: NDArray[np.bool_],
    nucleus: NDArray[np.bool_],
    planes: list[NDArray[np.float32] | None],
    pixel_size_um: float,
) -> CellView:
    """The cell with its landmarks: nucleoli are where the DNA is dark."""
    red, blue, yellow = planes
    nothing = np.zeros(cell.shape, np.float32)
    bare = CellView(cell, nucleus, pixel_size_um, (0.0, 0.0), nothing)
    dark = _dark_holes(bare, blue) if blue is not None else nothing
    seen = dark if dark.sum() * pixel_size_um**2 > 1.0 else None
    nucleoli = seen if seen is not None else draw_nucleoli(rng, bare.inside_um, pixel_size_um)
    landmarks = find_centrosome(rng, bare, red)
    return bare.with_landmarks(
        centrosome=landmarks, nucleoli=nucleoli, microtubules=red, dna=blue, er=yellow
    )


def _dark_holes(view: CellView, dna: NDArray[np.float32]) -> NDArray[np.float32]:
    """Nucleoli of a recorded nucleus: well inside it, and clearly darker than the rest; 0 to 1."""
    if not view.nucleus.any():
        return np.zeros(view.shape, np.float32)
    smooth = gaussian_filter(dna, max(0.35 / view.pixel_size_um, 0.5))
    core = view.nucleus & (view.inside_um > min(1.0, 0.4 * float(view.inside_um.max())))
    if not core.any():
        return np.zeros(view.shape, np.float32)
    middle, low = np.percentile(smooth[core], [60, 4])
    brink = min(0.8 * middle, low + 0.35 * (middle - low))
    depth = np.clip((brink - smooth) / max(0.12 * middle, 1e-3) + 0.5, 0, 1)
    holes: NDArray[np.float32] = (depth * core).astype(np.float32)
    return holes
