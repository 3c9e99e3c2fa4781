"""Strokes have the place, length and brightness that they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.synthetic.strokes import dots, lines, stamp, walk


def test_dots_keep_their_weight_and_place():
    drawn = dots((10, 12), np.array([2.25, 50.0]), np.array([3.5, 1.0]), np.array([4.0, 9.0]))
    assert drawn.sum() == pytest.approx(4)
    assert drawn[2, 3] == pytest.approx(1.5)
    assert drawn[3, 4] == pytest.approx(0.5)


def test_stamp_is_high_in_its_middle_and_may_hang_over_the_edge():
    drawn = stamp((20, 20), np.array([[10.0, 10.0], [0.0, 30.0]]), np.full(2, 2.0), np.full(2, 0.7))
    assert drawn[10, 10] == pytest.approx(0.7)
    assert drawn[10, 12] == pytest.approx(0.7 * np.exp(-0.5), rel=1e-4)


def test_a_line_is_as_bright_as_its_weight():
    path = np.array([[[10.3, 2.0], [10.3, 20.0], [10.3, 38.0]]])
    drawn = lines((21, 40), path, np.array([0.8]), 1.5)
    assert drawn[10, 10:30].mean() == pytest.approx(0.8, rel=0.06)
    assert drawn[:5].max() < 0.05


def test_a_line_ends_where_its_path_does():
    path = np.array([[[5.0, 2.0], [5.0, 10.0], [np.nan, np.nan]]])
    drawn = lines((11, 40), path, np.array([1.0]), 1.0)
    assert drawn[5, 5] > 0.8
    assert drawn[:, 16:].max() == 0
    assert not lines((11, 40), np.empty((0, 4, 2)), np.empty(0), 1.0).any()


def test_walk_without_wobble_is_straight_and_steering_turns():
    rng = np.random.default_rng(0)
    start, angle = np.zeros((1, 2)), np.zeros(1)
    straight = walk(rng, start, angle, n_steps=5, step_px=2, wobble=0)
    np.testing.assert_allclose(straight[0], [[2 * i, 0] for i in range(6)], atol=1e-12)

    def left(_here, heading):
        return np.full(len(heading), np.pi / 2)

    turned = walk(rng, start, angle, n_steps=4, step_px=1, wobble=0, steer=left)
    np.testing.assert_allclose(turned[0, -1], [0, 0], atol=1e-12)
