"""The table of a folder of known fields: `fields.csv`, one row a field, with labels and masks where there are.

Training and evaluation read their fields through it. A person's own folder of images needs no table; finding
fields by their file names is not done here.
"""

from __future__ import annotations

import csv
import glob
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNEL_KEYS
from organelle_widgets.core.labels import parse_labels
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["FIELD_COLUMNS", "FieldRow", "read_field_table"]

FIELD_COLUMNS: dict[str, str] = {
    "id": "Common part of the file names: <id>_<red|green|blue|yellow>.<suffix>.",
    "folder": "Subfolder that holds the files.",
    "height": "Rows, pixels.",
    "width": "Columns, pixels.",
    "pixel_size_um": "Micrometres per pixel.",
    "labels": "Classes of the field, 0 to 18, with | between; may be empty.",
    "has_cellmask": "1 where <id>_cellmask.png is there, else 0.",
}
"""The columns that ``fields.csv`` must have, and their meaning; others are ignored."""

_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
_SHOWN = 8  # problems that a message lists in full


@dataclass(frozen=True)
class FieldRow:
    """One field of the table.

    Parameters
    ----------
    id : str
        Common part of the field's file names.
    folder : str
        Subfolder that holds the files.
    height, width : int
        Rows and columns, pixels.
    pixel_size_um : float
        Micrometres per pixel.
    labels : tuple of int
        Classes of the field (not of each cell), 0 to 18; may be empty.
    has_cellmask : bool
        Whether a mask of its cells is there.
    path : Path
        The folder that holds the files.
    """

    id: str
    folder: str
    height: int
    width: int
    pixel_size_um: float
    labels: tuple[int, ...]
    has_cellmask: bool
    path: Path

    def read(self) -> Field:
        """Read the field's channels.

        Returns
        -------
        Field
            With the table's id and pixel size; microtubules and ER may be missing.

        Raises
        ------
        InputError
            If a file is missing, can't be read, or is not of the table's size.
        """
        from organelle_widgets.io import read_field

        found = {key: self._find(key) for key in CHANNEL_KEYS}
        files = {key: path for key, path in found.items() if path is not None}
        if not files:
            message = (
                f"Expected image files {self.id}_red.png and so on in {self.path}; found none."
            )
            raise InputError(message, source=self.id)
        field = read_field(files, pixel_size_um=self.pixel_size_um, name=self.id)
        self._check_shape(field.shape, "the images")
        return field

    def read_cell_mask(self) -> NDArray[np.int32]:
        """Read the labels of the field's cells.

        Returns
        -------
        ndarray of int32, shape (Y, X)
            0 is background.

        Raises
        ------
        InputError
            If the file is missing, can't be read, or is not of the table's size.
        """
        from organelle_widgets.io.readers.masks import read_mask

        path = self._find("cellmask")
        if path is None:
            message = f"Expected the mask {self.id}_cellmask.png in {self.path}; found none."
            raise InputError(message, source=self.id)
        mask = read_mask(path)
        self._check_shape(mask.shape, "the mask of cells")
        return mask

    def _find(self, kind: str) -> Path | None:
        """The file of one channel or mask."""
        matches = self.path.glob(f"{glob.escape(f'{self.id}_{kind}')}.*")
        return min((path for path in matches if path.suffix.lower() in _SUFFIXES), default=None)

    def _check_shape(self, shape: tuple[int, ...], what: str) -> None:
        """Refuse what is not of the size that the table gives."""
        if shape != (self.height, self.width):
            message = f"Expected {what} to have the table's {(self.height, self.width)} pixels; found {shape}."
            raise InputError(message, source=self.id)


def read_field_table(folder: str | Path, folders: Collection[str] | None = None) -> list[FieldRow]:
    """Read a folder's ``fields.csv``.

    Parameters
    ----------
    folder : str or Path
        Holds ``fields.csv`` with the columns of `FIELD_COLUMNS`, and the subfolders that it names.
    folders : collection of str, optional
        Only fields of these subfolders; all by default.

    Returns
    -------
    list of FieldRow
        In the table's order.

    Raises
    ------
    InputError
        If there is no readable table, a column is missing, values are wrong (all are named at once), or a
        wanted subfolder is not in the table.
    """
    root = Path(folder)
    records = _read_csv(root / "fields.csv")
    rows: list[FieldRow] = []
    problems: list[str] = []
    for line, record in enumerate(records, start=2):
        try:
            rows.append(_parse(record, root))
        except InputError as error:
            problems.append(f"row {line}: {error.message}")
    times = Counter((row.folder, row.id) for row in rows)
    problems += [f"{name!r} stands there {n} times" for (_, name), n in times.items() if n > 1]
    _refuse(problems, root)
    absent = sorted(set(folders or ()) - {row.folder for row in rows})
    if absent:
        message = f"Expected fields in the folder(s) {', '.join(absent)}; the table has none."
        raise InputError(message, source=str(root / "fields.csv"))
    return [row for row in rows if folders is None or row.folder in folders]


def _read_csv(path: Path) -> list[dict[str, str | None]]:
    """The table's rows as text, after a look at its columns."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or ()
            records = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"Expected a readable table fields.csv; found: {error}."
        raise InputError(message, source=str(path)) from error
    missing = [name for name in FIELD_COLUMNS if name not in columns]
    if missing:
        message = f"Expected the columns {', '.join(FIELD_COLUMNS)}; missing: {', '.join(missing)}."
        raise InputError(message, source=str(path))
    return records


def _parse(record: Mapping[str, str | None], root: Path) -> FieldRow:
    """One row, or an error that names all its wrong values."""
    text = {name: (record[name] or "").strip() for name in FIELD_COLUMNS}
    problems = [f"{name} is empty" for name in ("id", "folder") if not text[name]]
    numbers = {}
    for name in ("height", "width", "pixel_size_um"):
        numbers[name] = _number(text[name])
        if not numbers[name] > 0 or (name != "pixel_size_um" and numbers[name] % 1):
            problems.append(f"{name} is {text[name]!r}")
    if text["has_cellmask"] not in ("0", "1"):
        problems.append(f"has_cellmask is {text['has_cellmask']!r}, neither 0 nor 1")
    labels: tuple[int, ...] = ()
    try:
        labels = parse_labels(text["labels"])
    except InputError as error:
        problems.append(f"labels: {error.message}")
    if problems:
        raise InputError(", ".join(problems))
    return FieldRow(
        id=text["id"],
        folder=text["folder"],
        height=int(numbers["height"]),
        width=int(numbers["width"]),
        pixel_size_um=numbers["pixel_size_um"],
        labels=labels,
        has_cellmask=text["has_cellmask"] == "1",
        path=root / text["folder"],
    )


def _number(text: str) -> float:
    """A finite number, or 0 where the text is none."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _refuse(problems: list[str], root: Path) -> None:
    """Raise one error that names all problems."""
    if not problems:
        return
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    message = (
        f"Expected a table of fields without errors; found {'; '.join(problems[:_SHOWN])}{more}."
    )
    raise InputError(message, source=str(root / "fields.csv"))
