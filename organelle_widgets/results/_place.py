"""Where results may be written: folders that are empty, names of files in them, and putting both on the disk."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from organelle_widgets.errors import BatchError, ExportError, InputError
from organelle_widgets.results._folder import RUN_FILE, is_results, read_run
from organelle_widgets.results.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["PICTURE_FOLDERS", "file_stem", "make_folders", "refuse_full", "sync_folder"]

PICTURE_FOLDERS: Mapping[str, str] = {"masks": "masks", "thumbnail": "thumbnails"}
"""Column of the table of fields to the folder of its files."""

_HARMLESS = {"status.json", "stop"}
_UNFINISHED = {*_HARMLESS, RUN_FILE, *TABLES, *PICTURE_FOLDERS.values()}
_STEM_LETTERS = 40
_SHOWN = 5


def file_stem(name: str) -> str:
    """The start of a field's name as a part of a file name.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        Letters, digits, ``_``, ``-`` and ``.``, at most 40; never empty.
    """
    return re.sub(r"[^\w.-]+", "_", name).strip("._")[:_STEM_LETTERS] or "field"


def refuse_full(folder: Path) -> None:
    """Refuse a folder that holds results or other things.

    Parameters
    ----------
    folder : Path
        May not exist yet; what a run writes before its results, and hidden files, do no harm.

    Raises
    ------
    BatchError
        If it is no place for new results; says why.
    """
    if is_results(folder):
        message = "Expected an empty folder; found the results of an earlier run."
        hint = "Go on with it by --resume, or choose another folder."
        raise BatchError(message, source=str(folder), hint=hint)
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        message = f"Expected a folder that can be used; found: {error.strerror or error}."
        raise BatchError(message, source=str(folder), hint="Choose another folder.") from error
    ours = _UNFINISHED if _is_unfinished(folder) else _HARMLESS
    others = [name for name in names if name not in ours and not name.startswith(".")]
    if others:
        shown = ", ".join(others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
        message = f"Expected an empty folder for the results; found other things in it: {shown}."
        raise BatchError(message, source=str(folder), hint="Choose an empty or a new folder.")


def _is_unfinished(folder: Path) -> bool:
    """Whether a writer was killed here before its first commit."""
    try:
        read_run(folder)
    except InputError:
        return False
    return True


def make_folders(folder: Path, names: Sequence[str]) -> None:
    """Make folders that are not there.

    Parameters
    ----------
    folder : Path
        Where.
    names : sequence of str
        Their names in it; an empty one is the folder itself.

    Raises
    ------
    ExportError
        If one can't be made; says why.
    """
    try:
        for name in names:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"Can't make the folder {folder}: {error.strerror or error}."
        raise ExportError(
            message, step="export", hint="Choose a folder that you may write to."
        ) from error


def sync_folder(folder: Path) -> None:
    """Put the names of a folder on the disk, where the system can.

    Parameters
    ----------
    folder : Path
        The folder.
    """
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
