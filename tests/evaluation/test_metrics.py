"""Metrics against scikit-learn, and by hand where scikit-learn has none."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from organelle_widgets.evaluation.metrics import (
    average_precision,
    calibration_error,
    categorical_scores,
    f1_score,
    mean_over_present,
    top_k,
)


@pytest.mark.parametrize("decimals", [1, 6])
@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_scikit_learns(seed, decimals):
    rng = np.random.default_rng(seed)
    score = rng.random(80).round(decimals)  # one decimal gives many ties
    truth = rng.random(80) < score * 0.5
    assert average_precision(truth, score) == pytest.approx(
        sk.average_precision_score(truth, score)
    )


@pytest.mark.parametrize(
    ("truth", "score", "expected"),
    [
        ([1, 0, 0], [0.9, 0.5, 0.1], 1.0),
        ([0, 0, 1], [0.9, 0.5, 0.1], 1 / 3),
        ([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5], 0.5),
    ],
)
def test_average_precision_by_hand(truth, score, expected):
    assert average_precision(np.array(truth, bool), np.array(score)) == pytest.approx(expected)


def test_average_precision_of_an_absent_class_is_nan():
    assert np.isnan(average_precision(np.zeros(3, bool), np.arange(3.0)))


def test_top_k_counts_a_hit_when_one_of_several_labels_is_named():
    truth = np.array([[1, 0, 1], [0, 1, 0]], bool)
    said = np.array([[0.1, 0.5, 0.4], [0.6, 0.3, 0.1]])
    assert top_k(truth, said, 1) == 0.0
    assert top_k(truth, said, 2) == 1.0
    assert np.isnan(top_k(truth[:0], said[:0], 1))


def test_f1_is_scikit_learns():
    rng = np.random.default_rng(3)
    truth, said = rng.random(50) < 0.4, rng.random(50) < 0.5
    assert f1_score(truth, said) == pytest.approx(sk.f1_score(truth, said))
    assert np.isnan(f1_score(truth & False, said & False))


def test_calibration_error_by_hand():
    truth = np.array([1, 1, 0, 0], bool)
    assert calibration_error(truth, np.array([1.0, 1.0, 0.0, 0.0])) == 0.0
    # one bin holds all four: |2 positives - 4 * 0.9| / 4
    assert calibration_error(truth, np.full(4, 0.9)) == pytest.approx(0.4)


def test_categorical_scores_use_single_label_rows_only():
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]], bool)
    said = np.array([[0.8, 0.1, 0.1], [0.4, 0.2, 0.2], [0.0, 0.0, 1.0]])
    accuracy, entropy = categorical_scores(truth, said)
    assert accuracy == 0.5
    expected = sk.log_loss([0, 1], [[0.8, 0.1, 0.1], [0.5, 0.25, 0.25]], labels=[0, 1, 2])
    assert entropy == pytest.approx(expected)


def test_categorical_scores_survive_zeros():
    accuracy, entropy = categorical_scores(np.eye(3, dtype=bool), np.zeros((3, 3)))
    assert (accuracy, entropy) == (pytest.approx(1 / 3), pytest.approx(np.log(3)))
    assert np.isnan(categorical_scores(np.ones((2, 3), bool), np.ones((2, 3)))).all()


def test_mean_over_present_leaves_nan_out():
    assert mean_over_present([1.0, float("nan"), 0.0]) == 0.5
    assert np.isnan(mean_over_present([float("nan")]))


def test_top_k_names_no_class_of_probability_zero():
    truth = np.array([[True, False, False], [True, False, False]])
    said = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.9]])
    assert top_k(truth, said, 2) == 0.5
