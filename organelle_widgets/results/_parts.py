"""Parquet parts of a table: written whole, read in pieces, merged into larger ones in bounded memory.

Small parts are merged as they add up, `FANOUT` of a level into one of the next, as in a log-structured merge tree: a
row is written a few times in all, and ten thousand commits leave a few dozen files. Rows keep their order.

References
----------
O'Neil et al. (1996), The log-structured merge-tree, https://doi.org/10.1007/s002360050048
"""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from organelle_widgets.results._folder import Part, synced

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["FANOUT", "FULL", "due", "merge_parts", "read_rows", "without_fields", "write_part"]

FANOUT = 32
"""So many parts of a level are merged into one of the next."""

FULL = 9
"""Level of parts that are large enough to stay as they are."""

_ROW_GROUP = 4096  # a page of scattered rows reads a row group a row: small ones, for 192 numbers of embedding each
_MAX_ROWS = 500_000
_MAX_BYTES = 256 * 2**20


def write_part(path: Path, tables: Iterable[Any], schema: Any) -> int:
    """Write a Parquet file, whole or not at all, and on the disk when this returns.

    Parameters
    ----------
    path : Path
        The file.
    tables : iterable of pyarrow.Table
        Its rows, in order.
    schema : pyarrow.Schema
        Their types.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    ExportError
        If it can't be written; says why.
    """
    from pyarrow import parquet

    rows = 0
    with (
        synced(path) as part,
        part.open("wb") as file,
        parquet.ParquetWriter(file, schema, **_encoding(schema)) as writer,
    ):
        for table in _in_row_groups(tables):
            writer.write_table(table, row_group_size=_ROW_GROUP)
            rows += table.num_rows
    return rows


def read_rows(
    folder: Path,
    parts: Sequence[Part],
    start: int = 0,
    stop: int | None = None,
    columns: Sequence[str] | None = None,
) -> Iterator[Any]:
    """Rows of a table in pieces of a row group at most.

    Parameters
    ----------
    folder : Path
        The results folder.
    parts : sequence of Part
        In order.
    start, stop : int
        The first row, and one past the last; all by default.
    columns : sequence of str, optional
        Only these.

    Yields
    ------
    pyarrow.Table
        Some rows.

    Raises
    ------
    OSError
        If a file can't be read.
    """
    last = sum(part.rows for part in parts) if stop is None else stop
    first = 0
    for part in parts:
        if start < first + part.rows and first < last:
            yield from _part_rows(folder / part.file, start - first, last - first, columns)
        first += part.rows


def due(parts: Sequence[Part], fanout: int = FANOUT) -> slice | None:
    """Which parts should be merged now: neighbours of one level, the lowest first.

    Parameters
    ----------
    parts : sequence of Part
        All parts of a table, in order.
    fanout : int
        How many make it worth while.

    Returns
    -------
    slice or None
        Of `parts`; None where there is nothing to do.
    """
    found = []
    start = 0
    for level, run in groupby(parts, key=lambda part: part.level):
        length = len(list(run))
        if level < FULL and length >= fanout:
            found.append((level, slice(start, start + length)))
        start += length
    return min(found, key=lambda item: item[0])[1] if found else None


def merge_parts(
    folder: Path, parts: Sequence[Part], schema: Any, new_file: Callable[[], str]
) -> list[Part]:
    """Write the rows of several parts anew as one, or as several where one would be too large.

    Parameters
    ----------
    folder : Path
        The results folder.
    parts : sequence of Part
        Neighbours, in order.
    schema : pyarrow.Schema
        Their types.
    new_file : callable
        Gives the name of a file that is not there.

    Returns
    -------
    list of Part
        What takes their place.

    Raises
    ------
    ExportError
        If a file can't be written; says why.
    """
    rows = sum(part.rows for part in parts)
    size = sum((folder / part.file).stat().st_size for part in parts)
    share = max(rows / _MAX_ROWS, size / _MAX_BYTES)
    n_new = max(1, math.ceil(share))
    level = FULL if share > 0.5 else max(part.level for part in parts) + 1
    borders = [rows * i // n_new for i in range(n_new + 1)]
    merged = []
    for start, stop in pairwise(borders):
        file = new_file()
        write_part(folder / file, read_rows(folder, parts, start, stop), schema)
        merged.append(Part(file, stop - start, level))
    return merged


def without_fields(
    folder: Path, part: Part, column: str, names: Collection[str], schema: Any, file: str
) -> Part | None:
    """A part without the rows of some fields.

    Parameters
    ----------
    folder : Path
        The results folder.
    part : Part
        The part.
    column : str
        The column of names.
    names : collection of str
        Fields that go.
    schema : pyarrow.Schema
        The table's types.
    file : str
        Where the new part is written.

    Returns
    -------
    Part or None
        The same part where nothing goes, a new one, or None where no row is left.

    Raises
    ------
    ExportError
        If a file can't be written; says why.
    """
    import pyarrow as pa
    from pyarrow import compute

    gone = pa.array(sorted(names), pa.string())
    found = sum(
        compute.sum(compute.is_in(piece.column(column), gone)).as_py() or 0
        for piece in read_rows(folder, [part], columns=[column])
    )
    if not found:
        return part
    if found == part.rows:
        return None
    kept = (
        piece.filter(compute.invert(compute.is_in(piece.column(column), gone)))
        for piece in read_rows(folder, [part])
    )
    return Part(file, write_part(folder / file, kept, schema), part.level)


def _encoding(schema: Any) -> dict[str, Any]:
    """How columns are stored: texts as dictionaries, fractions with their bytes apart, as these pack better."""
    import pyarrow as pa

    numbers = [item.name for item in schema if pa.types.is_floating(item.type)]
    numbers += [f"{item.name}.list.element" for item in schema if pa.types.is_list(item.type)]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [item.name for item in schema if pa.types.is_string(item.type)],
        "use_byte_stream_split": numbers,
        "write_statistics": [item.name for item in schema if not pa.types.is_list(item.type)],
    }


def _in_row_groups(tables: Iterable[Any]) -> Iterator[Any]:
    """The same rows in whole row groups; only the last is smaller."""
    import pyarrow as pa

    waiting: list[Any] = []
    held = 0
    for table in tables:
        waiting.append(table)
        held += table.num_rows
        if held >= 4 * _ROW_GROUP:
            together = pa.concat_tables(waiting)
            whole = held - held % _ROW_GROUP
            yield together.slice(0, whole)
            waiting, held = [together.slice(whole)], held - whole
    if held:
        yield pa.concat_tables(waiting)


def _part_rows(path: Path, start: int, stop: int, columns: Sequence[str] | None) -> Iterator[Any]:
    """Rows of one file, a row group at a time."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        first = 0
        for index in range(file.num_row_groups):
            rows = file.metadata.row_group(index).num_rows
            low, high = max(start - first, 0), min(stop - first, rows)
            if low < high:
                group = file.read_row_group(index, columns=columns)
                yield group.slice(low, high - low)
            first += rows
