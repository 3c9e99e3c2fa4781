"""Losses against their formulas, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.errors import SettingsError
from organelle_widgets.training.objectives import (
    OBJECTIVES,
    balanced_weights,
    make_metric,
    make_objective,
    with_softmax,
)

TRUTH = np.array([[1, 0, 0], [0, 1, 1]], np.float32)
SAID = np.array([[0.8, 0.3, 0.1], [0.2, 0.6, 0.5]], np.float32)


def cross_entropy(truth, said):
    return -(truth * np.log(said) + (1 - truth) * np.log(1 - said))


def loss(name, truth=TRUTH, said=SAID, **more):
    return np.asarray(make_objective(name, **more)(truth, said))


@pytest.mark.tensorflow
def test_binary_is_the_mean_cross_entropy_of_a_row():
    np.testing.assert_allclose(loss("binary"), cross_entropy(TRUTH, SAID).mean(axis=1), rtol=1e-5)


@pytest.mark.tensorflow
def test_smoothing_moves_labels_towards_the_middle():
    soft = TRUTH * 0.8 + 0.1
    expected = cross_entropy(soft, SAID).mean(axis=1)
    np.testing.assert_allclose(loss("binary", label_smoothing=0.2), expected, rtol=1e-5)


@pytest.mark.tensorflow
def test_focal_attends_to_what_is_wrong():
    right = np.where(TRUTH == 1, SAID, 1 - SAID)
    alpha = np.where(TRUTH == 1, 0.25, 0.75)
    expected = (alpha * (1 - right) ** 2 * -np.log(right)).mean(axis=1)
    np.testing.assert_allclose(loss("focal"), expected, rtol=1e-4)


@pytest.mark.tensorflow
def test_balanced_weighs_rows_by_their_own_classes():
    counts = np.array([1000, 10, 10])
    weights = balanced_weights(counts)
    plain = loss("binary")
    np.testing.assert_allclose(loss("balanced", counts=counts), plain * weights[:2], rtol=1e-4)
    assert weights[1] > 50 * weights[0]


def test_balanced_weights_are_the_inverse_effective_number():
    weights = balanced_weights([1, 1000, 0])
    effective = (1 - 0.999**1000) / (1 - 0.999)
    assert weights[0] / weights[1] == pytest.approx(effective, rel=1e-4)
    assert weights[:2].mean() == pytest.approx(1)
    assert weights[2] == 1


@pytest.mark.tensorflow
def test_categorical_is_the_cross_entropy_of_a_softmax_of_the_logits():
    logits = np.log(SAID / (1 - SAID))
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    shared = np.array([[1, 0, 0], [0, 0.5, 0.5]])
    expected = -(shared * np.log(likely)).sum(axis=1)
    np.testing.assert_allclose(loss("categorical"), expected, rtol=1e-4)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_better_answers_lose_less_even_where_they_are_certain(name):
    certain = np.where(TRUTH == 1, 1, 0).astype(np.float32)
    found = loss(name, said=certain, counts=[10, 10, 10])
    assert (found < loss(name, counts=[10, 10, 10])).all()
    assert np.isfinite(loss(name, said=1 - certain, counts=[10, 10, 10])).all()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hinge", "objective: expected one of binary, focal, balanced, categorical; found 'hinge'"),
        ("balanced", "needs the number of cells of each class"),
    ],
)
def test_what_can_not_be_made_is_refused(name, words):
    with pytest.raises(SettingsError, match=words):
        make_objective(name)


@pytest.mark.tensorflow
def test_a_hit_is_a_top_class_that_is_true():
    metric = make_metric("binary")
    truth, said = np.zeros((3, 19), np.float32), np.zeros((3, 19), np.float32)
    truth[[0, 0, 1, 2], [3, 5, 7, 9]] = 0.95
    said[[0, 1, 2], [5, 6, 9]] = 0.7
    metric.update_state(truth, said, sample_weight=np.array([1, 1, 2], np.float32))
    assert float(metric.result()) == pytest.approx(0.75)
    assert make_metric("categorical").name == "categorical_accuracy"


@pytest.mark.tensorflow
def test_with_softmax_answers_sum_to_one_in_the_same_order():
    from keras import Model, layers

    crops = layers.Input((6,))
    hidden = layers.Dense(4)(crops)
    network = Model(crops, [layers.Dense(3, activation="sigmoid")(hidden), hidden])
    given = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    before, place = network.predict_on_batch(given)
    after, same_place = with_softmax(network).predict_on_batch(given)
    np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(after.argsort(axis=1), before.argsort(axis=1))
    np.testing.assert_allclose(place, same_place)
