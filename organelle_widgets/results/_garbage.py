"""Files of a results folder that nothing names any more: left by a writer that was killed, and by merged parts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from organelle_widgets.results.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

__all__ = ["remove_files", "sweep"]

_PICTURES = ("masks", "thumbnails")


def sweep(folder: Path, parts: Collection[str], pictures: Collection[str]) -> None:
    """Remove what a writer that was killed left behind.

    Parameters
    ----------
    folder : Path
        The results folder, locked.
    parts, pictures : collection of str
        The parts, masks and thumbnails that count, as paths in the folder.
    """
    places = [(folder / table, parts) for table in TABLES]
    places += [(folder / kind, pictures) for kind in _PICTURES]
    for place, kept in places:
        remove_files(
            folder,
            (
                name
                for path in place.rglob("*")
                if path.is_file() and (name := path.relative_to(folder).as_posix()) not in kept
            ),
        )
    remove_files(folder, (path.name for path in folder.glob(".*.part")))


def remove_files(folder: Path, files: Iterable[str]) -> None:
    """Remove files; those that can't be removed stay, as they harm nobody.

    Parameters
    ----------
    folder : Path
        The results folder.
    files : iterable of str
        Paths in it.
    """
    for file in list(files):
        with suppress(OSError):
            (folder / file).unlink()
