"""Random changes of crops that leave the answer as it is.

Each works on a batch of shape (n, 4, size, size) in [0, 1] whose background is zero, and keeps it so. All chance
comes from the generator that is handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["augment"]

_PROTEIN = 1
_DROPPABLE = (0, 3)
_DROP_SHARE = {0: 0.06, 3: 0.15}
_BLUR_SHARE, _NOISE_SHARE, _GAMMA_SHARE = 0.2, 0.35, 0.35


def augment(crops: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Change every crop of a batch at random.

    Flips and quarter turns, a shift of up to 8 px, gain and gamma of each channel, blur, noise, and now and
    then no microtubules or no ER, as in a field where that channel is missing.

    Parameters
    ----------
    crops : ndarray of float32, shape (n, 4, size, size)
        In [0, 1], zero outside the cell.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    ndarray of float32, shape (n, 4, size, size)
        A new array, in [0, 1].
    """
    changed = np.stack([_moved(crop, rng) for crop in crops])
    inside = changed.max(axis=1, keepdims=True) > 0
    changed = _relit(changed, rng)
    for crop in changed:
        if rng.random() < _BLUR_SHARE:
            sigma = rng.uniform(0.3, 0.9)
            crop[:] = ndimage.gaussian_filter(crop, (0, sigma, sigma), truncate=2.5)
        if rng.random() < _NOISE_SHARE:
            crop += _noise(crop, rng)
    for channel in _DROPPABLE:
        changed[rng.random(len(changed)) < _DROP_SHARE[channel], channel] = 0
    kept: NDArray[np.float32] = np.clip(changed * inside, 0, 1)
    return kept


def _moved(crop: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """One of the eight turns and flips, then a shift that fills with zeros."""
    moved = np.rot90(crop, int(rng.integers(4)), axes=(1, 2))
    if rng.random() < 0.5:
        moved = moved[:, ::-1]
    reach = crop.shape[-1] // 16
    shifted = np.zeros_like(crop)
    rows, cols = rng.integers(-reach, reach + 1, 2)
    size = crop.shape[-1]
    to = np.s_[:, max(rows, 0) : size + min(rows, 0), max(cols, 0) : size + min(cols, 0)]
    start = np.s_[:, max(-rows, 0) : size + min(-rows, 0), max(-cols, 0) : size + min(-cols, 0)]
    shifted[to] = moved[start]
    return shifted


def _relit(crops: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Gain and gamma of each channel; the protein's gain varies less, its level being evidence."""
    shape = (len(crops), crops.shape[1], 1, 1)
    spread = np.where(np.arange(crops.shape[1]) == _PROTEIN, 0.2, 0.3)[:, None, None]
    gain = np.exp(spread * rng.standard_normal(shape)).astype(np.float32)
    relit: NDArray[np.float32] = np.minimum(crops * gain, 1)
    curved = rng.random(len(crops)) < _GAMMA_SHARE
    gamma = np.exp(rng.normal(0, 0.2, shape)).astype(np.float32)
    relit[curved] **= gamma[curved]
    return relit


def _noise(crop: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise of one crop: a constant part and one that grows with the signal's root."""
    constant = rng.uniform(0.0, 0.02, (len(crop), 1, 1)).astype(np.float32)
    level = constant + np.float32(rng.uniform(0, 0.06)) * np.sqrt(crop)
    drawn = rng.standard_normal(crop.shape, dtype=np.float32)
    return (drawn * level).astype(np.float32, copy=False)
