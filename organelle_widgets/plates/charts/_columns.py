"""From the texts of a chart's settings to the columns of a run, and the cells of the run counted by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError
from organelle_widgets.plates.wells import find_well_columns
from organelle_widgets.results import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from organelle_widgets.results import Results

__all__ = ["columns_named", "counted_cells", "distinct_values", "grouping_column"]


_POSITIONS = {"row", "column", "col", "site", "acquisition", "fov", "position"}
"""Columns that say where a field is, not what was done to it."""


def columns_named(results: Results, text: str) -> tuple[str, ...]:
    """The columns that a setting names.

    Parameters
    ----------
    results : Results
        The run.
    text : str
        One column of the table of cells, or several with commas between.

    Returns
    -------
    tuple of str
        Columns that exist.

    Raises
    ------
    InputError
        If one does not, listing the columns of the source.
    """
    there = results.columns("cells")
    names = (text,) if text in there else tuple(part.strip() for part in text.split(","))
    unknown = [name for name in names if name not in there]
    if unknown:
        own = ", ".join(results.extra_columns) or "none besides 'field'"
        message = f"Expected a column of this run; found {unknown[0]!r}."
        raise InputError(message, hint=f"Columns of the fields that it was made from: {own}.")
    return names


def grouping_column(results: Results, most: int = 24) -> str:
    """The column that a person would most likely group by.

    Parameters
    ----------
    results : Results
        The run.
    most : int
        Largest number of groups.

    Returns
    -------
    str
        The first column of the source with two values or more, but neither too many nor one for each field, that
        names no place; then plate, well, row, column; empty where none fits.
    """
    places = find_well_columns(results.extra_columns)
    where = places.names if places else ()
    first = [c for c in results.extra_columns if c not in where and c.lower() not in _POSITIONS]
    last = [c for c in results.extra_columns if c not in where and c not in first]
    for name in (*first, *where, *last):
        n = len(distinct_values(results, name, most + 1))
        if 2 <= n <= most and n < results.n_fields:
            return name
    return ""


def distinct_values(results: Results, name: str, most: int = 1000) -> list[object]:
    """Values of a column of the source, as fields have them.

    Parameters
    ----------
    results : Results
        The run.
    name : str
        A column of the table of fields, of which there are far fewer than cells.
    most : int
        At most so many.

    Returns
    -------
    list of object
        In no order; empty values are left out.
    """
    column = quoted(name)
    there = f"{column} IS NOT NULL AND CAST({column} AS VARCHAR) <> ''"
    found = results.sql(f"SELECT DISTINCT {column} AS value FROM fields WHERE {there} LIMIT {most}")
    return list(found["value"])


def counted_cells(results: Results, columns: Sequence[str]) -> pd.DataFrame:
    """The cells of a run, counted by field, predicted classes and some columns.

    Parameters
    ----------
    results : Results
        The run.
    columns : sequence of str
        Columns of the table of cells.

    Returns
    -------
    pandas.DataFrame
        What `organelle_widgets.plates.answers.count_answers` takes, in an order that is always the same: the
        columns, those that name plate and well, ``field``, ``predicted_classes`` and ``n_cells``.
    """
    places = find_well_columns(results.extra_columns)
    names = (*columns, *(places.names if places else ()), "field", "predicted_classes")
    listed = ", ".join(quoted(name) for name in dict.fromkeys(names))
    return results.sql(f"SELECT {listed}, count(*) AS n_cells FROM cells GROUP BY ALL ORDER BY ALL")
