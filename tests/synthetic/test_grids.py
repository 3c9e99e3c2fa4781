"""Noise, distances and blurs are as large and as smooth as asked."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.synthetic.grids import distance_um, hazy, normalised, smooth_noise, upsample


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
