from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from organelle_widgets.classification import make_classifier
from organelle_widgets.errors import InputError
from organelle_widgets.synthetic import virtual_field, write_sample
from organelle_widgets.training import held_out, train_embedded
from organelle_widgets.training.calibration import fit_calibration
from organelle_widgets.training.finish import fit_neighbourhood

pytestmark = pytest.mark.filterwarnings(  # Keras reading TensorFlow's variables with NumPy 2
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
FEW = {
    **{"simulated": 12, "virtual_fields": 1, "varied": 3, "folds": 2, "batch_size": 4},
    **{"base_epochs": 1, "base_steps": 2, "tuning_epochs": 1, "tuning_steps": 2},
}


def test_calibration_mends_what_was_stretched_and_shifted():
    rng = np.random.default_rng(0)
    right = rng.normal(-1, 2, (4000, 19))
    truth = rng.random(right.shape) < 1 / (1 + np.exp(-right))
    found = fit_calibration(3 * right + 2, truth, np.arange(4000))
    np.testing.assert_allclose(found.slope, 1 / 3, atol=0.05)
    np.testing.assert_allclose(found.offset, -2 / 3, atol=0.15)
    said = found(3 * right + 2)
    assert abs(said.mean() - truth.mean()) < 0.01


def test_a_class_without_fields_leans_on_the_others():
    rng = np.random.default_rng(0)
    right = rng.normal(-1, 2, (600, 19))
    truth = rng.random(right.shape) < 1 / (1 + np.exp(-right))
    truth[:, 4] = False
    found = fit_calibration(right, truth, np.repeat(np.arange(30), 20))
    assert found.slope.min() > 0
    said = found(right).mean(axis=0)
    assert 0 < said[4] < np.delete(said, 4).min()
    assert np.isfinite(found.offset).all()


def test_strangeness_is_one_at_the_edge_of_what_is_known():
    rng = np.random.default_rng(0)
    known = rng.normal(0, 1, (2000, 30)).astype(np.float32)
    place = fit_neighbourhood(known, rng.normal(0, 1, (2000, 30)).astype(np.float32))
    assert 0.97 < (place.strangeness(rng.normal(0, 1, (2000, 30))) <= 1).mean() <= 1
    assert (place.strangeness(known + 30) > 1).all()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data, out = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("run")
    write_sample(data, n_fields=7, seed=1, shape=(128, 128), pixel_size_um=0.32)
    return data, out, train_embedded(data, out, **FEW)


@pytest.mark.tensorflow
def test_all_stages_leave_weights_that_answer(run):
    _, out, report = run
    assert {p.name for p in out.iterdir()} >= {"base", "fold-0", "fold-1", "twin", "final"}
    card = json.loads(Path(report["card"]).read_text(encoding="utf-8"))
    assert card["scores"]["fields"]["n_fields"] == report["scores"]["fields"]["n_fields"] > 0
    assert card["training"]["n_cells"]["simulated"] == 12
    assert "twin" in card["split"]
    drawn = virtual_field((128, 128), seed=9, pixel_size_um=0.32)
    said = make_classifier("organelle", weights=report["weights"]).answer(drawn.field, drawn.masks)
    assert said.embedding.shape == (len(said), 192)
    assert said.strangeness.min() >= 0


@pytest.mark.tensorflow
def test_a_second_call_goes_on_and_ends_with_the_same_network(run, tmp_path):
    data, out, report = run
    again = train_embedded(data, out, **FEW)
    drawn = virtual_field((128, 128), seed=9, pixel_size_um=0.32)
    first, second = (
        make_classifier("organelle", weights=weights).classify(drawn.field, drawn.masks)
        for weights in (report["weights"], again["weights"])
    )
    np.testing.assert_allclose(first, second, atol=1e-5)
    with pytest.raises(
        InputError, match="made with simulated 14; found one made with simulated 12"
    ):
        train_embedded(data, out, **{**FEW, "simulated": 14})


def test_held_out_fields_are_fixed_by_their_names():
    assert held_out("57_F11_1") == held_out("57_F11_2")
    assert not any(held_out(str(n), 0.0) for n in range(50))
    assert 0.25 < np.mean([held_out(f"field {n}") for n in range(500)]) < 0.55
