"""Records of fields with a known answer, and folders of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.quality import measure_quality
from organelle_widgets.core.results import FieldResult
from organelle_widgets.results import ResultsWriter
from organelle_widgets.results.records import FailureRecord, record_of

EXTRA = {"gene": "string", "dose": "float", "plate number": "int"}


@pytest.fixture(scope="session")
def full_result(disc_field, disc_masks, disc_result):
    """`disc_result` with everything that a result can have; cell 9 is unusual."""
    field = dataclasses.replace(
        disc_field,
        extra={"gene": "TP53", "dose": "1.5", "plate number": "7"},
        notes=("A note of the field.",),
    )
    quality = measure_quality(field, disc_masks, cell_table(disc_masks, field.pixel_size_um))
    embedding = np.arange(12, dtype=np.float32).reshape(3, 4)
    answers = CellAnswers(
        disc_result.probabilities, embedding, np.array([0.2, 0.5, 1.7], np.float32)
    )
    return FieldResult(
        field,
        disc_masks,
        disc_result.probabilities,
        {"read": 0.25, "segmentation": 1.0},
        {"threshold": 0.5, "organelle_widgets": "1"},
        quality=quality,
        answers=answers,
    )


@pytest.fixture(scope="session")
def record(full_result):
    """Makes a record of `full_result` under a name."""
    made = record_of(full_result, stamp="s1")

    def named(name="a", **changes):
        return dataclasses.replace(
            made, name=name, field={**made.field, "field": name}, **{"stamp": name, **changes}
        )

    return named


@pytest.fixture(scope="session")
def failure():
    """Makes a failure under a name."""

    def named(name="bad", **values):
        return FailureRecord(name, "x.png", "read", "InputError", "Expected an image.", **values)

    return named


@pytest.fixture(scope="session")
def run():
    """What a run says of itself."""
    return {"extra": EXTRA, "settings": {"threshold": 0.5}, "provenance": {"threshold": 0.5}}


@pytest.fixture
def writer(tmp_path, run):
    """A writer of an empty folder."""
    with ResultsWriter.create(tmp_path / "out", run) as made:
        yield made
