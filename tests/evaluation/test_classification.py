"""Scores of made-up answers by hand, and a whole evaluation of a small virtual folder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from organelle_widgets.classification import Classifier
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.errors import InputError
from organelle_widgets.evaluation.classification import (
    ScoredField,
    answer_fields,
    evaluate_classification,
    score_fields,
    truth_rows,
)
from organelle_widgets.pipeline import DEFAULT_SEGMENTER
from organelle_widgets.synthetic import write_sample

KEYS = {
    "n_fields",
    "n_cells",
    "field_top1",
    "field_top3",
    "field_map",
    "cell_top1",
    "cell_top3",
    "macro_map",
    "macro_f1",
    "categorical_accuracy",
    "categorical_crossentropy",
    "ece",
    "per_class",
}


@dataclass(frozen=True)
class Bright(Classifier):
    """Says Nucleoplasm as sure as the protein is bright, Cytosol for the rest."""

    def _predict(self, crops):
        said = np.zeros((len(crops), 19), np.float32)
        said[:, 0] = crops[:, 1].max(axis=(1, 2))
        said[:, 16] = 1 - said[:, 0]
        return said


def answer(labels, *cells):
    """A field whose cells got the probability given for class 0, and one minus it for class 1."""
    said = np.zeros((len(cells), 19), np.float32)
    said[:, 0], said[:, 1] = cells, 1 - np.asarray(cells)
    return ScoredField(labels, said, np.zeros(len(cells), bool))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scored")
    write_sample(folder, n_fields=3, seed=2, shape=(200, 200), pixel_size_um=0.32)
    return folder


def test_scores_by_hand():
    scores = score_fields([answer((0,), 0.9, 0.7), answer((1,), 0.2, 0.6), answer((0, 1), 0.8)])
    assert set(scores) >= KEYS
    assert (scores["n_fields"], scores["n_cells"]) == (3, 5)
    assert scores["field_top1"] == 1.0  # means: 0.8 for class 0; 0.6 for class 1; 0.8 for class 0
    assert scores["cell_top1"] == pytest.approx(4 / 5)  # 0.6 of the second field is wrong
    assert scores["cell_top3"] == 1.0
    assert scores["categorical_accuracy"] == pytest.approx(3 / 4)
    expected = -np.mean(np.log([0.9, 0.7, 0.8, 0.4]))
    assert scores["categorical_crossentropy"] == pytest.approx(expected, rel=1e-5)
    assert scores["field_map"] == pytest.approx((1.0 + (1 + 2 / 3) / 2) / 2, abs=1e-6)
    nucleoplasm = scores["per_class"]["Nucleoplasm"]
    assert (nucleoplasm["n_fields"], nucleoplasm["n_cells"]) == (2, 3)
    assert nucleoplasm["ap_cell"] == 1.0
    assert nucleoplasm["f1"] == pytest.approx(6 / 7)  # 3 right, 1 too many
    assert set(scores["per_class"]) == set(CLASS_NAMES)
    assert np.isnan(scores["per_class"]["Negative"]["ap_field"])


def test_border_cells_weigh_less_in_their_field():
    said = answer((1,), 0.9, 0.2)
    cut = ScoredField((1,), said.probabilities, np.array([True, False]))
    assert score_fields([said])["field_top1"] == 0.0
    assert score_fields([cut])["field_top1"] == 1.0


def test_a_field_without_cells_counts_as_a_field():
    scores = score_fields([answer((0,), 0.9), answer((0,))])
    assert (scores["n_fields"], scores["n_cells"]) == (2, 1)


def test_truth_rows():
    rows = truth_rows([(0, 18), ()])
    np.testing.assert_array_equal(np.argwhere(rows), [[0, 0], [0, 18]])


def test_a_folder_is_scored(sample):
    seen = []
    scores = evaluate_classification(sample, classifier=Bright(), progress=seen.append)
    assert set(scores) >= KEYS | {"classifier", "segmenter"}
    assert (scores["classifier"], scores["segmenter"]) == ("Bright", DEFAULT_SEGMENTER)
    assert scores["n_fields"] == 3
    assert scores["n_cells"] > 3
    assert seen == pytest.approx([1 / 3, 2 / 3, 1])


def test_limit_and_ids_choose_fields(sample):
    assert evaluate_classification(sample, classifier=Bright(), limit=1)["n_fields"] == 1
    names = sorted(path.name.removesuffix("_blue.png") for path in sample.rglob("*_blue.png"))
    some = evaluate_classification(sample, classifier=Bright(), ids=names[:2])
    assert some["n_fields"] == 2
    with pytest.raises(InputError, match="Expected labelled fields to score; found none"):
        evaluate_classification(sample, classifier=Bright(), ids=["nobody"])


def test_a_limit_below_one_is_refused(sample):
    with pytest.raises(InputError, match="at least 1 field; found 0"):
        evaluate_classification(sample, classifier=Bright(), limit=0)


def test_all_unreadable_fields_are_named(tmp_path):
    write_sample(tmp_path, n_fields=3, seed=2, shape=(64, 64), pixel_size_um=0.32)
    files = sorted(tmp_path.rglob("*_blue.png"))
    for path in files[:2]:
        path.write_bytes(b"no image")
    names = [path.name.removesuffix("_blue.png") for path in files[:2]]
    with pytest.raises(InputError, match=f"2 can't be read: {names[0]}.*{names[1]}"):
        evaluate_classification(tmp_path, classifier=Bright())


@dataclass(frozen=True)
class WithWeights(Bright):
    """Weights of its own, somewhere on this machine."""

    def provenance(self):
        return {**super().provenance(), "files": ["/home/someone/net.keras"], "size": 3}


def test_details_tell_what_was_run_but_not_where(sample):
    scores = evaluate_classification(
        sample, classifier=WithWeights(), segmenter="watershed", details=True, n_resamples=5
    )
    assert set(scores) >= {"details", "provenance", "intervals"}
    assert scores["provenance"]["data"] == sample.name
    assert scores["provenance"]["classifier"]["files"] == ["net.keras"]
    assert scores["provenance"]["classifier"]["size"] == 3
    assert "numpy" in scores["provenance"]["packages"]


def test_answers_carry_what_is_known_of_each_cell(sample):
    answered = answer_fields(sample, classifier=Bright(), segmenter="watershed", limit=2)
    assert len(answered) == 2
    for field in answered:
        assert len(field.cell_ids) == len(field.is_fragment) == len(field.probabilities) > 0
        assert field.id
        assert field.folder
        assert field.strangeness is None
