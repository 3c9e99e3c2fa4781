"""A run as if it had some of its fields only: what charts are drawn of where a condition chooses fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organelle_widgets.export._run import cells_where
from organelle_widgets.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from organelle_widgets.results.schema import TableName

__all__ = ["ChosenFields", "fields_of"]


def fields_of(results: Results, where: str | None) -> Results:
    """The run itself, or some of its fields.

    Parameters
    ----------
    results : Results
        The run.
    where : str or None
        SQL condition on the table ``fields``.

    Returns
    -------
    Results
        Close it after use where there is a condition.
    """
    return results if where is None else ChosenFields(results, where)


class ChosenFields(Results):
    """Some of the fields of a run, and their cells; none of its failures, of which nothing is known to choose by.

    Parameters
    ----------
    results : Results
        The run.
    where : str
        SQL condition on the table ``fields``.
    """

    def __init__(self, results: Results, where: str) -> None:
        self._where = where
        super().__init__(results.path)

    @property
    def n_fields(self) -> int:
        """How many fields were chosen."""
        return self._count_of("fields")

    @property
    def n_cells(self) -> int:
        """How many cells they have."""
        return self._count_of("cells")

    @property
    def n_failures(self) -> int:
        """None."""
        return 0

    def sql(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """Ask anything of the chosen fields; see `Results.sql`."""
        chosen = f"SELECT * FROM main.fields WHERE {self._where}\n"
        tables = {
            "fields": chosen,
            "cells": f"SELECT * FROM main.cells WHERE field IN (SELECT field FROM ({chosen}))",
            "failures": "SELECT * FROM main.failures WHERE false",
        }
        made = ", ".join(f"{name} AS ({text})" for name, text in tables.items())
        return super().sql(f"WITH {made} SELECT * FROM ({query}\n)", parameters)

    def cells(self, where: str | None = None, *args: Any, **options: Any) -> pd.DataFrame:
        """Cells of the chosen fields; see `Results.cells`."""
        return super().cells(self._and("cells", where), *args, **options)

    def fields(self, where: str | None = None, *args: Any, **options: Any) -> pd.DataFrame:
        """Chosen fields; see `Results.fields`."""
        return super().fields(self._and("fields", where), *args, **options)

    def failures(self, where: str | None = None, *args: Any, **options: Any) -> pd.DataFrame:
        """None; see `Results.failures`."""
        return super().failures(self._and("failures", where), *args, **options)

    def count(self, by: str | Sequence[str], where: str | None = None) -> pd.DataFrame:
        """Cells of the chosen fields by kind; see `Results.count`."""
        return super().count(by, self._and("cells", where))

    def batches(
        self,
        table: TableName = "cells",
        columns: Sequence[str] | None = None,
        where: str | None = None,
        order_by: str | None = None,
    ) -> Iterator[Any]:
        """Rows of the chosen fields; see `Results.batches`."""
        return super().batches(table, columns, self._and(table, where), order_by)

    def _and(self, table: TableName, where: str | None) -> str:
        """A condition on a table, beside the one that chooses."""
        chosen = {
            "cells": cells_where(self._where),
            "fields": self._where,
            "failures": "false",
        }[table]
        return f"({chosen}\n)" + (f" AND ({where}\n)" if where else "")

    def _count_of(self, table: str) -> int:
        """Rows of a table."""
        return int(self.sql(f"SELECT count(*) AS n FROM {table}")["n"].iloc[0])
