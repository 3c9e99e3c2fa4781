"""Confusion, reliability and precision-recall tables: by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from organelle_widgets.evaluation.curves import confusion_matrix, precision_recall, reliability
from organelle_widgets.evaluation.metrics import calibration_error


def test_confusion_by_hand():
    truth = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]], bool)
    said = np.array([[0.9, 0, 0], [0, 0.2, 0.4], [0.1, 0.3, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]])
    # two labels and none are left out; nothing said of the last: the extra column
    np.testing.assert_array_equal(
        confusion_matrix(truth, said), [[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    )


def test_confusion_is_scikit_learns():
    rng = np.random.default_rng(0)
    right, said = rng.integers(0, 5, 80), rng.random((80, 5))
    found = confusion_matrix(np.eye(5, dtype=bool)[right], said)
    np.testing.assert_array_equal(found[:, :5], sk.confusion_matrix(right, said.argmax(axis=1)))
    assert not found[:, 5].any()


def test_reliability_by_hand():
    table = reliability(np.array([1, 0, 1, 1]), np.array([0.1, 0.1, 0.4, 1.0]), bins=5)
    assert table["n"] == [2, 0, 1, 0, 1]  # 1.0 belongs to the last bin
    np.testing.assert_allclose(table["said"], [0.1, np.nan, 0.4, np.nan, 1.0])
    np.testing.assert_allclose(table["true"], [0.5, np.nan, 1.0, np.nan, 1.0])
    np.testing.assert_allclose(table["low"], [0, 0.2, 0.4, 0.6, 0.8], atol=1e-12)


def test_reliability_holds_the_calibration_error():
    rng = np.random.default_rng(2)
    said = rng.random(300)
    truth = rng.random(300) < said**2
    table = {key: np.array(values, float) for key, values in reliability(truth, said).items()}
    gap = np.nansum(table["n"] * np.abs(table["true"] - table["said"])) / 300
    assert gap == pytest.approx(calibration_error(truth, said))


def test_precision_recall_is_scikit_learns():
    rng = np.random.default_rng(3)
    score = rng.random(90).round(2)
    truth = rng.random(90) < score
    curve = precision_recall(truth, score)
    precision, recall, threshold = sk.precision_recall_curve(truth, score)
    np.testing.assert_allclose(curve["precision"], precision[:-1][::-1])
    np.testing.assert_allclose(curve["recall"], recall[:-1][::-1])
    np.testing.assert_allclose(curve["threshold"], threshold[::-1])


def test_a_long_curve_is_thinned_but_keeps_its_ends():
    score = np.linspace(0, 1, 1000)
    curve = precision_recall(score > 0.3, score, most=50)
    assert len(curve["recall"]) == 50
    assert (curve["threshold"][0], curve["threshold"][-1]) == (1.0, 0.0)
    assert curve["recall"][-1] == 1.0


def test_an_absent_class_has_no_curve():
    empty = {"threshold": [], "precision": [], "recall": []}
    assert precision_recall(np.zeros(3, bool), np.arange(3.0)) == empty
