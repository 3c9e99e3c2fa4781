"""Weighted scores against scikit-learn with the samples repeated."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from organelle_widgets.evaluation.metrics import calibration_error, roc_auc
from organelle_widgets.evaluation.metrics_weighted import (
    binned_error,
    mean_over_classes,
    ranking_scores,
    ratio,
    recalls,
)


@pytest.fixture(scope="module")
def drawn():
    """Truth, scores with ties, and six draws with replacement."""
    rng = np.random.default_rng(5)
    score = rng.random(60).round(1)
    return rng.random(60) < score, score, rng.multinomial(60, np.full(60, 1 / 60), 6).astype(float)


def test_ranking_scores_are_scikit_learns_of_the_draw(drawn):
    truth, score, weights = drawn
    precision, auc = ranking_scores(truth, score, weights)
    for row, (one, other) in enumerate(zip(precision, auc, strict=True)):
        taken = np.repeat(np.arange(60), weights[row].astype(int))
        assert one == pytest.approx(sk.average_precision_score(truth[taken], score[taken]))
        assert other == pytest.approx(sk.roc_auc_score(truth[taken], score[taken]))


def test_a_draw_without_positives_or_negatives_has_no_score():
    truth, score = np.array([True, False, False]), np.array([0.9, 0.5, 0.1])
    precision, auc = ranking_scores(truth, score, np.array([[0, 1, 2], [3, 0, 0], [1, 1, 1.0]]))
    np.testing.assert_array_equal(precision, [np.nan, 1, 1])
    np.testing.assert_array_equal(auc, [np.nan, np.nan, 1])
    assert np.isnan(ranking_scores(truth[:0], score[:0], np.ones((2, 0)))).all()


@pytest.mark.parametrize("seed", range(4))
def test_auc_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    score = rng.random(50).round(1 + seed)
    truth = rng.random(50) < score
    assert roc_auc(truth, score) == pytest.approx(sk.roc_auc_score(truth, score))


def test_auc_by_hand():
    # pairs: 0.9 over 0.5 and 0.1; 0.5 ties with 0.5 and is over 0.1: 3.5 of 4
    assert roc_auc(np.array([1, 0, 1, 0]), np.array([0.9, 0.5, 0.5, 0.1])) == pytest.approx(3.5 / 4)
    assert np.isnan(roc_auc(np.ones(3, bool), np.arange(3.0)))


def test_calibration_errors_are_those_of_the_draw(drawn):
    truth, score, weights = drawn
    for row, error in enumerate(binned_error(truth, score, weights)):
        taken = np.repeat(np.arange(60), weights[row].astype(int))
        assert error == pytest.approx(calibration_error(truth[taken], score[taken]))


def test_balanced_accuracy_is_scikit_learns(drawn):
    _, _, weights = drawn
    rng = np.random.default_rng(1)
    right, said = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    found = mean_over_classes(recalls(np.eye(4, dtype=bool)[right], right == said, weights))
    for row, balanced in enumerate(found):
        taken = np.repeat(np.arange(60), weights[row].astype(int))
        assert balanced == pytest.approx(sk.balanced_accuracy_score(right[taken], said[taken]))


def test_quotients_and_means_without_a_value_are_nan():
    np.testing.assert_array_equal(ratio([1, 0], [2, 0]), [0.5, np.nan])
    values = np.array([[1, np.nan, 0], [np.nan] * 3])
    np.testing.assert_array_equal(mean_over_classes(values), [0.5, np.nan])
