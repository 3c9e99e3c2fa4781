"""`open_results`: what a run found, asked for in tables, or field by field as the result that the pipeline gave.

Reading never locks and never writes. A `Results` shows the folder as it was when it was opened or refreshed; a run may
go on meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from organelle_widgets.errors import InputError
from organelle_widgets.results._batches import batches_of
from organelle_widgets.results._count import count_query
from organelle_widgets.results._folder import read_manifest, read_run
from organelle_widgets.results._query import Database, PartsMovedError
from organelle_widgets.results._rebuild import field_result, read_masks
from organelle_widgets.results._sql import checked_columns, text
from organelle_widgets.results.schema import NAME_COLUMN, TABLES, TableName, check_extra, columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from organelle_widgets.core.masks import Masks
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results._folder import Manifest

__all__ = ["Results", "open_results"]

_T = TypeVar("_T")
_ATTEMPTS = 5


def open_results(path: str | Path) -> Results:
    """Open a results folder to read it.

    Parameters
    ----------
    path : str or Path
        A folder that a batch run writes or wrote.

    Returns
    -------
    Results
        Its tables; close it after use, or use it in ``with``.

    Raises
    ------
    InputError
        If there are no results, or those of a newer version.

    Examples
    --------
    >>> with open_results("plate1_results") as results:  # doctest: +SKIP
    ...     sure = results.cells(where="confidence > 0.9", order_by="confidence DESC", limit=50)
    """
    return Results(Path(path))


class Results:
    """What a run found; see `open_results`.

    Attributes
    ----------
    path : Path
        The folder.
    run : dict
        What ``run.json`` holds: settings, provenance, extra columns.
    n_fields, n_cells, n_failures : int
        How many fields were analysed, how many cells they have, and how many fields could not be analysed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run: dict[str, Any] = read_run(path)
        self._extra: Mapping[str, str] = self.run.get("extra") or {}
        check_extra(self._extra)
        self._manifest = read_manifest(path)
        self._database = Database(path, self._extra)
        self._told = self._manifest.changed
        try:
            self._moving(lambda: self._database.load(self._manifest))
        except BaseException:
            self.close()
            raise

    @property
    def n_fields(self) -> int:
        """How many fields were analysed."""
        return self._manifest.n_rows("fields")

    @property
    def n_cells(self) -> int:
        """How many cells they have."""
        return self._manifest.n_rows("cells")

    @property
    def n_failures(self) -> int:
        """How many fields could not be analysed."""
        return self._manifest.n_rows("failures")

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """Columns that came with the source of the run: well, gene, treatment."""
        return tuple(self._extra)

    def columns(self, table: TableName = "cells") -> dict[str, str]:
        """The columns of a table and what they mean.

        Parameters
        ----------
        table : {"cells", "fields", "failures"}
            The table.

        Returns
        -------
        dict of str to str
            In order.

        Raises
        ------
        InputError
            If there is no such table.
        """
        return columns_of(_checked(table), self._extra)

    def cells(
        self,
        where: str | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        *,
        offset: int = 0,
        columns: Sequence[str] | None = None,
        sample: int | None = None,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Cells, one row each.

        Parameters
        ----------
        where : str, optional
            Which: an SQL condition on the columns, ``"gene = 'TP53' AND p_golgi_apparatus > 0.8"``.
        order_by : str, optional
            SQL: ``"confidence DESC"``. Without it, and where it leaves rows equal, in the order of the fields, and
            within a field in ascending order of id.
        limit : int, optional
            At most so many rows.
        offset : int
            Leave out so many first.
        columns : sequence of str, optional
            Only these; all by default, see `columns`.
        sample : int, optional
            Choose so many of the cells at random before they are sorted and limited.
        seed : int
            Of the choice: the same for the same cells.

        Returns
        -------
        pandas.DataFrame
            ``embedding`` holds an array of float32 a cell, or None.

        Raises
        ------
        InputError
            If an expression or a column's name is wrong; says how.
        """
        return self._page("cells", where, order_by, limit, offset, columns, sample, seed)

    def fields(
        self,
        where: str | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        *,
        offset: int = 0,
        columns: Sequence[str] | None = None,
        sample: int | None = None,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Fields that were analysed, one row each.

        Parameters
        ----------
        where : str, optional
            Which: an SQL condition on the columns, ``"n_cells > 20 AND well = 'A01'"``.
        order_by : str, optional
            SQL; without it, in the order in which they were added.
        limit : int, optional
            At most so many rows.
        offset : int
            Leave out so many first.
        columns : sequence of str, optional
            Only these; all by default, see `columns`.
        sample : int, optional
            Choose so many at random before they are sorted and limited.
        seed : int
            Of the choice.

        Returns
        -------
        pandas.DataFrame
            See `columns`.

        Raises
        ------
        InputError
            If an expression or a column's name is wrong; says how.
        """
        return self._page("fields", where, order_by, limit, offset, columns, sample, seed)

    def failures(
        self,
        where: str | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        *,
        offset: int = 0,
        columns: Sequence[str] | None = None,
        sample: int | None = None,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Fields that could not be analysed, one row each.

        Parameters
        ----------
        where : str, optional
            Which: an SQL condition on the columns, ``"NOT known"``.
        order_by : str, optional
            SQL; without it, in the order in which they were added.
        limit : int, optional
            At most so many rows.
        offset : int
            Leave out so many first.
        columns : sequence of str, optional
            Only these; all by default, see `columns`.
        sample : int, optional
            Choose so many at random before they are sorted and limited.
        seed : int
            Of the choice.

        Returns
        -------
        pandas.DataFrame
            See `columns`.

        Raises
        ------
        InputError
            If an expression or a column's name is wrong; says how.
        """
        return self._page("failures", where, order_by, limit, offset, columns, sample, seed)

    def sql(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """Ask anything of the tables ``cells``, ``fields`` and ``failures``.

        Parameters
        ----------
        query : str
            One SELECT in DuckDB's SQL.
        parameters : sequence or mapping, optional
            Values for ``?`` or ``$name`` in the query.

        Returns
        -------
        pandas.DataFrame
            The answer.

        Raises
        ------
        InputError
            If the query is wrong, is no SELECT, or reads files outside the folder.
        """
        return self._moving(lambda: self._database.sql(query, parameters))

    def count(self, by: str | Sequence[str], where: str | None = None) -> pd.DataFrame:
        """How many cells there are of each kind.

        Parameters
        ----------
        by : str or sequence of str
            Columns of the table of cells, or ``"class"``: then a cell counts for each of its predicted classes, and
            as "Not sure" where it has none.
        where : str, optional
            Which cells; an SQL condition.

        Returns
        -------
        pandas.DataFrame
            The columns of `by`, ``n_cells`` and ``share``: of all these cells; for classes, of those that are alike
            in the other columns (as a cell may have several classes, shares can add up to more than 1). By the
            other columns in ascending order, largest class first.

        Raises
        ------
        InputError
            If the condition or a column's name is wrong.
        """
        names = [by] if isinstance(by, str) else list(by)
        plain = [name for name in names if name != "class"]
        if plain or not names:
            checked_columns("cells", self._extra, plain)
        query = count_query(names, where)
        return self._moving(lambda: self._database.sql(query))

    def batches(
        self,
        table: TableName = "cells",
        columns: Sequence[str] | None = None,
        where: str | None = None,
        order_by: str | None = None,
    ) -> Iterator[Any]:
        """All rows of a table, some at a time, in bounded memory.

        Parameters
        ----------
        table : {"cells", "fields", "failures"}
            The table.
        columns : sequence of str, optional
            Only these.
        where, order_by : str, optional
            As for `cells`. Sorting needs room for all rows, on the disk where memory does not do.

        Returns
        -------
        iterator of pyarrow.RecordBatch
            At most some thousand rows each.

        Raises
        ------
        InputError
            If an expression or a column's name is wrong, or fields were removed meanwhile.
        """
        names = checked_columns(_checked(table), self._extra, columns)
        self._moving(lambda: self._database.check(_checked(table), where, order_by))
        return batches_of(self._database, self._reload, _checked(table), names, where, order_by)

    def field_names(self) -> list[str]:
        """Names of the fields that were analysed, in the order of the table.

        Returns
        -------
        list of str
            Unique.
        """
        return [str(name) for name in self.fields(columns=["field"])["field"]]

    def masks(self, field: str) -> Masks:
        """Nuclei and cells of a field.

        Parameters
        ----------
        field : str
            Its name.

        Returns
        -------
        Masks
            As they were found.

        Raises
        ------
        InputError
            If there is no such field, or its file can't be read.
        """
        return read_masks(self.path / str(self._row(field)["masks"]))

    def thumbnail(self, field: str) -> bytes:
        """A small picture of a field.

        Parameters
        ----------
        field : str
            Its name.

        Returns
        -------
        bytes
            A JPEG.

        Raises
        ------
        InputError
            If there is no such field, or its file can't be read.
        """
        path = self.path / str(self._row(field)["thumbnail"])
        try:
            return path.read_bytes()
        except OSError as error:
            message = f"Expected a picture of the field; found: {error.strerror or error}."
            raise InputError(message, source=str(path)) from error

    def result(self, field: str, pixels: bool = True) -> FieldResult:
        """The result of a field as the pipeline gave it.

        Parameters
        ----------
        field : str
            Its name.
        pixels : bool
            Whether to read the images again; without them all pixels are black.

        Returns
        -------
        FieldResult
            With the same probabilities, masks, strangeness, embedding and quality. Probabilities of the classifier's
            own classes are not kept in results.

        Raises
        ------
        InputError
            If there is no such field, its masks can't be read, or an image is gone; says which.
        """
        row = self._row(field)
        cells = self._moving(
            lambda: self._database.page(
                "cells",
                list(columns_of("cells", self._extra)),
                f"field = {text(field)}",
                "cell_id",
                max(int(row["n_cells"]), 1),
            )
        )
        return field_result(self.path, self.run, row, cells, pixels=pixels)

    def refresh(self) -> bool:
        """Look for what a run added since.

        Returns
        -------
        bool
            Whether rows came or went since the folder was opened, or since this was last asked.
        """
        self._reload()
        came, self._told = self._manifest.changed != self._told, self._manifest.changed
        return came

    def close(self) -> None:
        """Let go of the files."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"Results({str(self.path)!r}, {self.n_fields} fields, {self.n_cells} cells, "
            f"{self.n_failures} failures)"
        )

    def _page(
        self,
        table: TableName,
        where: str | None,
        order_by: str | None,
        limit: int | None,
        offset: int,
        columns: Sequence[str] | None,
        sample: int | None,
        seed: int,
    ) -> pd.DataFrame:
        """Some rows of a table."""
        names = checked_columns(table, self._extra, columns)
        return self._moving(
            lambda: self._database.page(table, names, where, order_by, limit, offset, sample, seed)
        )

    def _row(self, field: str) -> dict[str, Any]:
        """A field's row in the table of fields."""
        where = f"{NAME_COLUMN['fields']} = {text(field)}"
        rows = self._page("fields", where, None, 1, 0, None, None, 0)
        if rows.empty:
            message = f"Expected the name of one of the {self.n_fields} fields; found {field!r}."
            raise InputError(
                message, source=str(self.path), hint="See field_names() for all of them."
            )
        return {str(name): value for name, value in rows.iloc[0].items()}

    def _reload(self) -> Manifest:
        """Read the manifest anew, and answer from its parts."""
        found = read_manifest(self.path)
        if found.generation != self._manifest.generation:
            self.run = read_run(self.path)
            if dict(self.run.get("extra") or {}) != dict(self._extra):  # all was done again
                self._extra = self.run.get("extra") or {}
                self._database = Database(self.path, self._extra)
            self._manifest = found
            self._moving(lambda: self._database.load(self._manifest))
        return self._manifest

    def _moving(self, ask: Callable[[], _T]) -> _T:
        """The answer, also where a run merges parts while it is asked for."""
        for _ in range(_ATTEMPTS):
            try:
                return ask()
            except PartsMovedError as error:
                gone = str(error)
                before: Manifest = self._manifest
                self._manifest = read_manifest(self.path)
                if self._manifest.generation == before.generation:
                    break
                try:
                    self._database.load(self._manifest)
                except PartsMovedError:
                    continue
        message = f"Expected the parts that the manifest names; found one missing: {gone}"
        hint = "A file of the folder was removed or moved; take it from a copy, or run again."
        raise InputError(message, source=str(self.path), hint=hint)


def _checked(table: str) -> TableName:
    """The name of a table."""
    for known in TABLES:
        if table == known:
            return known
    message = f"Expected one of the tables {', '.join(TABLES)}; found {table!r}."
    raise InputError(message)
