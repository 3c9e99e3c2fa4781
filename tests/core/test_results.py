"""A result holds together."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from organelle_widgets.core.cells import CELL_COLUMNS
from organelle_widgets.core.field import Field
from organelle_widgets.core.quality import measure_quality
from organelle_widgets.core.results import PROBABILITY_COLUMNS, FieldResult
from organelle_widgets.errors import InputError


@pytest.fixture
def result(disc_field, disc_masks) -> FieldResult:
    probabilities = np.zeros((3, 19), np.float32)
    probabilities[0, 0], probabilities[1, 7], probabilities[2, 18] = 0.9, 0.4, 0.8
    timings = {"segmentation": 1.0, "classification": 0.5}
    return FieldResult(disc_field, disc_masks, probabilities, timings)


def test_cells_and_seconds(result):
    assert result.n_cells == 3
    assert result.cells["cell_id"].tolist() == [2, 5, 9]
    assert result.seconds == 1.5
    assert repr(result).endswith("given), 3 cells, threshold 0.5)")


def test_the_field_is_the_weighted_mean(result):
    expected = np.zeros(19)
    expected[0], expected[7], expected[18] = 0.9 / 2.3, 0.4 / 2.3, 0.3 * 0.8 / 2.3
    assert result.field_probabilities == pytest.approx(expected)


def test_answers_by_cell_id_not_by_row(result):
    assert result.row_of(9) == 2
    assert result.predict(9).title == "Negative"
    assert result.predict(5).title == "Not sure"
    assert result.predict(5, threshold=0.3).title == "Golgi apparatus"
    assert [p.title for p in result.predictions()] == ["Nucleoplasm", "Not sure", "Negative"]


@pytest.mark.parametrize("cell_id", [0, 3, -1])
def test_a_cell_that_is_not_there(result, cell_id):
    with pytest.raises(InputError, match=f"discs: Expected the id of one of the 3 .*{cell_id}"):
        result.predict(cell_id)


def test_the_table_has_everything(result):
    table = result.table()
    assert table.columns.tolist() == [
        *CELL_COLUMNS,
        "predicted_classes",
        "top_class",
        "confidence",
        *PROBABILITY_COLUMNS,
    ]
    assert table["predicted_classes"].tolist() == ["Nucleoplasm", "", "Negative"]
    assert table["confidence"].tolist() == pytest.approx([0.9, 0.4, 0.8])
    assert table["p_golgi_apparatus"].tolist() == pytest.approx([0, 0.4, 0])
    assert result.table(0.3)["predicted_classes"].tolist()[1] == "Golgi apparatus"
    assert "confidence" not in result.cells


def test_probability_columns_are_plain_words():
    assert PROBABILITY_COLUMNS[0] == "p_nucleoplasm"
    assert PROBABILITY_COLUMNS[17] == "p_vesicles_and_punctate_cytosolic_patterns"
    assert len(set(PROBABILITY_COLUMNS)) == 19


def test_parts_that_do_not_belong_together(disc_field, disc_masks):
    small = Field(disc_field.pixels[:, :10], "small")
    with pytest.raises(InputError, match=r"shape \(10, 240\); found \(160, 240\)"):
        FieldResult(small, disc_masks, np.zeros((3, 19)))
    with pytest.raises(InputError, match=r"shape \(3, 19\); found \(2, 19\)"):
        FieldResult(disc_field, disc_masks, np.zeros((2, 19)))


def test_warnings_are_those_of_its_quality(result):
    assert result.warnings == ()
    quality = measure_quality(result.field, result.masks, result.cells)
    judged = dataclasses.replace(quality, warnings=("Look twice.",))
    assert dataclasses.replace(result, quality=judged).warnings == ("Look twice.",)


def test_pickling(result):
    copy = pickle.loads(pickle.dumps(result))
    assert copy.cells.equals(result.cells)
    assert (copy.probabilities == result.probabilities).all()
