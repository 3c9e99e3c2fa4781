"""Training the segmenter: a run leaves weights that work, can be stopped and taken up, and scores what it left out."""

import json

import numpy as np
import pytest
import torch

from organelle_widgets.core.settings import SettingsError
from organelle_widgets.errors import InputError
from organelle_widgets.segmentation._networks.small_unet import SmallUNet
from organelle_widgets.segmentation.unet import UNet
from organelle_widgets.synthetic import virtual_field
from organelle_widgets.training import train_segmenter
from organelle_widgets.training.scene_batches import SceneMixture
from organelle_widgets.training.scene_fit import FitSettings, fit_segmenter, segmentation_loss
from organelle_widgets.training.scenes import make_scene
from organelle_widgets.training.segmenter_card import write_segmenter_card


@pytest.fixture(scope="module")
def mixture():
    drawn = virtual_field((128, 128), seed=2, pixel_size_um=0.32)
    planes = drawn.field.pixels[[0, 2, 3]].astype(np.float32) / 255
    scene = make_scene("virtual", np.sqrt(planes), drawn.masks.nuclei, drawn.masks.cells)
    return SceneMixture({"virtual": [scene]}, {"virtual": 1})


def fresh():
    torch.manual_seed(7)
    return SmallUNet(widths=(8, 12))


def stop_after(share):
    def progress(done):
        if done > share:
            raise KeyboardInterrupt

    return progress


def test_a_fit_that_was_stopped_goes_on_as_if_it_had_not_been(mixture, tmp_path, monkeypatch):
    monkeypatch.setattr("organelle_widgets.training.scene_fit._SAVE_EVERY", 2)
    settings = FitSettings(steps=6, batch_size=2, side=64)
    whole = fit_segmenter(fresh(), mixture, settings)
    path = tmp_path / "fit.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit_segmenter(fresh(), mixture, settings, checkpoint=path, progress=stop_after(0.6))
    resumed = fit_segmenter(fresh(), mixture, settings, checkpoint=path)
    assert np.allclose(whole.losses, resumed.losses)
    pairs = zip(whole.network.parameters(), resumed.network.parameters(), strict=True)
    for one, other in pairs:
        assert torch.allclose(one, other, atol=1e-5)


def test_a_checkpoint_of_other_settings_is_refused(mixture, tmp_path):
    path = tmp_path / "fit.checkpoint"
    fit_segmenter(fresh(), mixture, FitSettings(steps=1, batch_size=1, side=64), checkpoint=path)
    with pytest.raises(InputError, match="'seed': 1"):
        fit_segmenter(
            fresh(), mixture, FitSettings(steps=1, batch_size=1, side=64, seed=1), checkpoint=path
        )


def test_fitting_lowers_the_loss(mixture, monkeypatch):
    monkeypatch.setattr("organelle_widgets.training.scene_fit._SAVE_EVERY", 10)
    settings = FitSettings(steps=40, batch_size=2, side=64)
    losses = fit_segmenter(fresh(), mixture, settings).losses
    assert losses[-1] < 0.9 * losses[0]


def test_what_is_not_known_does_not_count():
    logits, truth = torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 8, 8)
    known = torch.tensor([True, True, False, False]).view(1, 4, 1, 1)
    before = segmentation_loss(logits, truth, known)
    logits[:, 2:] = 9
    assert torch.equal(segmentation_loss(logits, truth, known), before)
    logits[:, 0] = 9
    assert segmentation_loss(logits, truth, known) > before


def test_a_run_on_virtual_fields_leaves_weights_and_a_card(tmp_path):
    done = []
    report = train_segmenter(
        None, tmp_path, steps=2, batch_size=1, virtual_fields=1, progress=done.append
    )
    assert done == sorted(done)
    assert done[-1] == 1
    card = json.loads((tmp_path / "unet.json").read_text(encoding="utf-8"))
    assert card["images"] == "None: all fields are virtual."
    assert card["training"]["n_scenes"] == {"virtual": 1, "masked": 0}
    assert report["scores"] == {}
    field = virtual_field((96, 96), seed=1, pixel_size_um=0.32).field
    assert UNet(weights=report["weights"]).segment(field).shape == (96, 96)


@pytest.mark.parametrize(
    ("scores", "words", "others"),
    [({"nuclei": {}}, "nuclei: every tenth", "cells:"), ({"cells": {}}, "cells: each", "nuclei:")],
)
def test_the_card_tells_the_split_of_what_was_scored_alone(tmp_path, scores, words, others):
    training = {"n_scenes": {"nuclei": 3}}
    path = write_segmenter_card(tmp_path / "x.safetensors", "0", (8,), training, scores, real=True)
    split = json.loads(path.read_text(encoding="utf-8"))["split"]
    assert split.startswith(words)
    assert others not in split


def test_a_side_that_the_network_cannot_take_is_refused():
    with pytest.raises(SettingsError, match="side: expected a multiple of 32; found 100"):
        FitSettings(side=100)


def test_settings_of_training_are_checked(tmp_path):
    with pytest.raises(SettingsError, match="steps"):
        train_segmenter(None, tmp_path, steps=0)


@pytest.mark.data
def test_each_field_is_scored_by_a_network_that_left_it_out(data, tmp_path, monkeypatch):
    """Two of the real fields with masks, a few steps: the structure of the run, not its quality."""
    import shutil

    rows = (data / "fields.csv").read_text(encoding="utf-8").splitlines()
    chosen = [row for row in rows if ",fields," in row and ("a34d8680" in row or "b6a469d8" in row)]
    root = tmp_path / "data"
    (root / "fields").mkdir(parents=True)
    (root / "fields.csv").write_text("\n".join([rows[0], *chosen]) + "\n", encoding="utf-8")
    for row in chosen:
        for path in (data / "fields").glob(f"{row.split(',')[0]}*"):
            shutil.copy(path, root / "fields")
    left_out = []
    from organelle_widgets.training import segmenter

    real = segmenter.masked_scenes
    monkeypatch.setattr(
        segmenter, "masked_scenes", lambda d, w: left_out.append(list(w)) or real(d, w)
    )
    report = train_segmenter(
        root, tmp_path / "out", steps=1, tuning_steps=1, batch_size=1, virtual_fields=1
    )
    ids = [row.split(",")[0] for row in chosen]
    assert sorted(map(tuple, left_out)) == sorted([(ids[0],), (ids[1],), ()])
    assert [f["id"] for f in report["scores"]["cells"]["fields"]] == ids
    assert "never saw" in json.loads((tmp_path / "out" / "unet.json").read_text("utf-8"))["split"]


def test_a_checkpoint_of_other_scenes_is_refused(mixture, tmp_path):
    path, settings = tmp_path / "fit.checkpoint", FitSettings(steps=1, batch_size=1, side=64)
    fit_segmenter(fresh(), mixture, settings, checkpoint=path)
    (scene,) = mixture.kinds["virtual"]
    more = SceneMixture({"virtual": [scene, scene]}, {"virtual": 1})
    with pytest.raises(InputError, match=r"virtual scenes.*'2, .*found.*'1, "):
        fit_segmenter(fresh(), more, settings, checkpoint=path)
