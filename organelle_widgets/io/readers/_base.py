"""What every reader offers, the checks around it, and the choice of the reader that fits a file.

A reader is chosen by what the file holds, not by its name. The size is checked from the header, before
anything is decoded, and whatever a decoder raises becomes one `InputError` that names the file.
"""

from __future__ import annotations

import os
import struct
import zlib
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from organelle_widgets.errors import InputError
from organelle_widgets.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["MAX_PIXELS", "READERS", "Header", "Reader", "is_image_folder", "reader_for"]

MAX_PIXELS = 2**28
"""Largest number of pixels of one plane, 16384 x 16384: more is a slide, not a field."""

_ZARR_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray")

# What Pillow, tifffile, imagecodecs and zarr raise on files that are cut or scrambled.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    SyntaxError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Header:
    """What a file says of itself before its pixels are decoded.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    channels : tuple of str
        The name of each plane, empty where the file gives none.
    color : bool
        Whether the planes are the red, green, blue (and perhaps alpha) of one colour image.
    pixel_size_um : tuple of float, optional
        Micrometres per pixel along rows and columns; None where the file says nothing that can be trusted.
    notes : tuple of str
        What a person should know, in whole sentences.
    """

    shape: tuple[int, int]
    channels: tuple[str, ...]
    color: bool = False
    pixel_size_um: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


class Reader(ABC):
    """Reads one image format.

    A reader derives from this class, registers with ``@READERS.register(name)`` and implements `accepts`,
    `_header` and `_planes`. Readers keep no state, so one may be used from several threads.
    """

    title: ClassVar[str] = ""
    suffixes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abstractmethod
    def accepts(cls, path: Path, start: bytes) -> bool:
        """Whether the file is of this format.

        Parameters
        ----------
        path : Path
            A file or a folder.
        start : bytes
            The first bytes of the file; empty for a folder.

        Returns
        -------
        bool
            True where this reader knows the format.
        """

    def header(self, path: Path) -> Header:
        """Size, channel names and pixel size, without decoding pixels.

        Parameters
        ----------
        path : Path
            A file or folder that `accepts` takes.

        Returns
        -------
        Header
            What the file says of itself.

        Raises
        ------
        InputError
            If the file is damaged, of a kind that can't be a field, or too large.
        """
        with _plain_errors(path):
            header = self._header(path)
        rows, cols = header.shape
        if rows * cols > MAX_PIXELS:
            message = (
                f"Expected at most {MAX_PIXELS:,} pixels (16384 x 16384); "
                f"found {cols} x {rows} = {rows * cols:,}."
            )
            raise InputError(
                message,
                source=str(path),
                hint="Cut the image into tiles and read each as its own field.",
            )
        return header

    def planes(self, path: Path, wanted: Sequence[int]) -> NDArray[Any]:
        """Decode some of the planes.

        Parameters
        ----------
        path : Path
            A file or folder that `accepts` takes.
        wanted : sequence of int
            Positions among the header's channels.

        Returns
        -------
        ndarray, shape (n, Y, X)
            In the order of `wanted`, in the file's dtype.

        Raises
        ------
        InputError
            If the file is damaged or cut short, or too large.
        """
        shape = self.header(path).shape
        with _plain_errors(path):
            planes = self._planes(path, tuple(wanted))
        if planes.shape != (len(wanted), *shape):
            message = f"Expected {len(wanted)} planes of {shape}; found {planes.shape}. The file is damaged."
            raise InputError(message, source=str(path), hint="Copy or export it again.")
        return planes

    @abstractmethod
    def _header(self, path: Path) -> Header:
        """The header; the format's own part."""

    @abstractmethod
    def _planes(self, path: Path, wanted: tuple[int, ...]) -> NDArray[Any]:
        """The planes `wanted`, shape (n, Y, X); the format's own part."""


READERS: Registry[Reader] = Registry("reader", "organelle_widgets.io.readers", lambda: Reader)
"""All readers by name."""


def is_image_folder(path: Path) -> bool:
    """Whether a folder is one image (a Zarr store) rather than a folder of images.

    Parameters
    ----------
    path : Path
        A folder, or anything else.

    Returns
    -------
    bool
        True for the root, or a group, of a Zarr store.
    """
    try:
        return path.is_dir() and any((path / name).is_file() for name in _ZARR_FILES)
    except PermissionError:
        return False


def reader_for(path: Path) -> Reader:
    """The reader that fits a file's content.

    Parameters
    ----------
    path : Path
        A file, or the folder of a Zarr store.

    Returns
    -------
    Reader
        Ready to use.

    Raises
    ------
    InputError
        If the path does not exist, may not be read, is empty, or is of no format known here.
    """
    start = _first_bytes(path)
    for name, entry in READERS.entries().items():
        if entry.cls.accepts(path, start):
            return READERS.create(name)
    formats = ", ".join(entry.title for entry in READERS.entries().values())
    message = f"Expected an image ({formats}); found {_describe(path, start)}."
    hint = "Save other formats as OME-TIFF first, for instance with Fiji or Bio-Formats."
    raise InputError(message, source=str(path), hint=hint)


def _first_bytes(path: Path) -> bytes:
    """The first 64 bytes of a file, or an error that says why there are none."""
    if not _is_text(path):
        message = f"Expected a path in UTF-8; found {os.fsencode(path)!r}."
        raise InputError(message, hint="Rename the file or its folder.")
    try:
        if path.is_dir():
            return b""
        with path.open("rb") as file:
            start = file.read(64)
    except FileNotFoundError as error:
        message = "Expected an image file; found nothing at this path."
        raise InputError(message, source=str(path), hint="Check the spelling.") from error
    except PermissionError as error:
        message = "Expected a file that may be read; found one without permission."
        raise InputError(message, source=str(path), hint="Change its permissions.") from error
    except OSError as error:
        message = f"The file can't be opened: {error.strerror or error}."
        raise InputError(message, source=str(path)) from error
    if not start:
        message = "Expected an image file; found an empty file (0 bytes)."
        raise InputError(message, source=str(path), hint="Copy or export it again.")
    return start


def _is_text(path: Path) -> bool:
    """Whether a path can be written down: results name their files."""
    try:
        return b"\0" not in str(path).encode()
    except UnicodeEncodeError:
        return False


def _describe(path: Path, start: bytes) -> str:
    """What an unknown file seems to be, in a few words."""
    if path.is_dir():
        return "a folder"
    if start.isascii() and start.decode("ascii").replace("\n", " ").isprintable():
        return f"text that starts with {start[:24].decode('ascii')!r}"
    return f"a file that starts with the bytes {start[:8].hex(' ')}"


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """Turn what a decoder raises into one error that names the file."""
    try:
        yield
    except InputError as error:
        error.source = error.source or str(path)
        raise
    except PermissionError as error:
        message = "Expected a file that may be read; found one without permission."
        raise InputError(message, source=str(path), hint="Change its permissions.") from error
    except MemoryError as error:
        message = "There is not enough memory to read this image."
        raise InputError(message, source=str(path), hint="Cut it into tiles.") from error
    except _DECODER_ERRORS as error:
        reason = str(error).strip().rstrip(".") or type(error).__name__
        message = f"The image is damaged or cut short: {reason}."
        raise InputError(message, source=str(path), hint="Copy or export it again.") from error
