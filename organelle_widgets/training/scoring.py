"""Scores of a trained classifier on labelled fields that it did not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.cells import cell_table
from organelle_widgets.errors import attributed_to
from organelle_widgets.evaluation.classification_scores import (
    FEWEST_FIELDS,
    ScoredField,
    score_fields,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from organelle_widgets.classification import Classifier
    from organelle_widgets.segmentation import Segmenter
    from organelle_widgets.training.labelled import LabelledField

__all__ = ["MOSAICS", "score_labelled"]

MOSAICS = "cell_mosaics"
"""Subfolder with fields of single cells on black; they are scored apart."""
_DRAWS = 1000


def score_labelled(
    fields: Sequence[LabelledField],
    classifier: Classifier,
    segmenter: Segmenter,
    *,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Classify fields and compare with their labels.

    Parameters
    ----------
    fields : sequence of LabelledField
        None of them learnt from.
    classifier : Classifier
        The one to score.
    segmenter : Segmenter
        Finds the cells of fields without outlines.
    seed : int
        Of the draws behind the intervals.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.

    Returns
    -------
    dict
        By the kind of what was scored, where there is any, figures as
        `organelle_widgets.evaluation.classification_scores.score_fields` gives them, with 95 % intervals from 5
        fields on: ``fields``; ``mosaics``, fields of single cells on black; ``cells``, cells that have labels of
        their own, each counted as one field. These get no interval: cells of one field are no independent draws.

    Raises
    ------
    InputError
        If a field can't be read or outlines don't fit it.
    SegmentationError, ClassificationError
        If a backend fails.
    """
    answered: dict[str, list[ScoredField]] = {"fields": [], "mosaics": [], "cells": []}
    for done, one in enumerate(fields, start=1):
        kind = "cells" if one.by_cell else "mosaics" if one.folder == MOSAICS else "fields"
        answered[kind] += _answered(one, classifier, segmenter)
        if progress is not None:
            progress(done / len(fields))
    return {
        kind: score_fields(parts, n_resamples=_draws(kind, parts), seed=seed)
        for kind, parts in answered.items()
        if parts
    }


def _draws(kind: str, parts: Sequence[ScoredField]) -> int:
    """How many draws there are behind the intervals."""
    return _DRAWS if kind != "cells" and len(parts) >= FEWEST_FIELDS else 0


def _answered(
    one: LabelledField, classifier: Classifier, segmenter: Segmenter
) -> list[ScoredField]:
    """What the classifier says of one field, or of each of its labelled cells."""
    with attributed_to(source=one.id):
        field = one.read()
        masks = one.find_cells(field, segmenter)
        labels = one.labels_of(masks)
        said = classifier.answer(field, masks)
    if not labels:
        return []
    table = cell_table(masks, field.pixel_size_um)
    borders = table["touches_border"].to_numpy(bool)
    if not one.by_cell:
        fragments = table["is_fragment"].to_numpy(bool)
        strange = said.strangeness
        return [ScoredField(one.labels, said.probabilities, borders, fragments, strange, id=one.id)]
    rows = np.flatnonzero(np.isin(masks.cell_ids, list(labels)))
    ids = masks.cell_ids
    return [
        ScoredField(
            labels[int(ids[row])],
            said.probabilities[row : row + 1],
            np.zeros(1, bool),
            id=f"{one.id} {ids[row]}",
        )
        for row in rows
    ]
