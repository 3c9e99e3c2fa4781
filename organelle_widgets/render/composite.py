"""From grey planes to colour pictures: contrast, additive blending of channels, smaller previews.

What turns the pixels of a field into RGB belongs here. Drawing cells on top is `overlay`, cutting them out is
`thumbnails`, and anything with axes or text is a chart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.channels import CHANNEL_KEYS, CHANNELS, channel_index
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = [
    "REFERENCE_CHANNELS",
    "Window",
    "composite",
    "display_window",
    "downscale",
    "field_windows",
    "hex_to_rgb",
    "stretch",
]

Window = tuple[float, float]
"""The pixel values shown as black and as full colour."""

REFERENCE_CHANNELS: tuple[str, ...] = ("blue", "red", "yellow")
"""Nuclei, microtubules and ER: everything but the protein."""

_MIN_SPAN = 12
"""Fewest grey levels of a window of integers: less would show sensor noise as structure."""

_STRIP = 32
"""Rows blended at a time: few enough to stay in a processor's cache."""

_TEN_BITS = np.uint32(1023)

_SAMPLES = 1 << 20
"""Pixels looked at for a window; more change it by less than one grey level."""


def display_window(
    plane: NDArray[Any], low_percentile: float = 1.0, high_percentile: float = 99.8
) -> Window:
    """Find the contrast that shows a plane well, bright or dim.

    Parameters
    ----------
    plane : ndarray of uint8, uint16 or float32, shape (Y, X)
        One channel.
    low_percentile, high_percentile : float
        Share of the pixels, in percent, shown as black and not above full colour.

    Returns
    -------
    lo, hi : float
        The values shown as black and as full colour; ``hi > lo``. Integers get at least 12 grey levels,
        so that an empty channel stays dark. A plane that is sparser than `high_percentile` is scaled to
        its maximum, a flat one is black.

    Raises
    ------
    InputError
        If the percentiles are not in ascending order from 0 to 100.
    """
    if not 0 <= low_percentile < high_percentile <= 100:
        message = f"Expected percentiles with 0 <= low < high <= 100; found {low_percentile} and {high_percentile}."
        raise InputError(message)
    step = int(np.ceil(np.sqrt(max(1.0, plane.size / _SAMPLES))))
    sample = plane[::step, ::step]
    shares = (low_percentile, high_percentile)
    low, high = _percentiles(sample, shares)
    if high <= low:
        high = float(plane.max())
    span = _MIN_SPAN if np.issubdtype(plane.dtype, np.integer) else 1e-6 * max(1.0, abs(low))
    return low, max(high, low + span)


def _percentiles(sample: NDArray[Any], shares: tuple[float, float]) -> tuple[float, float]:
    """Two percentiles; of integers from their histogram, which is several times faster."""
    if not np.issubdtype(sample.dtype, np.integer):
        low, high = np.percentile(sample, shares)
        return float(low), float(high)
    counts = np.cumsum(np.bincount(sample.ravel()))
    wanted = [max(1.0, share / 100 * sample.size) for share in shares]
    low, high = np.searchsorted(counts, wanted)
    return float(low), float(high)


def field_windows(field: Field) -> dict[str, Window]:
    """The display windows of all four channels.

    Parameters
    ----------
    field : Field
        The field; a missing channel gets a window that shows it black.

    Returns
    -------
    dict of str to tuple of float
        By channel key, in the field's order.
    """
    return {key: display_window(field.channel(key)) for key in CHANNEL_KEYS}


def stretch(plane: NDArray[Any], window: Window) -> NDArray[np.uint8]:
    """Map a window linearly to 0..255.

    Parameters
    ----------
    plane : ndarray of uint8, uint16 or float32, shape (Y, X)
        One channel.
    window : tuple of float
        The values shown as 0 and as 255; see `display_window`.

    Returns
    -------
    ndarray of uint8, shape (Y, X)
        Values outside of the window are clipped.

    Raises
    ------
    InputError
        If the window's values are equal or in the wrong order.
    """
    if plane.dtype in (np.uint8, np.uint16):
        levels = np.arange(np.iinfo(plane.dtype).max + 1, dtype=np.float32)
        shown: NDArray[np.uint8] = _to_bytes(levels, window)[plane]
        return shown
    return _to_bytes(np.asarray(plane, dtype=np.float32), window)


def _to_bytes(values: NDArray[np.float32], window: Window) -> NDArray[np.uint8]:
    """Values as bytes of the window."""
    low, high = window
    if not high > low:
        message = (
            f"Expected a window whose upper value is above its lower one; found {low} and {high}."
        )
        raise InputError(message)
    scaled = (values - np.float32(low)) * np.float32(255 / (high - low))
    shown: NDArray[np.uint8] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return shown


def hex_to_rgb(color: str) -> tuple[int, int, int]:
    """Read ``#RRGGBB``.

    Parameters
    ----------
    color : str
        For instance ``"#FF4D4F"``.

    Returns
    -------
    red, green, blue : int
        From 0 to 255.

    Raises
    ------
    InputError
        If the text is no such colour.
    """
    if not re.fullmatch("#[0-9A-Fa-f]{6}", color):
        message = f"Expected a colour as #RRGGBB, such as #FF4D4F; found {color!r}."
        raise InputError(message)
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def composite(
    field: Field,
    channels: Sequence[str | int] = REFERENCE_CHANNELS,
    windows: Mapping[str, Window] | None = None,
    colors: Mapping[str, str] | None = None,
) -> NDArray[np.uint8]:
    """Blend channels into one picture by adding their colours.

    Parameters
    ----------
    field : Field
        The field; a missing channel adds nothing.
    channels : sequence of str or int
        Which channels, by key, name or index, each once; none gives a black picture.
    windows : mapping of str to tuple of float, optional
        Display windows by channel key; `display_window` for those not named.
    colors : mapping of str to str, optional
        Colours ``#RRGGBB`` by channel key; the conventional ones for those not named.

    Returns
    -------
    ndarray of uint8, shape (Y, X, 3)
        Red, green, blue.

    Raises
    ------
    InputError
        If a channel is unknown, a colour can't be read, or a window is empty.
    """
    layers = []
    for index in dict.fromkeys(channel_index(name) for name in channels):
        channel, plane = CHANNELS[index], field.pixels[index]
        if channel.key not in field.missing:
            window = (windows or {}).get(channel.key) or display_window(plane)
            color = (colors or {}).get(channel.key, channel.color)
            layers.append(_Layer(plane, window, color))
    image = np.zeros((*field.shape, 3), dtype=np.uint8)
    for start in range(0, field.shape[0] if layers else 0, _STRIP):
        rows = slice(start, start + _STRIP)
        total = sum(layer.packed(rows) for layer in layers)
        for part in range(3):
            image[rows, :, part] = np.minimum((total >> np.uint32(10 * part)) & _TEN_BITS, 255)
    return image


class _Layer:
    """One channel of a composite: looks its colour up, packed as 10 bits each of red, green and blue.

    Ten bits hold the sum of four channels, so a pixel costs one look-up and one addition a channel.
    """

    def __init__(self, plane: NDArray[Any], window: Window, color: str) -> None:
        self._plane = plane
        self._window = window
        shares = [np.rint(np.arange(256) * (part / 255)) for part in hex_to_rgb(color)]
        table = sum(share.astype(np.uint32) << 10 * part for part, share in enumerate(shares))
        self._whole = plane.dtype in (np.uint8, np.uint16)
        if self._whole:
            every = np.arange(np.iinfo(plane.dtype).max + 1, dtype=np.float32)
            table = table[_to_bytes(every, window)]
        self._table: NDArray[np.uint32] = np.asarray(table, dtype=np.uint32)

    def packed(self, rows: slice) -> NDArray[np.uint32]:
        """Colours of some rows, shape (rows, X)."""
        part = self._plane[rows]
        return self._table.take(part if self._whole else _to_bytes(part, self._window))


def downscale(image: NDArray[Any], factor: int) -> NDArray[Any]:
    """Make a picture smaller by a whole factor, each new pixel the mean of a block.

    The box filter is what keeps thin filaments from breaking into dots. Blocks that stick out at the
    bottom or the right are filled by repeating the last pixels.

    Parameters
    ----------
    image : ndarray, shape (Y, X) or (Y, X, n)
        Grey or colour.
    factor : int
        How many times smaller, 1 or more.

    Returns
    -------
    ndarray, shape (ceil(Y / factor), ceil(X / factor)) or the same with n
        In the dtype of `image`.

    Raises
    ------
    InputError
        If the factor is less than 1.
    """
    if factor < 1:
        message = f"Expected a factor of 1 or more; found {factor!r}."
        raise InputError(message)
    if factor == 1:
        return image
    rows, cols = image.shape[:2]
    pad = [(0, -rows % factor), (0, -cols % factor), *[(0, 0)] * (image.ndim - 2)]
    padded = np.pad(image, pad, mode="edge") if any(after for _, after in pad) else image
    whole = np.issubdtype(image.dtype, np.integer)
    total = np.zeros(padded[::factor, ::factor].shape, np.uint32 if whole else np.float32)
    for row in range(factor):
        for col in range(factor):
            total += padded[row::factor, col::factor]
    n = factor * factor
    mean = (total + n // 2) // n if whole else total / np.float32(n)
    return mean.astype(image.dtype)
