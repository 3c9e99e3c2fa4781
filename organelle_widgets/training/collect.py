"""The cells of labelled fields, cut and ready to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.errors import InputError, attributed_to
from organelle_widgets.training.data import Cells, cut_cells, join_cells
from organelle_widgets.training.tables import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from organelle_widgets.classification import CropRule
    from organelle_widgets.segmentation import Segmenter
    from organelle_widgets.training.labelled import LabelledField

__all__ = ["check_readable", "collect_cells", "only_fields"]


def check_readable(
    fields: Sequence[LabelledField], progress: Callable[[float], None] | None = None
) -> None:
    """Read every field once before the long work, so that a bad file costs seconds.

    Parameters
    ----------
    fields : sequence of LabelledField
        What will be needed.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.

    Raises
    ------
    InputError
        If fields can't be read; all are named.
    """
    problems = []
    for done, field in enumerate(fields, start=1):
        try:
            field.read()
        except InputError as error:
            problems.append(str(error))
        if progress is not None:
            progress(done / len(fields))
    if problems:
        message = f"Expected {len(fields)} readable fields; {len(problems)} can't be read: {listed(problems, ' ')}"
        raise InputError(message, hint="Repair the files, or take the fields out of the table.")


def collect_cells(
    fields: Sequence[LabelledField],
    rules: Sequence[CropRule],
    segmenter: Segmenter,
    progress: Callable[[float], None] | None = None,
) -> Cells:
    """Cut the labelled cells of fields.

    Parameters
    ----------
    fields : sequence of LabelledField
        Where from.
    rules : sequence of CropRule
        Every cell is cut by each of them, for instance at several scales.
    segmenter : Segmenter
        Finds the cells of fields without outlines.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.

    Returns
    -------
    Cells
        Of one field after the other; ``source`` counts the fields in which there are labelled cells.

    Raises
    ------
    InputError
        If a field can't be read, outlines don't fit it, or no labelled cell is found at all.
    """
    found = []
    for done, one in enumerate(fields, start=1):
        with attributed_to(source=one.id):
            field = one.read()
            masks = one.find_cells(field, segmenter)
            labels = one.labels_of(masks)
            if labels:
                found.append(_as_one([cut_cells(field, masks, labels, rule) for rule in rules]))
        if progress is not None:
            progress(done / len(fields))
    if not found:
        message = f"Expected labelled cells to learn from; found none in {len(fields)} fields."
        hint = "Look at the fields: are there cells, and do the labels belong to them?"
        raise InputError(message, hint=hint)
    return join_cells(found)


def _as_one(views: Sequence[Cells]) -> Cells:
    """Views of one field as cells of one field."""
    joined = join_cells(views)
    return Cells(joined.crops, joined.parts, joined.truth, np.zeros_like(joined.source))


def only_fields(cells: Cells, wanted: Sequence[int]) -> Cells:
    """Cells of some fields.

    Parameters
    ----------
    cells : Cells
        Of several fields.
    wanted : sequence of int
        Numbers of fields, as in ``source``.

    Returns
    -------
    Cells
        Their fields numbered anew, in ascending order.
    """
    chosen = np.isin(cells.source, wanted)
    _, source = np.unique(cells.source[chosen], return_inverse=True)
    return Cells(
        cells.crops[chosen], cells.parts[chosen], cells.truth[chosen], source.astype(np.int32)
    )
