"""A Keras model of a person's own: what goes in and out, and clear words where it doesn't fit."""

from __future__ import annotations

import json
import shutil
import warnings

import numpy as np
import pytest

from organelle_widgets.classification import make_classifier
from organelle_widgets.classification._keras_card import read_model_card
from organelle_widgets.classification.keras_file import MODEL_VARIABLE, KerasFile
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.errors import ClassificationError, WeightsError

pytestmark = pytest.mark.tensorflow

CARD = {
    "classes": ["Nucleoplasm", "Cytosol"],
    "channels": ["green"],
    "size_px": 8,
    "output": "sigmoid",
}


@pytest.fixture
def mine(toy_model, tmp_path):
    """A copy of the toy model, and a function that changes its card."""
    path = tmp_path / "mine.keras"
    shutil.copy(toy_model, path)

    def change(**entries):
        card = {**json.loads(toy_model.with_suffix(".json").read_text()), **entries}
        card = {key: value for key, value in card.items() if value != "gone"}
        path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
        return KerasFile(str(path))

    return change


def test_own_classes_are_kept_and_mapped(mine, disc_field, disc_masks):
    answers = mine().answer(disc_field, disc_masks)
    assert answers.own_classes == ("Nucleoplasm", "Golgi", "Peroxisomes", "Lysosomes", "Debris")
    own = answers.own_probabilities
    np.testing.assert_allclose(own.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(answers.probabilities[:, [0, 7]], own[:, :2])
    np.testing.assert_array_equal(answers.probabilities[:, 17], own[:, 2:4].max(axis=1))
    assert not np.delete(answers.probabilities, [0, 7, 17], axis=1).any()
    assert np.flatnonzero(mine().known_classes()).tolist() == [0, 7, 17]


def test_channels_come_in_the_card_s_order(mine, disc_field, disc_masks):
    said = mine().classify(disc_field, disc_masks)
    swapped = mine(channels=["green", "blue"]).classify(disc_field, disc_masks)
    assert np.abs(said - swapped).max() > 1e-3


def test_channels_first_gives_the_same_as_channels_last(
    mine, make_keras, tmp_path, disc_field, disc_masks
):
    expected = mine().classify(disc_field, disc_masks)
    make_keras(tmp_path / "mine.keras", (2, 32, 32), 5, "softmax")
    found = mine(layout="channels_first").classify(disc_field, disc_masks)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_19_in_their_order_are_not_shown_twice(
    mine, make_keras, tmp_path, disc_field, disc_masks
):
    make_keras(tmp_path / "mine.keras", (32, 32, 2), 19, "sigmoid")
    answers = mine(classes=list(CLASS_NAMES), output="sigmoid").answer(disc_field, disc_masks)
    assert answers.own_probabilities is None
    assert len(np.unique(answers.probabilities)) > 19


def test_the_sigmoid_of_logits_is_taken(mine, make_keras, tmp_path, disc_field, disc_masks):
    make_keras(tmp_path / "mine.keras", (32, 32, 2), 5, None)
    logits = mine(output="logits").classify(disc_field, disc_masks)
    make_keras(tmp_path / "mine.keras", (32, 32, 2), 5, "sigmoid")
    sigmoid = mine(output="sigmoid").classify(disc_field, disc_masks)
    np.testing.assert_allclose(logits, sigmoid, atol=1e-5)


def test_more_cells_than_a_batch(mine, disc_field):
    judge = mine()
    crops = np.random.default_rng(0).random((70, 2, 32, 32)).astype(np.float32)
    together = judge._predict(crops)
    np.testing.assert_allclose(judge._predict(crops[40:41])[0], together[40], atol=1e-6)


def test_the_model_is_named_by_path_or_environment(mine, toy_model, monkeypatch):
    monkeypatch.setenv(MODEL_VARIABLE, str(toy_model))
    assert make_classifier("keras_file").path == toy_model
    assert make_classifier("elsewhere.keras").path.name == "elsewhere.keras"
    monkeypatch.delenv(MODEL_VARIABLE)
    with pytest.raises(WeightsError, match=f"path of a .keras file; found none.*{MODEL_VARIABLE}"):
        make_classifier("keras_file").check_ready()
    assert make_classifier("keras_file").provenance()["weights"] == {}


def test_provenance_names_model_and_card(mine):
    sums = mine().provenance()["weights"]
    assert set(sums) == {"mine.keras", "mine.json"}
    assert all(len(value) == 64 for value in sums.values())


def test_a_changed_model_is_opened_anew(mine, make_keras, tmp_path, disc_field, disc_masks):
    before = mine().classify(disc_field, disc_masks)
    make_keras(tmp_path / "mine.keras", (32, 32, 2), 5, "sigmoid")
    after = mine(output="sigmoid").classify(disc_field, disc_masks)
    assert np.abs(before - after).max() > 1e-3


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"size_px": 64}, r"crops of shape \(64, 64, 2\), as its JSON says; .* \(32, 32, 2\)"),
        ({"channels": ["red", "green", "blue"]}, r"crops of shape \(32, 32, 3\)"),
        ({"layout": "channels_first"}, r"crops of shape \(2, 32, 32\)"),
        (
            {"classes": ["Cytosol", "Actin"]},
            "2 outputs, one for each of the JSON's classes; .* gives 5",
        ),
    ],
)
def test_a_model_that_does_not_fit_its_card_is_refused(mine, disc_field, disc_masks, entries, text):
    with pytest.raises(WeightsError, match=text):
        mine(**entries).classify(disc_field, disc_masks)


@pytest.mark.parametrize(
    ("last", "output", "text"),
    [
        (None, "sigmoid", r'found -?\d.* to .*Say "output": "logits"'),
        ("sigmoid", "softmax", r'add up to 1 .* found sums from .*Say "output": "sigmoid"'),
    ],
)
def test_numbers_that_are_no_probabilities_are_refused(
    mine, make_keras, tmp_path, disc_field, disc_masks, last, output, text
):
    make_keras(tmp_path / "mine.keras", (32, 32, 2), 5, last)
    with pytest.raises(ClassificationError, match=text):
        mine(output=output).classify(disc_field, disc_masks)


def test_a_lambda_layer_is_refused(mine, tmp_path, disc_field, disc_masks):
    import keras

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Keras as it saves
        layers = [keras.Input((32, 32, 2)), keras.layers.Lambda(lambda x: x * 2)]
        keras.Sequential(layers).save(tmp_path / "mine.keras")
    with pytest.raises(WeightsError, match="not opened: it has a Lambda layer") as caught:
        mine().classify(disc_field, disc_masks)
    assert "safe_mode" not in str(caught.value)


def test_code_of_one_s_own_is_refused(mine, tmp_path, disc_field, disc_masks):
    import keras

    class Doubled(keras.layers.Layer):
        def call(self, x):
            return x * 2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Keras as it saves
        keras.Sequential([keras.Input((32, 32, 2)), Doubled()]).save(tmp_path / "mine.keras")
    with pytest.raises(WeightsError, match="layer or a function that Keras does not know"):
        mine().classify(disc_field, disc_masks)


def test_a_model_of_several_inputs_is_refused(mine, tmp_path, disc_field, disc_masks):
    import keras

    ends = [keras.Input((32, 32, 2)), keras.Input((32, 32, 2))]
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()(ends))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Keras as it saves
        keras.Model(ends, pooled).save(tmp_path / "mine.keras")
    with pytest.raises(
        WeightsError, match=r"one input of images and one output a class; mine\.keras"
    ):
        mine().classify(disc_field, disc_masks)


def test_files_that_are_no_model_are_told(mine, tmp_path, disc_field, disc_masks):
    (tmp_path / "mine.keras").write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsError, match=r"mine\.keras is damaged or something else"):
        mine().classify(disc_field, disc_masks)
    (tmp_path / "mine.keras").unlink()
    with pytest.raises(
        WeightsError, match=r"Expected a Keras model at .*mine\.keras; found no file"
    ):
        mine().classify(disc_field, disc_masks)


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_a_missing_or_broken_card_is_told(mine, tmp_path, disc_field, disc_masks, content):
    judge = mine()
    card = tmp_path / "mine.json"
    card.unlink() if content is None else card.write_text(content)
    with pytest.raises(WeightsError, match=r"mine\.json.*(found none that can be read|no object)"):
        judge.classify(disc_field, disc_masks)


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"classes": ["Cytosol", "Foo"]}, 'Foo is none of the 19 .*"Foo": null'),
        ({"classes": ["Cytosol", "Cytosol"]}, "each name once; found Cytosol"),
        ({"classes": "Cytosol"}, "classes: expected a list of names; found 'Cytosol'"),
        ({"maps_to": {"Foo": "Golgi"}}, "one of the 19 names or null; found 'Golgi'"),
        ({"maps_to": ["Foo"]}, "maps_to: expected an object"),
        ({"channels": ["green", "pink"]}, "red, green, blue or yellow; found 'pink'"),
        ({"channels": []}, r"channels: expected a list .*; found \[\]"),
        ({"size_px": 7}, "size_px: expected a whole number of at least 8; found 7"),
        ({"size_px": 32.5}, "size_px: .* found 32.5"),
        ({"pixel_size_um": 0}, "pixel_size_um: expected a number above 0, or null; found 0"),
        ({"margin_um": -1}, "margin_um: expected a number of at least 0; found -1"),
        ({"masked": "yes"}, "masked: expected true or false; found 'yes'"),
        ({"scaling": "loud"}, "scaling: expected one of field.*; found 'loud'"),
        ({"output": "tanh"}, "output: expected one of sigmoid.*; found 'tanh'"),
        ({"layout": "last"}, "layout: expected one of channels_last.*; found 'last'"),
        ({"colour": 1}, "unknown entries: colour"),
    ],
)
def test_all_that_is_wrong_with_a_card_is_told(tmp_path, entries, text):
    (tmp_path / "a.json").write_text(json.dumps({**CARD, **entries}))
    with pytest.raises(WeightsError, match=text):
        read_model_card(tmp_path / "a.keras")


def test_several_problems_are_told_at_once(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"size_px": 1, "output": "x"}))
    with pytest.raises(WeightsError, match=r"lacks classes, channels.*size_px: .*output: "):
        read_model_card(tmp_path / "a.keras")


def test_a_card_without_a_scale_asks_for_stretched_boxes(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({**CARD, "margin_um": 2, "masked": False}))
    rule = read_model_card(tmp_path / "a.keras").rule
    assert (rule.extent_um, rule.margin_um, rule.masked, rule.channels) == (None, 2, False, (1,))
    (tmp_path / "a.json").write_text(json.dumps({**CARD, "pixel_size_um": 0.5}))
    assert read_model_card(tmp_path / "a.keras").rule.extent_um == 4
