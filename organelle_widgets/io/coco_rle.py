"""Masks as the competition of 2021 writes them: COCO run lengths, packed by zlib, spelled in base64.

A mask is read column by column, top to bottom and left to right; lengths of runs of background and object take turns,
background first. From the fourth on, each length is written as its difference to the one two before, in groups of five
bits with the lowest first, one printable character a group: bit 5 says that another group follows, the highest bit of
the last group is the sign. Nothing here knows of files or of tables.

References
----------
Lin et al. (2014), doi:10.1007/978-3-319-10602-1_48; the format is that of ``rleToString`` in
https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c. Packing:
https://www.kaggle.com/competitions/hpa-single-cell-image-classification/overview/evaluation
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MaskRuns", "decode_mask", "encode_labels", "encode_mask", "read_runs"]

_FIRST = 48
"""The character "0" stands for an empty group."""
_GROUPS = 8
"""Most groups of five bits in a length: 40 bits are more than any picture has pixels."""


@dataclass(frozen=True, eq=False)
class MaskRuns:
    """Where a mask is, as runs along its columns.

    Parameters
    ----------
    starts, stops : ndarray of int64, shape (n_runs,)
        First place of each run and the place after its last, ascending and apart from each other; the pixel in row r
        and column c of a picture with Y rows has place ``c * Y + r``.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    @property
    def area(self) -> int:
        """How many pixels the mask has."""
        return int(np.sum(self.stops - self.starts))


def encode_mask(mask: NDArray[Any]) -> str:
    """Write a mask as text.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X)
        True where the object is; numbers other than 0 count as True.

    Returns
    -------
    str
        Base64; the same mask gives the same text.

    Raises
    ------
    InputError
        If the mask is not a plane with at least one pixel.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or not mask.size:
        message = f"Expected a mask of shape (Y, X); found shape {mask.shape}."
        raise InputError(message)
    flat = (mask != 0).ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return _packed(np.concatenate([[0] * (1 + int(flat[0])), changes, [flat.size]]))


def encode_labels(labels: NDArray[Any]) -> dict[int, str]:
    """Write the mask of every label as text, all in one look at the image.

    Parameters
    ----------
    labels : ndarray of int, shape (Y, X)
        Each pixel holds the id of what it belongs to; 0 is background.

    Returns
    -------
    dict of int to str
        What `encode_mask` writes for ``labels == id``, by ascending id.

    Raises
    ------
    InputError
        If the labels are not a plane with at least one pixel.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or not labels.size:
        message = f"Expected labels of shape (Y, X); found shape {labels.shape}."
        raise InputError(message)
    flat = labels.ravel(order="F")
    starts = np.flatnonzero(np.append(True, flat[1:] != flat[:-1]))
    stops = np.append(starts[1:], flat.size)
    inside = flat[starts] != 0
    ids, number = np.unique(flat[starts[inside]], return_inverse=True)
    order = np.argsort(number, kind="stable")
    edges = np.stack([starts[inside], stops[inside]], axis=1)[order]
    parts = np.split(edges, np.cumsum(np.bincount(number, minlength=ids.size))[:-1])
    return {
        int(key): _packed(np.concatenate([[0], part.ravel(), [flat.size]]))
        for key, part in zip(ids, parts, strict=False)
    }


def decode_mask(text: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a mask from text.

    Parameters
    ----------
    text : str
        What `encode_mask` writes.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        True where the object is.

    Raises
    ------
    InputError
        If the text is damaged, or of a mask of another size.
    """
    runs = read_runs(text, shape)
    change = np.zeros(shape[0] * shape[1] + 1, np.int8)
    change[runs.starts] = 1
    change[runs.stops] = -1
    return np.cumsum(change[:-1], dtype=np.int8).astype(bool).reshape(shape, order="F")


def read_runs(text: str, shape: tuple[int, int]) -> MaskRuns:
    """Read a mask from text without its pixels.

    Parameters
    ----------
    text : str
        What `encode_mask` writes.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    MaskRuns
        The runs of the object.

    Raises
    ------
    InputError
        If the text is damaged, or of a mask of another size.
    """
    lengths = _lengths(_unpacked(text))
    if np.any(lengths < 0):
        message = f"Expected lengths of runs of 0 or more; found {int(lengths.min())}."
        raise InputError(message, hint="The mask is damaged, or not in COCO's compressed form.")
    edges = np.cumsum(lengths)
    if edges[-1] != shape[0] * shape[1]:
        message = (
            f"Expected a mask of {shape[1]} x {shape[0]} = {shape[0] * shape[1]} pixels; "
            f"found one of {int(edges[-1])}."
        )
        raise InputError(message, hint="Encode masks at the full size of their image.")
    last = len(edges) // 2
    starts, stops = edges[0::2][:last], edges[1::2]
    return _merged(starts[stops > starts], stops[stops > starts])


def _merged(starts: NDArray[np.int64], stops: NDArray[np.int64]) -> MaskRuns:
    """Runs that touch as one: background of length 0 between them is allowed in the format."""
    if not starts.size:
        return MaskRuns(starts, stops)
    apart = starts[1:] > stops[:-1]
    return MaskRuns(starts[np.append(True, apart)], stops[np.append(apart, True)])


def _packed(edges: NDArray[np.int64]) -> str:
    """Text of a mask whose colour changes at these places, the first and the last of the picture with them.

    A picture that begins with the object begins with a change at 0; one that ends with it has no change there.
    """
    if edges.size > 2 and edges[-1] == edges[-2]:
        edges = edges[:-1]
    packed = zlib.compress(_spelled(np.diff(edges)), zlib.Z_BEST_COMPRESSION)
    return base64.b64encode(packed).decode("ascii")


def _unpacked(text: str) -> bytes:
    """Base64 and zlib undone."""
    try:
        return zlib.decompress(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        message = f"Expected a mask in base64; found {_short(text)}: {error}."
        raise InputError(message) from error
    except zlib.error as error:
        message = f"Expected a mask packed by zlib within base64; found {_short(text)}: {error}."
        raise InputError(message) from error


def _short(text: str) -> str:
    """The beginning of a long text, in quotes."""
    return repr(text if len(text) <= 24 else f"{text[:20]}...")


def _lengths(spelled: bytes) -> NDArray[np.int64]:
    """Lengths of all runs from their characters."""
    groups = np.frombuffer(spelled, np.uint8).astype(np.int64) - _FIRST
    follows = (groups & 0x20) > 0
    if not groups.size or groups.min() < 0 or groups.max() > 0x3F or follows[-1]:
        message = f"Expected COCO run lengths; found {_short(spelled.decode('latin-1'))}."
        raise InputError(message, hint="Encode masks with pycocotools or with encode_mask.")
    ends = np.flatnonzero(~follows)
    starts = np.append(0, ends[:-1] + 1)
    place = np.arange(groups.size) - np.repeat(starts, ends - starts + 1)
    if place.max() >= _GROUPS:
        message = f"Expected run lengths of up to {5 * _GROUPS} bits; found one of {5 * (int(place.max()) + 1)}."
        raise InputError(message, hint="The mask is damaged.")
    values = np.add.reduceat((groups & 0x1F) << (5 * place), starts)
    values -= np.where((groups[ends] & 0x10) > 0, np.int64(1) << (5 * (place[ends] + 1)), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def _spelled(lengths: NDArray[np.int64]) -> bytes:
    """Characters of all runs from their lengths."""
    values = lengths.astype(np.int64)
    values[3:] -= lengths[1:-2]
    place = np.arange(_GROUPS)
    shifted = values[:, None] >> (5 * place)
    rest, sign = shifted >> 5, (shifted & 0x10) > 0
    done = np.where(sign, rest == -1, rest == 0)
    used = place <= np.argmax(done, axis=1)[:, None]
    follows = place < np.argmax(done, axis=1)[:, None]
    groups = (shifted & 0x1F) + 0x20 * follows + _FIRST
    return bytes(groups[used].astype(np.uint8))
