"""Which axis of a multi-dimensional image holds the channels: shared by TIFF and OME-Zarr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["channel_axis"]

_NAMES = {"Z": "a Z stack", "T": "a time series", "P": "several positions", "S": "colour samples"}


def channel_axis(axes: str, shape: Sequence[int]) -> int | None:
    """Position of the axis that holds the channels.

    Axes of size 1 are ignored. An axis without a meaning (tifffile's I and Q) counts as channels.

    Parameters
    ----------
    axes : str
        One upper-case letter an axis, such as ``"TZCYX"``.
    shape : sequence of int
        Size along each.

    Returns
    -------
    int or None
        The position; None where the image is one plane.

    Raises
    ------
    InputError
        If rows or columns are not there, or more than one plane a channel is.
    """
    if not {"Y", "X"} <= set(axes) or len(axes) != len(shape):
        message = (
            f"Expected an image with rows and columns; found axes {axes!r} of sizes {tuple(shape)}."
        )
        raise InputError(message)
    long = [i for i, axis in enumerate(axes) if axis not in "YX" and shape[i] > 1]
    others = [i for i in long if axes[i] not in "CSIQ"]
    if others:
        found = " and ".join(
            f"{_NAMES.get(axes[i], f'an axis {axes[i]}')} of {shape[i]}" for i in others
        )
        message = (
            f"Expected one plane a channel; found {found} (axes {axes}, sizes {tuple(shape)})."
        )
        raise InputError(
            message, hint="Save one plane, or a projection of the stack, and read that."
        )
    if len(long) > 1:
        message = f"Expected one axis of channels; found axes {axes} of sizes {tuple(shape)}."
        raise InputError(message, hint="Save the channels as grey planes.")
    return long[0] if long else None
