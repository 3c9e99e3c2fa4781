"""What is behind a classifier's scores: matrices, curves, kinds of cells, and the table of all cells.

Scores themselves are in `classification_scores`; nothing is read or drawn here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.evaluation.classification_scores import FieldAnswers
from organelle_widgets.evaluation.curves import confusion_matrix, precision_recall, reliability
from organelle_widgets.evaluation.metrics import named_right, top_k
from organelle_widgets.render.saving import written_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.evaluation.classification_scores import ScoredField

__all__ = ["PREDICTION_COLUMNS", "predictions_table", "score_details", "write_predictions"]

PREDICTION_COLUMNS: dict[str, str] = {
    "field": "The field's id.",
    "folder": "Its folder.",
    "cell_id": "The cell's id in the masks.",
    "touches_border": "Whether the cell touches the edge of the field.",
    "is_fragment": "Whether more than half of the cell is probably out of view.",
    "strangeness": "Above 1 the cell is unlike any of the training; empty where the classifier does not tell.",
    "labels": "True classes of the field, 0 to 18, with | between.",
    **{
        column: f"Probability of the class {name}, 0 to 1."
        for column, name in zip(PROBABILITY_COLUMNS, CLASS_NAMES, strict=True)
    },
}
"""Columns of the table of predictions and their definitions."""


def score_details(fields: Sequence[ScoredField]) -> dict[str, Any]:
    """Everything that is drawn of a classifier's answers.

    Parameters
    ----------
    fields : sequence of ScoredField
        At least one.

    Returns
    -------
    dict
        ``confusion``: ``classes``, and ``cells`` and ``fields`` as `curves.confusion_matrix` gives them (samples with
        several labels are left out: ``n_cells_left_out``, ``n_fields_left_out``); ``reliability``: ``all_classes``
        (each class of each cell is one answer), ``top_class`` and ``per_class`` of cells; ``precision_recall``:
        ``fields`` and ``cells`` by class; ``cells_by_kind``: of all, whole (not on the border), border, fragment and
        unusual (both where told), and sure cells (top at 0.5 or more and not unusual) ``n_cells``, ``top1``,
        ``top3``; ``folders``: ``n_fields``, ``n_cells``, ``field_top1``, ``field_top3``, ``cell_top1`` of each.

    Raises
    ------
    InputError
        If there is no field.
    """
    answers = FieldAnswers(fields)
    return {
        "confusion": _confusion(answers),
        "reliability": _reliability(answers),
        "precision_recall": {
            "fields": _curves(answers.field_truth, answers.field_said),
            "cells": _curves(answers.cell_truth, answers.cell_said),
        },
        "cells_by_kind": _by_kind(fields, answers),
        "folders": _by_folder(fields, answers),
    }


def _confusion(answers: FieldAnswers) -> dict[str, Any]:
    """Both matrices and what they leave out."""
    return {
        "classes": list(CLASS_NAMES),
        "cells": confusion_matrix(answers.cell_truth, answers.cell_said).tolist(),
        "fields": confusion_matrix(answers.field_truth, answers.field_said).tolist(),
        "n_cells_left_out": int(np.sum(answers.cell_truth.sum(axis=1) != 1)),
        "n_fields_left_out": int(np.sum(answers.field_truth.sum(axis=1) != 1)),
    }


def _reliability(answers: FieldAnswers) -> dict[str, Any]:
    """Of all classes together, of the most probable class, and of each class."""
    truth, said = answers.cell_truth, answers.cell_said
    return {
        "all_classes": reliability(truth, said),
        "top_class": reliability(named_right(truth, said, 1), said.max(axis=1, initial=0.0)),
        "per_class": {
            name: reliability(truth[:, c], said[:, c]) for c, name in enumerate(CLASS_NAMES)
        },
    }


def _curves(truth: NDArray[Any], said: NDArray[Any]) -> dict[str, Any]:
    """The precision-recall curve of every class."""
    return {name: precision_recall(truth[:, c], said[:, c]) for c, name in enumerate(CLASS_NAMES)}


def _by_kind(fields: Sequence[ScoredField], answers: FieldAnswers) -> dict[str, Any]:
    """Scores of some cells apart."""
    table = _flags(fields)
    sure = answers.cell_said.max(axis=1, initial=0.0) >= DEFAULT_THRESHOLD
    unusual = table["strangeness"].to_numpy() > 1
    border = table["touches_border"].to_numpy(bool)
    kinds = {"all": np.ones(len(table), bool), "whole": ~border, "border": border}
    if table["is_fragment"].notna().any():
        kinds["fragment"] = (table["is_fragment"] == 1).to_numpy(bool)
    if table["strangeness"].notna().any():
        kinds["unusual"] = unusual
    kinds["sure"] = sure & ~unusual
    return {name: _some(answers, chosen) for name, chosen in kinds.items()}


def _some(answers: FieldAnswers, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    """Scores of the cells chosen."""
    truth, said = answers.cell_truth[chosen], answers.cell_said[chosen]
    return {
        "n_cells": int(chosen.sum()),
        "top1": top_k(truth, said, 1),
        "top3": top_k(truth, said, 3),
    }


def _by_folder(fields: Sequence[ScoredField], answers: FieldAnswers) -> dict[str, Any]:
    """Scores of every folder apart."""
    names = np.array([field.folder for field in fields])
    scores = {}
    for name in dict.fromkeys(names.tolist()):
        these = names == name
        cells = these[answers.field_of_cell]
        scores[name] = {
            "n_fields": int(these.sum()),
            "n_cells": int(cells.sum()),
            "field_top1": top_k(answers.field_truth[these], answers.field_said[these], 1),
            "field_top3": top_k(answers.field_truth[these], answers.field_said[these], 3),
            "cell_top1": top_k(answers.cell_truth[cells], answers.cell_said[cells], 1),
        }
    return scores


def _flags(fields: Sequence[ScoredField]) -> pd.DataFrame:
    """Flags of all cells; NaN where they are not told."""
    unknown = [np.full(len(field.probabilities), np.nan) for field in fields]
    columns = {
        name: [
            none if getattr(field, name) is None else np.asarray(getattr(field, name), float)
            for field, none in zip(fields, unknown, strict=True)
        ]
        for name in ("touches_border", "is_fragment", "strangeness")
    }
    return pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()})


def predictions_table(fields: Sequence[ScoredField]) -> pd.DataFrame:
    """All cells with what was said of them.

    Parameters
    ----------
    fields : sequence of ScoredField
        At least one.

    Returns
    -------
    pandas.DataFrame
        One row a cell; the columns of `PREDICTION_COLUMNS`.

    Raises
    ------
    InputError
        If there is no field.
    """
    answers = FieldAnswers(fields)
    of = answers.field_of_cell
    flags = _flags(fields)
    numbers = [
        np.arange(1, len(f.probabilities) + 1) if f.cell_ids is None else f.cell_ids for f in fields
    ]
    table = pd.DataFrame(
        {
            "field": np.array([f.id for f in fields], object)[of],
            "folder": np.array([f.folder for f in fields], object)[of],
            "cell_id": np.concatenate(numbers),
            "touches_border": flags["touches_border"].astype(bool),
            "is_fragment": flags["is_fragment"].astype("boolean"),
            "strangeness": flags["strangeness"],
            "labels": np.array(["|".join(map(str, f.labels)) for f in fields], object)[of],
        }
    )
    said = pd.DataFrame(answers.cell_said, columns=list(PROBABILITY_COLUMNS))
    return pd.concat([table, said], axis=1)


def write_predictions(fields: Sequence[ScoredField], path: str | Path) -> None:
    """Write all cells with what was said of them as CSV.

    Parameters
    ----------
    fields : sequence of ScoredField
        At least one.
    path : str or Path
        The file; replaced where it exists. UTF-8, commas, a header line, numbers to six significant digits.

    Raises
    ------
    InputError
        If there is no field.
    ExportError
        If the file can't be written.
    """
    table = predictions_table(fields)
    with written_whole(path) as part:
        table.to_csv(part, index=False, encoding="utf-8", float_format="%.6g", lineterminator="\n")
