"""Tables of fields that a person writes: where each field's images are, and what else is known of it.

Only the table is read and paths are looked up; no image is opened. The table of known fields for training, with its
fixed columns, is `organelle_widgets.io.field_table`'s.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.errors import InputError
from organelle_widgets.io._checks import join_problems
from organelle_widgets.io._grouping import unique_names
from organelle_widgets.io._listed_images import ListedImages
from organelle_widgets.io._pixel_size import check_given
from organelle_widgets.io._table_text import Row, read_rows
from organelle_widgets.io.hpa import channel_suffixes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from organelle_widgets.io.sources import FieldSource

__all__ = ["LIST_COLUMNS", "is_field_list", "read_field_list"]

LIST_COLUMNS: dict[str, str] = {
    "name": "The field's name, each once; also `id` or `field`. Without it, the file names tell.",
    "path": "Where the images are: any file of the field, a multi-channel file, an OME-Zarr image, or a folder with "
    "exactly one field. Relative to the table's folder.",
    "red": "In place of `path`: the file of the microtubules; also by the names of `CHANNELS`.",
    "green": "The file of the protein.",
    "blue": "The file of the nuclei.",
    "yellow": "The file of the ER.",
    "folder": "In place of both, with `id`: the folder with the files `<id>_green.png` and so on.",
    "pixel_size_um": "Micrometres per pixel, where the table knows better than the files.",
}
"""Columns that a table of fields may have; every other one is carried through to the results as text."""

_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
_NAMES = ("name", "id", "field")
_SIZE = "pixel_size_um"


def is_field_list(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a table of fields, by its ending.

    Parameters
    ----------
    path : path
        A file.

    Returns
    -------
    bool
        True for ``.csv``, ``.tsv``, ``.tab`` and ``.txt`` that are no folders.
    """
    return Path(path).suffix.lower() in _SUFFIXES and not Path(path).is_dir()


def read_field_list(
    path: str | os.PathLike[str],
    *,
    channels: Mapping[str | int, str] | None = None,
    on_problem: Callable[[InputError], object] | None = None,
) -> list[FieldSource]:
    """Read a table of fields.

    Text in UTF-8 (or UTF-16, as spreadsheets save it), a header line, and commas, semicolons or tabs between columns;
    values may be quoted, blank lines don't count. The columns are those of `LIST_COLUMNS`, in upper or lower case; a
    ``fields.csv`` as `write_sample` writes it will do.

    Parameters
    ----------
    path : path
        The table.
    channels : mapping of str or int to str, optional
        As for `discover_fields`.
    on_problem : callable, optional
        Called with one `InputError` for each row that can't be used: a file that is not there, a name that an earlier
        row has. Its `source` is the table and the line. Without it, all problems are raised as one.

    Returns
    -------
    list of FieldSource
        In the order of the table. Names that the table gives are kept, and a row that repeats one is a problem; names
        that come from files are led by their folder where they occur twice.

    Raises
    ------
    InputError
        If the table can't be read, has no rows, or its columns don't tell where the images are; or, without
        `on_problem`, if anything is wrong with a row.

    Examples
    --------
    >>> fields = read_field_list("plate.csv")  # doctest: +SKIP
    """
    table = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    columns, rows = read_rows(table)
    layout = _layout(columns, table)
    images = ListedImages(table.parent, channel_suffixes(channels), channels)
    problems: list[InputError] = []
    read: list[tuple[int, FieldSource]] = []
    for row in rows:
        try:
            read.append((row.line, _field(row, layout, images)))
        except InputError as error:
            problems.append(_at(row.line, error, table))
    if layout.name is None:
        named = unique_names([item for _, item in read], table.parent)
        read = [(line, item) for (line, _), item in zip(read, named, strict=True)]
    fields = _each_once(read, table, problems, given=layout.name is not None)
    if problems and on_problem is None:
        raise join_problems(problems, str(table))
    for problem in problems:
        if on_problem is not None:
            on_problem(problem)
    return fields


@dataclass(frozen=True)
class _Layout:
    """Which columns say what; `files` maps channel keys to columns."""

    name: str | None
    path: str | None
    files: Mapping[str, str]
    folder: str | None
    size: str | None
    extra: tuple[str, ...]


def _layout(columns: Sequence[str], table: Path) -> _Layout:
    """Find the columns that are known; where there is a path, a column called antibody is no file."""
    folded = {column.casefold(): column for column in columns}
    name = next((folded[word] for word in _NAMES if word in folded), None)
    path = folded.get("path")
    files = {} if path else _channel_columns(folded)
    folder = None
    if not path and not {"green", "blue"} <= files.keys():
        files = {}
        folder = folded.get("folder") if name else None
        if folder is None:
            message = (
                "Expected a column 'path', columns 'green' and 'blue' (and 'red', 'yellow'), or columns 'id' and "
                f"'folder'; found {', '.join(repr(column) for column in columns)}."
            )
            raise InputError(message, source=str(table), hint="Name the columns in the first line.")
    size = folded.get(_SIZE)
    used = {name, path, folder, size, *files.values()}
    return _Layout(
        name, path, files, folder, size, tuple(column for column in columns if column not in used)
    )


def _channel_columns(folded: Mapping[str, str]) -> dict[str, str]:
    """Channel key to column: by key before name before alias."""
    found = {}
    for channel in CHANNELS:
        words = (channel.key, channel.name.lower(), *channel.aliases)
        column = next((folded[word] for word in words if word in folded), None)
        if column is not None:
            found[channel.key] = column
    return found


def _field(row: Row, layout: _Layout, images: ListedImages) -> FieldSource:
    """The field of one row."""
    if row.problem:
        raise InputError(row.problem, hint="Put values that hold the separator in quotes.")
    name = row.values[layout.name] if layout.name else ""
    if layout.name and not name:
        message = f"Expected a name in the column {layout.name!r}; found none."
        raise InputError(message)
    if layout.path:
        found = images.at(row.values[layout.path])
    elif layout.folder:
        found = images.in_folder(row.values[layout.folder], name)
    else:
        found = images.of_channels({key: row.values[c] for key, c in layout.files.items()})
    extra = {column: row.values[column] for column in layout.extra}
    size = _size(row.values[layout.size]) if layout.size else None
    return replace(found, name=name or found.name, extra=extra, pixel_size_um=size)


def _size(text: str) -> float | None:
    """A pixel size; None where there is none. A comma may stand for the point."""
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        message = f"Expected {_SIZE} as micrometres per pixel; found {text!r}."
        raise InputError(message, hint="The confocal fields of HPA have 0.08.") from None
    check_given(value)
    return value


def _at(line: int, error: InputError, table: Path) -> InputError:
    """The error with table and line as its source."""
    text = f"{error.source}: {error.message}" if error.source else error.message
    return InputError(text, source=f"{table}, line {line}", hint=error.hint)


def _each_once(
    read: Sequence[tuple[int, FieldSource]],
    table: Path,
    problems: list[InputError],
    *,
    given: bool,
) -> list[FieldSource]:
    """The fields without those whose name an earlier line has."""
    lines: dict[str, int] = {}
    fields = []
    for line, item in read:
        first = lines.setdefault(item.name, line)
        if first == line:
            fields.append(item)
            continue
        if given:
            message = f"Expected each name once; found {item.name!r}, which line {first} has too."
            hint = "Give each row a name of its own, or leave the column out: then the file names tell."
        else:
            message = f"Expected each field once; found {item.name!r}, which line {first} has too."
            hint = "Remove one of the lines."
        problems.append(_at(line, InputError(message, hint=hint), table))
    return fields
