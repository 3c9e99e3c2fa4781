"""Virtual fields as a folder of PNG files and tables, laid out like a folder of HPA fields."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio.v3 as imageio
import numpy as np

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.errors import ExportError, SettingsError
from organelle_widgets.synthetic.virtual import virtual_field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.synthetic._arguments import ClassChoice
    from organelle_widgets.synthetic.virtual import VirtualField

__all__ = ["CELLS_COLUMNS", "FIELDS_COLUMNS", "write_sample"]

FIELDS_COLUMNS = (
    "id",
    "folder",
    "height",
    "width",
    "pixel_size_um",
    "labels",
    "has_cellmask",
    "source",
    "note",
)
"""Columns of ``fields.csv``: one row a field, the labels of its cells together."""

CELLS_COLUMNS = ("id", "cell_id", "labels")
"""Columns of ``cells.csv``: one row a cell, true classes with ``|`` between them."""


def write_sample(
    folder: str | Path,
    n_fields: int = 4,
    *,
    seed: int = 0,
    shape: tuple[int, int] = (1024, 1024),
    pixel_size_um: float = 0.08,
    classes: ClassChoice = None,
    dtype: str = "uint8",
) -> list[Path]:
    """Write virtual fields with their truth.

    ``fields/`` gets `<id>_red.png`, `_green`, `_blue`, `_yellow`, and `<id>_cellmask.png`, `<id>_nucleimask.png`
    (uint16); the folder itself gets ``fields.csv`` and ``cells.csv``. Files of the same names are replaced.

    Parameters
    ----------
    folder : str or pathlib.Path
        Where to write; made if missing.
    n_fields : int
        How many; at least 1.
    seed : int
        Field ``i`` is drawn with seed ``seed + i``.
    shape : tuple of int
        Rows and columns, px.
    pixel_size_um : float
        Micrometres per pixel.
    classes : int, str or sequence, optional
        As in `virtual_field`.
    dtype : {"uint8", "uint16"}
        Type of the images.

    Returns
    -------
    list of pathlib.Path
        Every file written, images first.

    Raises
    ------
    SettingsError
        If an argument is out of its range.
    ExportError
        If the folder can't be written.
    """
    if not isinstance(n_fields, (int, np.integer)) or n_fields < 1:
        message = f"n_fields: expected a whole number, 1 or more; found {n_fields!r}."
        raise SettingsError(message)
    if dtype not in ("uint8", "uint16"):
        message = f"dtype: expected uint8 or uint16, which PNG can hold; found {dtype!r}."
        raise SettingsError(message)
    folder = Path(folder)
    written: list[Path] = []
    fields: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    try:
        (folder / "fields").mkdir(parents=True, exist_ok=True)
        for number in range(n_fields):
            drawn = virtual_field(
                shape,
                seed=seed + number,
                classes=classes,
                pixel_size_um=pixel_size_um,
                dtype=dtype,
            )
            written += _write_images(folder / "fields", drawn)
            fields.append(_field_row(drawn))
            cells += _cell_rows(drawn)
        written.append(_write_table(folder / "fields.csv", FIELDS_COLUMNS, fields))
        written.append(_write_table(folder / "cells.csv", CELLS_COLUMNS, cells))
    except OSError as error:
        message = f"Expected a folder that can be written to; found: {error.strerror or error}."
        raise ExportError(message, source=str(folder), hint="Choose another folder.") from error
    return written


def _write_images(folder: Path, drawn: VirtualField) -> list[Path]:
    """The four channels and the two masks of a field."""
    pictures: dict[str, NDArray[Any]] = {c.key: drawn.field.pixels[c.index] for c in CHANNELS}
    pictures["cellmask"] = drawn.masks.cells.astype(np.uint16)
    pictures["nucleimask"] = drawn.masks.nuclei.astype(np.uint16)
    paths = []
    for word, picture in pictures.items():
        path = folder / f"{drawn.field.name}_{word}.png"
        imageio.imwrite(path, picture)
        paths.append(path)
    return paths


def _joined(classes: set[int] | tuple[int, ...]) -> str:
    """Class indices as the tables hold them: ``0|16``."""
    return "|".join(str(index) for index in sorted(classes))


def _field_row(drawn: VirtualField) -> dict[str, Any]:
    """A field's line in ``fields.csv``."""
    rows, cols = drawn.field.shape
    everything = {index for own in drawn.labels.values() for index in own}
    row = (
        drawn.field.name,
        "fields",
        rows,
        cols,
        f"{drawn.field.pixel_size_um:g}",
        _joined(everything),
        1,
        "organelle_widgets virtual cells",
        "drawn, with exact masks",
    )
    return dict(zip(FIELDS_COLUMNS, row, strict=True))


def _cell_rows(drawn: VirtualField) -> list[dict[str, Any]]:
    """A field's lines in ``cells.csv``."""
    return [
        {"id": drawn.field.name, "cell_id": cell, "labels": _joined(own)}
        for cell, own in drawn.labels.items()
    ]


def _write_table(path: Path, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> Path:
    """A CSV file with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path
