"""Answers of a classifier keep their rows together, whatever it knows besides probabilities."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from organelle_widgets.core.answers import CellAnswers, join_answers
from organelle_widgets.errors import InputError


def answers(n_cells: int, start: int = 0) -> CellAnswers:
    """Answers with everything, in which row number and values agree."""
    rows = np.arange(start, start + n_cells, dtype=float)
    probabilities = np.zeros((n_cells, 19))
    probabilities[:, 3] = rows / 100
    return CellAnswers(
        probabilities, np.stack([rows, -rows], axis=1), rows / 10, probabilities[:, 3:5], ("A", "B")
    )


def test_arrays_become_float32_and_lists_are_taken():
    found = CellAnswers([[0.5] * 19], strangeness=[2])
    assert len(found) == 1
    assert found.probabilities.dtype == found.strangeness.dtype == np.float32
    assert (found.embedding, found.own_probabilities, found.own_classes) == (None, None, ())


@pytest.mark.parametrize(
    "chosen", [np.array([True, False, True]), np.array([0, 2])], ids=["mask", "numbers"]
)
def test_rows_are_chosen_in_every_array(chosen):
    some = answers(3).rows(chosen)
    assert len(some) == 2
    assert some.probabilities[:, 3] == pytest.approx([0, 0.02])
    assert some.embedding.tolist() == [[0, 0], [2, -2]]
    assert some.strangeness == pytest.approx([0, 0.2])
    assert some.own_probabilities[:, 0] == pytest.approx([0, 0.02])
    assert some.own_classes == ("A", "B")


def test_rows_can_be_put_in_another_order_and_be_none():
    assert answers(3).rows(np.array([2, 0])).strangeness == pytest.approx([0.2, 0])
    nothing = answers(3).rows(np.zeros(3, bool))
    assert len(nothing) == 0
    assert nothing.embedding.shape == (0, 2)


def test_what_is_unknown_stays_unknown():
    some = CellAnswers(np.zeros((3, 19))).rows(np.array([1]))
    assert (some.embedding, some.strangeness, some.own_probabilities) == (None, None, None)


def test_batches_are_joined_in_order():
    joined = join_answers([answers(2), answers(0, 2), answers(3, 2)])
    whole = answers(5)
    for name in ("probabilities", "embedding", "strangeness", "own_probabilities"):
        assert getattr(joined, name) == pytest.approx(getattr(whole, name))
        assert getattr(joined, name).dtype == np.float32
    assert joined.own_classes == ("A", "B")


def test_what_one_batch_lacks_the_whole_lacks():
    joined = join_answers(
        [
            CellAnswers(np.zeros((1, 19)), embedding=np.ones((1, 2)), strangeness=np.ones(1)),
            CellAnswers(np.zeros((2, 19)), strangeness=np.ones(2)),
        ]
    )
    assert joined.embedding is None
    assert joined.strangeness.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"embedding": np.zeros(2)}, r"embedding with 2 dimensions and 2 rows; found shape \(2,\)"),
        ({"embedding": np.zeros((3, 4))}, r"embedding with .* 2 rows; found shape \(3, 4\)"),
        ({"strangeness": np.zeros(3)}, r"strangeness with 1 dimensions and 2 rows; found .*\(3,\)"),
        ({"strangeness": [0, np.nan]}, "strangeness of finite numbers; found NaN"),
        ({"embedding": np.full((2, 2), np.inf)}, "embedding of finite numbers; found NaN or inf"),
        ({"own_probabilities": np.zeros((2, 3))}, "classifier's 3 own classes; found 0"),
        ({"own_classes": ("A",)}, "classifier's 0 own classes; found 1"),
    ],
)
def test_arrays_that_do_not_belong_together(arrays, words):
    with pytest.raises(InputError, match=words):
        CellAnswers(np.zeros((2, 19)), **arrays)


def test_what_is_no_probability():
    with pytest.raises(InputError, match=r"from 0 to 1; found 0\.0 to 2\.0"):
        CellAnswers(np.stack([np.zeros(19), np.full(19, 2.0)]))


def test_pickling():
    copy = pickle.loads(pickle.dumps(answers(2)))
    assert copy.own_classes == ("A", "B")
    assert (copy.embedding == answers(2).embedding).all()
