"""Wells: their names, their places on plates of 6 to 1536, and where a table names them.

Nothing here knows of cells or classes: only of names such as ``B03``, and of columns that hold them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

__all__ = [
    "PLATE_FORMATS",
    "PlateFormat",
    "Well",
    "WellColumns",
    "find_well_columns",
    "in_natural_order",
    "locate_wells",
    "natural_key",
    "parse_well",
    "plate_format",
]

_MAX_ROWS, _MAX_COLS = 32, 48
_LETTERS = re.compile(r"(?:well)?[\s_:-]*([A-Za-z]{1,2})[\s_/.:-]*0*(\d{1,2})", re.IGNORECASE)
_NUMBERS = re.compile(
    r"(?:r|row)?[\s_]*0*(\d{1,2})[\s_/,.:-]*(?:c|col|column)[\s_]*0*(\d{1,2})", re.IGNORECASE
)
_PAIR = re.compile(r"\(?0*(\d{1,2})\s*[/,;_:-]\s*0*(\d{1,2})\)?")
_WELL_WORDS = ("well", "well_id", "well_name", "wellid", "wellname", "well_position")
_ROW_WORDS = ("well_row", "row_name", "plate_row")
_COL_WORDS = ("well_col", "well_column", "plate_col", "plate_column")
_PLATE_WORDS = (
    "plate",
    "plate_id",
    "plate_name",
    "plateid",
    "platename",
    "plate_barcode",
    "barcode",
)
_PREFIXES = ("", "source_", "metadata_")


@dataclass(frozen=True, order=True)
class Well:
    """A place on a plate; sorts along the rows.

    Parameters
    ----------
    row, col : int
        From 0; row 0 is ``A``, column 0 is ``1``.
    """

    row: int
    col: int

    @property
    def row_name(self) -> str:
        """``A`` to ``Z``, then ``AA`` to ``AF``."""
        first, second = divmod(self.row, 26)
        return (chr(64 + first) if first else "") + chr(65 + second)

    @property
    def name(self) -> str:
        """For instance ``B03``: a letter or two and two digits, so that names sort as wells do."""
        return f"{self.row_name}{self.col + 1:02d}"


@dataclass(frozen=True)
class PlateFormat:
    """How many rows and columns a plate has.

    Parameters
    ----------
    rows, cols : int
        8 and 12 for a plate of 96 wells.
    """

    rows: int
    cols: int

    @property
    def n_wells(self) -> int:
        """6 to 1536."""
        return self.rows * self.cols

    def __contains__(self, well: Well) -> bool:
        return well.row < self.rows and well.col < self.cols


PLATE_FORMATS: tuple[PlateFormat, ...] = tuple(
    PlateFormat(rows, cols)
    for rows, cols in ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (_MAX_ROWS, _MAX_COLS))
)
"""Plates of 6, 12, 24, 48, 96, 384 and 1536 wells (ANSI/SLAS 4-2004 fixes the last three)."""


@dataclass(frozen=True)
class WellColumns:
    """Which columns of a table name plate and well.

    Parameters
    ----------
    well : tuple of str
        One column of well names, or two of rows and columns.
    plate : str
        The column of plates; empty where there is one plate only.
    """

    well: tuple[str, ...]
    plate: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the plate first."""
        return (*([self.plate] if self.plate else []), *self.well)


def parse_well(name: Any) -> Well:
    """Read the name of a well as people and microscopes write it.

    Parameters
    ----------
    name : str, Well or pair of int
        ``"A1"``, ``"A01"``, ``"a-01"``, ``"AA12"``, ``"A/1"``, ``"Well B_3"``, ``"r02c03"``, or row and column as
        numbers from 1: ``(2, 3)``, ``"2,3"``.

    Returns
    -------
    Well
        Its place.

    Raises
    ------
    InputError
        If it is no name of a well, or lies beyond row AF and column 48.
    """
    if isinstance(name, Well):
        return name
    text = ",".join(map(str, name)) if isinstance(name, (tuple, list)) else str(name).strip()
    place = _place(text)
    if place is None or not (0 <= place[0] < _MAX_ROWS and 0 <= place[1] < _MAX_COLS):
        message = f"Expected the name of a well from A1 to AF48, such as B3 or B03; found {text!r}."
        raise InputError(message)
    return Well(*place)


def _place(text: str) -> tuple[int, int] | None:
    """Row and column from 0; None where the text has another form."""
    if found := _LETTERS.fullmatch(text):
        row = 0
        for letter in found[1].upper():
            row = 26 * row + ord(letter) - 64
        return row - 1, int(found[2]) - 1
    found = _NUMBERS.fullmatch(text) or _PAIR.fullmatch(text)
    return (int(found[1]) - 1, int(found[2]) - 1) if found else None


def plate_format(wells: Iterable[Well]) -> PlateFormat:
    """The smallest plate that has all of the wells.

    Parameters
    ----------
    wells : iterable of Well
        Wells in use; a plate that is used in part may be taken for a smaller one.

    Returns
    -------
    PlateFormat
        One of `PLATE_FORMATS`.
    """
    used = list(wells)
    return next(plate for plate in PLATE_FORMATS if all(well in plate for well in used))


def find_well_columns(columns: Iterable[Hashable]) -> WellColumns | None:
    """Find the columns that name plate and well by their usual names.

    Parameters
    ----------
    columns : iterable of str
        Columns of a table. ``well``, ``Well_ID``, ``Metadata_Well``, ``source_well``, or ``well_row`` and
        ``well_col``; ``plate``, ``Plate_Name``, ``barcode``; case does not matter.

    Returns
    -------
    WellColumns or None
        None where no column names a well.
    """
    by_word = {str(c).lower().replace(" ", "_"): str(c) for c in reversed(list(columns))}

    def first(words: Sequence[str]) -> str:
        return next((by_word[p + w] for w in words for p in _PREFIXES if p + w in by_word), "")

    well, row, col = first(_WELL_WORDS), first(_ROW_WORDS), first(_COL_WORDS)
    plate = first(_PLATE_WORDS)
    if well:
        return WellColumns((well,), plate)
    return WellColumns((row, col), plate) if row and col else None


def locate_wells(table: pd.DataFrame, columns: WellColumns | None = None) -> pd.DataFrame:
    """Plate and well of every row of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        Fields, cells or failures.
    columns : WellColumns, optional
        Which columns to read; found by their usual names by default.

    Returns
    -------
    pandas.DataFrame
        The same index; ``plate`` (text, empty where no column names one), ``well`` (as ``B03``), ``well_row`` and
        ``well_col`` (from 0; rows without a well have empty text and -1).

    Raises
    ------
    InputError
        If no column names wells, or a name can't be read.
    """
    found = columns or find_well_columns(table.columns)
    missing = [c for c in found.names if c not in table.columns] if found else []
    if found is None or missing:
        what = (
            f"a column {missing[0]!r}" if missing else "a column that names wells, such as 'well'"
        )
        message = f"Expected {what}; found {', '.join(map(str, table.columns))}."
        hint = "Add a column 'well' (and 'plate') to the table of fields that the run is made from."
        raise InputError(message, hint=hint)
    places = _parsed(table[list(found.well)])
    plates = table[found.plate].map(_text) if found.plate else ""
    return pd.DataFrame(
        {
            "plate": plates,
            "well": [place.name if place else "" for place in places],
            "well_row": [place.row if place else -1 for place in places],
            "well_col": [place.col if place else -1 for place in places],
        },
        index=table.index,
    )


def _parsed(names: pd.DataFrame) -> list[Well | None]:
    """Each name read once, however many rows bear it."""
    texts = [
        tuple(_text(value) for value in row) for row in names.itertuples(index=False, name=None)
    ]
    known = {text: _read(text) for text in dict.fromkeys(texts)}
    return [known[text] for text in texts]


def _read(parts: tuple[str, ...]) -> Well | None:
    """A well from one text, or from row and column; None where the text is empty."""
    if not any(parts):
        return None
    text = (
        parts[0] if len(parts) == 1 else ",".join(parts) if parts[0].isdecimal() else "".join(parts)
    )
    return parse_well(text)


def _text(value: Any) -> str:
    """A value of a table as text; whole numbers that pandas made floats of lose their ``.0``."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    return (
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    )


def natural_key(value: Any) -> tuple[tuple[int, float, str], ...]:
    """Sort key that reads numbers within text: ``dose 2`` before ``dose 10``, ``B2`` before ``B10``.

    Parameters
    ----------
    value : object
        A number, a text, or a tuple of these.

    Returns
    -------
    tuple
        Comparable with the keys of other values.
    """
    parts = value if isinstance(value, tuple) else (value,)
    key: list[tuple[int, float, str]] = []
    for part in parts:
        pieces = re.split(r"(\d+(?:\.\d+)?)", str(part).casefold())
        key += [(0, float(p), "") if p[0].isdecimal() else (1, 0.0, p) for p in pieces if p]
        key.append((-1, 0.0, ""))
    return tuple(key)


def in_natural_order(values: Iterable[Any]) -> list[Any]:
    """Values once each, sorted as a person would; see `natural_key`.

    Parameters
    ----------
    values : iterable of object
        Numbers, texts or tuples.

    Returns
    -------
    list
        Sorted.
    """
    return sorted(dict.fromkeys(values), key=natural_key)
