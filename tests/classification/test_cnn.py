"""The embedded classifier: its weights, their card, threads, and that it knows something."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from organelle_widgets.classification import CropRule, make_classifier
from organelle_widgets.classification.cnn import CNN_WEIGHTS
from organelle_widgets.core.field import Field
from organelle_widgets.core.labels import CLASS_NAMES, class_index
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import WeightsError
from organelle_widgets.evaluation.classification import evaluate_classification
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.synthetic import virtual_field
from organelle_widgets.training import held_out

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def copied(tmp_path):
    """A copy of weights and card that may be spoilt."""
    for path in (CNN_WEIGHTS, CNN_WEIGHTS.with_suffix(".json")):
        shutil.copy(path, tmp_path)
    return tmp_path / CNN_WEIGHTS.name


def test_the_card_fits_the_weights():
    card = json.loads(CNN_WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(CNN_WEIGHTS.read_bytes()).hexdigest()
    assert card["classes"] == list(CLASS_NAMES)
    assert card["crop"] == {
        "size_px": CropRule().size,
        "pixel_size_um": CropRule().pixel_size_um,
    }
    assert "CC BY-SA" in card["images"]
    assert card["scores"]["fields"]["n_fields"] >= 30
    assert CNN_WEIGHTS.stat().st_size < 10e6


def test_provenance_names_the_weights():
    digest = hashlib.sha256(CNN_WEIGHTS.read_bytes()).hexdigest()
    assert make_classifier("cnn").provenance()["weights"]["sha256"] == digest


def test_changed_weights_are_refused(copied, disc_field, disc_masks):
    content = bytearray(copied.read_bytes())
    content[len(content) // 2] ^= 1
    copied.write_bytes(content)
    with pytest.raises(WeightsError, match=r"Expected weights with SHA-256 .* has "):
        make_classifier("cnn", weights=str(copied)).classify(disc_field, disc_masks)


def test_weights_changed_after_loading_are_refused(copied, disc_field, disc_masks):
    classifier = make_classifier("cnn", weights=str(copied))
    assert classifier.classify(disc_field, disc_masks).shape == (3, 19)
    copied.write_bytes(copied.read_bytes() + b"0")
    with pytest.raises(WeightsError, match="changed or damaged"):
        classifier.classify(disc_field, disc_masks)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda weights, card: weights.unlink(), "Expected weights at .* none that can be read"),
        (lambda weights, card: card.unlink(), "Expected a model card at"),
        (lambda weights, card: card.write_text("{"), "Expected a model card at"),
        (lambda weights, card: card.write_text('{"classes": []}'), "lacks sha256"),
    ],
)
def test_incomplete_weights_are_refused(copied, disc_field, disc_masks, spoil, text):
    spoil(copied, copied.with_suffix(".json"))
    with pytest.raises(WeightsError, match=text):
        make_classifier("cnn", weights=str(copied)).classify(disc_field, disc_masks)


def test_weights_for_other_classes_are_refused(copied, disc_field, disc_masks):
    card = json.loads(copied.with_suffix(".json").read_text(encoding="utf-8"))
    card["classes"] = card["classes"][::-1]
    copied.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(WeightsError, match=r"19 classes in their order; .* names \['Negative'"):
        make_classifier("cnn", weights=str(copied)).classify(disc_field, disc_masks)


def test_it_works_in_several_threads_at_once(disc_field, disc_masks):
    classifier = make_classifier("cnn")
    expected = classifier.classify(disc_field, disc_masks)
    with ThreadPoolExecutor(3) as threads:
        jobs = [threads.submit(classifier.classify, disc_field, disc_masks) for _ in range(6)]
        for job in jobs:
            np.testing.assert_array_equal(job.result(timeout=60), expected)


def test_neither_choosing_nor_naming_it_loads_tensorflow():
    code = (
        "import sys; from organelle_widgets.classification import make_classifier; "
        "make_classifier('cnn').provenance(); "
        "raise SystemExit(bool({'tensorflow', 'keras', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "name", ["Nucleoplasm", "Nuclear membrane", "Microtubules", "Mitochondria"]
)
def test_virtual_cells_are_named(name):
    drawn = virtual_field((512, 512), seed=7, classes=name, pixel_size_um=0.2)
    said = make_classifier("cnn").classify(drawn.field, drawn.masks).mean(axis=0)
    assert class_index(name) in np.argsort(-said)[:2]


@pytest.mark.parametrize("step", [1, 2])
def test_the_pixel_size_hardly_matters(step):
    drawn = virtual_field((768, 768), seed=3, classes="Nucleoli", pixel_size_um=0.16)
    cells = drawn.masks.cells[::step, ::step]
    field = Field(drawn.field.pixels[:, ::step, ::step], "coarse", 0.16 * step, "given")
    said = make_classifier("cnn").classify(field, Masks(cells * 0, cells)).mean(axis=0)
    assert class_index("Nucleoli") in np.argsort(-said)[:3]


@pytest.mark.data
def test_it_beats_chance_on_fields_that_it_never_saw(data):
    """A guess by class frequency names a right class in about 0.12 of fields, the best constant in 0.40."""
    ids = {
        row.id for row in read_field_table(data, {"fields_512"}) if row.labels and held_out(row.id)
    }
    scores = evaluate_classification(data, ids=ids)
    assert scores["n_fields"] == len(ids) >= 20
    assert scores["field_top1"] > 0.40
    assert scores["field_top3"] > 0.65
    assert scores["field_map"] > 0.30
