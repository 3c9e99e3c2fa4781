"""What every installed classifier promises, whatever it is."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from organelle_widgets.classification import CLASSIFIERS, make_classifier
from organelle_widgets.classification.keras_file import MODEL_VARIABLE
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import Cancelled, SettingsError, WeightsError

pytestmark = pytest.mark.tensorflow

INSTALLED = [name for name, entry in CLASSIFIERS.entries().items() if not entry.missing]
TOGETHER = "subcell+keras_file"


@pytest.fixture(params=[*INSTALLED, TOGETHER])
def classifier(request, toys, toy_model, monkeypatch):
    monkeypatch.setenv(MODEL_VARIABLE, str(toy_model))
    made = make_classifier(request.param)
    try:
        made.check_ready()
    except WeightsError as error:
        pytest.skip(f"{request.param}: {error.message}")
    return made


def test_every_cell_gets_19_probabilities(classifier, disc_field, disc_masks):
    said = classifier.classify(disc_field, disc_masks)
    assert said.shape == (3, 19)
    assert said.dtype == np.float32
    assert said.min() >= 0
    assert said.max() <= 1
    known = classifier.known_classes()
    assert len(np.unique(said[:, known])) > known.sum()  # no constant answer
    assert not said[:, ~known].any()


def test_what_it_says_besides_has_a_row_for_each_cell(classifier, disc_field, disc_masks):
    answers = classifier.answer(disc_field, disc_masks)
    further = (answers.embedding, answers.strangeness, answers.own_probabilities)
    assert {len(values) for values in further if values is not None} <= {3}
    if answers.own_probabilities is not None:
        assert 0 <= answers.own_probabilities.min() <= answers.own_probabilities.max() <= 1


def test_the_answer_is_always_the_same(classifier, disc_field, disc_masks):
    first = classifier.classify(disc_field, disc_masks)
    np.testing.assert_array_equal(classifier.classify(disc_field, disc_masks), first)


def test_a_cell_s_answer_does_not_depend_on_how_many_there_are(classifier, disc_field, disc_masks):
    alone = Masks(*(np.where(m == 5, m, 0) for m in (disc_masks.nuclei, disc_masks.cells)))
    # intensity ranges are the field's, taken of pixels in cells, and so may shift a little
    np.testing.assert_allclose(
        classifier.classify(disc_field, alone)[0],
        classifier.classify(disc_field, disc_masks)[1],
        atol=0.1,
    )


def test_no_cells_no_rows(classifier, disc_field, disc_masks):
    nothing = np.zeros_like(disc_masks.cells)
    assert classifier.classify(disc_field, Masks(nothing, nothing)).shape == (0, 19)


def test_missing_channels_are_allowed(classifier, disc_field, disc_masks):
    pixels = disc_field.pixels.copy()
    pixels[[0, 3]] = 0
    field = dataclasses.replace(disc_field, pixels=pixels, missing=frozenset({"red", "yellow"}))
    assert np.isfinite(classifier.classify(field, disc_masks)).all()


def test_an_empty_image_is_no_accident(classifier, disc_field, disc_masks):
    field = dataclasses.replace(disc_field, pixels=np.zeros_like(disc_field.pixels))
    assert np.isfinite(classifier.classify(field, disc_masks)).all()


def test_progress_is_told_and_may_stop(classifier, disc_field, disc_masks):
    seen = []
    classifier.classify(disc_field, disc_masks, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    monitor = Monitor()
    monitor.cancel()
    with pytest.raises(Cancelled, match="Stopped on request"):
        classifier.classify(disc_field, disc_masks, monitor.part("Classifying", 0, 1))


def test_provenance_tells_the_name_and_is_json(classifier):
    assert json.loads(json.dumps(classifier.provenance()))["name"] in (*INSTALLED, TOGETHER)


def test_unknown_settings_are_refused():
    with pytest.raises(SettingsError, match="has no setting nonsense"):
        make_classifier("organelle", nonsense=1)
