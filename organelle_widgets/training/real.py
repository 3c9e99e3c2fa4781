"""Real labelled cells: found in the fields of a folder, each with its field's labels.

Reading and segmenting belong here; what becomes of the cells does not.
"""

from __future__ import annotations

import csv
from functools import partial
from typing import TYPE_CHECKING

import imageio.v3 as iio
import numpy as np
from scipy import ndimage

from organelle_widgets.core.field import Field
from organelle_widgets.core.labels import parse_labels
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.training.data import Cells, cut_cells, join_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from organelle_widgets.classification import CropRule
    from organelle_widgets.segmentation import Segmenter

__all__ = ["labelled_fields", "real_cells"]

COMPOSITES = "composites_rgb"
_WHITE = 170
_BAR_CORNER = 0.2


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
    """
    for row in read_field_table(data):
        if row.labels and keep(row.id):
            yield row.id, row.labels, row.read
    table = data / COMPOSITES / "composites.csv"
    if not table.is_file():
        return
    with table.open(newline="", encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            labels, path = parse_labels(line["labels"]), table.parent / line["file"]
            if labels and keep(path.stem):
                yield path.stem, labels, partial(_read_composite, path)


def _read_composite(path: Path) -> Field:
    """A picture of three channels, its white scale bar painted over."""
    picture = iio.imread(path)
    rows, cols = (int(n * (1 - _BAR_CORNER)) for n in picture.shape[:2])
    corner = picture[rows:, cols:]
    corner[ndimage.binary_dilation(corner.min(axis=2) > _WHITE, iterations=4)] = 0
    red = picture[..., 0]
    missing = {"yellow"} if np.percentile(red, 99) > 16 else {"red", "yellow"}
    planes = [red if "red" not in missing else red * 0, picture[..., 1], picture[..., 2], red * 0]
    return Field(np.stack(planes), path.stem, 0.08, "given", frozenset(missing))


def real_cells(
    data: Path,
    rules: Sequence[CropRule],
    segmenter: Segmenter,
    keep: Callable[[str], bool],
    progress: Callable[[float], None] | None = None,
) -> Cells:
    """Find and cut the cells of all labelled fields that are wanted.

    Parameters
    ----------
    data : Path
        See `labelled_fields`.
    rules : sequence of CropRule
        Every cell is cut by each rule, for instance at several scales.
    segmenter : Segmenter
        Finds the cells.
    keep : callable
        Whether a field of that name is wanted.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.

    Returns
    -------
    Cells
        With the labels of their fields.

    Raises
    ------
    InputError
        If a table or a field can't be read.
    """
    wanted = list(labelled_fields(data, keep))
    found = []
    for done, (_, labels, read) in enumerate(wanted):
        field = read()
        masks = segmenter.segment(field)
        named = dict.fromkeys((int(cell) for cell in masks.cell_ids), labels)
        if named:
            found.append(join_views([cut_cells(field, masks, named, rule) for rule in rules]))
        if progress is not None:
            progress((done + 1) / len(wanted))
    return join_cells(found)


def join_views(views: Sequence[Cells]) -> Cells:
    """Views of one field as one field's cells."""
    joined = join_cells(views)
    return Cells(joined.crops, joined.parts, joined.truth, np.zeros_like(joined.source))
