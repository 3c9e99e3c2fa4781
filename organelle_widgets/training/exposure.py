"""How a drawn protein becomes a recorded one: haze, few photons, sharpening, a black point.

What decides whether a network that learnt drawn proteins knows real ones is less the pattern than the picture: fields
of the Human Protein Atlas are often dim and stretched, so that noise is as strong as the signal and much of the
background is black. Ranges here were chosen such that sharpness, noise and share of black pixels of drawn cells
cover those of real ones. Patterns belong in `organelle_widgets.synthetic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["exposed", "taken_again"]

_BRIGHTEST = 5.0


def exposed(
    green: NDArray[np.float32],
    cell: NDArray[np.bool_],
    nucleus: NDArray[np.bool_],
    reference: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    faint: bool = False,
) -> NDArray[np.float32]:
    """A drawn protein as cameras and archives leave real ones.

    Parameters
    ----------
    green : ndarray of float32, shape (Y, X)
        The clean pattern.
    cell, nucleus : ndarray of bool, shape (Y, X)
        The cell and its nucleus.
    reference : ndarray of float32, shape (3, Y, X)
        Its microtubules, nuclei and ER in [0, 1]: unspecific stain follows them.
    rng : numpy.random.Generator
        Where chance comes from.
    faint : bool
        There is no specific signal: only unspecific stain and noise, near the lower end of the range.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        In [0, 1], zero outside the cell.
    """
    level = rng.uniform(0.02, 0.16) if faint else rng.uniform(0.2, 0.95)
    gain = min(level / max(float(np.percentile(green[cell], 99)), 1e-3), _BRIGHTEST)
    haze = _haze(cell, nucleus, reference, rng)
    share = rng.uniform(0.3, 1.0) if faint else min(float(rng.exponential(0.16)), 0.7)
    blurred = gaussian_filter(green, float(rng.uniform(3, 9)), truncate=2.5)
    beyond_focus = green + np.float32(rng.uniform(0, 0.8)) * blurred * cell
    clean = gain * beyond_focus + np.float32(level * share) * haze
    return _recorded(clean, cell, rng, noise=float(np.exp(rng.uniform(np.log(0.06), np.log(1.0)))))


def taken_again(
    crop: NDArray[np.float32], cell: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    """A recorded crop as another exposure might show it: gain, gamma, blur or sharpening, a little noise.

    Parameters
    ----------
    crop : ndarray of float32, shape (4, Y, X)
        In [0, 1].
    cell : ndarray of bool, shape (Y, X)
        The cell.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    ndarray of float32, shape (4, Y, X)
        In [0, 1], zero outside the cell; channels that were black stay so.
    """
    taken = np.zeros_like(crop)
    for channel, plane in enumerate(crop):
        if plane.any():
            gain = np.exp(rng.normal(0, 0.18 if channel == 1 else 0.3))
            curved = plane ** np.float32(np.exp(rng.normal(0, 0.15))) * np.float32(gain)
            noise = float(rng.uniform(0, 0.25)) if rng.random() < 0.5 else 0.0
            taken[channel] = _recorded(curved, cell, rng, noise=noise, black=0.1)
    return taken


def _haze(
    cell: NDArray[np.bool_],
    nucleus: NDArray[np.bool_],
    reference: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Unspecific stain: a mixture of what follows microtubules, ER, the cell and its nucleus, and of grains."""
    grains = gaussian_filter(rng.standard_normal(cell.shape, dtype=np.float32), rng.uniform(0.5, 1))
    grains = np.clip(grains / max(float(grains.std()), 1e-6) - 0.8, 0, None) * 0.5
    parts = [reference[0], reference[2], cell * 0.5, nucleus * 0.5, grains * cell]
    shares = rng.dirichlet((1.0, 1.0, 1.0, 0.6, 0.8))
    mixed = sum(np.float32(share) * part for share, part in zip(shares, parts, strict=True))
    return np.asarray(mixed, np.float32)


def _recorded(
    clean: NDArray[np.float32],
    cell: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    noise: float,
    black: float = 0.5,
) -> NDArray[np.float32]:
    """Shot noise of relative strength `noise` at the cell's mean, blur or sharpening, and a black point."""
    mean = float(clean[cell].mean()) if cell.any() else 0.0
    drawn = rng.standard_normal(clean.shape, dtype=np.float32)
    noisy = clean + np.float32(noise) * np.sqrt(np.clip(clean, 0, None) * mean) * drawn
    if rng.random() < 0.6:
        smooth = gaussian_filter(noisy, float(rng.uniform(0.4, 0.8)), truncate=3)
        noisy = smooth + np.float32(rng.uniform(0, 1.9)) * (noisy - smooth)
    noisy = noisy - np.float32(rng.uniform(0, black) * mean)
    kept: NDArray[np.float32] = np.clip(noisy, 0, 1) * cell
    return kept
