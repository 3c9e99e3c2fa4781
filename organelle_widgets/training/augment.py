"""Random changes of crops, made anew for every batch, that leave the answer as it is.

They are cheap, so that a network never waits for them. Changes that cost more (other shapes, other exposures) are made
once for each cell, in `organelle_widgets.training.data`. Backgrounds are zero and stay so. All chance comes from the
generator that is handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["augment"]

_SPREAD = np.array([0.3, 0.15, 0.3, 0.3], np.float32)[:, None, None]
"""Of the logarithm of each channel's gain; the protein's varies less, its level being evidence."""
_DROP_SHARE = {0: 0.07, 3: 0.2}
"""Share of cells without microtubules (red) or ER (yellow), as in fields where that channel is missing."""


def augment(crops: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Change every crop of a batch at random.

    Flips and quarter turns, a shift of up to 8 px, a gain of each channel, and now and then no microtubules or no ER.

    Parameters
    ----------
    crops : ndarray of uint8, shape (n, 4, size, size)
        255 stands for 1; zero outside the cell.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    ndarray of float32, shape (n, 4, size, size)
        In [0, 1].
    """
    changed = np.zeros(crops.shape, np.float32)
    for into, crop in zip(changed, crops, strict=True):
        _move(into, crop, rng)
    gains = np.exp(_SPREAD * rng.standard_normal((*crops.shape[:2], 1, 1), dtype=np.float32))
    changed *= gains / np.float32(255)
    np.minimum(changed, 1, out=changed)
    for channel, share in _DROP_SHARE.items():
        changed[rng.random(len(changed)) < share, channel] = 0
    return changed


def _move(into: NDArray[np.float32], crop: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """One of the eight turns and flips, then a shift that fills with zeros."""
    moved = np.rot90(crop, int(rng.integers(4)), axes=(1, 2))
    if rng.random() < 0.5:
        moved = moved[:, ::-1]
    size = crop.shape[-1]
    rows, cols = rng.integers(-(size // 16), size // 16 + 1, 2)
    to = np.s_[:, max(rows, 0) : size + min(rows, 0), max(cols, 0) : size + min(cols, 0)]
    start = np.s_[:, max(-rows, 0) : size + min(-rows, 0), max(-cols, 0) : size + min(-cols, 0)]
    into[to] = moved[start]
