"""Where the images of one row of a table are; each folder is listed once, however many rows name its files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError
from organelle_widgets.io._checks import join_problems
from organelle_widgets.io._grouping import Siblings, grouped_field
from organelle_widgets.io.discover import discover_fields
from organelle_widgets.io.hpa import IMAGE_SUFFIXES, is_mask, stem_of
from organelle_widgets.io.read import find_field
from organelle_widgets.io.readers import is_image_folder
from organelle_widgets.io.sources import FieldSource

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ListedImages"]

_ENDINGS = (".ome.zarr", ".zarr", *IMAGE_SUFFIXES)


class ListedImages:
    """Looks up images for the rows of a table.

    Parameters
    ----------
    folder : Path
        What relative paths start from.
    suffixes : mapping of str to str
        What `channel_suffixes` returns.
    channels : mapping of str or int to str, optional
        Channel names or numbers of files to ours.
    """

    def __init__(
        self,
        folder: Path,
        suffixes: Mapping[str, str],
        channels: Mapping[str | int, str] | None,
    ) -> None:
        self._folder = folder
        self._channels = channels
        self._siblings = Siblings(suffixes)

    def at(self, text: str) -> FieldSource:
        """The one field at a path: a file's with its siblings, a store's, or a folder's."""
        path = self._existing(text, "path")
        if path.is_dir() and not is_image_folder(path):
            return self._only_one(path)
        if path.is_dir():
            return replace(self._only_one(path), name=stem_of(path))
        if is_mask(path):
            message = "Expected an image of a field; found a mask, going by its name."
            raise InputError(message, source=str(path), hint="Give the image that belongs to it.")
        found = self._siblings.of(path)
        if found is None:
            return FieldSource(stem_of(path), path, self._channels)
        return grouped_field(*found, found[0], by_name=True)

    def in_folder(self, folder: str, name: str) -> FieldSource:
        """The field of that name in a folder: a file a channel, or one file."""
        where = self._existing(folder, "folder")
        if not where.is_dir():
            message = "Expected a folder; found a file."
            raise InputError(message, source=str(where))
        files = self._siblings.groups(where).get(name)
        if files:
            return grouped_field(name, files, name, by_name=True)
        for ending in _ENDINGS:
            path = where / f"{name}{ending}"
            if path.exists():
                return FieldSource(name, path, self._channels)
        message = f"Expected image files {name}_green.png and so on in this folder; found none."
        raise InputError(message, source=str(where), hint="Check the name and the folder.")

    def of_channels(self, files: Mapping[str, str]) -> FieldSource:
        """The field whose channels have a file each; empty ones are missing."""
        paths = {key: self._existing(text, key) for key, text in files.items() if text}
        if not paths:
            message = "Expected files of the channels; found none in this row."
            raise InputError(message)
        found = find_field(paths)
        chosen = {key: [path] for key, path in paths.items()}
        return grouped_field(found.name, chosen, found.name, by_name=True)

    def _existing(self, text: str, column: str) -> Path:
        """A path of the table that is there."""
        if not text:
            message = f"Expected a path in the column {column!r}; found none."
            raise InputError(message)
        path = self._absolute(text)
        if not path.exists() and os.sep == "/" and "\\" in text:
            path = self._absolute(text.replace("\\", "/"))  # a table made on Windows
        if not path.exists():
            message = "Expected a file or folder; found nothing at this path."
            hint = "Paths start from the table's folder."
            raise InputError(message, source=str(self._absolute(text)), hint=hint)
        return path

    def _absolute(self, text: str) -> Path:
        """The path, from the table's folder on."""
        return Path(os.path.normpath(self._folder / text))

    def _only_one(self, path: Path) -> FieldSource:
        """The only field of a folder or store."""
        problems: list[InputError] = []
        found = discover_fields(
            path, channels=self._channels, by_name=True, on_problem=problems.append
        )
        if problems and len(found) < 2:
            raise join_problems(problems, str(path))
        if len(found) != 1:
            names = ", ".join(item.name for item in found[:5]) + (", ..." if found[5:] else "")
            message = f"Expected exactly one field; found {len(found)}: {names}."
            raise InputError(message, source=str(path), hint="Give each field a row of its own.")
        return found[0]
