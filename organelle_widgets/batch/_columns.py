"""The columns that a person's sources bring along: names that don't clash with our own, and one type for each."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from organelle_widgets.results.schema import RESERVED_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from organelle_widgets.io import FieldSource

__all__ = ["ColumnType", "carried_columns", "column_type"]

ColumnType = Literal["string", "int", "float"]

_OWN_STARTS = ("quality_", "seconds_")  # also of columns that a later version may have
_PREFIX = "source_"
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,299})(\.[0-9]+([eE][+-]?[0-9]{1,2})?|[eE][+-][0-9]{1,2})?")


def carried_columns(
    fields: Sequence[FieldSource],
) -> tuple[list[FieldSource], dict[str, ColumnType]]:
    """Give all fields the same extra columns, under names that are free.

    Names that differ in case only are one column, spelled as it came first: SQL does not tell them apart.

    Parameters
    ----------
    fields : sequence of FieldSource
        The fields of a run.

    Returns
    -------
    fields : list of FieldSource
        The same, each with every column in `extra`, empty where its source had none.
    types : dict of str to {"string", "int", "float"}
        The columns, in the order in which they came, and `column_type` of each.
    """
    names: dict[str, str] = {}
    for item in fields:
        for column in item.extra:
            names.setdefault(column.casefold(), column)
    shown = _free_names(names)
    renamed = [
        replace(item, extra=_filled(item.extra.items(), shown)) if shown else item
        for item in fields
    ]
    types = {name: column_type(item.extra[name] for item in renamed) for name in shown.values()}
    return renamed, types


def column_type(values: Iterable[str]) -> ColumnType:
    """What all values of a column can be read as without losing anything a person sees.

    Numbers with leading zeros or plus signs are taken for codes, and so is ``2E5``, which may be a name; an exponent
    counts only with a sign or after a decimal point.

    Parameters
    ----------
    values : iterable of str
        The column; empty values don't count.

    Returns
    -------
    {"string", "int", "float"}
        ``"string"`` also where all values are empty.
    """
    filled = {value for value in values if value}
    if not filled:
        return "string"
    if all(_INT.fullmatch(value) for value in filled):
        return "int"
    return "float" if all(_FLOAT.fullmatch(value) for value in filled) else "string"


def _free_names(names: dict[str, str]) -> dict[str, str]:
    """Folded column name to the name in the results."""
    shown: dict[str, str] = {}
    used = {folded for folded in names if not _is_own(folded)}
    for folded, name in names.items():
        free = name
        while _is_own(free.casefold()) or (free != name and free.casefold() in used):
            free = f"{_PREFIX}{free}"
        used.add(free.casefold())
        shown[folded] = free
    return shown


def _is_own(folded: str) -> bool:
    """Whether a column of ours has this name or may have it."""
    return folded in RESERVED_COLUMNS or folded.startswith(_OWN_STARTS)


def _filled(extra: Iterable[tuple[str, str]], shown: dict[str, str]) -> dict[str, str]:
    """A field's values under the run's names, all columns there."""
    own = {shown[column.casefold()]: value for column, value in extra}
    return {name: own.get(name, "") for name in shown.values()}
