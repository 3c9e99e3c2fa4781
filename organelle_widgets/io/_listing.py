"""What lies on disk under the sources that a person named: images, plates, and what is passed over."""

from __future__ import annotations

import glob
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError
from organelle_widgets.io._grouping import Siblings, is_candidate, is_results_folder
from organelle_widgets.io.hcs import is_plate
from organelle_widgets.io.hpa import is_mask
from organelle_widgets.io.readers import is_image_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Listing", "list_images"]

_PathLike = str | os.PathLike[str]


@dataclass
class Listing:
    """What was found: images, those that the person named, plates, problems, and endings of other files."""

    root: Path
    paths: dict[Path, None] = field(default_factory=dict)
    named: set[Path] = field(default_factory=set)
    plates: dict[Path, None] = field(default_factory=dict)
    problems: list[InputError] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    def add_store(self, path: Path) -> None:
        """Add a Zarr store: an image or a plate."""
        (self.plates if is_plate(path) else self.paths)[path] = None


def list_images(
    source: _PathLike | Sequence[_PathLike],
    suffixes: Mapping[str, str],
    *,
    recursive: bool,
    by_name: bool,
) -> Listing:
    """Every image and plate of a folder, file or pattern, or of a list of them.

    Parameters
    ----------
    source : path or sequence of paths
        Files, folders and patterns.
    suffixes : mapping of str to str
        What `channel_suffixes` returns.
    recursive : bool
        Whether to look into sub-folders.
    by_name : bool
        Whether one file of a field that the person named stands for all of them.

    Returns
    -------
    Listing
        In the order of the sources; what is missing is a problem.
    """
    siblings = Siblings(suffixes)
    if isinstance(source, (str, os.PathLike)):
        roots = [_root(Path(source))]
        items = [Path(source)]
    else:
        items = list(dict.fromkeys(Path(item).absolute() for item in source))
        roots = [_root(item) if _is_pattern(item) else item.parent for item in items]
    listing = Listing(Path(os.path.commonpath(roots)) if roots else Path())
    for item in items:
        try:
            if _is_pattern(item):
                _add_matches(item, siblings, listing, recursive)
            else:
                _add(item, siblings if by_name else None, listing, recursive)
        except InputError as error:
            listing.problems.append(error)
    return listing


def _is_pattern(path: Path) -> bool:
    """Whether a path is a pattern such as ``plate*/*_green.png``, and no file's own name."""
    return glob.has_magic(str(path)) and not path.exists()


def _root(path: Path) -> Path:
    """The folder that names are told relative to."""
    if not _is_pattern(path):
        return path if path.is_dir() else path.parent
    fixed = [part for part in (path, *path.parents) if not glob.has_magic(str(part))]
    return fixed[0] if fixed else Path()


def _add(path: Path, siblings: Siblings | None, listing: Listing, recursive: bool) -> None:
    """Add a folder's images, or one file that the person named."""
    if not path.exists():
        message = "Expected a file or folder; found nothing at this path."
        raise InputError(message, source=str(path), hint="Check the spelling.")
    if is_image_folder(path):
        listing.add_store(path)
        listing.named.add(path)
    elif path.is_dir():
        _add_folder(path, listing, recursive)
    elif is_mask(path):
        listing.passed_over["masks"] += 1
    else:
        _add_file(path, siblings, listing)
        listing.named.add(path)


def _add_file(path: Path, siblings: Siblings | None, listing: Listing) -> None:
    """Add a file, and the others of its field where they are wanted."""
    found = siblings.of(path) if siblings else None
    if found is None:
        listing.paths[path] = None
        return
    for others in found[1].values():
        listing.paths.update(dict.fromkeys(others))


def _add_folder(folder: Path, listing: Listing, recursive: bool) -> None:
    """Add the images of a folder (tree); a folder of results is refused."""
    if is_results_folder(folder):
        message = "Expected images; found the results of a run."
        hint = "Name the folder of the images that the run went over."
        raise InputError(message, source=str(folder), hint=hint)
    for item, is_store in _walk(folder, recursive, listing):
        if is_store:
            listing.add_store(item)
        elif is_candidate(item):
            listing.paths[item] = None
        else:
            kind = "masks" if is_mask(item) else item.suffix.lower() or item.name
            listing.passed_over[kind] += 1


def _walk(folder: Path, recursive: bool, listing: Listing) -> Iterator[tuple[Path, bool]]:
    """Files and Zarr stores of a folder (tree), in order; folders that can't be read become problems."""

    def refused(error: OSError) -> None:
        message = f"The folder can't be read: {error.strerror or error}."
        hint = "Change its permissions."
        listing.problems.append(InputError(message, source=str(error.filename), hint=hint))

    for where, folders, names in os.walk(folder, onerror=refused):
        here = Path(where)
        if is_results_folder(here, names):
            folders.clear()
            listing.passed_over["results of a run"] += 1
            continue
        stores = {name for name in folders if name[0] != "." and is_image_folder(here / name)}
        yield from ((here / name, name in stores) for name in sorted([*names, *stores]))
        inner = sorted(name for name in folders if name not in stores and name[0] != ".")
        folders[:] = inner if recursive else []


def _add_matches(pattern: Path, siblings: Siblings, listing: Listing, recursive: bool) -> None:
    """Add what fits a pattern: fields by any of their files, folders, and OME-Zarr."""
    matches = _matches(pattern)
    if not matches:
        message = "Expected files or folders that fit this pattern; found none."
        raise InputError(message, source=str(pattern), hint="Check the spelling.")
    whole: set[Path] = set()
    results: dict[Path, bool] = {}
    root = listing.root
    for path in matches:
        if not whole.isdisjoint(path.parents):
            continue
        if _in_results(path.parent, root, results):
            listing.passed_over["results of a run"] += 1
        elif is_image_folder(path):
            whole.add(path)
            listing.add_store(path)
        elif path.is_dir():
            whole.add(path)
            if not is_results_folder(path):
                _add_folder(path, listing, recursive)
        elif is_candidate(path):
            _add_file(path, siblings, listing)
        else:
            listing.passed_over["masks" if is_mask(path) else path.suffix.lower()] += 1


def _matches(pattern: Path) -> list[Path]:
    """What fits a pattern, in order; of a folder that links lead to as well, the shortest path."""
    root = _root(pattern)
    rest = pattern.relative_to(root)
    found = [  # pathlib's `**` follows no links, so that a loop of them ends
        path
        for path in root.glob(str(rest))
        if not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]
    ways: dict[Path, Path] = {}
    for folder in sorted({path.parent for path in found}, key=lambda path: (len(path.parts), path)):
        ways.setdefault(folder.resolve(), folder)
    chosen = set(ways.values())
    kept = sorted(path for path in found if path.parent in chosen)
    links = [path for path in kept if path.is_symlink() and path.is_dir()]
    doubled = {link for link in links if link.resolve() in set(kept) - {link}}
    return [path for path in kept if path not in doubled]


def _in_results(folder: Path, root: Path, known: dict[Path, bool]) -> bool:
    """Whether a folder is, or lies in, a folder of results below the root."""
    if folder not in known:
        inside = folder != root and folder.is_relative_to(root)
        known[folder] = is_results_folder(folder) or (
            inside and _in_results(folder.parent, root, known)
        )
    return known[folder]
