"""Whether every channel shows what it should: nuclei in one, microtubules and ER around them in two others.

Files are named by people, and channels get swapped or read twice. What tells is how the channels lie to each other,
so nothing here needs a mask or a pixel size. The protein may look like anything, nuclei and microtubules included:
what is put in place of another stain can be told, what the protein is can't.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.core._nuclei_channel import block_mean, box_blur, grown, otsu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["ChannelLooks", "look_at_channels"]

_SIDE_PX = 256  # channels are compared in images of about this side
_PIXEL_UM = 0.64  # that is in a full HPA field
_LEAST_SIDE_PX = 16
_RING_PX = (1, 5)  # around bright things, from and to
_CORE_PX, _INSIDE_PX = 1, 2  # so far inside of bright things
_LEAST_VARIANCE = 1e-6
_STAINS = ("red", "blue", "yellow")
_NUCLEI = (2.43, -3.91, 1.52, -12.05)
_NOT_SMOOTH, _SMOOTHEST = (
    0.3,
    0.02,
)  # slopes where there is no inside to measure, and the least that counts


@dataclass(frozen=True)
class ChannelLooks:
    """What the channels of a field look like, each by itself and beside the others.

    Parameters
    ----------
    side_um : float
        Longer side of the field, um.
    separation : mapping of str to float
        By channel key: how far bright and dark lie apart, the logarithm of the variance between the two over that
        within them. High for nuclei.
    roughness : mapping of str to float
        By channel key: mean slope within bright things over their contrast, a pixel, as a logarithm. Low for nuclei.
    ring : mapping of (str, str) to float
        How much brighter the second channel is around the bright things of the first than in them, in standard
        deviations of the second. Microtubules and ER are brighter around nuclei.
    alike : mapping of (str, str) to float
        The smaller one of two correlations of two channels: of their values, and of their differences between
        neighbouring pixels. Up to 0.66 in 73 HPA fields; a copy has 1.
    brightness : mapping of str to float
        By channel key: where the median pixel lies between the darkest (0) and the brightest (1) hundredth.
    smoothness : mapping of str to float
        By channel key: correlation of neighbouring pixels; 0 in noise.

    Notes
    -----
    Channels that are missing or hold one value only are in none of the mappings.
    """

    side_um: float
    separation: Mapping[str, float]
    roughness: Mapping[str, float]
    ring: Mapping[tuple[str, str], float]
    alike: Mapping[tuple[str, str], float]
    brightness: Mapping[str, float]
    smoothness: Mapping[str, float]

    def nuclei_score(self, key: str, *without: str) -> float:
        """How much a channel looks like the nuclei of this field, in log odds.

        Parameters
        ----------
        key : str
            The channel.
        *without : str
            Channels that are not looked at around it. The protein never is: it may be anywhere.

        Returns
        -------
        float
            Above 0 nuclei, below 0 anything else.

        Notes
        -----
        A logistic regression on the nuclei, microtubules and ER of half of 73 HPA fields (111 planes), of the
        separation, the roughness and the least bright ring. In the other half, nuclei were above the other two in
        every field, by 3.0 or more; the nuclei of two of these 36 fields, both very dim, were below 0.
        """
        separation, roughness, ring, constant = _NUCLEI
        others = [k for k in _STAINS if (key, k) in self.ring and k not in without]
        around = [self.ring[key, k] for k in others if (key, k) != ("green", "blue")]
        return float(
            separation * self.separation[key]
            + roughness * self.roughness[key]
            + ring * min(around, default=0.0)
            + constant
        )


@dataclass(frozen=True, eq=False)
class _Plane:
    """A channel made small, blurred, and divided into bright and dark."""

    raw: NDArray[np.float32]
    unit: tuple[NDArray[np.float32], NDArray[np.float32]]
    image: NDArray[np.float32]
    bright: NDArray[np.bool_]
    core: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    ring: NDArray[np.bool_]


def look_at_channels(field: Field) -> ChannelLooks:
    """Compare the channels of a field.

    Parameters
    ----------
    field : Field
        The field.

    Returns
    -------
    ChannelLooks
        Numbers; what they mean is said in `organelle_widgets.core._channel_words`.

    References
    ----------
    Otsu 1979, doi:10.1109/TSMC.1979.4310076 (bright and dark)
    """
    step = _step(max(field.shape), field.pixel_size_um)
    small = {key: block_mean(field.channel(key), step) for key in field.present}
    planes = {k: plane for k, raw in small.items() if (plane := _plane(raw)) is not None}
    pairs = list(permutations(planes, 2))
    return ChannelLooks(
        max(field.shape) * field.pixel_size_um,
        {key: _separation(plane) for key, plane in planes.items()},
        {key: _roughness(plane) for key, plane in planes.items()},
        {(a, b): _ring(planes[a], planes[b].image) for a, b in pairs},
        {(a, b): _alike(planes[a], planes[b]) for a, b in combinations(planes, 2)},
        {key: _brightness(plane.image) for key, plane in planes.items()},
        {key: _smoothness(plane.raw) for key, plane in planes.items()},
    )


def _step(side_px: int, pixel_size_um: float) -> int:
    """How many pixels become one: a side of 256, or 128 where these would be finer than 0.64 um."""
    coarse = min(round(_PIXEL_UM / pixel_size_um), side_px // (_SIDE_PX // 2))
    return max(1, round(side_px / _SIDE_PX), coarse)


def _plane(raw: NDArray[np.float32]) -> _Plane | None:
    """The parts of a channel; None where nothing stands out, or there are too few pixels to tell."""
    if min(raw.shape) < _LEAST_SIDE_PX:
        return None
    image = box_blur(raw)
    low, high = (float(value) for value in np.percentile(image, [0.5, 99.8]))
    if not low < high:
        return None
    image = np.clip((image - np.float32(low)) / np.float32(high - low), 0, 1)
    bright = image > otsu(image, 0.0, 1.0)
    near, far = _RING_PX
    core, inside = (bright & ~grown(~bright, reach) for reach in (_CORE_PX, _INSIDE_PX))
    ring = grown(bright, far) & ~grown(bright, near)
    unit = (_unit(raw), _unit(np.diff(raw, axis=1)))
    return _Plane(raw, unit, image, bright, core, inside, ring)


def _contrast(plane: _Plane) -> float:
    """Mean of the bright above that of the dark; some pixels are either."""
    return float(plane.image[plane.bright].mean() - plane.image[~plane.bright].mean())


def _separation(plane: _Plane) -> float:
    """Log of the variance between bright and dark over that within them."""
    share = float(plane.bright.mean())
    between = share * (1 - share) * _contrast(plane) ** 2
    within = float(plane.image.var()) - between
    return math.log(max(between, _LEAST_VARIANCE) / max(within, _LEAST_VARIANCE))


def _roughness(plane: _Plane) -> float:
    """Log of the mean slope along the rows, deep in bright things, over their contrast."""
    slopes = np.abs(np.diff(plane.image, axis=1))[plane.inside[:, 1:]]
    slope = float(slopes.mean()) / _contrast(plane) if slopes.size else _NOT_SMOOTH
    return math.log(max(slope, _SMOOTHEST))


def _ring(around: _Plane, image: NDArray[np.float32]) -> float:
    """How much brighter an image is around bright things than in them, in its standard deviations."""
    if not (around.ring.any() and around.core.any()):
        return 0.0
    difference = image[around.ring].mean() - image[around.core].mean()
    return float(difference / (image.std() + 1e-6))


def _alike(first: _Plane, second: _Plane) -> float:
    """The smaller correlation, of values or of differences between neighbours along the rows."""
    return min(float(a @ b) for a, b in zip(first.unit, second.unit, strict=True))


def _smoothness(raw: NDArray[np.float32]) -> float:
    """Correlation of neighbours along the rows."""
    return float(_unit(raw[:, 1:]) @ _unit(raw[:, :-1]))


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values in one row with mean 0 and length 1, so that products are correlations; 0 where they are constant."""
    centred: NDArray[np.float32] = (
        (values - values.mean(dtype=np.float64)).astype(np.float32).ravel()
    )
    length = math.sqrt(float(centred @ centred))
    return centred / np.float32(length) if length > 0 else centred


def _brightness(image: NDArray[np.float32]) -> float:
    """Where the median lies between the 1st and the 99th percentile."""
    low, middle, high = (float(value) for value in np.percentile(image, [1, 50, 99]))
    return (middle - low) / (high - low) if high > low else 0.0
