"""Haralick's features of patterns that are easy to count."""

from __future__ import annotations

import numpy as np
import pytest

TEXTURE = [
    f"texture_{feature}_{name}"
    for name in ("03um", "1um")
    for feature in ("contrast", "correlation", "homogeneity", "entropy")
]


def test_two_halves(make_scene) -> None:
    """Nearly every pixel has its like beside it."""
    scene = make_scene(0.32)
    row = scene.measure(scene.cell * (1.0 + (scene.col_um > 0)))
    assert row["texture_homogeneity_03um"] > 0.96
    assert row["texture_correlation_03um"] > 0.95
    assert row["texture_entropy_03um"] == pytest.approx(np.log(2), abs=0.2)
    assert row["texture_contrast_03um"] < row["texture_contrast_1um"]


def test_stripes_of_one_pixel(make_scene) -> None:
    """Three of four neighbours are of the other kind, which is 15 levels off; three pixels away it is the same."""
    scene = make_scene(0.32)
    odd = np.indices(scene.cell.shape)[0] % 2
    row = scene.measure(scene.cell * (10.0 + 90 * odd))
    assert row["texture_contrast_03um"] == pytest.approx(0.75 * 15**2, rel=0.01)
    assert row["texture_correlation_03um"] == pytest.approx(-0.5, abs=0.02)


def test_noise_and_brightness(make_scene) -> None:
    scene = make_scene(0.32)
    noise = np.random.default_rng(0).normal(100, 10, scene.cell.shape)
    row = scene.measure(scene.cell * noise)
    assert abs(row["texture_correlation_03um"]) < 0.05
    assert row["texture_entropy_1um"] > 4
    brighter = scene.measure(scene.cell * noise * 7)
    np.testing.assert_allclose(
        brighter[TEXTURE].astype(float), row[TEXTURE].astype(float), rtol=0.01, atol=1e-3
    )


def test_a_cell_that_does_not_vary(scene) -> None:
    assert scene.measure(scene.cell * 0.0)[TEXTURE].isna().all()
    assert scene.measure(scene.cell * 10.0)[TEXTURE].isna().all()


def test_a_cell_too_small_for_a_pair(make_scene) -> None:
    scene = make_scene(0.32, nucleus_um=0, cell_um=0.3)
    assert scene.measure(scene.row_um)[TEXTURE[4:]].isna().all()
