"""The labelled fields of a folder, and pictures of three channels beside them.

Reading belongs here; what becomes of the cells does not.
"""

from __future__ import annotations

import csv
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from organelle_widgets.core.field import Field
from organelle_widgets.core.labels import parse_labels
from organelle_widgets.errors import InputError
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.io.readers import reader_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


__all__ = ["labelled_fields"]

COMPOSITES = "composites_rgb"
_WHITE = 170
"""Grey level above which all three colours together are a scale bar; organelles are never white."""
_BAR_CORNER = 0.2
"""Share of rows and columns, from the bottom right, in which a scale bar may lie."""
_STAINED = 16
"""99th percentile of grey levels above which the red plane holds a stain and not a lossy format's leakage."""


def labelled_fields(
    data: Path, keep: Callable[[str], bool]
) -> Iterator[tuple[str, tuple[int, ...], Callable[[], Field]]]:
    """All labelled fields of a folder, unread.

    Parameters
    ----------
    data : Path
        Holds ``fields.csv``, and maybe ``composites_rgb/composites.csv`` (file, labels): pictures of microtubules,
        protein and nuclei in one RGB file, without ER, at 0.08 um/px.
    keep : callable
        Whether a field of that name is wanted.

    Yields
    ------
    id : str
        The field's name.
    labels : tuple of int
        Its classes; at least one.
    read : callable
        Reads it.

    Raises
    ------
    InputError
        If a table is missing a column or names an unknown class.
    """
    for row in read_field_table(data):
        if row.labels and keep(row.id):
            yield row.id, row.labels, row.read
    table = data / COMPOSITES / "composites.csv"
    if not table.is_file():
        return
    with table.open(newline="", encoding="utf-8") as lines:
        records = csv.DictReader(lines)
        if not {"file", "labels"} <= set(records.fieldnames or ()):
            message = f"Expected the columns file and labels; found {', '.join(records.fieldnames or ())}."
            raise InputError(message, source=str(table))
        for line in records:
            labels, path = parse_labels(line["labels"]), table.parent / line["file"]
            if labels and keep(path.stem):
                yield path.stem, labels, partial(_read_composite, path)


def _read_composite(path: Path) -> Field:
    """A picture of three channels, its white scale bar painted over."""
    picture = reader_for(path).planes(path, (0, 1, 2)).copy()
    rows, cols = (int(n * (1 - _BAR_CORNER)) for n in picture.shape[1:])
    corner = picture[:, rows:, cols:]
    corner[:, ndimage.binary_dilation(corner.min(axis=0) > _WHITE, iterations=4)] = 0
    missing = {"yellow"}
    if np.percentile(picture[0], 99) <= _STAINED:
        missing.add("red")
        picture[0] = 0
    planes = np.concatenate([picture, np.zeros_like(picture[:1])])
    return Field(planes, path.stem, 0.08, "given", frozenset(missing))
