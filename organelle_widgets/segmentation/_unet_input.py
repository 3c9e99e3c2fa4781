"""From a field to what the small U-Net sees: the same for training and for use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.segmentation._scale import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = [
    "INPUT_PLANES",
    "WORK_UM",
    "has_contrast",
    "input_ratio",
    "network_input",
    "normalise",
]

WORK_UM = 0.32
"""Micrometres per pixel at which the network works."""

INPUT_PLANES = ("red", "blue", "yellow")
"""Keys of the channels that the network sees, in order."""

_LOW, _HIGH = 1.0, 99.8  # percentiles that become 0 and 1
_BRIGHTEST = 1.5
_SMALLEST_RATIO = 0.25
_MOST_PX = 4096**2  # that a field is enlarged to


def input_ratio(pixel_size_um: float, shape: tuple[int, int]) -> float:
    """How many of a field's pixels go into one of the network's.

    Coarse fields are enlarged up to four times, as long as the network sees no more than 4096 x 4096 pixels.
    """
    least = min(1.0, math.sqrt(shape[0] * shape[1] / _MOST_PX))
    return max(WORK_UM / pixel_size_um, _SMALLEST_RATIO, least)


def network_input(field: Field, ratio: float | None = None) -> NDArray[np.float32]:
    """Microtubules, nuclei and ER, normalised: ndarray of float32, shape (3, Y', X').

    A missing or flat channel is 0. Where both cytoplasm stains are so, the protein's takes the microtubules' place.
    Pixels are `ratio` times as wide as the field's; without it, `WORK_UM` wide.
    """
    blind = not (has_contrast(field, "red") or has_contrast(field, "yellow"))
    keys = ("green", *INPUT_PLANES[1:]) if blind else INPUT_PLANES
    ratio = ratio or input_ratio(field.pixel_size_um, field.shape)
    return np.stack([normalise(resample(field.channel(key), ratio)) for key in keys])


def has_contrast(field: Field, key: str) -> bool:
    """Whether a channel shows anything: a missing one, or one with the same value everywhere, does not."""
    plane = field.channel(key)
    return bool(plane.min() < plane.max())


def normalise(plane: NDArray[Any]) -> NDArray[np.float32]:
    """Square root of intensity between the plane's percentiles: background 0, the brightest about 1."""
    low, high = np.percentile(plane, (_LOW, _HIGH))
    if high <= low:
        high = plane.max()  # a few bright pixels on nothing
    if high <= low:
        return np.zeros(plane.shape, np.float32)
    scaled = (plane.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    rooted: NDArray[np.float32] = np.sqrt(scaled.clip(0, _BRIGHTEST))
    return rooted
