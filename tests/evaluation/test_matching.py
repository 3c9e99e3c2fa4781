"""Matching of labels, against scores worked out by hand."""

import numpy as np
import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.evaluation.matching import iou_matrix, match_labels


def squares(*boxes, shape=(40, 60)):
    """Labels 3, 6, 9, ... of the boxes (row, col, rows, cols)."""
    labels = np.zeros(shape, np.uint16)
    for number, (row, col, rows, cols) in enumerate(boxes, start=1):
        labels[row : row + rows, col : col + cols] = 3 * number
    return labels


def test_scores_of_one_exact_one_shifted_and_one_extra():
    true = squares((0, 0, 10, 10), (20, 20, 10, 10))
    found = squares((22, 20, 10, 10), (0, 0, 10, 10), (0, 40, 5, 5))  # IoU 80 / 120, 1, none
    match = match_labels(true, found)
    assert (match.n_true, match.n_found) == (2, 3)
    assert match.pairs.tolist() == [[3, 6], [6, 3]]
    assert match.ious == pytest.approx([1, 2 / 3])
    assert match.average_precision == pytest.approx(
        {0.5: 2 / 3, 0.6: 2 / 3, 0.75: 1 / 4, 0.9: 1 / 4}
    )
    assert match.f1 == pytest.approx(4 / 5)
    assert match.mean_iou == pytest.approx(5 / 6)
    assert match.panoptic_quality == pytest.approx(2 / 3)


def test_iou_matrix_by_hand():
    true = np.array([[1, 1, 2, 2, 0]])
    found = np.array([[2, 2, 2, 5, 5]])
    assert iou_matrix(true, found) == pytest.approx(np.array([[2 / 3, 0], [1 / 4, 1 / 3]]))


def test_as_many_pairs_as_possible_beat_the_best_single_pair():
    true = np.repeat([[1, 1, 2]], [6, 4, 4], axis=1)
    found = np.repeat([[1, 2, 1]], [6, 4, 4], axis=1)  # IoU 1-1 0.43, 1-2 0.4, 2-1 0.4, 2-2 none
    assert match_labels(true, found, [0.3]).average_precision == {0.3: 1.0}


def test_a_pair_at_the_threshold_counts():
    match = match_labels(np.array([[1, 1]]), np.array([[1, 0]]), [0.5, 0.51])
    assert match.average_precision == {0.5: 1.0, 0.51: 0.0}
    assert match.mean_iou == 0.5


def test_nothing_to_find_and_nothing_found_is_perfect():
    nothing = np.zeros((4, 5), np.int32)
    match = match_labels(nothing, nothing)
    assert set(match.average_precision.values()) == {1.0}
    assert (match.f1, match.mean_iou, match.panoptic_quality) == (1.0, 1.0, 1.0)
    assert match.pairs.shape == (0, 2)


@pytest.mark.parametrize("swap", [False, True])
def test_one_side_empty_scores_nothing(swap):
    pair = [squares((0, 0, 10, 10)), squares()]
    match = match_labels(*(pair[::-1] if swap else pair))
    assert set(match.average_precision.values()) == {0.0}
    assert (match.f1, match.mean_iou, match.panoptic_quality) == (0.0, 0.0, 0.0)


def test_scores_do_not_depend_on_numbering():
    rng = np.random.default_rng(0)
    true = np.kron(rng.permutation(48).reshape(6, 8), np.ones((9, 9), int))
    found = np.roll(true, 2, axis=1)
    renumbered = np.where(found > 0, 1000 - found, 0)
    first, second = match_labels(true, found), match_labels(true, renumbered)
    assert first.average_precision == second.average_precision
    assert np.array_equal(1000 - first.pairs[:, 1], second.pairs[:, 1])


def test_many_cells_are_quick():
    labels = np.kron(np.arange(529).reshape(23, 23), np.ones((89, 89), np.int32))
    match = match_labels(labels, np.roll(labels, 5, axis=0))
    assert match.n_true == len(match.ious) == 528


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (np.zeros((3, 3), int), r"one shape; found \(2, 2\) and \(3, 3\)"),
        (np.full((2, 2), 0.5), "whole numbers .* found float64"),
        (np.full((2, 2), -1), "from -1 to 0 in 4 pixels"),
        (np.array([[0, 0], [0, 9]]), "from 0 to 9 in 4 pixels"),
    ],
)
def test_unusable_labels_are_refused(found, message):
    with pytest.raises(InputError, match=message):
        match_labels(np.zeros((2, 2), int), found)


@pytest.mark.parametrize("threshold", [0, -0.5, 1.2, float("nan")])
def test_unusable_thresholds_are_refused(threshold):
    with pytest.raises(InputError, match="thresholds above 0 and up to 1"):
        match_labels(np.zeros((2, 2), int), np.zeros((2, 2), int), [threshold])
