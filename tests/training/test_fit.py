"""The loop of a fit: it learns, repeats itself, goes on where it was stopped, and stops when nothing gets better."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from organelle_widgets.errors import Cancelled, InputError, SettingsError, StepError
from organelle_widgets.training.fit import FitSettings, fit_network
from organelle_widgets.training.history import FitHistory, draw_history
from organelle_widgets.training.precision import mixed_precision

pytestmark = pytest.mark.tensorflow
FEW = FitSettings(epochs=4, steps=5, batch_size=16, learning_rate=0.02)


def tiny(seed=0):
    """Mean of each channel -> three classes, behind a convolution and a normalisation."""
    from keras import Model, layers, utils

    utils.set_random_seed(seed)
    crops = layers.Input((4, 8, 8))
    seen = layers.Conv2D(8, 3)(layers.Permute((2, 3, 1))(crops))
    seen = layers.Dropout(0.1)(layers.BatchNormalization()(seen))
    seen = layers.GlobalAveragePooling2D()(seen)
    return Model(crops, layers.Dense(19, activation="sigmoid")(seen))


def draw(size, rng):
    """Cells whose class is their brightest channel."""
    kind = rng.integers(0, 4, size)
    crops = rng.random((size, 4, 8, 8), dtype=np.float32) * np.float32(0.3)
    crops[np.arange(size), kind] += 0.6
    return crops, np.eye(19, dtype=np.float32)[kind], np.ones(size, np.float32)


VALIDATION = draw(64, np.random.default_rng(99))


def weights(network):
    return np.concatenate([v.value.numpy().ravel() for v in network.variables])


def test_the_loss_falls_and_the_top_class_becomes_right():
    network = tiny()
    history = fit_network(network, draw, replace(FEW, epochs=12), validation=VALIDATION)
    assert history.losses[-1] < 0.5 * history.losses[0]
    assert history.rows[-1]["val_hit_at_1"] > 0.95
    assert history.best_epoch == len(history.rows) == 12
    assert not history.stopped_early
    said = network.predict_on_batch(VALIDATION[0])
    assert (said.argmax(axis=1) == VALIDATION[1].argmax(axis=1)).mean() > 0.95


def test_the_figures_of_an_epoch_are_means_over_its_batches():
    """A step of next to nothing: all batches meet the same network."""
    from keras import Sequential, layers

    network = Sequential([layers.Input((4, 8, 8)), layers.Flatten(), layers.Dense(19, "sigmoid")])
    expected = []
    for step in range(6):
        crops, truth, _ = draw(16, np.random.default_rng([0, 0, step]))
        said = network.predict_on_batch(crops)
        expected.append(-np.mean(truth * np.log(said) + (1 - truth) * np.log(1 - said)))
    history = fit_network(network, draw, replace(FEW, epochs=1, steps=6, learning_rate=1e-6))
    assert history.losses == pytest.approx([np.mean(expected)], rel=1e-4)
    assert expected[-1] != pytest.approx(np.mean(expected), rel=5e-4)


def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(tmp_path):
    whole = tiny()
    expected = fit_network(whole, draw, FEW, folder=tmp_path / "whole", validation=VALIDATION)

    def stop(done):
        if done > 0.6:
            message = "Stopped on request."
            raise Cancelled(message)

    with pytest.raises(Cancelled, match="Stopped on request"):
        fit_network(
            tiny(1), draw, FEW, folder=tmp_path / "cut", validation=VALIDATION, progress=stop
        )
    seen = []
    resumed = tiny(2)
    history = fit_network(
        resumed,
        draw,
        FEW,
        folder=tmp_path / "cut",
        validation=VALIDATION,
        on_epoch=lambda row: seen.append(row["epoch"]),
    )
    assert seen == [3, 4]
    assert len(history.losses) == 4
    again = tiny(1)
    fit_network(again, draw, FEW, validation=VALIDATION)
    np.testing.assert_allclose(weights(resumed), weights(again), atol=1e-5)
    assert np.abs(weights(whole) - weights(again)).max() > 1e-3
    assert set(expected.rows[0]) == set(history.rows[0])


def test_a_finished_run_is_only_loaded(tmp_path):
    first, second = tiny(), tiny(3)
    history = fit_network(first, draw, FEW, folder=tmp_path)
    again = fit_network(
        second, draw, FEW, folder=tmp_path, progress=lambda _: pytest.fail("A batch was learnt.")
    )
    assert again == history
    np.testing.assert_array_equal(weights(first), weights(second))


def test_history_and_logs_are_written(tmp_path):
    import tensorflow as tf

    history = fit_network(tiny(), draw, FEW, folder=tmp_path, validation=VALIDATION)
    with (tmp_path / "history.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert float(rows[2]["val_loss"]) == pytest.approx(history.rows[2]["val_loss"], rel=1e-4)
    logged = {}
    for path in sorted((tmp_path / "logs" / "validation").iterdir()):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            logged |= {(event.step, value.tag): value.simple_value for value in event.summary.value}
    assert logged[3, "epoch_loss"] == pytest.approx(history.rows[2]["val_loss"])
    assert (4, "epoch_hit_at_1") in logged


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate": 0.01}, r"made with learning_rate 0\.01; found .* learning_rate 0\.02"),
        ({"made_with": {"cells": 8}}, "made with cells 8; found one made with cells None"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(tmp_path, change, words):
    fit_network(tiny(), draw, replace(FEW, epochs=1), folder=tmp_path)
    made_with = change.pop("made_with", None)
    settings = replace(FEW, epochs=1, **change)
    with pytest.raises(InputError, match=words):
        fit_network(tiny(), draw, settings, folder=tmp_path, made_with=made_with)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    fit_network(tiny(), draw, replace(FEW, epochs=1), folder=tmp_path)
    path = tmp_path / "checkpoint" / "state.npz"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match=r"Expected a checkpoint .* Delete the folder"):
        fit_network(tiny(), draw, replace(FEW, epochs=1), folder=tmp_path)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    from keras import Sequential, layers

    fit_network(tiny(), draw, replace(FEW, epochs=1), folder=tmp_path)
    other = Sequential([layers.Input((4, 8, 8)), layers.Flatten(), layers.Dense(19, "sigmoid")])
    with pytest.raises(InputError, match="another network"):
        fit_network(other, draw, replace(FEW, epochs=1), folder=tmp_path)


def test_patience_stops_and_goes_back_to_the_best_epoch(tmp_path):
    crops, truth, counts = VALIDATION
    wrong = (crops, np.roll(truth, 1, axis=1), counts)  # what is learnt makes this worse
    settings = replace(FEW, epochs=20, patience=2)
    network = tiny()
    history = fit_network(network, draw, settings, folder=tmp_path, validation=wrong)
    assert history.stopped_early
    assert len(history.rows) == history.best_epoch + 2
    scores = network.evaluate(*wrong[:2], verbose=0, return_dict=True)
    assert scores["loss"] == pytest.approx(history.rows[history.best_epoch - 1]["val_loss"], 1e-3)
    reloaded = tiny(5)
    assert fit_network(reloaded, draw, settings, folder=tmp_path, validation=wrong) == history
    np.testing.assert_array_equal(weights(reloaded), weights(network))


def test_patience_needs_a_validation():
    with pytest.raises(SettingsError, match="patience: expected 0 without a validation; found 3"):
        fit_network(tiny(), draw, replace(FEW, patience=3))


def test_half_precision_learns_and_leaves_a_network_of_full_precision():
    network = tiny()
    half = replace(FEW, mixed_precision=True)
    history = fit_network(network, draw, half)
    exact = fit_network(tiny(), draw, FEW)
    assert history.losses != exact.losses
    assert history.losses == pytest.approx(exact.losses, rel=0.05)
    assert {layer.dtype_policy.name for layer in network.layers} == {"float32"}
    assert network.predict_on_batch(VALIDATION[0]).dtype == np.float32


def test_only_images_behind_a_convolution_are_computed_in_half_precision():
    network = tiny()
    with mixed_precision(network):
        policies = {type(layer).__name__: layer.dtype_policy.name for layer in network.layers}
    half = {name for name, policy in policies.items() if policy == "mixed_bfloat16"}
    assert half == {"Conv2D", "BatchNormalization", "Dropout"}


def test_curves_are_drawn_loss_first_with_the_epoch_that_is_kept(tmp_path):
    rows = [
        {
            "epoch": n,
            "loss": 1 / n,
            "hit_at_1": 0.5,
            "val_loss": v,
            "val_hit_at_1": 0.4,
            "seconds": n,
        }
        for n, v in ((1, 0.9), (2, 0.5), (3, 0.7))
    ]
    history = FitHistory(tuple(rows), 9, early_stopping=True)
    assert (history.best_epoch, history.stopped_early, history.seconds) == (2, True, 3)
    figure = draw_history(history, tmp_path / "history.png")
    assert [axes.get_title() for axes in figure.axes] == [
        "Loss",
        "Top class is right (share of cells)",
    ]
    loss = figure.axes[0].lines
    np.testing.assert_allclose(loss[0].get_ydata(), [1, 0.5, 1 / 3])
    np.testing.assert_allclose(loss[1].get_ydata(), [0.9, 0.5, 0.7])
    assert list(loss[2].get_xdata()) == [2, 2]
    assert (tmp_path / "history.png").stat().st_size > 1000


def test_an_error_of_drawing_comes_through_as_it_is():
    def broken(size, rng):
        message = "Expected cells; found none."
        raise InputError(message)

    with pytest.raises(InputError, match="Expected cells; found none"):
        fit_network(tiny(), broken, FEW)


def test_a_loss_that_is_no_number_is_told():
    def bad(size, rng):
        crops, truth, counts = draw(size, rng)
        return crops * np.float32(np.nan), truth, counts

    with pytest.raises(StepError, match=r"no longer a number in epoch 1.* lower learning rate"):
        fit_network(tiny(), bad, FEW)


def test_cells_without_weight_teach_nothing():
    def half(size, rng):
        crops, truth, counts = draw(size, rng)
        wrong = rng.random(size) < 0.7
        truth[wrong] = np.roll(truth[wrong], 1, axis=1)
        counts[wrong] = 0
        return crops, truth, counts

    network = tiny()
    fit_network(network, half, replace(FEW, epochs=12))
    said = network.predict_on_batch(VALIDATION[0])
    assert (said.argmax(axis=1) == VALIDATION[1].argmax(axis=1)).mean() > 0.95


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"objective": "hinge"}, "objective: expected one of binary"), ({"ema": 1.0}, "ema: expec")],
)
def test_settings_out_of_range_are_refused(setting, words):
    with pytest.raises(SettingsError, match=words):
        FitSettings(**setting)


def test_a_short_run_forgets_faster():
    assert FitSettings(epochs=1, steps=5).memory == 0
    assert FitSettings(epochs=2, steps=50).memory == pytest.approx(0.9)
    assert FitSettings(epochs=100, steps=100).memory == 0.995
