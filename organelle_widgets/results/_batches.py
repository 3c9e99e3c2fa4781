"""Reading a whole table in pieces while a run may merge its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import InputError
from organelle_widgets.results._query import PartsMovedError
from organelle_widgets.results._sql import is_typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from organelle_widgets.results._folder import Manifest, Part
    from organelle_widgets.results._query import Database
    from organelle_widgets.results.schema import TableName

__all__ = ["batches_of"]

_ATTEMPTS = 5


def batches_of(
    database: Database,
    current: Callable[[], Manifest],
    table: TableName,
    columns: Sequence[str],
    where: str | None,
    order_by: str | None,
) -> Iterator[Any]:
    """All rows of a table that fit.

    Parameters
    ----------
    database : Database
        Where to ask.
    current : callable
        Reads the manifest anew.
    table : {"cells", "fields", "failures"}
        The table.
    columns : sequence of str
        Which columns.
    where, order_by : str, optional
        SQL.

    Yields
    ------
    pyarrow.RecordBatch
        Some rows.

    Raises
    ------
    InputError
        If an expression is wrong, or rows were removed or parts lost while they were read.
    """
    manifest = current()
    if order_by is not None and is_typed(order_by):
        yield from _sorted(database, current, manifest, table, columns, where, order_by)
        return
    done, total = 0, manifest.n_rows(table)
    while done < total:
        part, first = _part_at(manifest, table, done)
        rows = range(done - first, min(part.rows, total - first))
        try:
            for batch, position in database.stream_part(table, part.file, columns, where, rows):
                done = first + position + 1  # where another manifest has to go on
                yield batch
            done = first + rows.stop
        except PartsMovedError as error:
            manifest = _newer(current, manifest, error)


def _sorted(
    database: Database,
    current: Callable[[], Manifest],
    manifest: Manifest,
    table: TableName,
    columns: Sequence[str],
    where: str | None,
    order_by: str,
) -> Iterator[Any]:
    """Sorted rows; all parts are read before the first row is there."""
    for _ in range(_ATTEMPTS):
        given = 0
        try:
            for batch in database.stream(table, columns, where, order_by):
                given += 1
                yield batch
        except PartsMovedError as error:
            manifest = _newer(current, manifest, error)
            if given:
                raise _removed() from error
        else:
            return
    raise _removed()


def _part_at(manifest: Manifest, table: TableName, row: int) -> tuple[Part, int]:
    """The part that holds a row, and the row at which it starts."""
    first = 0
    for part in manifest.parts[table]:
        if row < first + part.rows:
            return part, first
        first += part.rows
    raise _removed()


def _newer(current: Callable[[], Manifest], manifest: Manifest, error: Exception) -> Manifest:
    """The manifest of now, where rows are still in their places."""
    found = current()
    if found.generation == manifest.generation or found.removed != manifest.removed:
        raise _removed() from error
    return found


def _removed() -> InputError:
    """Rows are gone while they are read."""
    message = "Expected rows and parts that stay while they are read; found some removed."
    return InputError(message, hint="Read them again from the start.")
