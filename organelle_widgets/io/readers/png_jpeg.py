"""PNG and JPEG files: grey or colour, 8 or 16 bit.

The pixel density that such files carry is a print size and is never taken for a pixel size.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from organelle_widgets.errors import InputError
from organelle_widgets.io.readers._base import READERS, Header, Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

__all__ = ["PngJpegReader"]

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_CHANNELS = {
    "L": ("",),
    "I;16": ("",),
    "I;16B": ("",),
    "I": ("",),
    "LA": ("",),
    "RGB": ("red", "green", "blue"),
    "P": ("red", "green", "blue"),
    "RGBA": ("red", "green", "blue", "alpha"),
}


@READERS.register("png_jpeg", title="PNG or JPEG")
class PngJpegReader(Reader):
    """Reads PNG and JPEG with Pillow, and 16-bit colour PNG, which Pillow would cut to 8 bit, with imagecodecs."""

    title: ClassVar[str] = "PNG or JPEG"
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".jpg", ".jpeg")

    @classmethod
    def accepts(cls, path: Path, start: bytes) -> bool:
        """Whether the file starts as a PNG or a JPEG does."""
        return path.is_file() and start.startswith((_PNG, _JPEG))

    def _header(self, path: Path) -> Header:
        """Size and channels from the header."""
        with _opened(path) as image:
            channels = _channels(image)
            return Header((image.height, image.width), channels, color=len(channels) > 1)

    def _planes(self, path: Path, wanted: tuple[int, ...]) -> NDArray[Any]:
        """Decode the file and pick planes; a palette is resolved to its colours."""
        with _opened(path) as image:
            if _is_deep_color(image):
                import imagecodecs

                pixels = np.asarray(imagecodecs.png_decode(path.read_bytes()))
            else:
                pixels = np.asarray(image.convert("RGB") if image.mode == "P" else image)
        if pixels.ndim == 2:
            return pixels[None]
        return np.ascontiguousarray(np.moveaxis(pixels, -1, 0)[list(wanted)])


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile]:
    """The file opened by its own plugin: our limit of size holds instead of Pillow's global one."""
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    with path.open("rb") as file:
        is_png = file.read(len(_PNG)) == _PNG
        file.seek(0)
        plugin: type[ImageFile] = PngImageFile if is_png else JpegImageFile
        yield plugin(file)


def _is_deep_color(image: ImageFile) -> bool:
    """Whether more than one plane of 16 bit is stored."""
    stored = str(image.tile[0].args) if image.tile else ""
    return image.mode in ("RGB", "RGBA", "LA") and stored.endswith(";16B")


def _channels(image: ImageFile) -> tuple[str, ...]:
    """Names of the planes, or an error for kinds that hold no intensities."""
    if image.mode == "1":
        message = (
            "Expected grey values; found a 1-bit image (black and white), which looks like a mask."
        )
        raise InputError(message, hint="Give the image that the mask was made from.")
    if _is_deep_color(image) and image.mode == "RGBA" and "LA" in str(image.tile[0].args):
        return ("",)
    if image.mode not in _CHANNELS:
        message = f"Expected a grey or RGB image; found colour mode {image.mode}."
        raise InputError(message, hint="Save it as grey or RGB.")
    return _CHANNELS[image.mode]
