"""The result in short."""

from __future__ import annotations

import dataclasses
import json
from pathlib import PurePosixPath

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.quality import measure_quality
from organelle_widgets.core.results import FieldResult
from organelle_widgets.export.json_summary import JsonExporter, summary


def read(result, folder):
    return json.loads(JsonExporter().write(result, folder / "result.json").read_text("utf-8"))


def test_the_answer_and_the_counts(disc_result, tmp_path):
    found = read(disc_result, tmp_path)
    assert found["schema_version"] == 1
    assert found["summary"] == (
        "3 cells; Not sure: perhaps Nucleoplasm, Nucleoli or Golgi apparatus, confidence 0.40."
    )
    assert found["field"]["name"] == "discs"
    assert (found["field"]["rows"], found["field"]["cols"]) == (160, 240)
    assert (found["field"]["pixel_size_um"], found["field"]["pixel_size_source"]) == (0.32, "given")
    assert (found["n_cells"], found["n_cells_on_border"]) == (3, 1)
    assert found["cells_per_class"] == {
        "Nucleoplasm": 1,
        "Nucleoli": 1,
        "Negative": 1,
        "Not sure": 1,
    }
    assert found["timings_s"] == {"segmentation": 1.0}


def test_the_fields_prediction(disc_result, tmp_path):
    prediction = read(disc_result, tmp_path)["prediction"]
    assert prediction["sure"] is False
    assert prediction["classes"] == []
    assert prediction["candidates"] == ["Nucleoplasm", "Nucleoli", "Golgi apparatus"]
    assert list(prediction["probabilities"].values()) == pytest.approx(
        disc_result.field_probabilities, abs=1e-6
    )


def test_no_cells(empty_result, tmp_path):
    found = read(empty_result, tmp_path)
    assert found["summary"] == "No cells found."
    assert found["prediction"] is None
    assert found["cells_per_class"] == {}


def test_quality_and_warnings(disc_result, tmp_path):
    without = read(disc_result, tmp_path)
    assert (without["quality"], without["warnings"], without["n_fragments"]) == (None, [], 0)
    quality = measure_quality(disc_result.field, disc_result.masks, disc_result.cells)
    quality = dataclasses.replace(quality, warnings=("Look twice.",))
    found = read(dataclasses.replace(disc_result, quality=quality), tmp_path)
    assert found["warnings"] == ["Look twice."]
    assert found["quality"]["n_cells"] == 3
    assert found["quality"]["border_share"] == pytest.approx(1 / 3, rel=1e-3)
    assert set(found["quality"]["saturated_share"]) == {"red", "green", "blue", "yellow"}
    assert found["notes"] == []


def test_channels_notes_and_provenance(disc_result, tmp_path):
    field = Field(
        disc_result.field.without("red").pixels,
        "µ",
        missing=frozenset({"red"}),
        sources={"green": "a_green.png"},
        notes=("One.",),
        extra={"gene": "ACTB"},
    )
    provenance = {
        "n": np.int64(3),
        "share": np.float32(0.5),
        "list": np.arange(2),
        "path": PurePosixPath("a/b"),
        "set": {2, 1},
    }
    result = FieldResult(
        field, disc_result.masks, disc_result.probabilities, {}, provenance, notes=("Two.",)
    )
    found = read(result, tmp_path)
    assert found["channels"]["red"] == {"name": "Microtubules", "present": False, "source": None}
    assert found["channels"]["green"]["source"] == "a_green.png"
    assert found["notes"] == ["One.", "Two."]
    assert found["field"]["extra"] == {"gene": "ACTB"}
    expected = {"n": 3, "share": 0.5, "list": [0, 1], "path": "a/b", "set": [1, 2]}
    assert found["provenance"] == expected


def test_the_threshold_of_the_result_counts(disc_result):
    result = FieldResult(
        disc_result.field, disc_result.masks, disc_result.probabilities, threshold=0.3
    )
    found = summary(result)
    assert found["prediction"]["threshold"] == 0.3
    assert found["prediction"]["answer"] == "Nucleoplasm"
    assert "Not sure" not in found["cells_per_class"]
