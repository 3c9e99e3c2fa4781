"""Questions to the parts of a results folder, answered by DuckDB in place.

What a person types is read only: one SELECT, of files of this folder alone. A page of sorted rows is found in two
steps, first where its rows are, with the columns that this takes, then the rows with all they hold: so the embedding
of ten million cells is not read for fifty of them.
"""

from __future__ import annotations

import glob
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import InputError
from organelle_widgets.results._sql import (
    check_whole,
    is_typed,
    order_clause,
    page_clause,
    quoted,
    text,
    where_clause,
)
from organelle_widgets.results.schema import TABLES, TableName, arrow_schema, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from organelle_widgets.results._folder import Manifest

__all__ = ["Database", "PartsMovedError"]

_PAGE_ROWS = 5000
_BATCH_ROWS = 8192
_PLACE = "file_index, file_row_number"
_KEYS: Mapping[str, str] = {"cells": "field, cell_id", "fields": "field", "failures": "name"}


class PartsMovedError(Exception):
    """A file that the manifest named when it was read is gone; read it again."""


class Database:
    """DuckDB over the parts of a results folder.

    Parameters
    ----------
    folder : Path
        The results folder.
    extra : mapping of str to str
        The run's extra columns and their types.
    """

    def __init__(self, folder: Path, extra: Mapping[str, str]) -> None:
        import duckdb

        self._folder = folder.resolve()
        self._extra = extra
        self._parts: Mapping[TableName, tuple[str, ...]] = dict.fromkeys(TABLES, ())
        scratch = Path(tempfile.gettempdir()) / f"organelle-widgets-{uuid.uuid4().hex[:12]}"
        self._connection = duckdb.connect(":memory:")
        for table in TABLES:
            _empty = arrow_schema(table, extra).empty_table()
            self._connection.register("_rows", _empty)
            self._connection.execute(f"CREATE TABLE no_{table} AS SELECT * FROM _rows")
            self._connection.unregister("_rows")
        folders = {f"{self._folder}/", f"{glob.escape(str(self._folder))}/"}
        for setting in (
            f"temp_directory = {text(str(scratch))}",  # made when it is needed, removed at the end
            "parquet_metadata_cache = true",
            f"allowed_directories = [{', '.join(map(text, sorted(folders)))}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def load(self, manifest: Manifest) -> None:
        """Answer from these parts from now on.

        Parameters
        ----------
        manifest : Manifest
            Which parts count.

        Raises
        ------
        PartsMovedError
            If one is gone.
        """
        place = glob.escape(str(self._folder))
        self._parts = {
            table: tuple(f"{place}/{part.file}" for part in manifest.parts[table])
            for table in TABLES
        }
        with self._explained():
            for table in TABLES:
                self._cursor().execute(
                    f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM {_source(table, self._parts[table])}"
                )

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()

    def sql(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """The answer to one SELECT.

        Parameters
        ----------
        query : str
            DuckDB's SQL.
        parameters : sequence or mapping, optional
            For ``?`` or ``$name`` in it.

        Returns
        -------
        pandas.DataFrame
            The answer.

        Raises
        ------
        InputError
            If the query is wrong, is no SELECT, or looks beyond the folder.
        PartsMovedError
            If a part is gone.
        """
        with self._explained():
            cursor = self._cursor()
            _check_select(cursor, query)
            answer: pd.DataFrame = cursor.execute(query, parameters).df()
            return answer

    def page(
        self,
        table: TableName,
        columns: Sequence[str],
        where: str | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        sample: int | None = None,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Some rows of a table.

        Parameters
        ----------
        table : {"cells", "fields", "failures"}
            The table.
        columns : sequence of str
            Which columns.
        where, order_by : str, optional
            SQL; rows that are equal in `order_by` come in the order of the table.
        limit : int, optional
            At most so many rows.
        offset : int
            Leave out so many first.
        sample : int, optional
            Choose so many of the rows at random before they are sorted.
        seed : int
            Of the choice; the same cells are chosen whatever parts they are in.

        Returns
        -------
        pandas.DataFrame
            The rows.

        Raises
        ------
        InputError
            If an expression is wrong.
        PartsMovedError
            If a part is gone.
        """
        check_whole(limit=limit, offset=offset, sample=sample)
        names, files = ", ".join(map(quoted, columns)), self._parts[table]
        if not files:
            order = order_clause(order_by, "")
            return self.sql(
                f"SELECT {names} FROM no_{table} AS {table} {where_clause(where)} {order}"
            )
        chosen = f"{_source(table, files)} AS {table} {where_clause(where)}"
        if sample is not None:
            key = f"hash({_KEYS[table]}, {int(seed)})"
            chosen = (
                f"(SELECT {table}.*, file_index, file_row_number FROM {chosen} "
                f"ORDER BY {key}, {_PLACE} LIMIT {int(sample)}) AS {table}"
            )
        # without a wish for another order, rows come in their own, and the search ends with the page
        order = order_clause(order_by, _PLACE) if sample is not None or is_typed(order_by) else ""
        tail = f"FROM {chosen} {order} {page_clause(limit, offset)}"
        most = min(n for n in (limit, sample, _PAGE_ROWS + 1) if n is not None)
        if most > _PAGE_ROWS:
            return self.sql(f"SELECT {names} {tail}")
        return self._rows_at(table, names, files, self.sql(f"SELECT {_PLACE} {tail}"))

    def check(self, table: TableName, where: str | None, order_by: str | None) -> None:
        """Find out whether expressions fit a table, without reading its rows.

        Parameters
        ----------
        table : {"cells", "fields", "failures"}
            The table.
        where, order_by : str, optional
            SQL.

        Raises
        ------
        InputError
            If one is wrong.
        """
        self.sql(
            f"SELECT 1 FROM no_{table} AS {table} {where_clause(where)} {order_clause(order_by, '')}"
        )

    def stream(
        self, table: TableName, columns: Sequence[str], where: str | None, order_by: str | None
    ) -> Iterator[Any]:
        """All rows that fit, sorted, in batches.

        Parameters
        ----------
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
            If an expression is wrong.
        PartsMovedError
            If a part is gone.
        """
        files = self._parts[table]
        yield from self._batches(
            f"SELECT {', '.join(map(quoted, columns))} FROM {_source(table, files)} AS {table} "
            f"{where_clause(where)} {order_clause(order_by, _PLACE if files else '')}",
            files,
        )

    def stream_part(
        self, table: TableName, file: str, columns: Sequence[str], where: str | None, rows: range
    ) -> Iterator[tuple[Any, int]]:
        """Rows of one part that fit, in their order, in batches.

        Parameters
        ----------
        table : {"cells", "fields", "failures"}
            The table.
        file : str
            The part, as in the manifest.
        columns : sequence of str
            Which columns.
        where : str, optional
            SQL.
        rows : range
            Only these of the part's rows.

        Yields
        ------
        batch : pyarrow.RecordBatch
            Some rows.
        position : int
            Where in the part the last of them is.

        Raises
        ------
        InputError
            If the expression is wrong.
        PartsMovedError
            If the part is gone.
        """
        path = f"{glob.escape(str(self._folder))}/{file}"
        names = ", ".join(map(quoted, columns))
        query = (
            f"SELECT {names}, file_row_number FROM read_parquet({text(path)}) AS {table} "
            f"{where_clause(where or 'true')} "
            f"AND file_row_number >= {rows.start} AND file_row_number < {rows.stop}"
        )
        for batch in self._batches(query, [path]):
            if batch.num_rows:
                yield batch.select(range(len(columns))), batch.column(len(columns))[-1].as_py()

    def _rows_at(
        self, table: TableName, names: str, files: Sequence[str], places: pd.DataFrame
    ) -> pd.DataFrame:
        """The rows at some places, in the order of the places."""
        if places.empty:
            return self.sql(f"SELECT {names} FROM no_{table}")
        wanted = [
            f'SELECT {names}, {index} AS "\nfile", file_row_number AS "\nrow" '
            f"FROM read_parquet({text(files[index])}) "
            f"WHERE file_row_number IN ({', '.join(map(str, rows))})"
            for index, rows in _by_file(places).items()
        ]
        found = self.sql(" UNION ALL ".join(wanted))
        keys = [
            list(zip(frame[file].tolist(), frame[row].tolist(), strict=True))
            for frame, file, row in (
                (found, "\nfile", "\nrow"),
                (places, "file_index", "file_row_number"),
            )
        ]
        position = {key: index for index, key in enumerate(keys[0])}
        order = np.array([position[key] for key in keys[1]])
        return found.iloc[order, :-2].reset_index(drop=True)

    def _batches(self, query: str, files: Sequence[str] = ()) -> Iterator[Any]:
        """The answer to a query in batches, while it is worked out."""
        with self._explained(files):
            cursor = self._cursor()
            _check_select(cursor, query)
            yield from cursor.sql(query).to_arrow_reader(_BATCH_ROWS)

    def _cursor(self) -> Any:
        """A connection of its own for each query, as threads may ask at the same time."""
        return self._connection.cursor()

    @contextmanager
    def _explained(self, files: Sequence[str] = ()) -> Iterator[None]:
        """DuckDB's errors in our words; files may be gone."""
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            needed = {*files, *(file for parts in self._parts.values() for file in parts)}
            if isinstance(error, duckdb.IOException) and not all(map(_is_there, needed)):
                raise PartsMovedError(str(error)) from error
            message = f"Expected a query that can be answered; found: {_one_line(error)}."
            hint = f"Columns of cells: {', '.join(list(columns_of('cells', self._extra))[:14])}, ...; see columns()."
            raise InputError(message, source=str(self._folder), hint=hint) from error


def _source(table: TableName, files: Sequence[str]) -> str:
    """Where a table's rows come from, for FROM."""
    return f"read_parquet([{', '.join(map(text, files))}])" if files else f"no_{table}"


def _by_file(places: pd.DataFrame) -> dict[int, list[int]]:
    """Rows of each file."""
    found: dict[int, list[int]] = {}
    for index, row in zip(places["file_index"], places["file_row_number"], strict=True):
        found.setdefault(int(index), []).append(int(row))
    return found


def _check_select(cursor: Any, query: str) -> None:
    """Refuse anything but one statement that reads."""
    kinds = [statement.type.name for statement in cursor.extract_statements(query)]
    if kinds not in (["SELECT"], ["EXPLAIN"]):
        message = f"Expected one SELECT; found {', '.join(kinds) or 'nothing'}."
        raise InputError(message, hint="Results are only read.")


def _one_line(error: Exception) -> str:
    """What DuckDB says as one line, without its drawing of the place."""
    return " ".join(str(error).split("\n\nLINE", 1)[0].split())


def _is_there(pattern: str) -> bool:
    """Whether the file of an escaped path is there."""
    return bool(glob.glob(pattern)) or Path(pattern).exists()  # noqa: PTH207 - patterns are whole paths
