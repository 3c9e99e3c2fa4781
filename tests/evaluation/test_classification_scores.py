"""Scores of made-up answers: against scikit-learn, by hand, and their intervals."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn import metrics as sk

from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.core.predictions import field_probabilities
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.evaluation.classification_scores import (
    FieldAnswers,
    ScoredField,
    score_fields,
)


def made_up(n_fields: int, seed: int = 0, most: int = 3, cells: int = 20) -> list[ScoredField]:
    """Fields of one to three labels out of eight, answered better than by chance."""
    rng = np.random.default_rng(seed)
    fields = []
    for number in range(n_fields):
        labels = np.sort(rng.choice(8, rng.integers(1, most + 1), replace=False))
        said = rng.random((rng.integers(1, cells), 19)).astype(np.float32) ** 3
        said[:, labels] = np.maximum(said[:, labels], rng.random((len(said), len(labels))))
        border = rng.random(len(said)) < 0.3
        fields.append(ScoredField(tuple(labels.tolist()), said, border, id=f"field {number}"))
    return fields


def one_cell(labels, **said) -> ScoredField:
    """A field of one cell with probabilities by class index, ``c0=0.9``."""
    values = np.zeros((1, 19), np.float32)
    for name, value in said.items():
        values[0, int(name[1:])] = value
    return ScoredField(labels, values, np.zeros(1, bool))


@pytest.mark.parametrize("seed", range(3))
def test_precision_and_auc_are_scikit_learns(seed):
    fields = made_up(40, seed)
    scores = score_fields(fields)
    said = np.stack([field_probabilities(f.probabilities, f.touches_border) for f in fields])
    truth = np.array([[c in f.labels for c in range(8)] for f in fields])
    each = [len(f.probabilities) for f in fields]
    cells, of_cells = np.concatenate([f.probabilities for f in fields]), truth.repeat(each, axis=0)
    expected = {
        "field_map": sk.average_precision_score(truth, said[:, :8], average="macro"),
        "field_auc": sk.roc_auc_score(truth, said[:, :8], average="macro"),
        "macro_map": sk.average_precision_score(of_cells, cells[:, :8], average="macro"),
        "macro_auc": sk.roc_auc_score(of_cells, cells[:, :8], average="macro"),
        "macro_f1": sk.f1_score(of_cells, cells[:, :8] >= 0.5, average="macro"),
    }
    assert {key: scores[key] for key in expected} == pytest.approx(expected)
    for index, name in enumerate(CLASS_NAMES[:8]):
        row = scores["per_class"][name]
        assert row["auc_cell"] == pytest.approx(
            sk.roc_auc_score(of_cells[:, index], cells[:, index])
        )
        assert (row["n_fields"], row["n_cells"]) == (
            truth[:, index].sum(),
            of_cells[:, index].sum(),
        )


def test_among_the_classes_that_occur():
    fields = [
        one_cell((0,), c0=0.5, c3=0.9),  # 3 does not occur alone: 0 is right
        one_cell((0,), c0=0.4, c16=0.3),
        one_cell((0,), c0=0.1, c16=0.3),  # wrong
        one_cell((16,), c16=0.2),
        one_cell((0, 3), c3=0.9),  # two labels: not counted, and 3 is not among the classes
    ]
    scores = score_fields(fields)
    assert scores["among_classes"] == ["Nucleoplasm", "Cytosol"]
    assert (scores["n_among_fields"], scores["n_among_cells"]) == (4, 4)
    for name in ("among", "among_field"):
        assert scores[f"{name}_accuracy"] == pytest.approx(3 / 4)
        assert scores[f"{name}_balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["cell_top1"] == pytest.approx(3 / 5)  # all 19 may be named: 3 for the first


def test_nothing_said_is_never_right_among_few():
    nothing = ScoredField((0,), np.zeros((2, 19), np.float32), np.zeros(2, bool))
    assert score_fields([nothing])["among_accuracy"] == 0.0


def test_without_single_labels_there_is_nothing_among():
    scores = score_fields([one_cell((0, 1), c0=1.0)])
    assert scores["among_classes"] == []
    assert np.isnan(scores["among_accuracy"])
    assert np.isnan(scores["among_balanced_accuracy"])


def test_top_calibration_by_hand():
    fields = [one_cell((0,), c0=0.8, c1=0.1), one_cell((1,), c0=0.8, c1=0.3)]
    assert score_fields(fields)["ece_top"] == pytest.approx(0.3)  # one bin: 0.8 said, 1 of 2 right


def test_evidence_is_counted():
    scores = score_fields([one_cell((0,), c0=1.0)] * 5 + [one_cell((2,), c2=1.0)] * 4)
    assert scores["little_evidence"] == ["Nucleoli"]
    assert "Nucleoplasm" not in scores["no_evidence"]
    assert len(scores["no_evidence"]) == 17


def test_kinds_of_cells_are_counted():
    said = np.zeros((3, 19), np.float32)
    told = ScoredField(
        (0,), said, np.array([1, 1, 0], bool), np.array([1, 0, 0], bool), np.array([0.2, 3, 1.5])
    )
    scores = score_fields([told])
    assert (scores["n_border"], scores["n_fragments"], scores["n_unusual"]) == (2, 1, 2)
    untold = score_fields([told, ScoredField((0,), said, np.zeros(3, bool))])
    assert (untold["n_border"], untold["n_fragments"], untold["n_unusual"]) == (2, None, None)


def test_intervals_hold_the_figures_and_narrow_with_more_fields():
    few, many = (score_fields(made_up(n), n_resamples=300) for n in (20, 120))
    for scores in (few, many):
        low, high = scores["intervals"]["field_top1"]
        assert low <= scores["field_top1"] <= high
        assert low < high
    width = [np.diff(scores["intervals"]["cell_top1"])[0] for scores in (few, many)]
    assert width[1] < 0.7 * width[0]
    row = many["per_class"]["Nucleoli"]
    assert row["interval"]["ap_field"][0] <= row["ap_field"] <= row["interval"]["ap_field"][1]
    assert (many["n_resamples"], many["seed"]) == (300, 0)


def test_intervals_of_cells_are_those_of_their_fields():
    """Cells that all say the same as their field are no more evidence than the field."""
    rng = np.random.default_rng(0)
    fields = []
    for right in rng.random(60) < 0.6:
        said = np.zeros((30, 19), np.float32)
        said[:, 0 if right else 1] = 1
        fields.append(ScoredField((0,), said, np.zeros(30, bool)))
    scores = score_fields(fields, n_resamples=500)
    assert scores["intervals"]["cell_top1"] == pytest.approx(scores["intervals"]["field_top1"])


def test_the_seed_decides_the_interval():
    first, again, other = (
        score_fields(made_up(15), n_resamples=60, seed=seed)["intervals"]["cell_top1"]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_few_fields_get_no_interval():
    scores = score_fields(made_up(4), n_resamples=50)
    assert np.isnan(scores["intervals"]["field_top1"]).all()
    fields = [one_cell((0,), c0=0.9)] * 6 + [one_cell((1,), c1=0.9)] * 4
    per_class = score_fields(fields, n_resamples=50)["per_class"]
    assert per_class["Nucleoplasm"]["interval"]["f1"] == [1.0, 1.0]
    assert np.isnan(per_class["Nuclear membrane"]["interval"]["f1"]).all()


def test_two_thousand_draws_are_cheap():
    fields = made_up(75, cells=27)
    start = time.process_time()
    scores = score_fields(fields, n_resamples=2000)
    assert scores["n_cells"] > 900
    assert time.process_time() - start < 20  # 3 s on the slow machine that this was written on


def test_no_field_and_negative_numbers_are_refused():
    with pytest.raises(InputError, match="at least 1 field to score; found none"):
        score_fields([])
    with pytest.raises(SettingsError, match="found -1 and 0"):
        score_fields(made_up(2), n_resamples=-1)


def test_fields_without_a_cell_are_scored():
    empty = ScoredField((0,), np.zeros((0, 19), np.float32), np.zeros(0, bool))
    scores = score_fields([empty] * 6, n_resamples=20)
    assert scores["field_top1"] == 0.0
    assert np.isnan(scores["cell_top1"])
    assert np.isnan(scores["intervals"]["cell_top1"]).all()
    assert FieldAnswers([empty]).cell_said.shape == (0, 19)
