"""Averaging along lines, on numbers that can be counted on the fingers."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.classification._boxes import find_boxes
from organelle_widgets.classification._taps import extremes, lying, resampled, taps


@pytest.mark.parametrize(("length", "step", "count"), [(12, 4, 3), (13, 4, 4), (10, 2.5, 4)])
def test_new_pixels_cover_the_line_and_every_pixel_counts_as_much(length, step, count):
    matrix = taps(length, step).matrix(length).toarray()
    assert matrix.shape == (count, length)
    np.testing.assert_allclose(matrix.sum(axis=0), 1 / step, rtol=1e-5)


def test_the_share_of_a_pixel_that_is_cut_is_its_part():
    np.testing.assert_allclose(
        taps(5, 2.5).matrix(5).toarray(), [[0.4, 0.4, 0.2, 0, 0], [0, 0, 0.2, 0.4, 0.4]], atol=1e-6
    )


def test_enlarging_interpolates():
    np.testing.assert_allclose(
        taps(2, 0.5, 0.25, 3).matrix(2).toarray(), [[1, 0], [0.5, 0.5], [0, 1]], atol=1e-6
    )


def test_beyond_the_line_is_nothing():
    matrix = taps(4, 2.0, -3.0, 5).matrix(4).toarray()
    expected = [[0, 0, 0, 0], [0.5, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 0.5], [0, 0, 0, 0]]
    np.testing.assert_allclose(matrix, expected, atol=1e-6)


def test_some_of_a_longer_line():
    part = taps(20, 4).part(2, 4)
    assert part.span == (8, 16)
    whole = taps(20, 4).matrix(20).toarray()
    np.testing.assert_array_equal(part.shifted(8).matrix(8).toarray(), whole[2:4, 8:16])


def test_both_axes_of_all_channels():
    image = lying((6, 9))
    image[:] = np.random.default_rng(0).random((4, 6, 9))
    found = resampled(image, taps(6, 2), taps(9, 3))
    np.testing.assert_allclose(found, image.reshape(4, 3, 2, 3, 3).mean((2, 4)), rtol=1e-5)


@pytest.mark.parametrize("step", [3, 2.4])
def test_extremes_are_those_of_the_pixels_read(step):
    labels = np.random.default_rng(0).integers(0, 9, (12, 12)).astype(np.int32)
    rows = taps(12, step)
    low, high = extremes(labels, rows, rows)
    blocks = labels[rows.index[:, None, :, None], rows.index[None, :, None, :]]
    np.testing.assert_array_equal(low, blocks.min((2, 3)))
    np.testing.assert_array_equal(high, blocks.max((2, 3)))


def test_boxes_of_labels_with_gaps_and_at_the_border():
    labels = np.zeros((6, 8), np.int32)
    labels[0:2, 6:8] = 3
    labels[1, 0] = 3  # of the same label, at the other end
    labels[2:6, 1:4] = 40
    labels[3, 2] = 0
    ids, boxes = find_boxes(labels)
    assert ids.tolist() == [3, 40]
    assert boxes.tolist() == [[0, 2, 0, 8], [2, 6, 1, 4]]


def test_no_labels_no_boxes():
    ids, boxes = find_boxes(np.zeros((3, 4), np.int32))
    assert ids.size == 0
    assert boxes.shape == (0, 4)
