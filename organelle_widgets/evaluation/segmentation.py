"""Scoring a segmenter on a folder of fields whose cells are known.

Scores are of the cells' masks, after one-to-one matching; they say nothing of classes. Where the known masks
were made by another program, the scores tell how well the two agree, not which is right.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import InputError, attributed_to
from organelle_widgets.evaluation.matching import IOU_THRESHOLDS, match_labels
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.pipeline import DEFAULT_SEGMENTER
from organelle_widgets.segmentation import SEGMENTERS, Segmenter, make_segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from organelle_widgets.io.field_table import FieldRow

__all__ = ["evaluate_segmentation"]


def evaluate_segmentation(
    folder: str | Path,
    *,
    segmenter: str | Segmenter = DEFAULT_SEGMENTER,
    folders: Collection[str] | None = None,
    ids: Collection[str] | None = None,
    limit: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Segment the fields of a folder whose cells are known, and score the cells found.

    Parameters
    ----------
    folder : str or Path
        Holds ``fields.csv``; see `organelle_widgets.io.field_table.read_field_table`. Fields without a mask of
        their cells are left out.
    segmenter : str or Segmenter
        A registered name or an instance.
    folders : collection of str, optional
        Only fields of these subfolders.
    ids : collection of str, optional
        Only fields of these ids.
    limit : int, optional
        At most so many fields, in the table's order.
    progress : callable, optional
        Called with the share done, 0 to 1, after every field; may raise to stop.

    Returns
    -------
    dict
        ``segmenter``, its name; ``fields``, a list with one dict a field: ``id``, ``cells_true``,
        ``cells_found``, ``ap50``, ``ap60``, ``ap75``, ``ap90`` (TP / (TP + FP + FN) at that IoU), ``f1_50``,
        ``mean_iou`` (of pairs with IoU >= 0.5), ``seconds`` (of segmentation alone); and ``mean``, the means
        over fields.

    Raises
    ------
    InputError
        If the limit is below 1, the table is unusable, no field has a mask, or a file can't be read.
    SettingsError
        If the segmenter's name is unknown.
    SegmentationError
        If the segmenter fails.
    """
    if limit is not None and limit < 1:
        message = f"Expected a limit of at least 1 field; found {limit}."
        raise InputError(message)
    finder = make_segmenter(segmenter)
    rows = [
        row
        for row in read_field_table(folder, folders)
        if row.has_cellmask and (ids is None or row.id in ids)
    ][:limit]
    if not rows:
        message = (
            "Expected fields with has_cellmask 1 in fields.csv; found none in "
            f"{', '.join(sorted(folders)) if folders else 'any folder'}."
        )
        raise InputError(message, source=str(folder))
    scores = []
    for done, row in enumerate(rows, start=1):
        scores.append({"id": row.id, **_score(row, finder)})
        if progress is not None:
            progress(done / len(rows))
    means = {key: float(np.mean([s[key] for s in scores])) for key in scores[0] if key != "id"}
    return {"segmenter": SEGMENTERS.name_of(type(finder)), "fields": scores, "mean": means}


def _score(row: FieldRow, finder: Segmenter) -> dict[str, float]:
    """The scores of one field."""
    with attributed_to(source=row.id, step="evaluation"):
        field, true = row.read(), row.read_cell_mask()
        start = time.perf_counter()
        masks = finder.segment(field)
        seconds = time.perf_counter() - start
        match = match_labels(true, masks.cells)
    precision = {f"ap{round(100 * iou)}": match.average_precision[iou] for iou in IOU_THRESHOLDS}
    return {
        "cells_true": match.n_true,
        "cells_found": match.n_found,
        **precision,
        "f1_50": match.f1,
        "mean_iou": match.mean_iou,
        "seconds": seconds,
    }
