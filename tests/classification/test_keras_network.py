"""A network is traced once for any number of crops, and gives all its outputs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from organelle_widgets.classification._keras import KerasNetwork, quiet_start

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def outputs():
    """A model's crops, its 19 probabilities, and two more outputs."""
    with quiet_start():
        from keras import Input, layers, utils

    utils.set_random_seed(0)
    crops = Input((4, 8, 8))
    place = layers.Dense(5)(layers.Flatten()(crops))
    return crops, layers.Dense(19, activation="sigmoid")(place), place, layers.Dense(1)(place)


def network(inputs, outputs, **settings):
    from keras import Model

    return KerasNetwork(Model(inputs, outputs), {}, **settings)


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).random((11, 4, 8, 8)).astype(np.float32)


def test_a_list_of_outputs_keeps_its_order(outputs, crops):
    given, probabilities, place, strange = outputs
    said = network(given, [probabilities, place, strange]).run(crops)
    assert [part.shape for part in said] == [(11, 19), (11, 5), (11, 1)]
    assert {part.dtype for part in said} == {np.dtype(np.float32)}


def test_named_outputs_come_with_probabilities_first(outputs, crops):
    given, probabilities, place, strange = outputs
    named = network(given, {"strange": strange, "place": place, "probabilities": probabilities})
    plain = network(given, [probabilities, place, strange])
    for found, expected in zip(named.run(crops), plain.run(crops), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_probabilities_are_the_first_output(outputs, crops):
    given, probabilities, place, _ = outputs
    alone = network(given, probabilities)
    np.testing.assert_allclose(
        network(given, [probabilities, place]).predict(crops), alone.predict(crops), atol=1e-6
    )
    assert len(alone.run(crops)) == 1


@pytest.mark.parametrize("batch_size", [1, 4, 11, 32])
def test_the_batch_size_changes_nothing(outputs, crops, batch_size):
    given, probabilities, place, _ = outputs
    model = network(given, [probabilities, place], batch_size=batch_size)
    expected = model.model(crops, training=False)
    for found, one in zip(model.run(crops), expected, strict=True):
        np.testing.assert_allclose(found, np.asarray(one), atol=1e-5)


def test_any_number_of_crops_is_one_trace(outputs, crops):
    from keras import Model, layers, ops

    traces = []

    class Counted(layers.Layer):
        def call(self, value):
            traces.append(value.shape)
            return ops.multiply(value, 1.0)

    given, probabilities, _, _ = outputs
    model = KerasNetwork(Model(given, Counted()(probabilities)), {})
    traces.clear()
    for count in (1, 7, 11, 2):
        assert model.predict(crops[:count]).shape == (count, 19)
    assert traces == [(None, 19)]


def test_no_crops_no_rows(outputs, crops):
    given, probabilities, place, _ = outputs
    said = network(given, [probabilities, place]).run(crops[:0])
    assert [part.shape for part in said] == [(0, 19), (0, 5)]


def test_several_threads_may_begin_at_once(outputs, crops):
    given, probabilities, _, _ = outputs
    model = network(given, probabilities)
    with ThreadPoolExecutor(4) as threads:
        said = [job.result(60) for job in [threads.submit(model.predict, crops) for _ in range(8)]]
    for part in said:
        np.testing.assert_array_equal(part, said[0])
