"""Scores of what a classifier said of labelled fields: figures, their intervals, and what they rest on.

No file is read and no model runs here. Every figure is a function of how much each field counts, so the plain figures
(each field once) and those of a bootstrap come from the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASS_NAMES, N_CLASSES
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD, field_probabilities
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.evaluation.bootstrap import percentile_interval, resampled
from organelle_widgets.evaluation.metrics import categorical_answers, named_right
from organelle_widgets.evaluation.metrics_weighted import (
    binned_error,
    mean_over_classes,
    ranking_scores,
    ratio,
    recalls,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["FEWEST_FIELDS", "FieldAnswers", "ScoredField", "score_fields", "truth_rows"]

FEWEST_FIELDS = 5
"""Fewer fields than this bear no claim: figures of a class, or of all, are given without an interval."""

_PER_CLASS = ("ap_field", "auc_field", "ap_cell", "auc_cell", "f1", "ece")


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
    is_fragment : ndarray of bool, shape (n_cells,), optional
        Of which cells more than half is probably out of view.
    strangeness : ndarray of float32, shape (n_cells,), optional
        See `organelle_widgets.core.answers.CellAnswers`; above 1 a cell is unlike any of the training.
    cell_ids : ndarray of int, shape (n_cells,), optional
        Ids in the masks.
    id, folder : str
        Names of the field and of its folder.
    """

    labels: tuple[int, ...]
    probabilities: NDArray[np.float32]
    touches_border: NDArray[np.bool_]
    is_fragment: NDArray[np.bool_] | None = None
    strangeness: NDArray[np.float32] | None = None
    cell_ids: NDArray[Any] | None = None
    id: str = ""
    folder: str = ""


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


class FieldAnswers:
    """Answers of some fields as arrays, and their figures.

    Parameters
    ----------
    fields : sequence of ScoredField
        At least one.

    Attributes
    ----------
    field_truth : ndarray of bool, shape (n_fields, 19)
        True classes of the fields.
    field_said : ndarray of float32, shape (n_fields, 19)
        Probabilities of the fields; see `organelle_widgets.core.predictions.field_probabilities`.
    cell_truth : ndarray of bool, shape (n_cells, 19)
        True classes of the cells: those of their fields.
    cell_said : ndarray of float32, shape (n_cells, 19)
        Probabilities of the cells.
    field_of_cell : ndarray of int, shape (n_cells,)
        Which field a cell is of.
    among : ndarray of int, shape (n_among,)
        The classes that are the one and only label of some field.

    Raises
    ------
    InputError
        If there is no field.
    """

    def __init__(self, fields: Sequence[ScoredField]) -> None:
        if not fields:
            message = "Expected at least 1 field to score; found none."
            raise InputError(message)
        self.field_truth = truth_rows([f.labels for f in fields])
        self.field_said = np.stack(
            [
                field_probabilities(
                    f.probabilities,
                    f.touches_border,
                    f.is_fragment,
                    None if f.strangeness is None else f.strangeness > 1,
                )
                for f in fields
            ]
        )
        self.field_of_cell = np.repeat(
            np.arange(len(fields)), [len(f.probabilities) for f in fields]
        )
        self.cell_truth = self.field_truth[self.field_of_cell]
        self.cell_said = np.concatenate([f.probabilities for f in fields])
        single = self.field_truth[self.field_truth.sum(axis=1) == 1]
        self.among = np.flatnonzero(single.any(axis=0))

    def figures(self, weights: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        """All figures, for many weightings of the fields at once.

        Parameters
        ----------
        weights : ndarray of float64, shape (n_weightings, n_fields)
            How much each field counts.

        Returns
        -------
        dict of str to ndarray, shape (n_weightings,) or (n_weightings, 19)
            The figures that `score_fields` names; those of `per_class` with all classes in one array.
        """
        of_cells = weights[:, self.field_of_cell]
        field_ap, field_auc = _ranked(self.field_truth, self.field_said, weights)
        cell_ap, cell_auc = _ranked(self.cell_truth, self.cell_said, of_cells)
        f1 = _f1(self.cell_truth, self.cell_said, of_cells)
        ece = _per_class_errors(self.cell_truth, self.cell_said, of_cells)
        occurs = of_cells @ self.cell_truth.astype(float) > 0
        return {
            "field_top1": _hits(self.field_truth, self.field_said, weights, 1),
            "field_top3": _hits(self.field_truth, self.field_said, weights, 3),
            "field_map": mean_over_classes(field_ap),
            "field_auc": mean_over_classes(field_auc),
            "cell_top1": _hits(self.cell_truth, self.cell_said, of_cells, 1),
            "cell_top3": _hits(self.cell_truth, self.cell_said, of_cells, 3),
            "macro_map": mean_over_classes(cell_ap),
            "macro_auc": mean_over_classes(cell_auc),
            "macro_f1": mean_over_classes(np.where(occurs, f1, np.nan)),
            **_categorical(self.cell_truth, self.cell_said, of_cells),
            "ece": mean_over_classes(ece),
            "ece_top": _top_error(self.cell_truth, self.cell_said, of_cells),
            **self._among(self.field_truth, self.field_said, weights, "among_field"),
            **self._among(self.cell_truth, self.cell_said, of_cells, "among"),
            "per_class_ap_field": field_ap,
            "per_class_auc_field": field_auc,
            "per_class_ap_cell": cell_ap,
            "per_class_auc_cell": cell_auc,
            "per_class_f1": f1,
            "per_class_ece": ece,
        }

    def _among(
        self, truth: NDArray[Any], said: NDArray[Any], weights: NDArray[Any], name: str
    ) -> dict[str, NDArray[np.float64]]:
        """Accuracy where only the classes that occur may be named, of samples with one label."""
        single = truth.sum(axis=1) == 1
        truth, said, weights = (
            truth[single][:, self.among],
            said[single][:, self.among],
            weights[:, single],
        )
        right = named_right(truth, said, 1)
        shares = recalls(truth, right, weights)
        return {
            f"{name}_accuracy": ratio(weights @ right.astype(float), weights.sum(axis=1)),
            f"{name}_balanced_accuracy": mean_over_classes(shares),
        }


def score_fields(
    fields: Sequence[ScoredField], *, n_resamples: int = 0, seed: int = 0
) -> dict[str, Any]:
    """Scores of what a classifier said.

    Parameters
    ----------
    fields : sequence of ScoredField
        At least one.
    n_resamples : int
        How many times the fields are drawn anew for 95 % intervals, for instance 2000; 0 for none.
    seed : int
        Of the draws.

    Returns
    -------
    dict
        ``n_fields``, ``n_cells``; ``n_border``, ``n_fragments``, ``n_unusual`` of the cells (None where not told);

        - of the fields' mean probabilities: ``field_top1``, ``field_top3``, ``field_map``, ``field_auc``;
        - of cells: ``cell_top1``, ``cell_top3``, ``macro_map``, ``macro_auc``, ``macro_f1`` (threshold 0.5), ``ece``
          (15 bins, mean over all classes), ``ece_top`` (of the most probable class alone);
        - of cells of fields with one label: ``categorical_accuracy``, ``categorical_crossentropy``;
        - where only the classes that are the one label of some field (``among_classes``) may be named, of cells and
          fields with one label: ``among_accuracy``, ``among_balanced_accuracy``, ``among_field_accuracy``,
          ``among_field_balanced_accuracy``; ``n_among_cells``, ``n_among_fields``, how many these are;
        - ``per_class``: by name ``n_fields``, ``n_cells``, ``ap_field``, ``auc_field``, ``ap_cell``, ``auc_cell``,
          ``f1``, ``ece``; ``no_evidence`` and ``little_evidence``: names of the classes with no field, and with fewer
          than 5;
        - with draws: ``intervals``, low and high end by figure; ``interval`` by figure within every class;
          ``n_resamples``, ``seed``.

        Means are over classes that occur. What can't be computed is NaN, and so are both ends of an interval of what
        rests on fewer than 5 fields.

    Raises
    ------
    InputError
        If there is no field.
    SettingsError
        If a number is negative.
    """
    if n_resamples < 0 or seed < 0:
        message = (
            f"Expected 0 or more draws and a seed of 0 or more; found {n_resamples} and {seed}."
        )
        raise SettingsError(message)
    answers = FieldAnswers(fields)
    plain = {k: v[0] for k, v in answers.figures(np.ones((1, len(fields)))).items()}
    spread: dict[str, NDArray[Any]] = {}
    if n_resamples:
        found = resampled(answers.figures, len(fields), n_resamples, seed)
        spread = {name: percentile_interval(values) for name, values in found.items()}
    scores: dict[str, Any] = {
        "n_fields": len(fields),
        "n_cells": len(answers.cell_said),
        **_kinds(fields),
        **{k: float(v) for k, v in plain.items() if not k.startswith("per_class")},
        **_among_whom(answers),
        "per_class": _per_class(answers, plain, spread),
        "no_evidence": _with_fields(answers, 0, 0),
        "little_evidence": _with_fields(answers, 1, FEWEST_FIELDS - 1),
    }
    if n_resamples:
        enough = len(fields) >= FEWEST_FIELDS
        scores["intervals"] = {
            k: _ends(v, enough) for k, v in spread.items() if not k.startswith("per_class")
        }
        scores |= {"n_resamples": n_resamples, "seed": seed}
    return scores


def _per_class(
    answers: FieldAnswers,
    plain: Mapping[str, NDArray[Any]],
    spread: Mapping[str, NDArray[Any]],
) -> dict[str, dict[str, Any]]:
    """The figures of every class by its name."""
    n_fields = answers.field_truth.sum(axis=0)
    n_cells = answers.cell_truth.sum(axis=0)
    rows: dict[str, dict[str, Any]] = {}
    for index, name in enumerate(CLASS_NAMES):
        rows[name] = {"n_fields": int(n_fields[index]), "n_cells": int(n_cells[index])}
        rows[name] |= {key: float(plain[f"per_class_{key}"][index]) for key in _PER_CLASS}
        if spread:
            enough = n_fields[index] >= FEWEST_FIELDS
            rows[name]["interval"] = {
                key: _ends(spread[f"per_class_{key}"][:, index], enough) for key in _PER_CLASS
            }
    return rows


def _ends(interval: NDArray[np.float64], enough: bool) -> list[float]:
    """The two ends; NaN where too few fields stand behind them."""
    return [float(end) if enough else float("nan") for end in interval]


def _kinds(fields: Sequence[ScoredField]) -> dict[str, int | None]:
    """How many cells are on the border, fragments, and unlike the training."""
    fragments = [f.is_fragment for f in fields]
    strange = [f.strangeness for f in fields if len(f.probabilities)]
    return {
        "n_border": int(sum(np.sum(f.touches_border) for f in fields)),
        "n_fragments": _count(fragments),
        "n_unusual": _count([None if s is None else s > 1 for s in strange]),
    }


def _count(flags: Sequence[NDArray[Any] | None]) -> int | None:
    """How many are set; None where they are not known of every field."""
    known = [flag for flag in flags if flag is not None]
    return int(sum(flag.sum() for flag in known)) if known and len(known) == len(flags) else None


def _among_whom(answers: FieldAnswers) -> dict[str, Any]:
    """Which classes, and how many samples, the figures `among` are of."""
    return {
        "among_classes": [CLASS_NAMES[index] for index in answers.among],
        "n_among_fields": int(np.sum(answers.field_truth.sum(axis=1) == 1)),
        "n_among_cells": int(np.sum(answers.cell_truth.sum(axis=1) == 1)),
    }


def _with_fields(answers: FieldAnswers, least: int, most: int) -> list[str]:
    """Names of the classes with so many fields."""
    counts = answers.field_truth.sum(axis=0)
    return [name for name, n in zip(CLASS_NAMES, counts, strict=True) if least <= n <= most]


def _ranked(
    truth: NDArray[Any], said: NDArray[Any], weights: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average precision and AUC of every class, each of shape (n_weightings, 19)."""
    every = [ranking_scores(truth[:, c], said[:, c], weights) for c in range(N_CLASSES)]
    return np.stack([ap for ap, _ in every], axis=1), np.stack([auc for _, auc in every], axis=1)


def _hits(
    truth: NDArray[Any], said: NDArray[Any], weights: NDArray[Any], k: int
) -> NDArray[np.float64]:
    """Share of samples of which a true class is among the `k` most probable."""
    return ratio(weights @ named_right(truth, said, k).astype(float), weights.sum(axis=1))


def _f1(truth: NDArray[Any], said: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """F1 of every class at the default threshold, shape (n_weightings, 19)."""
    named = said >= DEFAULT_THRESHOLD
    both, either = (truth & named).astype(float), truth.astype(float) + named
    return ratio(2 * (weights @ both), weights @ either)


def _per_class_errors(
    truth: NDArray[Any], said: NDArray[Any], weights: NDArray[Any]
) -> NDArray[np.float64]:
    """Expected calibration error of every class, shape (n_weightings, 19)."""
    every = [binned_error(truth[:, c], said[:, c], weights) for c in range(N_CLASSES)]
    return np.stack(every, axis=1)


def _top_error(
    truth: NDArray[Any], said: NDArray[Any], weights: NDArray[Any]
) -> NDArray[np.float64]:
    """Expected calibration error of the most probable class."""
    return binned_error(named_right(truth, said, 1), said.max(axis=1, initial=0.0), weights)


def _categorical(
    truth: NDArray[Any], said: NDArray[Any], weights: NDArray[Any]
) -> dict[str, NDArray[np.float64]]:
    """Accuracy and cross-entropy of samples with one class; see `metrics.categorical_scores`."""
    correct, loss = categorical_answers(truth, said)
    counted = weights[:, truth.sum(axis=1) == 1]
    return {
        "categorical_accuracy": ratio(counted @ correct.astype(float), counted.sum(axis=1)),
        "categorical_crossentropy": ratio(counted @ loss, counted.sum(axis=1)),
    }
