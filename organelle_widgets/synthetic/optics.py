"""What the microscope does to a clean picture: haze, uneven light, background, photon and read noise, digits.

Signals are fractions of full scale. Blur by the point spread function belongs to the painters, which draw every stroke
as the optics would show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import convolve1d

from organelle_widgets.synthetic.grids import smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Exposure", "digitise", "record"]

_BANDWIDTH = np.array([0.08, 0.84, 0.08], np.float32)


@dataclass(frozen=True)
class Exposure:
    """How one channel was recorded.

    Parameters
    ----------
    gain : float
        Grey level, as a fraction of full scale, of a signal of 1.
    photons : float
        Photons that a signal of 1 gives.
    read_noise : float
        Standard deviation of the detector's noise, photons.
    background : float
        Signal that is everywhere.
    black_level : float
        Signal below which the detector says 0.
    uneven : float
        Standard deviation of the illumination over the field.
    """

    gain: float = 0.75
    photons: float = 120.0
    read_noise: float = 0.6
    background: float = 0.01
    black_level: float = 0.012
    uneven: float = 0.04

    @classmethod
    def draw(cls, rng: np.random.Generator, gain: tuple[float, float] = (0.4, 0.85)) -> Exposure:
        """A random exposure, within what HPA's fields show.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of all choices.
        gain : tuple of float
            Lowest and highest gain.

        Returns
        -------
        Exposure
            For one channel.
        """
        background = float(rng.uniform(0.0, 0.02))
        return cls(
            gain=float(rng.uniform(*gain)),
            photons=float(rng.lognormal(np.log(130), 0.45)),
            read_noise=float(rng.uniform(0.3, 0.9)),
            background=background,
            black_level=background + float(rng.uniform(0.002, 0.015)),
            uneven=float(rng.uniform(0.01, 0.07)),
        )


def record(
    rng: np.random.Generator,
    signal: NDArray[np.float32],
    exposure: Exposure,
    pixel_size_um: float,
) -> NDArray[np.float32]:
    """Record a clean signal: light, noise, black level, gain.

    Photon noise is drawn on the square-root scale, where it has an almost constant width (Anscombe 1948,
    https://doi.org/10.1093/biomet/35.3-4.246): one normal number a pixel, whatever the signal. Neighbouring pixels
    share a little of their noise, as in scanned pictures.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the noise.
    signal : ndarray of float32, shape (Y, X)
        About 1 where bright.
    exposure : Exposure
        How it is recorded.
    pixel_size_um : float
        Micrometres per pixel.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        Fractions of full scale, in [0, 1].
    """
    shape = (signal.shape[0], signal.shape[1])
    light = 1 + exposure.uneven * smooth_noise(rng, shape, 60 / pixel_size_um)
    expected = exposure.photons * (np.maximum(signal, 0) * light + exposure.background)
    spread = np.float32(
        np.sqrt(0.25 + 0.25 * exposure.read_noise**2 / (1 + exposure.photons * 0.02))
    )
    root = np.sqrt(expected + 0.375) + spread * rng.standard_normal(shape, dtype=np.float32)
    counted = np.maximum(root, 0) ** 2 - 0.375
    counted += np.float32(exposure.read_noise * 0.5) * rng.standard_normal(shape, dtype=np.float32)
    for axis in (0, 1):
        counted = convolve1d(counted, _BANDWIDTH, axis=axis, mode="nearest")
    level = exposure.gain * (counted / exposure.photons - exposure.black_level)
    clipped: NDArray[np.float32] = np.clip(level, 0, 1).astype(np.float32)
    return clipped


def digitise(level: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Fractions of full scale as pixels of a type.

    Parameters
    ----------
    level : ndarray of float32, shape (Y, X)
        In [0, 1].
    dtype : numpy.dtype
        uint8, uint16 or float32.

    Returns
    -------
    ndarray, shape (Y, X)
        Whole grey levels, or the fractions themselves for float32.
    """
    if dtype == np.float32:
        return level
    top = np.iinfo(dtype).max
    pixels: NDArray[Any] = np.rint(level * np.float32(top)).astype(dtype)
    return pixels
