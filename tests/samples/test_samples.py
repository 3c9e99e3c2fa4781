"""The samples that come along are what the pipeline gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from organelle_widgets import analyze_field, samples
from organelle_widgets.classification import make_classifier
from organelle_widgets.errors import InputError
from organelle_widgets.synthetic import virtual_field

KEYS = [sample.key for sample in samples.SAMPLES]


def test_every_sample_is_there_with_a_picture() -> None:
    listed = samples.list_samples()
    assert [sample.key for sample in listed] == KEYS
    assert all(sample.thumb.startswith("data:image/jpeg;base64,") for sample in listed)
    assert all(len(sample.thumb) < 8000 for sample in listed)


@pytest.mark.parametrize("key", KEYS)
def test_a_sample_holds_cells_and_says_that_it_is_virtual(key: str) -> None:
    result = samples.load_sample(key)
    assert result.n_cells >= 8
    assert result.field.pixel_size_source == "metadata"
    assert any("virtual" in note for note in result.field.notes)
    assert set(result.timings) >= {"segmentation", "classification", "result"}


@pytest.mark.parametrize("key", KEYS)
def test_a_sample_has_its_quality_and_nothing_to_warn_of(key: str) -> None:
    result = samples.load_sample(key)
    assert result.quality is not None
    assert result.quality.n_cells == result.n_cells
    assert result.warnings == ()


@pytest.mark.tensorflow
@pytest.mark.parametrize("key", KEYS)
def test_the_stored_result_is_what_the_pipeline_gives_now(key: str) -> None:
    stored = samples.load_sample(key)
    now = analyze_field(stored.field)
    assert np.array_equal(now.masks.cells, stored.masks.cells)
    assert np.abs(now.probabilities - stored.probabilities).max() < 2e-3
    assert np.abs(now.answers.strangeness - stored.answers.strangeness).max() < 2e-3
    weights = make_classifier("organelle").provenance()["weights"]
    assert stored.provenance["classifier"]["weights"] == weights


def test_the_stored_field_is_what_the_generator_draws_now() -> None:
    sample = samples.SAMPLES[0]
    drawn = virtual_field(
        (1024, 1024), seed=sample.seed, classes=list(sample.classes), pixel_size_um=0.16
    )
    stored = samples.load_sample(sample.key).field
    difference = np.abs(drawn.field.pixels.astype(int) - stored.pixels.astype(int))
    assert np.mean(difference > 2) < 0.001


def test_the_first_sample_is_answered_right() -> None:
    result = samples.load_sample(KEYS[0])
    assert 7 in result.predict().classes


def test_unknown_samples_are_refused() -> None:
    with pytest.raises(InputError, match=r"sample out of golgi, nucleoli.*found '\.\./x'"):
        samples.load_sample("../x")


@pytest.mark.tensorflow
def test_a_sample_can_be_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_SHAPE", (256, 256))
    monkeypatch.setattr(samples, "_PIXEL_SIZE_UM", 0.32)
    built = samples.build_sample(samples.SAMPLES[1], tmp_path)
    monkeypatch.setattr(samples, "_FOLDER", tmp_path)
    loaded = samples.load_sample(KEYS[1])
    assert np.array_equal(loaded.masks.cells, built.masks.cells)
    assert np.abs(loaded.probabilities - built.probabilities).max() < 1e-4


@pytest.mark.parametrize("key", KEYS)
def test_the_classifier_knows_the_cells_of_samples(key: str) -> None:
    """They are drawn as those that it learnt from; a first look must not be a warning."""
    result = samples.load_sample(key)
    assert result.answers is not None
    assert result.answers.strangeness is not None
    assert not result.mostly_unusual
    assert result.unusual.mean() < 0.3
