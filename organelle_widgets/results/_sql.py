"""Pieces of SQL: names and texts in quotes, clauses of what a person typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError
from organelle_widgets.results.schema import TableName, columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "check_whole",
    "checked_columns",
    "is_typed",
    "order_clause",
    "page_clause",
    "quoted",
    "text",
    "where_clause",
]


def quoted(name: str) -> str:
    """A column's name for SQL.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        In double quotes.
    """
    return '"' + name.replace('"', '""') + '"'


def checked_columns(
    table: TableName, extra: Mapping[str, str], columns: Sequence[str] | None
) -> list[str]:
    """The columns to give, all where none are named.

    Parameters
    ----------
    table : {"cells", "fields", "failures"}
        The table.
    extra : mapping of str to str
        The run's extra columns and their types.
    columns : sequence of str, optional
        What was asked for.

    Returns
    -------
    list of str
        Their names.

    Raises
    ------
    InputError
        If the table lacks one.
    """
    known = columns_of(table, extra)
    if columns is None:
        return list(known)
    wanted = [columns] if isinstance(columns, str) else list(columns)
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        message = f"Expected columns of the table {table}; found {', '.join(map(repr, unknown)) or 'none'}."
        raise InputError(message, hint=f"It has {', '.join(known)}.")
    return wanted


def is_typed(expression: str | None) -> bool:
    """Whether a person typed anything.

    Parameters
    ----------
    expression : str or None
        Maybe blank.

    Returns
    -------
    bool
        False for None and blanks.
    """
    return bool(expression and expression.strip())


def text(value: str) -> str:
    """A text for SQL.

    Parameters
    ----------
    value : str
        Any text.

    Returns
    -------
    str
        In single quotes.
    """
    return "'" + value.replace("'", "''") + "'"


def where_clause(where: str | None) -> str:
    """The clause of a condition.

    Parameters
    ----------
    where : str or None
        What a person typed.

    Returns
    -------
    str
        Empty where nothing was typed.
    """
    return f"WHERE ({where}\n)" if is_typed(where) else ""


def order_clause(order_by: str | None, ties: str) -> str:
    """The clause of an order; what is equal keeps the order of the table.

    Parameters
    ----------
    order_by : str or None
        What a person typed.
    ties : str
        Columns that tell rows apart; may be empty.

    Returns
    -------
    str
        Empty where there is nothing to sort by.
    """
    keys = [key for key in (f"{order_by}\n" if is_typed(order_by) else "", ties) if key]
    return f"ORDER BY {', '.join(keys)}" if keys else ""


def check_whole(**values: int | None) -> None:
    """Refuse numbers of rows that are none.

    Parameters
    ----------
    **values : int or None
        Numbers of rows by name; None is allowed.

    Raises
    ------
    InputError
        If one is negative or no whole number.
    """
    for name, value in values.items():
        if value is not None and (isinstance(value, bool) or int(value) != value or value < 0):
            message = f"Expected {name} to be a whole number of rows; found {value!r}."
            raise InputError(message)


def page_clause(limit: int | None, offset: int) -> str:
    """The clauses of a page.

    Parameters
    ----------
    limit : int or None
        At most so many rows.
    offset : int
        Leave out so many first.

    Returns
    -------
    str
        May be empty.
    """
    some = "" if limit is None else f"LIMIT {int(limit)} "
    return some + (f"OFFSET {int(offset)}" if offset else "")
