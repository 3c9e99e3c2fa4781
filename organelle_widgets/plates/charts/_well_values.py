"""One number for every well of a run, by the name that a person gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from organelle_widgets.core.labels import CLASS_NAMES, class_index
from organelle_widgets.errors import InputError
from organelle_widgets.plates.answers import ANSWERS, NOT_SURE, count_answers
from organelle_widgets.plates.charts._columns import counted_cells
from organelle_widgets.plates.outliers import WELL_MEASURES
from organelle_widgets.plates.quality import WELL_COLUMNS, well_quality
from organelle_widgets.plates.wells import WellColumns, find_well_columns, locate_wells
from organelle_widgets.results import quoted

if TYPE_CHECKING:
    from organelle_widgets.results import Results
    from organelle_widgets.results.schema import TableName

__all__ = ["well_values"]

_PLACE = ["plate", "well", "well_row", "well_col"]
_NUMBERS = [n for n in WELL_COLUMNS if n not in (*_PLACE, "flags")]
_OF_FAILED = ("n_fields", "n_failed", "n_flags")  # known of wells without a field that was done
_TITLES = {
    "n_fields": "Fields analysed",
    "n_failed": "Fields that failed",
    "n_cells": "Number of cells",
    "n_warnings": "Warnings",
    "seconds": "Seconds",
    "n_flags": "Things that stand out",
    "confidence": "Confidence of the cells",
    **{measure.column: measure.title for measure in WELL_MEASURES},
}


def well_values(results: Results, name: str) -> tuple[pd.DataFrame, str, str]:
    """One number for every well.

    Parameters
    ----------
    results : Results
        The run.
    name : str
        A class by code or name, ``not_sure``, a column of `organelle_widgets.plates.quality.WELL_COLUMNS`, or a
        column of numbers of cells (their mean) or fields (their mean).

    Returns
    -------
    table : pandas.DataFrame
        ``plate``, ``well``, ``well_row``, ``well_col``, ``n_cells``, ``value``; one row a well that has a field,
        done or failed. Shares are in percent.
    title : str
        What the value is.
    unit : str
        Its unit.

    Raises
    ------
    InputError
        If there is no such value, or the run has no wells.
    """
    wells = well_quality(results)
    answer = _answer(name)
    if answer:
        values, title, unit = _shares(results, answer), f"Share of cells: {answer}", "%"
    elif name in _NUMBERS:
        values, title, unit = wells.set_index(["plate", "well"])[name], _TITLES[name], _unit(name)
        values = 100 * values if unit == "%" else values
    else:
        values, title, unit = _means(results, name)
    table = wells[[*_PLACE, "n_cells"]].copy()
    keys = pd.MultiIndex.from_frame(table[["plate", "well"]])
    known = (wells["n_fields"] > 0) | (name in _OF_FAILED)
    table["value"] = np.where(known, values.reindex(keys).to_numpy(float), np.nan)
    table.attrs = wells.attrs
    return table, title, unit


def _answer(name: str) -> str:
    """The class that a text names; empty where it names none."""
    if name.strip().lower() in ("?", "not sure", "not_sure"):
        return NOT_SURE
    try:
        return "" if name.strip().isdecimal() else CLASS_NAMES[class_index(name)]
    except InputError:
        return ""


def _unit(name: str) -> str:
    """The unit of a column, as its name or its measure tells."""
    measured = {measure.column: measure.unit for measure in WELL_MEASURES}
    if name in measured:
        return measured[name]
    for end, unit in (("_um2", "µm²"), ("_um", "µm"), ("seconds", "s")):
        if name.endswith(end):
            return unit
    return ""


def _shares(results: Results, answer: str) -> pd.Series:
    """Percent of the cells of every well that show a class."""
    counted = counted_cells(results, ())
    placed = locate_wells(counted)[["plate", "well"]]
    placed["n_cells"], placed["predicted_classes"] = (
        counted["n_cells"],
        counted["predicted_classes"],
    )
    # wells without a plate have an empty text there, which is a value here
    keys = placed.assign(key=placed["plate"] + "\n" + placed["well"])
    found = count_answers(keys, ["key"])
    index = pd.MultiIndex.from_tuples([tuple(key.split("\n")) for key in found["key"]])
    column = ANSWERS[ANSWERS.index(answer)]
    shares = 100 * found[column].to_numpy(float) / found["n_cells"].to_numpy(float)
    return pd.Series(shares, index if len(found) else pd.MultiIndex.from_arrays([[], []]))


def _means(results: Results, name: str) -> tuple[pd.Series, str, str]:
    """Mean of a column of cells or of fields by well, its title and unit."""
    tables: tuple[TableName, ...] = ("cells", "fields")
    for table in tables:
        if name in results.columns(table) and _is_number(results, table, name):
            title = _TITLES.get(name, f"Mean of the {table}: {name}")
            return _mean(results, table, name), title, _unit(name)
    own = [c for c in results.columns("cells") if c != "embedding"]
    message = (
        f"Expected a class, one of {', '.join(_NUMBERS)}, or a column of numbers such as "
        f"{', '.join(own[8:14])}; found {name!r}."
    )
    raise InputError(message)


def _is_number(results: Results, table: TableName, name: str) -> bool:
    """Whether a column holds numbers."""
    head = results.sql(f"SELECT {quoted(name)} FROM {table} LIMIT 1")
    return pd.api.types.is_numeric_dtype(head[name]) or pd.api.types.is_bool_dtype(head[name])


def _mean(results: Results, table: TableName, name: str) -> pd.Series:
    """Mean of a column by well."""
    places = find_well_columns(results.extra_columns) or WellColumns(("well",))
    listed = ", ".join(quoted(column) for column in places.names)
    value = f"avg(CAST({quoted(name)} AS DOUBLE)) AS value"
    found = results.sql(
        f"SELECT {listed}, {value}, count({quoted(name)}) AS n FROM {table} GROUP BY ALL ORDER BY ALL"
    )
    placed = locate_wells(found, places)[["plate", "well"]]
    placed["total"], placed["n"] = found["value"] * found["n"], found["n"]
    added = placed.groupby(["plate", "well"])[["total", "n"]].sum(min_count=1)
    mean: pd.Series = (added["total"] / added["n"]).replace([np.inf, -np.inf], np.nan)
    return mean
