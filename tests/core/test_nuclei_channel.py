"""Nuclei as a ruler, on discs whose size and blur are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from organelle_widgets.core._nuclei_channel import block_mean, nucleus_edge_um, nucleus_width_um


def discs(radius_um, pixel_size_um, blur_um=0.3, side_um=120.0, noise=1.0):
    """Nine bright discs on a dim background as uint8, and their labels."""
    side = round(side_um / pixel_size_um)
    rows, cols = (np.mgrid[:side, :side] + 0.5) * pixel_size_um
    labels = np.zeros((side, side), np.int32)
    for number in range(9):
        row, col = 20 + 40 * (number // 3), 20 + 40 * (number % 3)
        labels[np.hypot(rows - row, cols - col) < radius_um] = number + 1
    image = gaussian_filter(10 + 150.0 * (labels > 0), blur_um / pixel_size_um)
    image += np.random.default_rng(0).normal(0, noise, image.shape)
    return np.clip(image.round(), 0, 255).astype(np.uint8), labels


@pytest.mark.parametrize("pixel_size_um", [0.08, 0.16, 0.32, 0.65])
@pytest.mark.parametrize("radius_um", [3.0, 6.0, 12.0])
def test_width_does_not_depend_on_the_pixel_size(radius_um, pixel_size_um):
    plane, _ = discs(radius_um, pixel_size_um)
    assert nucleus_width_um(plane, pixel_size_um) == pytest.approx(1.8 * radius_um, abs=0.7)


@pytest.mark.parametrize("plane", [np.zeros((99, 80), np.uint8), np.eye(300, dtype=np.uint8) * 9])
def test_no_width_where_nothing_stands_out(plane):
    assert nucleus_width_um(plane, 0.1) is None


def test_noise_is_no_nucleus():
    noise = np.random.default_rng(1).poisson(30, (700, 500)).astype(np.uint16)
    assert nucleus_width_um(noise, 0.08) is None
    assert nucleus_edge_um(noise, np.zeros(noise.shape, np.int32), 0.08) is None


@pytest.mark.parametrize("pixel_size_um", [0.08, 0.16, 0.32])
@pytest.mark.parametrize("blur_um", [0.8, 1.5, 2.5])
def test_edge_is_the_blur_that_was_put_in(blur_um, pixel_size_um):
    plane, labels = discs(8.0, pixel_size_um, blur_um)
    found = nucleus_edge_um(plane, labels, pixel_size_um)
    assert found == pytest.approx(np.hypot(blur_um, 0.26), rel=0.2)


def test_edge_does_not_depend_on_brightness_or_dtype():
    plane, labels = discs(8.0, 0.32, 1.0)
    bright = nucleus_edge_um(plane.astype(np.uint16) * 200 + 500, labels, 0.32)
    small = nucleus_edge_um((plane / 255).astype(np.float32), labels, 0.32)
    assert bright == pytest.approx(nucleus_edge_um(plane, labels, 0.32), rel=1e-4)
    assert small == pytest.approx(bright, rel=1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (40, 5)])
def test_tiny_fields_have_no_edge(shape):
    plane = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    assert nucleus_edge_um(plane, np.ones(shape, np.int32), 0.08) is None


def test_block_means_drop_what_is_left_over():
    plane = np.arange(35, dtype=np.uint8).reshape(5, 7)
    expected = [
        [plane[:2, :2].mean(), plane[:2, 2:4].mean(), plane[:2, 4:6].mean()],
        [plane[2:4, :2].mean(), plane[2:4, 2:4].mean(), plane[2:4, 4:6].mean()],
    ]
    assert block_mean(plane, 2).tolist() == expected
    assert block_mean(plane, 1).tolist() == plane.tolist()
    assert block_mean(plane, 99).shape == (1, 1)
