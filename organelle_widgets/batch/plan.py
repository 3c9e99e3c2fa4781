"""What a run goes over: every field of its sources, under names of their own, before any pixel is read.

Finding fields is `organelle_widgets.io`'s; here several sources become one list, and the columns that a person brought
along get names and types that fit the tables of the results.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.batch._columns import ColumnType, carried_columns
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.io import FieldSource, discover_fields, is_field_list, read_field_list
from organelle_widgets.io._checks import join_problems
from organelle_widgets.io._pixel_size import check_given

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Plan", "plan_batch", "stamp_of"]

_FILES_LOOKED_AT = 5000  # of one OME-Zarr; a field of 4 x 4096 x 4096 px has a few hundred

_PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Plan:
    """The fields of a run.

    Parameters
    ----------
    fields : tuple of FieldSource
        Tables of fields first, then what was found by name; names are unique, paths absolute, and `extra` of each has
        all the columns of the plan.
    problems : tuple of InputError
        What was found and can't be used; `source` names the field, the file or the line of a table, each once, and is
        never the name of one of `fields`.
    extra : mapping of str to {"string", "int", "float"}
        Columns that the sources bring along, and what all values of each can be read as.
    source : str
        The sources as given, for people.
    """

    fields: tuple[FieldSource, ...]
    problems: tuple[InputError, ...]
    extra: Mapping[str, ColumnType]
    source: str


def plan_batch(
    source: _PathLike | Sequence[_PathLike],
    *,
    channels: Mapping[str | int, str] | None = None,
    pixel_size_um: float | None = None,
    limit: int | None = None,
) -> Plan:
    """Find the fields of a run.

    Images are not opened where their names tell what they are; one that can't be read shows up when its turn comes.

    Parameters
    ----------
    source : path or str, or sequence of them
        Folders (searched with all sub-folders), files (one of a field's is enough), OME-Zarr images and plates,
        patterns (``"plate*/**/*_green.png"``), and tables of fields, see `read_field_list`.
    channels : mapping of str or int to str, optional
        As for `discover_fields`.
    pixel_size_um : float, optional
        Micrometres per pixel of all fields; wins over what sources and files say.
    limit : int, optional
        Take only so many fields, the first ones; 1 or more.

    Returns
    -------
    Plan
        Fields and problems.

    Raises
    ------
    InputError
        If there is not one field; the message names all problems.
    SettingsError
        If `limit` is below 1.
    """
    check_given(pixel_size_um)
    if limit is not None and limit < 1:
        message = f"limit: expected a whole number, 1 or more; found {limit!r}."
        raise SettingsError(message)
    given = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    shown = ", ".join(str(os.fspath(item)) for item in given)
    problems: list[InputError] = []
    found = _find(given, channels, problems)
    if not found:
        nothing = InputError("Expected a folder, files, a pattern or a table; found nothing.")
        raise join_problems(problems or [nothing], shown)
    fields, extra = carried_columns(found)
    if pixel_size_um is not None:
        fields = [replace(item, pixel_size_um=pixel_size_um) for item in fields]
    return Plan(tuple(fields[:limit]), _by_source(problems, fields, shown), extra, shown)


def stamp_of(source: FieldSource) -> str:
    """What a field's files are like: with equal stamps, nothing has changed.

    Parameters
    ----------
    source : FieldSource
        One field.

    Returns
    -------
    str
        24 hexadecimal digits, made of paths, sizes and times of all files and of the pixel size and channels that the
        source gives; empty where a file can't be looked at. Of an OME-Zarr, the first 5000 files count.
    """
    keys = () if isinstance(source.files, Path) else tuple(source.files)
    told = sorted((str(name), key) for name, key in (source.channels or {}).items())
    digest = hashlib.blake2b(repr((keys, told, source.pixel_size_um)).encode(), digest_size=12)
    try:
        for file in (file for path in source.paths for file in _files_of(path)):
            status = os.stat(file)  # noqa: PTH116 (a Path for each of many thousand files takes longer)
            line = f"{file}\0{status.st_size}\0{status.st_mtime_ns}\n"
            digest.update(line.encode(errors="surrogateescape"))
    except OSError:
        return ""
    return digest.hexdigest()


def _files_of(path: Path) -> Iterable[str]:
    """The file itself, or files of a Zarr store in a fixed order: metadata of each folder before what is in it."""
    return islice(_walk(str(path)), _FILES_LOOKED_AT) if path.is_dir() else (str(path),)


def _walk(folder: str) -> Iterator[str]:
    """Every file of a folder, its own before those of its sub-folders."""

    def refused(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=refused):
        folders.sort()
        yield from (f"{where}{os.sep}{name}" for name in sorted(names))


def _find(
    given: Sequence[_PathLike],
    channels: Mapping[str | int, str] | None,
    problems: list[InputError],
) -> list[FieldSource]:
    """The fields of all sources under different names."""
    absolute = list(dict.fromkeys(os.path.abspath(item) for item in given))  # noqa: PTH100
    tables = [item for item in absolute if is_field_list(item)]
    others = [item for item in absolute if item not in tables]
    groups: list[tuple[str, list[FieldSource]]] = []
    for item in tables:
        try:
            rows = read_field_list(item, channels=channels, on_problem=problems.append)
            groups.append((Path(item).stem, rows))
        except InputError as error:
            problems.append(error)
    if others:
        try:
            whole = others[0] if len(others) == 1 else others
            found = discover_fields(
                whole, channels=channels, by_name=True, on_problem=problems.append
            )
            groups.append((Path(os.path.commonpath(others)).name, found))
        except InputError as error:
            problems.append(error)
    return _unique(groups)


def _by_source(
    problems: Iterable[InputError], fields: Iterable[FieldSource], whole: str
) -> tuple[InputError, ...]:
    """The problems, those of one source as one, under names that no field has."""
    names = {item.name for item in fields}
    grouped: dict[str, list[InputError]] = {}
    for problem in problems:
        source = problem.source or whole
        grouped.setdefault(f"{source} (left out)" if source in names else source, []).append(
            problem
        )
    joined = []
    for source, some in grouped.items():
        problem = join_problems(some, source)
        problem.source = source
        joined.append(problem)
    return tuple(joined)


def _unique(groups: Sequence[tuple[str, list[FieldSource]]]) -> list[FieldSource]:
    """One list; images listed in an earlier source are left out, names used twice are led by their source's."""
    seen: set[tuple[Path, ...]] = set()
    kept: list[tuple[str, FieldSource]] = []
    for source, fields in groups:
        kept += [(source, item) for item in fields if item.paths not in seen]
        seen.update(item.paths for item in fields)
    counts = Counter(item.name for _, item in kept)
    taken = {name for name, n in counts.items() if n == 1}
    fields = []
    for source, item in kept:
        name = item.name if counts[item.name] == 1 else _free_name(f"{source}/{item.name}", taken)
        taken.add(name)
        fields.append(item if name == item.name else replace(item, name=name))
    return fields


def _free_name(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free
