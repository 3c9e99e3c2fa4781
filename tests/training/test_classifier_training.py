"""Whole runs in seconds: what they leave in their folder, that they go on, start from weights, and load."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from organelle_widgets.classification import make_classifier
from organelle_widgets.errors import ExportError, InputError, SettingsError, WeightsError
from organelle_widgets.synthetic import write_sample
from organelle_widgets.training import train_classifier
from organelle_widgets.training.finish import trainable

pytestmark = pytest.mark.filterwarnings(  # Keras reading TensorFlow's variables with NumPy 2
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
FEW = {
    "epochs": 2,
    "steps": 2,
    "batch_size": 4,
    "virtual_fields": 1,
    "simulated": 8,
    "varied": 8,
    "segmenter": "watershed",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, n_fields=5, seed=1, shape=(160, 160), pixel_size_um=0.32)
    return folder


@pytest.fixture(scope="module")
def run(sample, tmp_path_factory):
    """One run, and what it told."""
    folder, done, epochs = tmp_path_factory.mktemp("run"), [], []
    report = train_classifier(
        sample, folder, progress=done.append, on_epoch=epochs.append, provenance="hpa", **FEW
    )
    return folder, report, done, epochs


@pytest.mark.tensorflow
def test_a_run_leaves_all_that_tells_of_it(run):
    folder, report, done, epochs = run
    assert {path.name for path in folder.iterdir()} >= {
        *("config.json", "history.csv", "history.png", "checkpoint", "logs"),
        *("classifier.keras", "classifier.json"),
    }
    assert done == sorted(done)
    assert done[-1] == 1
    assert [row["epoch"] for row in epochs] == [1, 2]
    with (folder / "history.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"]["epochs"] == 2
    assert config["start"] == "scratch"
    assert str(folder) not in json.dumps(config)
    assert report["n_cells"]["simulated"] == 8
    assert report["n_fields"]["tuning"] == 1


@pytest.mark.tensorflow
def test_the_card_tells_whose_images_and_which_scores(run):
    folder, report, *_ = run
    card = json.loads((folder / "classifier.json").read_text())
    assert card["licence"] == "CC BY-SA"
    assert card["scores"]["fields"]["n_fields"] == report["scores"]["fields"]["n_fields"] >= 1
    assert card["training"]["settings"]["objective"] == "binary"
    assert card["output"] == "19 independent probabilities (sigmoid)"
    assert card["calibration"] is None  # one field for tuning is too few


@pytest.mark.tensorflow
def test_what_was_trained_is_a_classifier(run, disc_field, disc_masks):
    trained = make_classifier("organelle", weights=run[1]["weights"])
    answers = trained.answer(disc_field, disc_masks)
    assert answers.probabilities.shape == (3, 19)
    assert answers.strangeness.shape == (3,)


@pytest.mark.tensorflow
def test_the_same_call_goes_on_and_another_is_refused(run, sample, tmp_path):
    folder, report, *_ = run
    shutil.copytree(folder, tmp_path / "again")
    epochs = []
    again = train_classifier(
        sample, tmp_path / "again", on_epoch=epochs.append, provenance="hpa", **FEW
    )
    assert epochs == []  # all were done
    assert again["history"] == report["history"]
    assert again["scores"]["fields"]["field_top3"] == report["scores"]["fields"]["field_top3"]
    with pytest.raises(InputError, match=r"made with .*learning_rate 0\.01; found"):
        train_classifier(sample, tmp_path / "again", learning_rate=0.01, **FEW)
    config = json.loads((tmp_path / "again" / "config.json").read_text())
    assert config["settings"]["learning_rate"] == report["settings"]["learning_rate"]


@pytest.mark.tensorflow
def test_a_trained_network_is_trained_further_on_labels_of_cells(run, sample, tmp_path):
    few = {**FEW, "epochs": 1, "steps": 1, "learning_rate": 1e-6, "simulated": 0, "varied": 0}
    few["virtual_fields"] = 0
    report = train_classifier(
        sample, tmp_path, start=run[1]["weights"], labels="cells.csv", patience=1, **few
    )
    card = json.loads((tmp_path / "classifier.json").read_text())
    assert card["started_from"]["weights"] == "classifier.keras"
    assert card["images"].startswith("Images given by the user")
    assert set(report["scores"]) == {"cells"}
    assert set(report["n_cells"]) == {"real", "tuning"}
    assert report["best_epoch"] == 1
    before, after = (trainable(Path(r["weights"])) for r in (run[1], report))
    for one, other in zip(before.trainable_variables, after.trainable_variables, strict=True):
        np.testing.assert_allclose(one.value.numpy(), other.value.numpy(), atol=1e-4)


@pytest.mark.tensorflow
def test_virtual_cells_alone_with_one_class_a_cell(tmp_path, disc_field, disc_masks):
    report = train_classifier(
        None,
        tmp_path,
        objective="categorical",
        epochs=1,
        steps=1,
        batch_size=2,
        virtual_fields=1,
        mixed_precision=True,
    )
    assert set(report["n_cells"]) == {"virtual"}
    assert report["scores"] == {}
    assert "categorical_accuracy" in report["history"][0]
    card = json.loads((tmp_path / "classifier.json").read_text())
    assert "licence" not in card
    assert "virtual" in card["images"]
    assert "sum to 1" in card["output"]
    said = make_classifier("organelle", weights=report["weights"]).classify(disc_field, disc_masks)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-4)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"epochs": 0}, "epochs: expected 1 to inf; found 0"),
        ({"validation_fraction": 1.0}, "validation_fraction: expected 0 to 0.9; found 1"),
        ({"virtual_fields": 0}, "virtual_fields: expected 1 or more without labelled fields"),
        ({"objective": "none"}, "objective: expected one of binary, focal"),
        ({"virtual_fields": 2, "patience": 3}, "patience: expected 0, as none of 2 fields is left"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, numbers, text):
    with pytest.raises(SettingsError, match=text):
        train_classifier(None, tmp_path, **numbers)


def test_labels_without_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="a folder of images with the table of labels"):
        train_classifier(None, tmp_path, labels="x.csv")


@pytest.mark.tensorflow
def test_weights_that_are_not_there_are_told(sample, tmp_path):
    with pytest.raises(WeightsError, match=r"Expected a model card at .*absent\.json"):
        train_classifier(sample, tmp_path, start=tmp_path / "absent.keras", **FEW)


def test_a_folder_that_can_not_be_used_is_found_before_the_work(sample, tmp_path, monkeypatch):
    def too_late(*_, **__):
        pytest.fail("The work has begun.")

    monkeypatch.setattr("organelle_widgets.training.classifier.collect_lessons", too_late)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError, match="Can't write to the folder"):
        train_classifier(sample, tmp_path / "file")
    with pytest.raises(InputError, match="Expected a folder with labelled images"):
        train_classifier(tmp_path / "absent", tmp_path / "out")
