"""TIFF files: plain, OME-TIFF and ImageJ TIFF, with one or many planes.

Axes, channel names and pixel size come from OME or ImageJ metadata. The resolution tags of a plain TIFF are
print sizes (72, 96 or 300 dpi) and are never taken for a pixel size.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from organelle_widgets.errors import InputError
from organelle_widgets.io.readers._axes import channel_axis
from organelle_widgets.io.readers._base import READERS, Header, Reader
from organelle_widgets.io.readers._tiff_metadata import channel_names, pixel_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["TiffReader"]

_SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_COLORS = ("red", "green", "blue", "alpha")
_PHOTOMETRIC = {
    "MINISWHITE": "an inverted image, where 0 means white",
    "PALETTE": "a palette image",
    "SEPARATED": "a CMYK image",
}


@READERS.register("tiff", title="TIFF or OME-TIFF")
class TiffReader(Reader):
    """Reads every kind of TIFF with tifffile."""

    title: ClassVar[str] = "TIFF or OME-TIFF"
    suffixes: ClassVar[tuple[str, ...]] = (".tif", ".tiff")

    @classmethod
    def accepts(cls, path: Path, start: bytes) -> bool:
        """Whether the file starts as a TIFF or BigTIFF does."""
        return path.is_file() and start.startswith(_SIGNATURES)

    def _header(self, path: Path) -> Header:
        """Size, channels and pixel size from tags and metadata."""
        with _opened(path) as tif:
            series = _only_series(tif)
            axis = channel_axis(series.axes, series.shape)
            sizes = dict(zip(series.axes, series.shape, strict=True))
            shape = (int(sizes["Y"]), int(sizes["X"]))
            n_planes = 1 if axis is None else int(series.shape[axis])
            size, notes = pixel_size(tif)
            if axis is not None and series.axes[axis] == "S" and _is_color(series):
                return Header(shape, _COLORS[:n_planes], True, size, notes)
            return Header(shape, channel_names(tif, n_planes), False, size, notes)

    def _planes(self, path: Path, wanted: tuple[int, ...]) -> NDArray[Any]:
        """Decode one page a channel where the file is laid out so, else everything."""
        with _opened(path) as tif:
            series = _only_series(tif)
            pages = list(series.pages)
            _check_complete(pages)
            axis = channel_axis(series.axes, series.shape)
            n_planes = 1 if axis is None else int(series.shape[axis])
            if len(pages) == n_planes > 1:
                return np.stack([_native(pages[i].asarray()).squeeze() for i in wanted])
            pixels = _native(series.asarray())
            kept = [i for i, letter in enumerate(series.axes) if letter in "YX" or i == axis]
            pixels = pixels.reshape([series.shape[i] for i in kept])
            if axis is None:
                return pixels[None]
            planes = np.moveaxis(pixels, kept.index(axis), 0)
            return np.ascontiguousarray(planes[list(wanted)])


class _Complaints(logging.Handler):
    """Keeps what tifffile logs in this thread; it logs a broken chain of pages and goes on without them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.thread = threading.get_ident()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.texts.append(record.getMessage())


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The open file; an error where pages are lost, which tifffile only logs."""
    import tifffile

    complaints = _Complaints()
    logger = logging.getLogger("tifffile")
    logger.addHandler(complaints)
    try:
        with tifffile.TiffFile(path) as tif:
            len(tif.pages)
            if not tif.series or any("page offset" in text for text in complaints.texts):
                message = "The image is damaged or cut short: pages are missing from the TIFF."
                raise InputError(message, hint="Copy or export it again.")
            yield tif
    finally:
        logger.removeHandler(complaints)


def _only_series(tif: Any) -> Any:
    """The one image of the file, or an error where there are several or its kind can't be read."""
    if len(tif.series) != 1:
        shapes = ", ".join(" x ".join(map(str, series.shape)) for series in tif.series)
        message = f"Expected one image in the TIFF; found {len(tif.series)} of sizes {shapes}."
        raise InputError(message, hint="Save one image, all channels of one size, per file.")
    series = tif.series[0]
    if series.dtype == np.bool_:
        message = (
            "Expected grey values; found a 1-bit image (black and white), which looks like a mask."
        )
        raise InputError(message, hint="Give the image that the mask was made from.")
    kind = getattr(series.keyframe.photometric, "name", "")
    if kind in _PHOTOMETRIC:
        message = f"Expected grey or RGB; found {_PHOTOMETRIC[kind]}."
        raise InputError(message, hint="Save it as ordinary grey.")
    return series


def _is_color(series: Any) -> bool:
    """Whether the samples of a pixel are colours, not unrelated channels."""
    return getattr(series.keyframe.photometric, "name", "") in ("RGB", "YCBCR")


def _check_complete(pages: list[Any]) -> None:
    """Refuse a file whose pixel data end before the header says they do."""
    for page in pages:
        if page is None:
            message = "Expected all pages of the image; some are in other files that are not here."
            raise InputError(message, hint="Save the image as one file.")
        ends = [a + n for a, n in zip(page.dataoffsets, page.databytecounts, strict=True)]
        size = page.parent.filehandle.size
        if max(ends, default=0) > size or 0 in page.databytecounts:
            message = (
                f"The image is damaged or cut short: expected {max(ends)} bytes; found {size}."
            )
            raise InputError(message, hint="Copy or export it again.")


def _native(pixels: NDArray[Any]) -> NDArray[Any]:
    """The array in this machine's byte order."""
    return np.asarray(pixels).astype(pixels.dtype.newbyteorder("="), copy=False)
