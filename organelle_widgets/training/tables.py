"""Tables of labels that people bring: one row a field, as in the competition's ``train.csv``, or one a cell.

Only the table is read here; which images its rows mean is found in `organelle_widgets.training.labelled`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from organelle_widgets.core.labels import parse_labels
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["LabelRow", "listed", "read_label_table"]

_NAMES = {
    "id": ("id", "imageid", "image_id", "image", "field", "field_id"),
    "labels": ("labels", "label", "classes", "class"),
    "cell": ("cell_id", "cell", "cell_index"),
    "row": ("row", "y"),
    "col": ("col", "column", "x"),
}
_SHOWN = 8  # problems that a message lists in full


@dataclass(frozen=True)
class LabelRow:
    """One row of a table of labels.

    Parameters
    ----------
    field : str
        The field's id.
    labels : tuple of int
        Classes, 0 to 18; may be empty.
    cell : int, optional
        Id of the cell in the field's mask, where the row is a cell's.
    place : tuple of float, optional
        Row and column of a pixel of the cell, where the row is a cell's and names no id.
    """

    field: str
    labels: tuple[int, ...]
    cell: int | None = None
    place: tuple[float, float] | None = None


def read_label_table(path: Path) -> list[LabelRow]:
    """Read a table of labels.

    Parameters
    ----------
    path : Path
        CSV. One column names the field (``ID``, ``ImageID``, ``id``, ``field`` or ``image``), one holds its classes
        (``Label`` or ``labels``): indices, names or codes with ``|`` between them. A column ``cell_id``, or two columns
        ``row`` and ``col`` (pixels), make the rows those of single cells.

    Returns
    -------
    list of LabelRow
        In the table's order.

    Raises
    ------
    InputError
        If it can't be read, a column is missing, or values are wrong; all of them are named.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = _columns(reader.fieldnames or (), path)
            records = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"Expected a readable table of labels; found: {error}."
        raise InputError(message, source=str(path)) from error
    rows, problems = [], []
    for line, record in enumerate(records, start=2):
        try:
            rows.append(_row({key: (record[name] or "").strip() for key, name in columns.items()}))
        except InputError as error:
            problems.append(f"row {line}: {error.message}")
    if problems:
        message = f"Expected a table of labels without errors; found {listed(problems, '; ')}."
        raise InputError(message, source=str(path))
    return rows


def listed(words: list[str], between: str = ", ") -> str:
    """Words as a message shows them: the first few, and how many more there are.

    Parameters
    ----------
    words : list of str
        What to name.
    between : str
        What stands between two.

    Returns
    -------
    str
        For instance ``"a, b"`` or ``"a, b, ... and 12 more"``.
    """
    shown = between.join(words[:_SHOWN])
    more = len(words) - _SHOWN
    return f"{shown}{between}and {more} more" if more > 0 else shown


def _columns(found: Sequence[str], path: Path) -> dict[str, str]:
    """What each known column is called in this table."""
    by_name = {name.strip().lower(): name for name in found}
    columns = {
        key: next((by_name[name] for name in names if name in by_name), "")
        for key, names in _NAMES.items()
    }
    if not columns["id"] or not columns["labels"]:
        message = (
            "Expected a column with the field (ID, ImageID, id, field or image) and one with its classes (Label or "
            f"labels); found {', '.join(found) or 'no columns'}."
        )
        raise InputError(message, source=str(path))
    return {key: name for key, name in columns.items() if name}


def _row(text: Mapping[str, str]) -> LabelRow:
    """One row, or an error that says what is wrong with it."""
    if not text["id"]:
        message = "the field's id is empty"
        raise InputError(message)
    labels = parse_labels(text["labels"])
    if "cell" in text:
        return LabelRow(text["id"], labels, cell=int(_number("cell", text["cell"], whole=True)))
    if "row" in text and "col" in text:
        place = (_number("row", text["row"]), _number("col", text["col"]))
        return LabelRow(text["id"], labels, place=place)
    return LabelRow(text["id"], labels)


def _number(name: str, text: str, *, whole: bool = False) -> float:
    """A number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9 or (whole and value % 1):
        message = f"{name} is {text!r}, no {'whole ' if whole else ''}number of 0 or more"
        raise InputError(message)
    return value
