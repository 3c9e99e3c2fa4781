"""Single planes: their dtype, the coloured plane of an RGB file, and whether a plane holds anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["colored_plane", "empty_planes", "same_dtype", "to_field_dtype"]

_PLANES_OF = {"red": (0,), "green": (1,), "blue": (2,), "yellow": (0, 1)}
_PREFERENCE = 2.0
_BLOCK = 20
_EMPTY_SHARE = 0.1
_WHITE_SHARE = 0.7
_WHITE_BLOCKS = 0.25


def to_field_dtype(plane: NDArray[Any]) -> NDArray[Any]:
    """A plane as uint8, uint16 or float32.

    Parameters
    ----------
    plane : ndarray of any real number type, shape (Y, X)
        As decoded.

    Returns
    -------
    ndarray of uint8, uint16 or float32, shape (Y, X)
        The same values.

    Raises
    ------
    InputError
        If values don't fit: below 0 or above 65535 for whole numbers, NaN or infinity for fractions; or the
        plane holds true/false or complex values.
    """
    if plane.dtype in (np.uint8, np.uint16):
        return plane
    if np.issubdtype(plane.dtype, np.floating):
        return _finite(plane)
    if not np.issubdtype(plane.dtype, np.integer):
        message = f"Expected whole numbers or fractions; found dtype {plane.dtype}."
        raise InputError(message, hint="Save the image as 8-bit, 16-bit or float grey.")
    low, high = int(plane.min()), int(plane.max())
    if low < 0 or high > 65535:
        message = f"Expected whole numbers from 0 to 65535; found {low} to {high} ({plane.dtype})."
        raise InputError(message, hint="Rescale the image to 16 bit, or save it as float32.")
    return plane.astype(np.uint8 if plane.dtype == np.int8 else np.uint16)


def _finite(plane: NDArray[Any]) -> NDArray[np.float32]:
    """Fractions as float32, or an error where some are not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        single = plane.astype(np.float32, copy=False)
    bad = int(single.size - np.isfinite(single).sum())
    if bad:
        message = f"Expected finite values; found {bad} of {single.size} NaN, infinite or too large for float32."
        raise InputError(message, hint="Replace them, for instance with numpy.nan_to_num.")
    return single


def same_dtype(planes: Sequence[NDArray[Any]]) -> tuple[list[NDArray[Any]], tuple[str, ...]]:
    """Planes of one dtype.

    Parameters
    ----------
    planes : sequence of ndarray of uint8, uint16 or float32
        The channels of one field.

    Returns
    -------
    planes : list of ndarray
        8-bit planes are stretched to 16 bit where others have 16 bit.
    notes : tuple of str
        A sentence where that was done.

    Raises
    ------
    InputError
        If whole numbers and fractions are mixed: their scales can't be compared.
    """
    dtypes = sorted({plane.dtype.name for plane in planes})
    if len(dtypes) == 1:
        return list(planes), ()
    if "float32" in dtypes:
        message = f"Expected channels of one kind of number; found {' and '.join(dtypes)}."
        raise InputError(message, hint="Save all channels as 16-bit, or all as float32.")
    stretched = [
        plane.astype(np.uint16) * np.uint16(257) if plane.dtype == np.uint8 else plane
        for plane in planes
    ]
    return stretched, ("Channels have 8 and 16 bit; the 8-bit ones were stretched to 16 bit.",)


def colored_plane(planes: NDArray[Any], key: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The one plane of a colour file that holds a channel.

    Parameters
    ----------
    planes : ndarray, shape (3 or 4, Y, X)
        Red, green, blue; a fourth, alpha, is not looked at.
    key : str
        The channel: red, green and blue files hold it in the plane of that colour, yellow ones in red and green.

    Returns
    -------
    plane : ndarray, shape (Y, X)
        The expected plane, or the brightest where that is more than twice as bright.
    notes : tuple of str
        A sentence where the colour was not the expected one.
    """
    sums = planes[:3].reshape(min(3, len(planes)), -1).sum(axis=1, dtype=np.float64)
    expected = max(_PLANES_OF[key], key=lambda index: sums[index])
    brightest = int(np.argmax(sums))
    if sums[brightest] <= _PREFERENCE * sums[expected]:
        return planes[expected], ()
    color = ("red", "green", "blue")[brightest]
    return planes[brightest], (f"The {key} file is coloured {color}; its {color} plane was taken.",)


def empty_planes(planes: NDArray[Any]) -> list[bool]:
    """Which planes of a red, green, blue composite hold nothing but the leakage of a lossy format.

    JPEG leaves a faint pattern of the other colours in an empty plane; its means over 20 x 20 px stay below a
    tenth of the brightest plane's (0.02 to 0.04 in the composites of the HPA cell dictionary, where the
    dimmest stained plane has 0.24). Blocks with white are left out as scale bars and
    captions, unless there are too many of them for that.

    Parameters
    ----------
    planes : ndarray, shape (3, Y, X)
        The composite.

    Returns
    -------
    list of bool
        True for an empty plane.
    """
    rows, cols = (side // _BLOCK * _BLOCK for side in planes.shape[1:])
    blocks = planes[:, :rows, :cols].reshape(
        len(planes), rows // _BLOCK, _BLOCK, cols // _BLOCK, _BLOCK
    )
    white = (blocks.min(axis=0) > _WHITE_SHARE * planes.max()).any(axis=(1, 3))
    if white.mean() > _WHITE_BLOCKS:
        white[:] = False
    means = blocks.mean(axis=(2, 4))[:, ~white]
    tops = means.max(axis=1, initial=0)
    return [bool(top <= _EMPTY_SHARE * tops.max()) for top in tops]
