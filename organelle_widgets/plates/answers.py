"""How many cells of each field or well show each class: the counts that all statistics of a plate start from.

Cells of one field share its stain, its exposure and its neighbours, so they are no independent witnesses. What is
counted here are therefore units, fields or wells, and everything above draws or ranks units, never cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy import sparse

from organelle_widgets.core.labels import CLASS_NAMES, CLASSES
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.plates.wells import find_well_columns
from organelle_widgets.render.overlay import NOT_SURE_COLOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "ANSWERS",
    "ANSWER_TABLE",
    "NOT_SURE",
    "UNITS",
    "Unit",
    "Units",
    "count_answers",
    "count_units",
]

NOT_SURE = "Not sure"
"""What a cell counts as that shows no class for certain."""
ANSWERS: tuple[str, ...] = (*CLASS_NAMES, NOT_SURE)
"""The 19 classes in the competition's order, then "Not sure"."""
ANSWER_TABLE = pd.DataFrame(
    {
        "class_index": [*(c.index for c in CLASSES), -1],
        "code": [*(c.code for c in CLASSES), "?"],
        "name": list(ANSWERS),
        "color": [*(c.color for c in CLASSES), NOT_SURE_COLOR],
    }
)
"""One row an answer: ``class_index`` (-1 for "Not sure"), ``code``, ``name``, ``color``."""

Unit = Literal["auto", "well", "field"]
UNITS: tuple[Unit, ...] = get_args(Unit)
"""What counts as one independent observation."""

_COUNT, _CLASSES, _FIELD = "n_cells", "predicted_classes", "field"


@dataclass(frozen=True, eq=False)
class Units:
    """Counts of the independent observations.

    Parameters
    ----------
    noun : {"well", "field"}
        What one row of the table is.
    by : tuple of str
        The columns that make groups.
    table : pandas.DataFrame
        One row a unit: the columns of `by`, ``n_cells``, and one column of counts for each of `ANSWERS`.
    notes : tuple of str
        What a reader should know, in whole sentences.
    """

    noun: str
    by: tuple[str, ...]
    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    def groups(self) -> dict[tuple[Any, ...], pd.DataFrame]:
        """The units of each group, by the values of `by`; one group ``()`` where there is no column."""
        if not self.by:
            return {(): self.table}
        return {
            key if isinstance(key, tuple) else (key,): part
            for key, part in self.table.groupby(list(self.by), sort=False)
        }


def count_answers(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Count the cells that show each class.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a cell with ``predicted_classes`` (names with ``|`` between them, empty where not sure), or one row
        a kind of cell with their number in ``n_cells``, as a ``GROUP BY`` gives it.
    keys : sequence of str
        The columns to count by; rows where one of them is empty are left out.

    Returns
    -------
    pandas.DataFrame
        One row a combination that occurs: the keys, ``n_cells``, and a column for each of `ANSWERS`. A cell counts
        for each of its classes, so the counts may add up to more than ``n_cells``.

    Raises
    ------
    InputError
        If a column is missing, or a class is unknown.
    """
    _require(table, [*keys, _CLASSES])
    named = table[list(keys)]
    kept = table[(named.notna() & (named != "")).all(axis=1)]
    weights = kept[_COUNT].to_numpy(float) if _COUNT in kept else np.ones(len(kept))
    row = (
        kept.groupby(list(keys), sort=False).ngroup().to_numpy()
        if keys
        else np.zeros(len(kept), int)
    )
    word, words = pd.factorize(kept[_CLASSES].fillna("").astype(str))
    n_rows = int(row.max()) + 1 if len(row) else 0
    pairs = sparse.coo_array((weights, (row, word)), shape=(n_rows, max(len(words), 1))).tocsr()
    counted = np.rint(pairs @ _membership(list(words))).astype(np.int64)
    first = (
        kept.loc[:, list(keys)].take(np.unique(row, return_index=True)[1]).reset_index(drop=True)
    )
    cells = np.rint(np.bincount(row, weights, n_rows)).astype(np.int64)
    columns = pd.DataFrame(counted, columns=list(ANSWERS))
    joined: pd.DataFrame = pd.concat([first, pd.DataFrame({_COUNT: cells}), columns], axis=1)
    return joined


def _membership(texts: Sequence[str]) -> NDArray[np.float64]:
    """Which answers each text names, shape (n_texts, 20)."""
    index = {name: number for number, name in enumerate(ANSWERS)}
    table = np.zeros((max(len(texts), 1), len(ANSWERS)))
    for number, text in enumerate(texts):
        for name in text.split("|") if text else (NOT_SURE,):
            if name not in index:
                message = f"Expected names of the 19 classes with | between them; found {text!r}."
                raise InputError(message, hint="They are listed in organelle_widgets.core.labels.")
            table[number, index[name]] = 1
    return table


def count_units(table: pd.DataFrame, by: str | Sequence[str], unit: Unit = "auto") -> Units:
    """Count the classes of every independent observation.

    Parameters
    ----------
    table : pandas.DataFrame
        Cells, or cells counted; see `count_answers`. Needs ``field`` and, for wells, columns that name them; see
        `organelle_widgets.plates.wells.find_well_columns`.
    by : str or sequence of str
        The columns that make groups; none for one group of all.
    unit : {"auto", "well", "field"}
        What is independent. ``"auto"``: wells where every group has two of them or more, else fields.

    Returns
    -------
    Units
        The counts. Units without cells are not among them: they have no share of anything.

    Raises
    ------
    InputError
        If a column is missing.
    SettingsError
        If the unit is another word.
    """
    keys = (by,) if isinstance(by, str) else tuple(by)
    if unit not in UNITS:
        message = f"Expected unit to be one of {', '.join(UNITS)}; found {unit!r}."
        raise SettingsError(message)
    found = find_well_columns(table.columns)
    if unit == "well" and found is None:
        _require(table, ["well"])
    wells = [c for c in found.names if c not in keys] if found else []
    single = [_FIELD] if _FIELD not in keys else []
    counted = count_answers(table, [*keys, *(wells if unit != "field" else ()), *single])
    by_well = _added(counted, [*keys, *wells]) if unit != "field" and found else counted
    noun = (
        "well" if unit == "well" or (unit == "auto" and _enough(by_well, keys, wells)) else "field"
    )
    units = by_well if noun == "well" else _added(counted, [*keys, *single])
    notes = [*_left_out(table, keys, int(units[_COUNT].sum()))]
    if noun == "field" and found and set(found.well) - set(keys):
        notes.append(
            "Fields were taken as independent although fields of one well share its treatment: the true "
            "uncertainty is larger."
        )
    return Units(noun, keys, units, tuple(notes))


def _enough(by_well: pd.DataFrame, keys: Sequence[str], wells: Sequence[str]) -> bool:
    """Whether every group has two wells or more."""
    if not wells or by_well.empty:
        return False
    sizes = by_well.groupby(list(keys)).size() if keys else pd.Series([len(by_well)])
    return bool((sizes > 1).all())


def _added(counted: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Counts added up by fewer columns."""
    if not keys:
        return counted
    return counted.groupby(list(keys), sort=False, as_index=False)[[_COUNT, *ANSWERS]].sum()


def _left_out(table: pd.DataFrame, keys: Sequence[str], kept: int) -> list[str]:
    """What is said of cells without a value in a key."""
    total = int(table[_COUNT].sum()) if _COUNT in table else len(table)
    if total == kept:
        return []
    where = ", ".join([*keys, "field or well"])
    return [f"{total - kept:,} of {total:,} cells have no value in {where} and are left out."]


def _require(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table that lacks columns."""
    missing = [c for c in dict.fromkeys(columns) if c not in table.columns]
    if missing:
        names = ", ".join(repr(c) for c in missing)
        message = (
            f"Expected a table with the column {names}; found {', '.join(map(str, table.columns))}."
        )
        raise InputError(message)
