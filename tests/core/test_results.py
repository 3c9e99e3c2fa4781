"""A result holds together."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.cells import CELL_COLUMNS
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
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
        "unusual",
        "strangeness",
        *PROBABILITY_COLUMNS,
    ]
    assert table["predicted_classes"].tolist() == ["Nucleoplasm", "", "Negative"]
    assert table["confidence"].tolist() == pytest.approx([0.9, 0.4, 0.8])
    assert table["p_golgi_apparatus"].tolist() == pytest.approx([0, 0.4, 0])
    assert result.table(0.3)["predicted_classes"].tolist()[1] == "Golgi apparatus"
    assert "confidence" not in result.cells
    assert not table["unusual"].any()
    assert table["strangeness"].isna().all()


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


def strange(result, *values):
    """The result, had its classifier measured such strangeness."""
    answers = CellAnswers(result.probabilities, strangeness=np.array(values))
    return dataclasses.replace(result, answers=answers)


def test_unusual_cells_are_not_sure_and_hardly_count(result):
    found = strange(result, 1.01, 0.5, 1.0)
    assert found.unusual.tolist() == [True, False, False]
    assert found.predict(2).text.startswith(
        "Not sure: unlike any cell the classifier knows; perhaps"
    )
    assert [p.unusual for p in found.predictions()] == [True, False, False]
    assert found.predict(9).title == "Negative"
    assert found.field_probabilities[0] == pytest.approx(0.1 * 0.9 / 1.4)
    table = found.table()
    assert table["unusual"].tolist() == [True, False, False]
    assert table["strangeness"].tolist() == pytest.approx([1.01, 0.5, 1.0])
    assert table["predicted_classes"].tolist() == ["", "", "Negative"]


def test_a_field_of_unusual_cells_is_warned_of(result):
    some, most = strange(result, 2, 0, 2), strange(result, 2, 2, 0)
    assert (some.mostly_unusual, most.mostly_unusual) == (True, True)  # 1.3 and 2 of 2.3
    assert not strange(result, 0, 0, 9).mostly_unusual
    assert not result.mostly_unusual
    assert strange(result, 0, 0, 9).warnings == ()
    assert most.predict().unusual
    assert not most.predict(threshold=0.0).sure
    assert most.warnings[-1].startswith(
        "2 of 3 cells are unlike any cell the classifier was trained on: check"
    )


def test_the_warning_of_a_single_cell_is_a_sentence(disc_field, disc_masks):
    masks = Masks(
        disc_masks.nuclei * (disc_masks.nuclei == 2), disc_masks.cells * (disc_masks.cells == 2)
    )
    alone = strange(FieldResult(disc_field, masks, np.full((1, 19), 0.2)), 3)
    assert alone.warnings[0].startswith("The one cell is unlike any cell")


def test_a_field_without_cells_is_not_unusual(empty_result):
    assert not empty_result.mostly_unusual
    assert empty_result.warnings == ()
    assert len(empty_result.table()) == 0


def test_answers_of_other_cells_are_refused(result):
    with pytest.raises(InputError, match="answers for 3 cells; found 2"):
        dataclasses.replace(result, answers=CellAnswers(np.zeros((2, 19))))


def test_pickling(result):
    copy = pickle.loads(pickle.dumps(result))
    assert copy.cells.equals(result.cells)
    assert (copy.probabilities == result.probabilities).all()
