"""OME-Zarr folders, versions 0.1 to 0.5: the full-size level of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from organelle_widgets.errors import InputError
from organelle_widgets.io._pixel_size import to_um
from organelle_widgets.io.readers._axes import channel_axis
from organelle_widgets.io.readers._base import READERS, Header, Reader, is_image_folder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["OmeZarrReader"]

_MANY_CHUNKS = 10_000


@READERS.register("ome_zarr", title="OME-Zarr")
class OmeZarrReader(Reader):
    """Reads OME-Zarr with zarr.

    References
    ----------
    .. [1] Moore et al., "OME-Zarr: a cloud-optimized bioimaging file format with international community
       support", Histochemistry and Cell Biology 160, 2023. https://doi.org/10.1007/s00418-023-02209-1
    """

    title: ClassVar[str] = "OME-Zarr"
    suffixes: ClassVar[tuple[str, ...]] = (".zarr",)

    @classmethod
    def accepts(cls, path: Path, start: bytes) -> bool:
        """Whether the folder is a Zarr store."""
        return not start and is_image_folder(path)

    def _header(self, path: Path) -> Header:
        """Size, channels and pixel size from the attributes."""
        array, axes, ome = _open_level(path)
        axis = channel_axis(axes, array.shape)
        n_planes = 1 if axis is None else int(array.shape[axis])
        shape = (int(array.shape[axes.index("Y")]), int(array.shape[axes.index("X")]))
        size, notes = _pixel_size(ome["multiscales"][0], axes)
        return Header(shape, _channel_names(ome, n_planes), False, size, notes + _gaps(array))

    def _planes(self, path: Path, wanted: tuple[int, ...]) -> NDArray[Any]:
        """Decode the chunks of the planes asked for, and no others."""
        array, axes, _ = _open_level(path)
        axis = channel_axis(axes, array.shape)
        planes = [_plane(array, axes, axis, index) for index in wanted]
        return np.stack(planes)


def _plane(array: Any, axes: str, axis: int | None, index: int) -> NDArray[Any]:
    """One plane, rows first."""
    place = tuple(
        slice(None) if letter in "YX" else index if i == axis else 0
        for i, letter in enumerate(axes)
    )
    plane = np.asarray(array[place])
    return plane if axes.index("Y") < axes.index("X") else plane.T


def _open_level(path: Path) -> tuple[Any, str, dict[str, Any]]:
    """The full-size array, its axes as upper-case letters, and the OME attributes."""
    import zarr

    node = zarr.open(str(path), mode="r")
    attributes = dict(node.attrs)
    ome = dict(attributes.get("ome", attributes))
    if "bioformats2raw.layout" in ome and "0" in node:
        return _open_level(path / "0")
    if "plate" in ome or "well" in ome:
        message = "Expected one image; found a whole plate or well in OME-Zarr."
        raise InputError(message, hint="Give one image of it, such as plate.zarr/A/1/0.")
    if not ome.get("multiscales"):
        message = "Expected OME-Zarr with 'multiscales' metadata; found a Zarr store without it."
        raise InputError(message, hint="Write the image with ome-zarr.")
    multiscale = ome["multiscales"][0]
    array = node[multiscale["datasets"][0]["path"]]
    return array, _axes(multiscale, array.ndim), ome


def _axes(multiscale: dict[str, Any], ndim: int) -> str:
    """The axes as upper-case letters; files before version 0.3 name none and are always TCZYX."""
    named = multiscale.get("axes") or list("tczyx"[-ndim:])
    names = [axis["name"] if isinstance(axis, dict) else axis for axis in named]
    return "".join(str(name)[:1].upper() for name in names)


def _channel_names(ome: dict[str, Any], n_planes: int) -> tuple[str, ...]:
    """The labels of the channels, empty where there are none."""
    channels = (ome.get("omero") or {}).get("channels") or []
    names = tuple(str(channel.get("label", "")).strip() for channel in channels)
    return names if len(names) == n_planes else ("",) * n_planes


def _pixel_size(
    multiscale: dict[str, Any], axes: str
) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Scale along rows and columns, in micrometres where the axes name a unit."""
    scale = np.ones(len(axes))
    for owner in (multiscale, multiscale["datasets"][0]):
        for transform in owner.get("coordinateTransformations") or []:
            if transform.get("type") == "scale":
                scale = scale * np.asarray(transform["scale"], float)
    positions = (axes.index("Y"), axes.index("X"))
    named = multiscale.get("axes") or []
    units = [
        str(named[i].get("unit", "")) if len(named) > i and isinstance(named[i], dict) else ""
        for i in positions
    ]
    row, col = (float(scale[i]) for i in positions)
    if row == col == 1 and not any(units):
        return None, ()
    return to_um((row, col), (units[0], units[1]))


def _gaps(array: Any) -> tuple[str, ...]:
    """A sentence where chunks are not stored: all-black ones need not be, but lost ones look the same."""
    if array.nchunks > _MANY_CHUNKS:  # counting them would take seconds
        return ()
    missing = array.nchunks - array.nchunks_initialized
    if missing <= 0:
        return ()
    return (f"{missing} of {array.nchunks} chunks are not stored in the Zarr and read as black.",)
