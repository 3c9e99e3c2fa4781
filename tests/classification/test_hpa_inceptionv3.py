"""bestfitting's network: its crops, its batches, and files that are something else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from organelle_widgets import weights
from organelle_widgets.classification import make_classifier
from organelle_widgets.classification.hpa_inceptionv3 import INCEPTION_WEIGHTS, HpaInceptionV3
from organelle_widgets.errors import ClassificationError, WeightsError

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

FILE = weights.catalogue()[INCEPTION_WEIGHTS].file_name


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A place for a network that the backend takes."""
    monkeypatch.setattr(weights, "locate", lambda name: tmp_path / FILE)
    return tmp_path / FILE


def toy_answer(crops):
    """What the toy network gives, by NumPy."""
    rng = np.random.default_rng(5)
    means = crops.mean(axis=(2, 3))
    logits = means @ rng.normal(0, 9, (4, 19)).astype(np.float32)
    return 1 / (1 + np.exp(-logits)), means @ rng.normal(0, 9, (4, 2048)).astype(np.float32)


def test_classes_and_features_are_the_network_s(toys, disc_field, disc_masks):
    answers = HpaInceptionV3().answer(disc_field, disc_masks)
    crops = HpaInceptionV3()._cutter(disc_field, disc_masks).cut(disc_masks.cell_ids)
    classes, features = toy_answer(crops)
    np.testing.assert_allclose(answers.probabilities, classes, atol=1e-5)
    np.testing.assert_allclose(answers.embedding, features, atol=1e-4)
    assert answers.own_probabilities is None


@pytest.mark.parametrize("batch", [1, 2])
def test_a_network_of_fixed_batch_gives_the_same(
    toys, make_onnx, batch, tmp_path, monkeypatch, disc_field, disc_masks
):
    expected = HpaInceptionV3().classify(disc_field, disc_masks)
    make_onnx(tmp_path / FILE, batch)
    monkeypatch.setattr(weights, "locate", lambda name: tmp_path / FILE)
    found = HpaInceptionV3().classify(disc_field, disc_masks)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_cells_are_cut_as_published(disc_field, disc_masks):
    crops = HpaInceptionV3()._cutter(disc_field, disc_masks).cut([2, 5])
    assert crops.shape == (2, 4, 128, 128)
    rows = np.flatnonzero(crops[0, 0].max(axis=1))
    assert 8 <= rows[0] <= 10  # 5 px of 0.32 um beside 63 px of cell, stretched to 128
    assert 117 <= rows[-1] <= 119
    brightest = (disc_field.pixels * (disc_masks.cells == 2)).max(axis=(1, 2)) / 255
    np.testing.assert_allclose(crops[0].max(axis=(1, 2)), brightest, atol=0.08)


def test_grey_values_are_shares_of_the_file_s_type(disc_field, disc_masks):
    wide = dataclasses.replace(disc_field, pixels=disc_field.pixels.astype(np.uint16) * 257)
    cutters = [HpaInceptionV3()._cutter(field, disc_masks) for field in (disc_field, wide)]
    np.testing.assert_allclose(cutters[0].cut([2]), cutters[1].cut([2]), atol=1e-5)


def test_missing_weights_are_told_with_what_is_known_of_their_licence(
    tmp_path, monkeypatch, disc_field, disc_masks
):
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="models download hpa-inceptionv3") as caught:
        make_classifier("hpa_inceptionv3").answer(disc_field, disc_masks)
    assert caught.value.weights == INCEPTION_WEIGHTS
    assert "not stated" in weights.catalogue()[INCEPTION_WEIGHTS].licence
    assert make_classifier("hpa_inceptionv3").provenance()["weights"] == {}


def test_a_file_that_is_no_network_is_refused(own, disc_field, disc_masks):
    own.write_bytes(b"PK nothing of the kind")
    with pytest.raises(WeightsError, match=f"Expected a network in ONNX; {FILE} is damaged"):
        HpaInceptionV3().classify(disc_field, disc_masks)


def test_a_network_of_other_outputs_is_refused(own, make_onnx, disc_field, disc_masks):
    import onnx

    make_onnx(own)
    model = onnx.load(own)
    del model.graph.output[1]
    onnx.save(model, own)
    with pytest.raises(
        WeightsError, match=r"outputs classes and features; .* has image and classes"
    ):
        HpaInceptionV3().classify(disc_field, disc_masks)


def test_another_number_of_classes_is_refused(own, make_onnx, disc_field, disc_masks):
    make_onnx(own, n_classes=28)
    with pytest.raises(ClassificationError, match=r"Expected 19 classes .* found \(3, 28\)"):
        HpaInceptionV3().classify(disc_field, disc_masks)


def test_an_error_of_onnxruntime_is_told(toys):
    with pytest.raises(ClassificationError, match="from onnxruntime for 1 cells; found an error"):
        HpaInceptionV3()._predict(np.zeros((1, 3, 128, 128), np.float32))


def test_provenance_names_the_weights(toys):
    assert HpaInceptionV3().provenance()["weights"] == {
        INCEPTION_WEIGHTS: f"sum of {INCEPTION_WEIGHTS}"
    }
