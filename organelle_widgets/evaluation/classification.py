"""Scoring a classifier on a folder of labelled fields.

Labels belong to fields, not to cells: a field's labels stand for each of its cells, which overstates the errors
of a classifier that sees a cell for what it is. Every figure comes with the number of fields and cells behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification import CLASSIFIERS, Classifier, make_classifier
from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.labels import CLASS_NAMES, N_CLASSES
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD, field_probabilities
from organelle_widgets.errors import InputError, attributed_to
from organelle_widgets.evaluation.metrics import (
    average_precision,
    calibration_error,
    categorical_scores,
    f1_score,
    mean_over_present,
    top_k,
)
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER, DEFAULT_SEGMENTER
from organelle_widgets.segmentation import SEGMENTERS, Segmenter, make_segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.io.field_table import FieldRow

__all__ = ["ScoredField", "evaluate_classification", "score_fields", "truth_rows"]


@dataclass(frozen=True, eq=False)
class ScoredField:
    """What a classifier said of one labelled field.

    Parameters
    ----------
    labels : tuple of int
        The field's true classes.
    probabilities : ndarray of float32, shape (n_cells, 19)
        Of its cells.
    touches_border : ndarray of bool, shape (n_cells,)
        Which cells touch the edge of the field.
    """

    labels: tuple[int, ...]
    probabilities: NDArray[np.float32]
    touches_border: NDArray[np.bool_]


def truth_rows(labels: Sequence[tuple[int, ...]]) -> NDArray[np.bool_]:
    """Labels as a table of yes and no.

    Parameters
    ----------
    labels : sequence of tuple of int
        Classes of each sample.

    Returns
    -------
    ndarray of bool, shape (n, 19)
        True where a sample has the class.
    """
    truth = np.zeros((len(labels), N_CLASSES), bool)
    for row, classes in zip(truth, labels, strict=True):
        row[list(classes)] = True
    return truth


def score_fields(fields: Sequence[ScoredField]) -> dict[str, Any]:
    """Scores of what a classifier said.

    Parameters
    ----------
    fields : sequence of ScoredField
        At least one.

    Returns
    -------
    dict
        ``n_fields``, ``n_cells``; ``field_top1``, ``field_top3``, ``field_map`` of the fields' mean probabilities;
        ``cell_top1``, ``cell_top3``, ``macro_map``, ``macro_f1`` (threshold 0.5), ``ece`` (15 bins, mean over all
        classes) of cells; ``categorical_accuracy`` and ``categorical_crossentropy`` of cells of fields with one
        label; ``per_class``: by name ``n_fields``, ``n_cells``, ``ap_field``, ``ap_cell``, ``f1``, ``ece``. Means are
        over classes that occur. What can't be computed is NaN.
    """
    field_truth = truth_rows([f.labels for f in fields])
    field_said = np.stack([field_probabilities(f.probabilities, f.touches_border) for f in fields])
    cell_truth = np.repeat(field_truth, [len(f.probabilities) for f in fields], axis=0)
    cell_said = np.concatenate([f.probabilities for f in fields])
    per_class = {
        name: _class_scores(field_truth[:, c], field_said[:, c], cell_truth[:, c], cell_said[:, c])
        for c, name in enumerate(CLASS_NAMES)
    }
    accuracy, cross_entropy = categorical_scores(cell_truth, cell_said)
    present = [scores for scores in per_class.values() if scores["n_cells"]]
    return {
        "n_fields": len(fields),
        "n_cells": len(cell_said),
        "field_top1": top_k(field_truth, field_said, 1),
        "field_top3": top_k(field_truth, field_said, 3),
        "field_map": mean_over_present([s["ap_field"] for s in per_class.values()]),
        "cell_top1": top_k(cell_truth, cell_said, 1),
        "cell_top3": top_k(cell_truth, cell_said, 3),
        "macro_map": mean_over_present([s["ap_cell"] for s in present]),
        "macro_f1": mean_over_present([s["f1"] for s in present]),
        "categorical_accuracy": accuracy,
        "categorical_crossentropy": cross_entropy,
        "ece": mean_over_present([s["ece"] for s in per_class.values()]),
        "per_class": per_class,
    }


def _class_scores(
    field_truth: NDArray[np.bool_],
    field_said: NDArray[np.float32],
    cell_truth: NDArray[np.bool_],
    cell_said: NDArray[np.float32],
) -> dict[str, Any]:
    """Scores of one class."""
    return {
        "n_fields": int(field_truth.sum()),
        "n_cells": int(cell_truth.sum()),
        "ap_field": average_precision(field_truth, field_said),
        "ap_cell": average_precision(cell_truth, cell_said),
        "f1": f1_score(cell_truth, cell_said >= DEFAULT_THRESHOLD),
        "ece": calibration_error(cell_truth, cell_said),
    }


def evaluate_classification(
    folder: str | Path,
    *,
    classifier: str | Classifier = DEFAULT_CLASSIFIER,
    segmenter: str | Segmenter = DEFAULT_SEGMENTER,
    folders: Collection[str] | None = None,
    ids: Collection[str] | None = None,
    limit: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Segment and classify the labelled fields of a folder and score the answers.

    Parameters
    ----------
    folder : str or Path
        Holds ``fields.csv``; see `organelle_widgets.io.field_table.read_field_table`. Fields without labels are
        left out.
    classifier : str or Classifier
        A registered name or an instance.
    segmenter : str or Segmenter
        A registered name or an instance; finds the cells of every field.
    folders : collection of str, optional
        Only fields of these subfolders.
    ids : collection of str, optional
        Only these fields, for instance those that a classifier has not been trained on.
    limit : int, optional
        At most so many fields, in the table's order.
    progress : callable, optional
        Called with the share done, 0 to 1, after every field; may raise to stop.

    Returns
    -------
    dict
        ``classifier``, ``segmenter``, and the scores of `score_fields`.

    Raises
    ------
    InputError
        If the limit is below 1, the table is unusable, no labelled field is left, or fields can't be read; all of
        them are named.
    SettingsError
        If a backend's name is unknown.
    SegmentationError, ClassificationError
        If a backend fails.
    """
    if limit is not None and limit < 1:
        message = f"Expected a limit of at least 1 field; found {limit}."
        raise InputError(message)
    finder, namer = make_segmenter(segmenter), make_classifier(classifier)
    wanted = set(folders) if folders is not None else None
    rows = [row for row in read_field_table(folder, wanted) if row.labels]
    rows = [row for row in rows if ids is None or row.id in ids][:limit]
    if not rows:
        places = ", ".join(sorted(folders)) if folders else "any folder"
        message = f"Expected labelled fields to score; found none in {places}."
        hint = "Give their classes in the column labels of fields.csv."
        raise InputError(message, source=str(folder), hint=hint)
    _check_readable(rows, str(folder))
    scored = []
    for done, row in enumerate(rows):
        scored.append(_scored(row, row.read(), finder, namer))
        if progress is not None:
            progress((done + 1) / len(rows))
    names = {
        "classifier": CLASSIFIERS.name_of(type(namer)),
        "segmenter": SEGMENTERS.name_of(type(finder)),
    }
    return {**names, **score_fields(scored)}


def _check_readable(rows: Sequence[FieldRow], folder: str) -> None:
    """Read every field once before the long work, so that one bad file costs seconds and all are named."""
    problems = []
    for row in rows:
        try:
            row.read()
        except InputError as error:
            problems.append(f"{row.id}: {error}")
    if problems:
        message = f"Expected {len(rows)} readable fields; {len(problems)} can't be read: {'; '.join(problems)}."
        raise InputError(
            message, source=folder, hint="Repair the files or take the rows out of fields.csv."
        )


def _scored(row: FieldRow, field: Field, finder: Segmenter, namer: Classifier) -> ScoredField:
    """One field through both backends."""
    with attributed_to(source=row.id):
        masks = finder.segment(field)
        probabilities = namer.classify(field, masks)
    table = cell_table(masks, field.pixel_size_um)
    return ScoredField(row.labels, probabilities, table["touches_border"].to_numpy(bool))
