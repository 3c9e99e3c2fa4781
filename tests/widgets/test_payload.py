from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.predictions import cell_weights
from organelle_widgets.core.quality import FieldQuality, measure_quality
from organelle_widgets.core.results import FieldResult
from organelle_widgets.widgets.payload import NOT_SURE, cell_payload, field_payload, own_payload


@pytest.fixture
def result(disc_field: Field, disc_masks: Masks) -> FieldResult:
    probabilities = np.full((3, 19), 0.01234)
    probabilities[0, [2, 0]] = 0.88, 0.61
    probabilities[1, [7, 17]] = 0.44, 0.33
    probabilities[2, 18] = 0.93
    return FieldResult(disc_field, disc_masks, probabilities)


def test_rows_and_columns_become_x_and_y(result: FieldResult, disc_masks: Masks) -> None:
    first = cell_payload(result)[0]
    rows, cols = np.nonzero(disc_masks.cells == 2)
    assert first["id"] == 2
    assert first["box"] == [cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]
    assert first["center"] == pytest.approx([cols.mean() + 0.5, rows.mean() + 0.5], abs=0.06)
    assert first["area_um2"] == pytest.approx(rows.size * 0.32**2, abs=0.01)
    nucleus = np.count_nonzero(disc_masks.nuclei == 2)
    assert first["nucleus_area_um2"] == pytest.approx(nucleus * 0.32**2, abs=0.01)


def test_answers_follow_the_threshold(result: FieldResult) -> None:
    several, unsure, negative = cell_payload(result, 0.5)
    assert (several["classes"], several["top"], several["confidence"]) == ([2, 0], 2, 0.88)
    assert (several["title"], several["detail"]) == ("Nucleoli", "and Nucleoplasm")
    assert (unsure["sure"], unsure["classes"], unsure["top"]) == (False, [], 7)
    assert unsure["detail"].startswith("perhaps Golgi apparatus, Vesicles")
    assert (negative["title"], negative["classes"]) == ("Negative", [18])
    assert [cell["sure"] for cell in cell_payload(result, 0.9)] == [False, False, True]
    assert cell_payload(result) == cell_payload(result, result.threshold)


def test_only_the_cut_cell_is_on_the_border(result: FieldResult) -> None:
    assert {cell["id"]: cell["border"] for cell in cell_payload(result)} == {
        2: False,
        5: False,
        9: True,
    }


def test_payloads_are_small_plain_json(result: FieldResult) -> None:
    cells, summary = cell_payload(result), field_payload(result)
    assert json.loads(json.dumps([cells, summary])) == [cells, summary]
    assert cells[0]["p"][:3] == [0.61, 0.012, 0.88]
    assert len(json.dumps(cells[0])) < 500


def test_the_field_counts_its_cells_by_answer(result: FieldResult) -> None:
    summary = field_payload(result, 0.5)
    assert summary["n_cells"] == 3
    assert sorted(summary["counts"]) == [[NOT_SURE, 1], [2, 1], [18, 1]]
    assert field_payload(result, 0.4)["counts"] == [[2, 1], [7, 1], [18, 1]]
    assert len(summary["p"]) == 19


def test_counts_descend(disc_field: Field, disc_masks: Masks) -> None:
    probabilities = np.zeros((3, 19))
    probabilities[[0, 1, 2], [5, 16, 16]] = 0.9
    counts = field_payload(FieldResult(disc_field, disc_masks, probabilities))["counts"]
    assert counts == [[16, 2], [5, 1]]


def test_a_field_without_cells_says_so(disc_field: Field) -> None:
    nothing = np.zeros(disc_field.shape, np.int32)
    empty = FieldResult(disc_field, Masks(nothing, nothing), np.zeros((0, 19)))
    assert cell_payload(empty) == []
    summary = field_payload(empty)
    assert (summary["title"], summary["sure"], summary["counts"]) == ("No cells", False, [])


def test_fragments_are_told_apart(disc_field: Field, disc_masks: Masks) -> None:
    cells = disc_masks.cells.copy()
    cells[20:40, :3] = 11  # a sliver at the edge
    result = FieldResult(disc_field, Masks(disc_masks.nuclei, cells), np.zeros((4, 19)))
    told = {cell["id"]: cell["fragment"] for cell in cell_payload(result)}
    assert told == {2: False, 5: False, 9: False, 11: True}


def measured(result: FieldResult, **numbers: object) -> FieldQuality:
    quality = measure_quality(result.field, result.masks, result.cells)
    return dataclasses.replace(quality, **numbers)


def test_quality_is_plain_json(result: FieldResult) -> None:
    assert field_payload(result)["quality"] == {}
    quality = measured(result, median_nucleus_area_um2=None, warnings=("Nuclei are dim.",))
    told = field_payload(dataclasses.replace(result, quality=quality))["quality"]
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["median_cell_um2"] == pytest.approx(quality.median_cell_area_um2, abs=0.05)
    assert told["median_nucleus_um2"] == 0
    assert told["border_share"] == pytest.approx(1 / 3, abs=0.001)
    assert told["warnings"] == ["Nuclei are dim."]


def test_advice_is_not_given_twice(empty_result: FieldResult) -> None:
    warned = measured(empty_result, warnings=("No cells were found.",))
    assert field_payload(dataclasses.replace(empty_result, quality=warned))["detail"] == ""
    calm = measured(empty_result, warnings=())
    assert field_payload(dataclasses.replace(empty_result, quality=calm))["detail"] != ""


def strange(result: FieldResult, strangeness: list[float]) -> FieldResult:
    answers = CellAnswers(result.probabilities, strangeness=np.array(strangeness, np.float32))
    return dataclasses.replace(result, answers=answers)


def test_cells_unlike_known_ones_are_not_sure(result: FieldResult) -> None:
    odd = strange(result, [2.5, 0.4, 0.9])
    first, second, third = cell_payload(odd, 0.5)
    assert (first["unusual"], first["sure"], first["title"]) == (True, False, "Not sure")
    assert first["detail"].startswith("unlike any cell the classifier knows; perhaps Nucleoli")
    assert first["confidence"] == 0.88
    assert (second["unusual"], third["unusual"], third["sure"]) == (False, False, True)
    summary = field_payload(odd, 0.5)
    assert dict(map(tuple, summary["counts"])) == {NOT_SURE: 2, 18: 1}
    assert (summary["n_unusual"], summary["unusual"]) == (1, False)


def test_a_field_of_strange_cells_is_unusual(result: FieldResult) -> None:
    summary = field_payload(strange(result, [2.5, 1.4, 9]), 0.1)
    assert (summary["unusual"], summary["sure"], summary["title"]) == (True, False, "Not sure")
    assert summary["n_unusual"] == 3
    assert not field_payload(result, 0.1)["unusual"]


def test_a_classifiers_own_classes_go_along(result: FieldResult) -> None:
    own = np.array([[0.9, 0.1], [0.3, 0.5], [0.0, 1.0]], np.float32)
    answers = CellAnswers(result.probabilities, own_probabilities=own, own_classes=("One", "Two"))
    told = dataclasses.replace(result, answers=answers)
    cell = own_payload(told, "2 classes of X", 5)
    assert cell == {"title": "2 classes of X", "names": ["One", "Two"], "p": [0.3, 0.5]}
    weights = cell_weights(*(told.cells[n].to_numpy() for n in ("touches_border", "is_fragment")))
    expected = np.average(own, axis=0, weights=weights)
    assert own_payload(told, "2 classes of X")["p"] == pytest.approx(expected, abs=6e-4)
    assert own_payload(result, "none") == {}


def test_a_field_without_cells_has_nothing_of_its_own(empty_result: FieldResult) -> None:
    answers = CellAnswers(
        np.zeros((0, 19)), own_probabilities=np.zeros((0, 2)), own_classes=("a", "b")
    )
    assert own_payload(dataclasses.replace(empty_result, answers=answers), "2 classes of X") == {}
