"""Label images: instance masks stored as PNG or TIFF, such as HPA's ``_cellmask.png``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.errors import InputError
from organelle_widgets.io.readers._base import reader_for

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["read_mask"]

_INT32_MAX = 2**31 - 1


def read_mask(path: str | os.PathLike[str]) -> NDArray[np.int32]:
    """Read a label image.

    Parameters
    ----------
    path : str or path-like
        A PNG or TIFF of one plane of whole numbers: 8, 16 or 32 bit.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        The labels as stored; 0 is background.

    Raises
    ------
    InputError
        If the file can't be read, is a lossy JPEG, has colours, several planes or fractions, or holds
        labels below 0 or above 2**31 - 1.
    """
    file = Path(path)
    reader = reader_for(file)
    header = reader.header(file)
    if header.color or len(header.channels) != 1:
        kind = "a colour image" if header.color else f"{len(header.channels)} planes"
        message = f"Expected a label image of one plane; found {kind}."
        raise InputError(
            message, source=str(file), hint="Save the labels as a grey 16-bit PNG or TIFF."
        )
    if file.suffix.lower() in (".jpg", ".jpeg"):
        message = "Expected a label image as PNG or TIFF; found a JPEG, which blurs labels."
        raise InputError(message, source=str(file), hint="Save the labels again as PNG.")
    labels = reader.planes(file, (0,))[0]
    if not np.issubdtype(labels.dtype, np.integer):
        message = f"Expected whole-number labels; found dtype {labels.dtype}."
        raise InputError(
            message, source=str(file), hint="Save the labels as a grey 16-bit PNG or TIFF."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > _INT32_MAX:
        message = f"Expected labels from 0 to {_INT32_MAX}; found {low} to {high}."
        raise InputError(message, source=str(file), hint="Renumber the labels.")
    mask: NDArray[np.int32] = labels.astype(np.int32)
    return mask
