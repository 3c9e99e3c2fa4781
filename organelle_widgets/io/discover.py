"""Find the fields in a folder, a folder tree, a plate, a pattern or a list of files.

Files are grouped by folder and by the part of their names before the channel. Only names and headers are looked
at. What is wrong with one field never hides the others.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError
from organelle_widgets.io._checks import join_problems, plain_os_errors
from organelle_widgets.io._grouping import group_by_channel, grouped_field, unique_names
from organelle_widgets.io._listing import Listing, list_images
from organelle_widgets.io.hcs import plate_fields, plate_name, plate_root
from organelle_widgets.io.hpa import IMAGE_SUFFIXES, channel_suffixes, stem_of
from organelle_widgets.io.readers import reader_for
from organelle_widgets.io.sources import FieldSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["discover_fields"]

_OPENED = (
    16  # files of a kind that are looked into before the rest of a folder is taken for the same
)


@plain_os_errors()
def discover_fields(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    channels: Mapping[str | int, str] | None = None,
    recursive: bool = True,
    by_name: bool = False,
    on_problem: Callable[[InputError], object] | None = None,
) -> list[FieldSource]:
    """Find all fields.

    A field is four (or, without microtubules or ER, fewer) files that differ in their channel suffix, one
    multi-channel TIFF or OME-Zarr, one image of an OME-Zarr plate, or one colour image. Masks, hidden files, folders
    of results and files that are no images are passed over; so are, beside files with channel suffixes, single
    pictures such as previews.

    Parameters
    ----------
    source : path or sequence of paths
        A folder, a plate or a pattern such as ``"plate*/**/*_green.png"``, where any file of a field is enough; or
        files, folders and patterns.
    channels : mapping of str or int to str, optional
        File-name suffixes, or channel names or numbers inside a file, to our channels:
        ``{"_ch00": "blue", "_ch01": "green"}``.
    recursive : bool
        Whether to look into sub-folders.
    by_name : bool
        For many fields: files are taken for what their names say and only opened where those say nothing (and there,
        where a folder's first 16 of a kind are fields, the others are taken for fields too); and one of a field's
        files in a list stands for all of them.
    on_problem : callable, optional
        Called with one `InputError` for each field or file that can't be used, whose `source` names it; the good
        fields are returned. Without it, all problems are raised as one error. To collect them:
        ``discover_fields(folder, on_problem=problems.append)``.

    Returns
    -------
    list of FieldSource
        Sorted by name. Where names occur in several folders, they are led by the folder's. Fields of plates are
        named ``<plate>/<well>/<site>`` and have `PLATE_COLUMNS` in `extra`.

    Raises
    ------
    InputError
        If the path does not exist or holds no images; or, without `on_problem`, if anything is wrong with a
        field, every one named.
    """
    suffixes = channel_suffixes(channels)
    listing = list_images(source, suffixes, recursive=recursive, by_name=by_name)
    problems = list(listing.problems)
    if not listing.paths and not listing.plates and (not problems or _is_one(source)):
        raise join_problems(problems or [_nothing(source, listing)], _shown(source))
    found = _plates(listing, channels, problems)
    for paths in _by_folder(listing.paths).values():
        _sort_folder(paths, suffixes, channels, listing, found, problems, by_name=by_name)
    if problems and on_problem is None:
        raise join_problems(problems, _shown(source))
    for problem in problems:
        if on_problem is not None:
            on_problem(problem)
    return sorted(unique_names(found, listing.root), key=lambda item: item.name)


def _plates(
    listing: Listing,
    channels: Mapping[str | int, str] | None,
    problems: list[InputError],
) -> list[FieldSource]:
    """The fields of all plates; plates of one name are told apart by their folders."""
    found: list[FieldSource] = []
    names = {path: plate_name(path) for path in listing.plates}
    roots = {path: plate_root(path) for path in listing.plates}
    for path, name in names.items():
        others = {roots[other] for other, its in names.items() if its == name}
        place = _shown_place(roots[path].parent, stem_of(roots[path]), listing.root)
        label = name if len(others) == 1 else place
        found += plate_fields(path, name=label, channels=channels, on_problem=problems.append)
    return list({item.files: item for item in found if isinstance(item.files, Path)}.values())


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
    listing: Listing,
    found: list[FieldSource],
    problems: list[InputError],
    *,
    by_name: bool,
) -> None:
    """Find the fields and the problems of one folder."""
    groups, singles = group_by_channel(paths, suffixes)
    for name, files in groups.items():
        try:
            where = next(iter(files.values()))[0].parent
            shown = _shown_place(where, name, listing.root)
            found.append(grouped_field(name, files, shown, by_name=by_name))
        except InputError as error:
            problems.append(error)
    known: Counter[str] = Counter()
    for path in singles:
        beside = bool(groups) and path not in listing.named
        try:
            trusted = by_name and not beside and known[path.suffix] >= _OPENED
            if trusted or _is_field(path, beside_channels=beside):
                found.append(FieldSource(stem_of(path), path, channels))
                known[path.suffix] += 1
        except InputError as error:
            problems.append(error)


def _shown_place(folder: Path, name: str, root: Path) -> str:
    """A field's name, led by its folder where that is not the one looked into."""
    inside = folder.is_relative_to(root)
    return (folder.relative_to(root) if inside else folder).joinpath(name).as_posix()


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


def _nothing(source: object, listing: Listing) -> InputError:
    """The error for a source without a single image."""
    kinds = ", ".join(f"{n} {kind}" for kind, n in listing.passed_over.most_common(5))
    message = f"Expected images ({', '.join(IMAGE_SUFFIXES)} or OME-Zarr); found {kinds or 'none'}."
    return InputError(message, source=_shown(source), hint="Check the folder.")


def _is_one(source: object) -> bool:
    """Whether one path was given, and no list."""
    return isinstance(source, (str, os.PathLike))


def _shown(source: object) -> str:
    """The source in a few words."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source) if isinstance(source, str) else str(source)
    return "the list of files"
