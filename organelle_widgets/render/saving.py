"""Writing a file or a folder whole or not at all, and saying why where it can't be written."""

from __future__ import annotations

import errno
import io
import os
import shutil
import time
import uuid
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "figure_bytes",
    "folder_written_whole",
    "save_figure",
    "without_font_warnings",
    "written_whole",
]

_REASONS: dict[int, tuple[str, str]] = {
    errno.EACCES: ("this may not be written", "Choose a folder that you may write to."),
    errno.EPERM: ("this may not be written", "Choose a folder that you may write to."),
    errno.EROFS: ("the disk is read-only", "Choose a folder on another disk."),
    errno.ENOSPC: ("the disk is full", "Free some space, or choose another disk."),
    errno.EDQUOT: ("your share of the disk is used up", "Free some space, or choose another disk."),
    errno.ENOENT: ("the folder does not exist", "Make the folder first, or choose another."),
    errno.ENOTDIR: ("a file is in the folder's place", "Choose another folder."),
    errno.EISDIR: ("a folder of that name exists", "Choose another name."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
}

_REMOVALS, _PAUSE_S = 40, 0.05
_SMOOTH = (
    b"image-rendering:crisp-edges;image-rendering:pixelated",
    b"image-rendering:auto",
)
"""Pictures in SVG that are shown smaller should not lose every other pixel."""
_FIGURE_SUFFIXES = (".png", ".svg", ".pdf")


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Write to a temporary file beside the target, which takes its place only when all went well.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder must exist. A file that exists already is replaced.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    ExportError
        If the file can't be written, with the reason and what to do. Nothing is left behind, and a file
        that was there before stays as it was.
    """
    target = Path(path)
    part = _sibling(target, "part")
    try:
        part.touch()  # a folder that can't be written is found before the work is done
        yield part
        part.replace(target)
    except OSError as error:
        raise _explained(target, error) from error
    finally:
        with suppress(OSError):
            os.unlink(part)  # noqa: PTH108 - also where a folder on the way is a file


@contextmanager
def folder_written_whole(path: str | Path, *, keep: bool = False) -> Iterator[Path]:
    """Write into a temporary folder beside the target, which takes its place only when all went well.

    Parameters
    ----------
    path : str or Path
        The folder to write; the one around it must exist.
    keep : bool
        What to do with a folder that exists already. True: what is in it stays, but for files and folders of the
        names that were written. False: it is replaced as a whole, which is refused where it holds anything that
        was not written now, so that no stranger's files go.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    ExportError
        If the folder can't be written, with the reason and what to do, or may not be replaced. Nothing is left
        behind, and a folder that was there before stays as it was.
    """
    target = Path(path)
    part = _sibling(target, "part")
    try:
        part.mkdir()
        yield part
        if keep and target.is_dir():
            _merge(part, target)
        else:
            _swap(part, target)
    except OSError as error:
        raise _explained(target, error) from error
    finally:
        _remove(part)


def _remove(folder: Path) -> None:
    """Remove a folder, also where threads of a writer that failed still put files there for a moment."""
    for _ in range(_REMOVALS):
        if not folder.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_PAUSE_S)


def _sibling(target: Path, suffix: str) -> Path:
    """A hidden name beside the target that nothing has."""
    return target.with_name(f".{uuid.uuid4().hex[:12]}.{suffix}")


def _merge(part: Path, target: Path) -> None:
    """Move everything in one folder to another; things of the same name give way."""
    for made in sorted(part.iterdir()):
        if made.is_dir():
            _swap(made, target / made.name)
        else:
            made.replace(target / made.name)


def _swap(part: Path, target: Path) -> None:
    """Put a folder in the place of another, or where there was none."""
    if not target.is_dir():
        part.replace(target)
        return
    strangers = sorted({p.name for p in target.iterdir()} - {p.name for p in part.iterdir()})
    if strangers:
        message = f"Can't replace the folder {target}: there is {strangers[0]!r} in it, which would be lost."
        raise ExportError(message, step="export", hint="Choose another name, or delete it first.")
    old = _sibling(target, "old")
    target.replace(old)
    try:
        part.replace(target)
    except OSError:
        old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _explained(target: Path, error: OSError) -> ExportError:
    """The error in a person's words."""
    reason, hint = _REASONS.get(
        error.errno or 0, (str(error.strerror or error), "Try another folder.")
    )
    return ExportError(f"Can't write {target}: {reason}.", step="export", hint=hint)


@contextmanager
def without_font_warnings() -> Iterator[None]:
    """Draw names in scripts that the font lacks without a warning a letter; a box stands for each.

    Yields
    ------
    None
        Save the figure inside.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


def save_figure(figure: Any, path: str | Path, dpi: float = 300) -> Path:
    """Save a matplotlib figure as a picture or as vectors.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : str or Path
        Ends in ``.png``, ``.svg`` or ``.pdf``.
    dpi : float
        Pixels per inch of a PNG, and of pictures within vectors.

    Returns
    -------
    Path
        The file. Text in PDF stays text in embedded TrueType fonts, as journals ask; in SVG it is drawn
        as outlines, so that it looks the same everywhere.

    Raises
    ------
    ExportError
        If the suffix is another one or the file can't be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in _FIGURE_SUFFIXES:
        message = f"Expected a file name that ends in {', '.join(_FIGURE_SUFFIXES)}; found {target.name!r}."
        raise ExportError(message, step="export")
    with written_whole(target) as part:
        part.write_bytes(figure_bytes(figure, suffix[1:], dpi))
    return target


def figure_bytes(figure: Any, kind: str, dpi: float = 300) -> bytes:
    """What a file with a matplotlib figure holds; see `save_figure`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    kind : {"png", "svg", "pdf"}
        What to make. Pictures within vectors keep their own pixels, neither blurred nor made larger.
    dpi : float
        Pixels per inch of a PNG.

    Returns
    -------
    bytes
        The same for the same figure.
    """
    from matplotlib import rc_context

    stamp: dict[str, Any] = {
        "png": {"Software": None},
        "svg": {"Date": None},
        "pdf": {"CreationDate": None},
    }[kind]
    settings = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "organelle_widgets"}
    if kind != "png":
        for picture in (image for axes in figure.axes for image in axes.images):
            picture.set_interpolation("none")
    content = io.BytesIO()
    with rc_context(settings), without_font_warnings():
        figure.savefig(content, format=kind, dpi=dpi, metadata=stamp)
    return content.getvalue().replace(*_SMOOTH) if kind == "svg" else content.getvalue()
