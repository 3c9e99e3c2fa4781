"""From paths to fields by their names: which files belong together, and names that differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNEL_KEYS
from organelle_widgets.errors import InputError
from organelle_widgets.io._checks import check_files, join_problems
from organelle_widgets.io.hpa import IMAGE_SUFFIXES, is_mask, split_name
from organelle_widgets.io.readers import is_image_folder
from organelle_widgets.io.sources import FieldSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = [
    "Siblings",
    "group_by_channel",
    "grouped_field",
    "is_candidate",
    "is_results_folder",
    "unique_names",
]

_RESULTS_FILES = ("run.json", "manifest.json")


def is_candidate(path: Path) -> bool:
    """Whether a file of a folder may be an image of a field by its name."""
    if path.name.startswith(".") or is_mask(path):
        return False
    return path.name.lower().endswith(IMAGE_SUFFIXES) or is_image_folder(path)


def is_results_folder(path: Path, names: Collection[str] | None = None) -> bool:
    """Whether a folder holds the results of a run, whose pictures are no fields; `names` are its files if known."""
    if names is not None:
        return all(name in names for name in _RESULTS_FILES)
    return all((path / name).is_file() for name in _RESULTS_FILES)


def group_by_channel(
    paths: Iterable[Path], suffixes: Mapping[str, str]
) -> tuple[dict[str, dict[str, list[Path]]], list[Path]]:
    """Files of one folder by the field's name and channel, and those whose names tell no channel."""
    groups: dict[str, dict[str, list[Path]]] = {}
    singles = []
    for path in paths:
        name, key = split_name(path, suffixes)
        if key is None:
            singles.append(path)
        else:
            groups.setdefault(name, {}).setdefault(key, []).append(path)
    return groups, singles


def grouped_field(
    name: str, files: Mapping[str, list[Path]], shown: str, *, by_name: bool
) -> FieldSource:
    """One field out of its files, or an error with all that is wrong with them."""
    problems = []
    for key, paths in files.items():
        if len(paths) > 1:
            names = " and ".join(str(path) for path in paths)
            message = f"Expected one file of the {key} channel; found {len(paths)}: {names}."
            problems.append(InputError(message, hint="Remove or rename all but one."))
    chosen = {key: files[key][0] for key in CHANNEL_KEYS if key in files}
    try:
        check_files(shown, chosen, by_name=by_name)
    except InputError as error:
        problems.append(error)
    if problems:
        raise join_problems(problems, shown)
    return FieldSource(name, chosen)


class Siblings:
    """Finds the other files of a field, listing each folder once.

    Parameters
    ----------
    suffixes : mapping of str to str
        What `channel_suffixes` returns.
    """

    def __init__(self, suffixes: Mapping[str, str]) -> None:
        self._suffixes = suffixes
        self._folders: dict[Path, dict[str, dict[str, list[Path]]]] = {}

    def groups(self, folder: Path) -> dict[str, dict[str, list[Path]]]:
        """The fields of a folder by name, each with its files by channel."""
        if folder not in self._folders:
            paths = (path for path in sorted(folder.iterdir()) if is_candidate(path))
            self._folders[folder] = group_by_channel(paths, self._suffixes)[0]
        return self._folders[folder]

    def of(self, path: Path) -> tuple[str, dict[str, list[Path]]] | None:
        """Name and files of the field that a file belongs to; None where its name tells no channel."""
        name, key = split_name(path, self._suffixes)
        if key is None:
            return None
        return name, self.groups(path.parent).get(name, {key: [path]})


def unique_names(found: list[FieldSource], root: Path) -> list[FieldSource]:
    """The same fields, with names that occur more than once led by their folder, then by their file's ending."""
    for rename in (_with_folder, _with_ending):
        counts = Counter(item.name for item in found)
        found = [rename(item, root) if counts[item.name] > 1 else item for item in found]
    return found


def _with_folder(item: FieldSource, root: Path) -> FieldSource:
    """The field with its folder in its name."""
    folder = item.paths[0].parent
    place = folder.relative_to(root) if folder.is_relative_to(root) else folder
    return item if place == Path() else replace(item, name=f"{place.as_posix()}/{item.name}")


def _with_ending(item: FieldSource, root: Path) -> FieldSource:
    """The field with the whole name of its one file."""
    if not isinstance(item.files, Path):
        return item
    inside = item.files.is_relative_to(root)
    return replace(item, name=(item.files.relative_to(root) if inside else item.files).as_posix())
