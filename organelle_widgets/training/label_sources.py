"""Where labels stand and where their images are: ``fields.csv``, the competition's ``train.csv``, or a table of cells.

Only tables and names of files are looked at; nothing is read of the images.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError
from organelle_widgets.io import discover_fields
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.segmentation.from_masks import FromMasks
from organelle_widgets.training.labelled import LabelledField
from organelle_widgets.training.real import labelled_fields
from organelle_widgets.training.tables import LabelRow, listed, read_label_table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["find_labelled"]

_TABLES = ("fields.csv", "train.csv")
_CELLS, _NUCLEI = "{name}_cellmask.png", "{name}_nucleimask.png"


def find_labelled(
    data: Path, labels: str | Path | None = None, *, pixel_size_um: float | None = None
) -> list[LabelledField]:
    """Find the labelled fields of a folder.

    Parameters
    ----------
    data : Path
        Holds the images and, unless `labels` is given, ``fields.csv`` (see
        `organelle_widgets.io.field_table.FIELD_COLUMNS`) or ``train.csv`` (see
        `organelle_widgets.training.tables.read_label_table`). With ``fields.csv``, images are where it says, else
        anywhere below the folder. Outlines in ``<id>_cellmask.png``, and nuclei in ``<id>_nucleimask.png``, are used.
    labels : str or Path, optional
        A table of labels, as for `organelle_widgets.training.tables.read_label_table`; in the folder or anywhere.
    pixel_size_um : float, optional
        Micrometres per pixel of images that ``fields.csv`` does not name; wins over what the files say.

    Returns
    -------
    list of LabelledField
        At least two, in the table's order.

    Raises
    ------
    InputError
        If there is no table, it has errors, images are missing (all are named), or fewer than two fields have labels.
    """
    if not data.is_dir():
        message = "Expected a folder with labelled images; found none."
        raise InputError(message, source=str(data))
    if labels is None and (data / _TABLES[0]).is_file():
        found = _of_folder(data)
        origin = data / _TABLES[0]
    else:
        origin = _label_file(data, labels)
        found = _of_table(data, origin, pixel_size_um)
    if len(found) < 2:
        message = f"Expected at least 2 labelled fields, to learn from one and score another; found {len(found)}."
        raise InputError(message, source=str(origin), hint="Label more fields.")
    return found


def _label_file(data: Path, labels: str | Path | None) -> Path:
    """The table of labels, or an error that says what may stand in its place."""
    given = [Path(labels), data / labels] if labels is not None else [data / _TABLES[1]]
    path = next((path for path in given if path.is_file()), None)
    if path is None:
        wanted = str(labels) if labels is not None else " or ".join(_TABLES)
        message = f"Expected labels in {wanted}; found no such file."
        raise InputError(message, source=str(data), hint="Give a table of labels with --labels.")
    return path


def _of_folder(data: Path) -> list[LabelledField]:
    """The labelled fields that ``fields.csv`` names, and pictures of a table of their own."""
    rows = read_field_table(data)
    found = [
        LabelledField(
            row.id,
            row.read,
            row.labels,
            masks=_given_masks(row.path, row.id) if row.has_cellmask else None,
            folder=row.folder,
        )
        for row in rows
        if row.labels
    ]
    names = {row.id for row in rows}
    others = labelled_fields(data, lambda name: name not in names)
    return found + [LabelledField(name, read, labels) for name, labels, read in others]


def _of_table(data: Path, table: Path, pixel_size_um: float | None) -> list[LabelledField]:
    """The fields that a table of labels names."""
    rows: dict[str, list[LabelRow]] = {}
    for row in read_label_table(table):
        rows.setdefault(row.field, []).append(row)
    images, problems = _images(data, pixel_size_um)
    absent = [name for name in rows if name not in images]
    if absent:
        message = (
            f"Expected images of all fields that the table names; found none of {listed(absent)}."
        )
        seen = f" What can't be used there: {listed(problems, ' ')}" if problems else ""
        hint = f"Images are looked for below {data}.{seen}"
        raise InputError(message, source=str(table), hint=hint)
    labelled = [_labelled(images[name], own) for name, own in rows.items()]
    unmasked = [one.id for one in labelled if one.cells and one.masks is None]
    if unmasked:
        message = f"Expected outlines of the cells that the table numbers; found none of {listed(unmasked)}."
        hint = "Put <id>_cellmask.png beside the images, or give row and col in place of cell_id."
        raise InputError(message, source=str(table), hint=hint)
    return [one for one in labelled if one.labels or one.by_cell]


def _images(data: Path, pixel_size_um: float | None) -> tuple[dict[str, LabelledField], list[str]]:
    """All fields of a folder by name, without labels; and what is wrong with other files."""
    if (data / _TABLES[0]).is_file():
        rows = read_field_table(data)
        return {
            row.id: LabelledField(
                row.id, row.read, masks=_given_masks(row.path, row.id), folder=row.folder
            )
            for row in rows
        }, []
    found: dict[str, LabelledField] = {}
    problems: list[InputError] = []
    for source in discover_fields(data, on_problem=problems.append):
        name = source.name.rsplit("/", 1)[-1]
        read = partial(source.read, pixel_size_um)
        found[name] = LabelledField(name, read, masks=_given_masks(source.paths[0].parent, name))
    return found, [str(problem) for problem in problems]


def _labelled(image: LabelledField, rows: Sequence[LabelRow]) -> LabelledField:
    """A field with the rows that are about it."""
    cells: dict[int, tuple[int, ...]] = {}
    for row in rows:
        if row.cell is not None:
            cells[row.cell] = tuple(sorted({*cells.get(row.cell, ()), *row.labels}))
    whole = {c for row in rows if row.cell is None and row.place is None for c in row.labels}
    places = tuple(row for row in rows if row.place is not None)
    return replace(image, labels=tuple(sorted(whole)), cells=cells, places=places)


def _given_masks(folder: Path, name: str) -> FromMasks | None:
    """What reads the outlines beside a field's files, if there are any."""
    if not (folder / _CELLS.replace("{name}", name)).is_file():
        return None
    has_nuclei = (folder / _NUCLEI.replace("{name}", name)).is_file()
    return FromMasks(cells=_CELLS, nuclei=_NUCLEI if has_nuclei else "", folder=folder)
