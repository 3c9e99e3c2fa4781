"""Images at several resolutions, and writing them as the arrays of one OME-Zarr image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["label_pyramid", "mean_pyramid", "write_pyramid"]

_SMALLEST_PX = 256  # no level follows one whose sides are this short
_CHUNK_PX = 2048  # a plane of most fields is one file: a run makes many
_AXES: dict[str, dict[str, str]] = {
    "c": {"name": "c", "type": "channel"},
    "y": {"name": "y", "type": "space", "unit": "micrometer"},
    "x": {"name": "x", "type": "space", "unit": "micrometer"},
}


def mean_pyramid(image: NDArray[Any]) -> list[NDArray[Any]]:
    """An image, then the means of 2 x 2, 4 x 4, ... pixels, until both sides are at most 256 px.

    Parameters
    ----------
    image : ndarray, shape (..., Y, X)
        Any real type, which the levels keep; whole numbers are rounded.

    Returns
    -------
    list of ndarray, shape (..., ceil(Y / 2**level), ceil(X / 2**level))
        The full size first. A last odd row or column counts twice.
    """
    levels = [image]
    while max(levels[-1].shape[-2:]) > _SMALLEST_PX:
        levels.append(_halved(levels[-1]))
    return levels


def label_pyramid(labels: NDArray[np.int32]) -> list[NDArray[Any]]:
    """Labels, then every second, fourth, ... pixel: as many levels as `mean_pyramid` gives.

    Parameters
    ----------
    labels : ndarray of int32, shape (Y, X)
        0 is background.

    Returns
    -------
    list of ndarray of uint16 or uint32
        uint32 where an id is above 65535.
    """
    small = int(labels.max()) <= np.iinfo(np.uint16).max
    levels = [labels.astype(np.uint16 if small else np.uint32)]
    while max(levels[-1].shape) > _SMALLEST_PX:
        levels.append(levels[-1][::2, ::2])
    return levels


def _halved(image: NDArray[Any]) -> NDArray[Any]:
    """Means of 2 x 2 pixels."""
    rows, cols = image.shape[-2:]
    pad = [(0, 0)] * (image.ndim - 2) + [(0, rows % 2), (0, cols % 2)]
    even = np.pad(image, pad, mode="edge")
    whole = np.issubdtype(image.dtype, np.integer)
    corners = [even[..., row::2, col::2] for row in (0, 1) for col in (0, 1)]
    total = np.sum(corners, axis=0, dtype=np.uint32 if whole else np.float64)
    mean: NDArray[Any] = ((total + 2) // 4 if whole else total / 4).astype(image.dtype)
    return mean


def write_pyramid(
    group: Any, levels: Sequence[NDArray[Any]], axes: str, pixel_size_um: float
) -> dict[str, Any]:
    """Write the levels as arrays ``0``, ``1``, ... of a Zarr group.

    Parameters
    ----------
    group : zarr.Group
        Of Zarr format 2 or 3.
    levels : sequence of ndarray
        The full size first.
    axes : str
        ``"cyx"`` or ``"yx"``.
    pixel_size_um : float
        Of the full size, um.

    Returns
    -------
    dict
        ``axes`` and ``datasets`` for the ``multiscales`` attribute. A level is moved by the half of a pixel that the
        centre of its first pixel lies off that of the full size.
    """
    for number, level in enumerate(levels):
        chunks = tuple(
            1 if axis == "c" else min(_CHUNK_PX, size)
            for axis, size in zip(axes, level.shape, strict=True)
        )
        array = group.create_array(
            str(number),
            shape=level.shape,
            dtype=level.dtype,
            chunks=chunks,
            fill_value=0,
            config={"write_empty_chunks": True},  # chunks that are not there look lost
            **_encoding(group, axes),
        )
        array[...] = level
    datasets = [
        {
            "path": str(number),
            "coordinateTransformations": _transformations(axes, pixel_size_um, 2**number),
        }
        for number in range(len(levels))
    ]
    return {"axes": [_AXES[axis] for axis in axes], "datasets": datasets}


def _encoding(group: Any, axes: str) -> dict[str, Any]:
    """Compression and names of chunks: Blosc, the one that all readers know, and folders for chunks."""
    if group.metadata.zarr_format == 2:
        return {
            "compressors": {"id": "blosc", "cname": "zstd", "clevel": 5, "shuffle": 1},
            "chunk_key_encoding": {"name": "v2", "separator": "/"},
        }
    from zarr.codecs import BloscCodec

    return {
        "compressors": BloscCodec(cname="zstd", clevel=5, shuffle="shuffle"),
        "dimension_names": list(axes),
    }


def _transformations(axes: str, pixel_size_um: float, factor: int) -> list[dict[str, Any]]:
    """Size of the level's pixels, and where its first one is."""
    space = [axis != "c" for axis in axes]
    scale = [pixel_size_um * factor if here else 1.0 for here in space]
    found: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if factor > 1:
        moved = [pixel_size_um * (factor - 1) / 2 if here else 0.0 for here in space]
        found.append({"type": "translation", "translation": moved})
    return found
