"""From probabilities to an answer in words."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.core.predictions import (
    cell_weights,
    check_probabilities,
    field_probabilities,
    mostly_unusual,
    predict,
)
from organelle_widgets.errors import InputError


def vector(**values: float) -> np.ndarray:
    """19 zeros but for ``c2=0.5`` and the like."""
    probabilities = np.zeros(19)
    for key, value in values.items():
        probabilities[int(key[1:])] = value
    return probabilities


@pytest.mark.parametrize(
    ("probabilities", "classes", "text", "confidence"),
    [
        (vector(c2=0.9, c0=0.6), (2, 0), "Nucleoli and Nucleoplasm", 0.9),
        (vector(c2=0.5), (2,), "Nucleoli", 0.5),
        (
            vector(c0=0.9, c16=0.8, c2=0.7),
            (0, 16, 2),
            "Nucleoplasm and Cytosol and Nucleoli",
            0.9,
        ),
        (
            vector(c2=0.4, c0=0.3, c16=0.2),
            (),
            "Not sure: perhaps Nucleoli, Nucleoplasm or Cytosol",
            0.4,
        ),
        (vector(c18=0.9, c2=0.8), (18,), "Negative: no specific protein signal", 0.9),
        (vector(c18=0.7, c2=0.8), (2,), "Nucleoli", 0.8),
    ],
)
def test_answers(probabilities, classes, text, confidence):
    prediction = predict(probabilities)
    assert prediction.classes == classes
    assert prediction.text == text
    assert prediction.confidence == pytest.approx(confidence)
    assert prediction.sure is bool(classes)
    assert prediction.top == (classes or prediction.candidates)[0]


def test_the_threshold_is_included_and_may_be_zero():
    assert predict(vector(c3=0.25), 0.25).classes == (3,)
    assert len(predict(vector(c3=0.25), 0.0).classes) == 18


def test_equal_probabilities_keep_the_competitions_order():
    assert predict(np.full(19, 0.2)).candidates == (0, 1, 2)


def test_cells_on_the_border_weigh_less():
    cells = np.zeros((2, 19))
    cells[0, 0], cells[1, 1] = 1, 1
    mean = field_probabilities(cells, np.array([False, True]))
    assert mean[:3] == pytest.approx([1 / 1.3, 0.3 / 1.3, 0])
    assert field_probabilities(cells, np.array([True, True]))[:2] == pytest.approx([0.5, 0.5])


def test_what_is_unlike_anything_known_is_never_sure():
    prediction = predict(vector(c2=0.99, c0=0.4, c16=0.3), unusual=True)
    assert (prediction.classes, prediction.candidates) == ((), (2, 0, 16))
    assert (prediction.sure, prediction.unusual, prediction.top) == (False, True, 2)
    assert prediction.confidence == pytest.approx(0.99)
    assert prediction.text == (
        "Not sure: unlike any cell the classifier knows; perhaps Nucleoli, Nucleoplasm or Cytosol"
    )
    assert not predict(vector(c18=0.9), unusual=True).classes
    assert not predict(vector(c2=0.99)).unusual


def test_the_smallest_weight_of_a_cell_holds():
    border = np.array([False, True, True, False, True])
    fragment = np.array([False, False, True, False, True])
    unusual = np.array([False, False, False, True, True])
    assert cell_weights(border).tolist() == [1, 0.3, 0.3, 1, 0.3]
    assert cell_weights(border, fragment).tolist() == [1, 0.3, 0.1, 1, 0.1]
    assert cell_weights(border, None, unusual).tolist() == [1, 0.3, 0.3, 0.1, 0.1]
    assert cell_weights(border, fragment, unusual).tolist() == [1, 0.3, 0.1, 0.1, 0.1]


def test_fragments_and_unusual_cells_hardly_count_but_still_answer():
    cells = np.eye(19)[:3]
    no, third = np.zeros(3, bool), np.array([False, False, True])
    assert field_probabilities(cells, no, third)[2] == pytest.approx(0.1 / 2.1)
    assert field_probabilities(cells, no, no, third)[2] == pytest.approx(0.1 / 2.1)
    assert field_probabilities(cells, ~no, ~no, ~no)[:4] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_a_field_is_unusual_when_most_of_its_weight_is():
    border = np.array([False, True, True, True])
    unusual = np.array([False, True, True, True])
    assert not mostly_unusual(unusual, border)  # 0.9 of 1.9
    assert mostly_unusual(~unusual, border)
    assert mostly_unusual(unusual, ~border)
    assert not mostly_unusual(np.array([True, False]), np.zeros(2, bool))  # half is not most
    assert not mostly_unusual(np.zeros(0, bool), np.zeros(0, bool))


def test_arrays_of_other_cells_are_refused():
    three, two = np.zeros(3, bool), np.zeros(2, bool)
    with pytest.raises(InputError, match=r"each of 3 cells; found shape \(2,\)"):
        cell_weights(three, two)
    with pytest.raises(InputError, match=r"each of 3 cells; found shape \(2,\)"):
        field_probabilities(np.zeros((3, 19)), three, None, two)
    with pytest.raises(InputError, match="of 2 cells; found 3"):
        field_probabilities(np.zeros((3, 19)), two)
    with pytest.raises(InputError, match=r"each of 3 cells; found shape \(2,\)"):
        mostly_unusual(two, three)


def test_a_field_without_cells_has_zeros():
    assert field_probabilities(np.zeros((0, 19)), np.zeros(0, bool)).tolist() == [0] * 19


def test_rounding_errors_are_clipped():
    checked = check_probabilities(np.full((1, 19), 1.00005))
    assert checked.max() == 1
    assert checked.dtype == np.float32


@pytest.mark.parametrize(
    ("probabilities", "n_cells", "words"),
    [
        (np.zeros((2, 18)), None, r"found \(2, 18\)"),
        (np.zeros(19), None, r"found \(19,\)"),
        (np.zeros((2, 19)), 3, r"shape \(3, 19\); found \(2, 19\)"),
        (np.full((1, 19), 1.1), 1, "from 0 to 1; found 1.1"),
        (np.full((1, 19), -0.5), 1, "from 0 to 1; found -0.5"),
        (np.full((1, 19), np.nan), 1, "from 0 to 1; found nan"),
    ],
)
def test_what_is_no_probability(probabilities, n_cells, words):
    with pytest.raises(InputError, match=words):
        check_probabilities(probabilities, n_cells)
