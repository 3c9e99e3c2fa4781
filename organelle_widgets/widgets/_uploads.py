"""Files that a browser sends in chunks: checked, limited and kept in a private folder until they are replaced.

Nothing here knows of widgets: `SamplePanel` reads the messages and hands their parts to `UploadReceiver`.
"""

from __future__ import annotations

import shutil
import tempfile
import unicodedata
import weakref
from dataclasses import dataclass
from pathlib import Path

from organelle_widgets.errors import InputError

__all__ = ["IMAGE_SUFFIXES", "Receipt", "UploadReceiver", "safe_name"]

GIB = 1 << 30
MIB = 1 << 20

IMAGE_SUFFIXES: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".tif.gz", ".tiff.gz")
"""Endings, in lower case, of the files that the page takes."""

LONGEST_NAME = 120
"""Longest file name kept, in bytes of UTF-8."""


@dataclass(frozen=True)
class Receipt:
    """How far one upload is.

    Parameters
    ----------
    received : int
        Bytes on disk; the next chunk starts there.
    path : Path or None
        The file, once it is complete.
    """

    received: int
    path: Path | None = None


@dataclass
class _Upload:
    """A file on its way."""

    slot: str
    size: int
    path: Path
    received: int = 0


def safe_name(name: str) -> str:
    """A file name without folders, control characters and what file systems dislike.

    Parameters
    ----------
    name : str
        As the browser gives it.

    Returns
    -------
    str
        At most 120 bytes of UTF-8, the ending kept; ``"file"`` where nothing is left.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join("_" if c in '<>:"|?*' else c for c in last if c.isprintable()).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    tail = (dot + ending).encode()[-20:] if stem else b""
    head = (stem or ending).encode()[: LONGEST_NAME - len(tail)]
    return (head.decode(errors="ignore") + tail.decode(errors="ignore")) or "file"


class UploadReceiver:
    """Receives files chunk by chunk, one file a slot.

    The folder is made at the first chunk, readable by its owner alone, and deleted by `close`, with the receiver, or
    when Python ends. A file that replaces another takes its place only when it is complete.

    Parameters
    ----------
    suffixes : tuple of str
        Endings, in lower case, of the files taken.
    file_limit, total_limit : int
        Most bytes of one file, and of all files together.
    reserve : int
        Bytes of disk that stay free.
    """

    def __init__(
        self,
        suffixes: tuple[str, ...] = IMAGE_SUFFIXES,
        *,
        file_limit: int = GIB,
        total_limit: int = 4 * GIB,
        reserve: int = 256 * MIB,
    ) -> None:
        self._suffixes = suffixes
        self._file_limit = file_limit
        self._total_limit = total_limit
        self._reserve = reserve
        self._uploads: dict[str, _Upload] = {}
        self._files: dict[str, Path] = {}
        self._folder: Path | None = None
        self._cleanup: weakref.finalize[..., UploadReceiver] | None = None

    @property
    def files(self) -> dict[str, Path]:
        """The complete files by slot."""
        return dict(self._files)

    def receive(
        self, upload: str, slot: str, name: str, size: int, offset: int, chunk: bytes
    ) -> Receipt:
        """Take one chunk.

        A chunk that does not start where the last one ended changes nothing: the receipt says where to go on, so
        that a browser can repeat what got lost.

        Parameters
        ----------
        upload : str
            The browser's own name for this transfer.
        slot : str
            What the file is for; an unfinished transfer for the same slot is dropped.
        name : str
            The file's name on the person's machine.
        size : int
            Bytes of the whole file.
        offset : int
            Where the chunk starts.
        chunk : bytes
            The bytes.

        Returns
        -------
        Receipt
            How far the upload is.

        Raises
        ------
        InputError
            If the file is empty, too large, of another kind, not as announced, or can't be written. The upload is
            dropped.
        """
        current = self._uploads.get(upload)
        try:
            if current is None:
                if offset != 0:
                    return Receipt(0)
                current = self._begin(upload, slot, name, size)
            if (current.slot, current.size) != (slot, size):
                message = (
                    f"Expected {current.size} bytes for {current.slot}; found {size} for {slot}."
                )
                raise InputError(message, source=name, hint="Choose the file again.")
            if offset == current.received:
                self._write(current, chunk)
        except OSError as error:
            self.cancel(upload)
            message = f"The file could not be stored: {error.strerror or error}."
            raise InputError(
                message, source=name, hint="Free some disk space and try again."
            ) from error
        except InputError:
            self.cancel(upload)
            raise
        return self._receipt(upload, current)

    def cancel(self, upload: str) -> None:
        """Drop an unfinished upload; an unknown one is no error.

        Parameters
        ----------
        upload : str
            The browser's name for it.
        """
        current = self._uploads.pop(upload, None)
        if current is not None:
            shutil.rmtree(current.path.parent, ignore_errors=True)

    def remove(self, slot: str) -> bool:
        """Delete the file of a slot and drop what is on its way there.

        Parameters
        ----------
        slot : str
            The slot.

        Returns
        -------
        bool
            Whether there was a complete file.
        """
        for upload in [name for name, known in self._uploads.items() if known.slot == slot]:
            self.cancel(upload)
        path = self._files.pop(slot, None)
        if path is not None:
            shutil.rmtree(path.parent, ignore_errors=True)
        return path is not None

    def close(self) -> None:
        """Delete everything; the receiver can be used again."""
        if self._cleanup is not None:
            self._cleanup()
        self._uploads.clear()
        self._files.clear()
        self._folder = None

    def _begin(self, upload: str, slot: str, name: str, size: int) -> _Upload:
        """Check what is announced and make room for it."""
        clean = safe_name(name)
        self._check(clean, size)
        for other in [key for key, known in self._uploads.items() if known.slot == slot]:
            self.cancel(other)
        folder = Path(tempfile.mkdtemp(dir=self._private_folder()))
        self._uploads[upload] = _Upload(slot, size, folder / clean)
        return self._uploads[upload]

    def _check(self, name: str, size: int) -> None:
        """Refuse files that the page can't take."""
        if not name.lower().endswith(self._suffixes):
            message = f"Expected a file that ends in {', '.join(self._suffixes)}; found {name!r}."
            raise InputError(message)
        if size < 1:
            message = "Expected an image; the file is empty."
            raise InputError(message, source=name)
        if size > self._file_limit:
            message = (
                f"Expected a file of up to {_in_words(self._file_limit)}; found {_in_words(size)}."
            )
            raise InputError(
                message, source=name, hint="Open it from a folder of the server instead."
            )
        held = sum(u.size for u in self._uploads.values())
        held += sum(path.stat().st_size for path in self._files.values())
        if held + size > self._total_limit:
            limit, wanted = _in_words(self._total_limit), _in_words(held + size)
            message = f"Expected up to {limit} of files in all; this would be {wanted}."
            raise InputError(message, source=name, hint="Remove a file first.")
        free = shutil.disk_usage(self._private_folder()).free - self._reserve
        if size > free:
            message = (
                f"The disk has room for {_in_words(max(free, 0))}; the file has {_in_words(size)}."
            )
            raise InputError(message, source=name, hint="Free some disk space and try again.")

    def _write(self, current: _Upload, chunk: bytes) -> None:
        """Append a chunk."""
        if not chunk or current.received + len(chunk) > current.size:
            message = (
                f"Expected up to {current.size - current.received} more bytes; found {len(chunk)}."
            )
            raise InputError(message, source=current.path.name, hint="Choose the file again.")
        with current.path.open("ab") as file:
            file.write(chunk)
        current.received += len(chunk)

    def _receipt(self, upload: str, current: _Upload) -> Receipt:
        """How far an upload is; a complete file takes its slot."""
        if current.received < current.size:
            return Receipt(current.received)
        del self._uploads[upload]
        self.remove(current.slot)
        self._files[current.slot] = current.path
        return Receipt(current.received, current.path)

    def _private_folder(self) -> Path:
        """The folder of all uploads, mode 0700, outside every served folder."""
        if self._folder is None:
            folder = tempfile.mkdtemp(prefix="organelle-upload-")
            self._folder = Path(folder)
            self._cleanup = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return self._folder


def _in_words(size: int) -> str:
    """A size in bytes as people write it."""
    for unit, factor in (("GB", GIB), ("MB", MIB)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
