"""Strokes have the size, place and brightness that they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.synthetic.drawing import (
    distance_um,
    dots,
    hazy,
    lines,
    normalised,
    smooth_noise,
    stamp,
    upsample,
    walk,
)


@pytest.mark.parametrize("scale", [0.5, 2, 7.3, 40])
def test_noise_has_unit_spread(scale):
    rng = np.random.default_rng(0)
    values = np.stack([smooth_noise(rng, (61, 90), scale) for _ in range(30)])
    assert values.shape == (30, 61, 90)
    assert values.dtype == np.float32
    assert abs(values.std() - 1) < 0.15
    assert abs(values.mean()) < 0.3


def test_noise_is_as_smooth_as_asked():
    rng = np.random.default_rng(0)
    slopes = [np.abs(np.diff(smooth_noise(rng, (80, 80), s))).mean() for s in (1, 4, 16)]
    assert slopes[0] > 2 * slopes[1] > 4 * slopes[2]


def test_upsample_keeps_a_slope():
    coarse = np.add.outer(np.arange(6.0), 2 * np.arange(5.0))
    fine = upsample(coarse, (11, 9), 2)
    np.testing.assert_allclose(
        fine, np.add.outer(np.arange(11) / 2, np.arange(9.0)), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("pixel_size_um", [0.05, 0.08, 0.3])
def test_distance_to_a_circle(pixel_size_um):
    size = int(12 / pixel_size_um)
    rows, cols = (np.mgrid[:size, :size] - size / 2) * pixel_size_um
    radius = np.hypot(rows, cols)
    found = distance_um(radius < 4, pixel_size_um)
    inside = radius < 3.5
    np.testing.assert_allclose(found[inside], 4 - radius[inside], rtol=0, atol=0.3)
    assert not found[radius > 4.4].any()


def test_distance_of_all_or_nothing():
    assert (distance_um(np.ones((9, 9), bool), 0.1) > 5).all()
    assert not distance_um(np.zeros((9, 9), bool), 0.1).any()


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


@pytest.mark.parametrize("sigma", [0.8, 3, 9])
def test_haze_keeps_the_middle_and_the_sum(sigma):
    canvas = np.zeros((90, 100), np.float32)
    canvas[40:50, 45:55] = 1
    blurred = hazy(canvas, sigma)
    assert blurred.sum() == pytest.approx(100, rel=0.1)
    rows = np.average(np.arange(90), weights=blurred.sum(1))
    assert rows == pytest.approx(44.5, abs=max(0.2, sigma / 2))


def test_normalised():
    canvas = np.linspace(0, 5, 101, dtype=np.float32)[None]
    assert normalised(canvas, 100).max() == pytest.approx(1)
    assert not normalised(np.zeros((3, 3), np.float32)).any()
