"""Find the fields in a folder, a folder tree or a list of files.

Files are grouped by folder and by the part of their names before the channel. Only names and headers are looked
at. What is wrong with one field never hides the others.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError
from organelle_widgets.io._checks import check_files, join_problems, plain_os_errors
from organelle_widgets.io.hpa import IMAGE_SUFFIXES, channel_suffixes, is_mask, split_name, stem_of
from organelle_widgets.io.readers import is_image_folder, reader_for
from organelle_widgets.io.sources import FieldSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["discover_fields"]


@plain_os_errors()
def discover_fields(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    channels: Mapping[str | int, str] | None = None,
    recursive: bool = True,
    on_problem: Callable[[InputError], object] | None = None,
) -> list[FieldSource]:
    """Find all fields.

    A field is four (or, without microtubules or ER, fewer) files that differ in their channel suffix, one
    multi-channel TIFF or OME-Zarr, or one colour image. Masks, hidden files and files that are no images are
    passed over; so are, beside files with channel suffixes, single pictures such as previews.

    Parameters
    ----------
    source : path or sequence of paths
        A folder, or files and folders.
    channels : mapping of str or int to str, optional
        File-name suffixes, or channel names or numbers inside a file, to our channels:
        ``{"_ch00": "blue", "_ch01": "green"}``.
    recursive : bool
        Whether to look into sub-folders.
    on_problem : callable, optional
        Called with one `InputError` for each field or file that can't be used, whose `source` names it; the good
        fields are returned. Without it, all problems are raised as one error. To collect them:
        ``discover_fields(folder, on_problem=problems.append)``.

    Returns
    -------
    list of FieldSource
        Sorted by name. Where names occur in several folders, they are led by the folder's.

    Raises
    ------
    InputError
        If the path does not exist or holds no images; or, without `on_problem`, if anything is wrong with a
        field, every one named.
    """
    suffixes = channel_suffixes(channels)
    listing = _list(source, recursive)
    if not listing.paths and not listing.problems:
        raise _nothing(source, listing)
    problems = list(listing.problems)
    found: list[FieldSource] = []
    for paths in _by_folder(listing.paths).values():
        _sort_folder(paths, suffixes, channels, listing, found, problems)
    if problems and on_problem is None:
        raise join_problems(problems, _shown(source))
    for problem in problems:
        if on_problem is not None:
            on_problem(problem)
    return sorted(_unique_names(found, listing.root), key=lambda item: item.name)


@dataclass
class _Listing:
    """What was found on disk."""

    root: Path
    paths: list[Path] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)
    problems: list[InputError] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)


def _list(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], recursive: bool
) -> _Listing:
    """Every image under a folder, or of a list."""
    if isinstance(source, (str, os.PathLike)):
        root = Path(source)
        listing = _Listing(root if root.is_dir() else root.parent)
        _add(root, listing, recursive)
        return listing
    paths = [Path(item).absolute() for item in source]
    listing = _Listing(
        Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
    )
    for path in dict.fromkeys(paths):
        _add(path, listing, recursive)
    return listing


def _add(path: Path, listing: _Listing, recursive: bool) -> None:
    """Add a folder's images, or one file that the person named."""
    if not path.exists():
        message = "Expected a file or folder; found nothing at this path."
        raise InputError(message, source=str(path), hint="Check the spelling.")
    if path.is_dir() and not is_image_folder(path):
        for item in _walk(path, recursive, listing):
            if _is_candidate(item):
                listing.paths.append(item)
            else:
                kind = "masks" if is_mask(item) else item.suffix.lower() or item.name
                listing.passed_over[kind] += 1
    elif is_mask(path):
        listing.passed_over["masks"] += 1
    else:
        listing.paths.append(path)
        listing.named.add(path)


def _walk(folder: Path, recursive: bool, listing: _Listing) -> Iterable[Path]:
    """Files and Zarr stores of a folder (tree), in order; folders that can't be read become problems."""

    def refused(error: OSError) -> None:
        message = f"The folder can't be read: {error.strerror or error}."
        hint = "Change its permissions."
        listing.problems.append(InputError(message, source=str(error.filename), hint=hint))

    for where, folders, names in os.walk(folder, onerror=refused):
        here = Path(where)
        stores = [name for name in folders if is_image_folder(here / name)]
        yield from (here / name for name in sorted([*names, *stores]))
        inner = sorted(name for name in folders if name not in stores and name[0] != ".")
        folders[:] = inner if recursive else []


def _is_candidate(path: Path) -> bool:
    """Whether a file of a folder may be an image of a field by its name."""
    if path.name.startswith(".") or is_mask(path):
        return False
    return path.name.lower().endswith(IMAGE_SUFFIXES) or is_image_folder(path)


def _by_folder(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """Paths by the folder they lie in."""
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    return folders


def _sort_folder(
    paths: list[Path],
    suffixes: Mapping[str, str],
    channels: Mapping[str | int, str] | None,
    listing: _Listing,
    found: list[FieldSource],
    problems: list[InputError],
) -> None:
    """Find the fields and the problems of one folder."""
    groups: dict[str, dict[str, list[Path]]] = {}
    singles = []
    for path in paths:
        name, key = split_name(path, suffixes)
        if key is None:
            singles.append(path)
        else:
            groups.setdefault(name, {}).setdefault(key, []).append(path)
    for name, files in groups.items():
        try:
            where = next(iter(files.values()))[0].parent
            found.append(_grouped(name, files, _shown_place(where, name, listing.root)))
        except InputError as error:
            problems.append(error)
    for path in singles:
        try:
            if _is_field(path, beside_channels=bool(groups) and path not in listing.named):
                found.append(FieldSource(stem_of(path), path, channels))
        except InputError as error:
            problems.append(error)


def _shown_place(folder: Path, name: str, root: Path) -> str:
    """A field's name, led by its folder where that is not the one looked into."""
    inside = folder.is_relative_to(root)
    return (folder.relative_to(root) if inside else folder).joinpath(name).as_posix()


def _grouped(name: str, files: Mapping[str, list[Path]], shown: str) -> FieldSource:
    """One field out of its files, or an error with all that is wrong with them."""
    problems = []
    for key, paths in files.items():
        if len(paths) > 1:
            names = " and ".join(str(path) for path in paths)
            message = f"Expected one file of the {key} channel; found {len(paths)}: {names}."
            problems.append(InputError(message, hint="Remove or rename all but one."))
    order = [key for key in ("red", "green", "blue", "yellow") if key in files]
    chosen = {key: files[key][0] for key in order}
    try:
        check_files(shown, chosen)
    except InputError as error:
        problems.append(error)
    if problems:
        raise join_problems(problems, shown)
    return FieldSource(name, chosen)


def _is_field(path: Path, *, beside_channels: bool) -> bool:
    """Whether a file without channel suffix is a field; an error where it should be one and is not."""
    is_picture = path.suffix.lower() in (".png", ".jpg", ".jpeg")
    if beside_channels and is_picture:
        return False
    if len(reader_for(path).header(path).channels) > 1:
        return True
    if beside_channels:
        return False
    message = "Expected a channel suffix in the name of a single grey plane; found none."
    hint = (
        "Name the files of a field alike, with _red, _green, _blue, _yellow at the end, or say "
        "with channels= (--channels) what they end in."
    )
    raise InputError(message, source=str(path), hint=hint)


def _unique_names(found: list[FieldSource], root: Path) -> list[FieldSource]:
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
    return replace(item, name=item.files.relative_to(root).as_posix())


def _nothing(source: object, listing: _Listing) -> InputError:
    """The error for a source without a single image."""
    kinds = ", ".join(f"{n} {kind}" for kind, n in listing.passed_over.most_common(5))
    message = f"Expected images ({', '.join(IMAGE_SUFFIXES)} or OME-Zarr); found {kinds or 'none'}."
    return InputError(message, source=_shown(source), hint="Check the folder.")


def _shown(source: object) -> str:
    """The source in a few words."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source) if isinstance(source, str) else str(source)
    return "the list of files"
