"""Spots drawn are spots found."""

from __future__ import annotations

import numpy as np
import pytest

PLACES = [(-10, 0), (-9, 6), (0, 9), (0, -9), (8, 7), (9, -5), (-3, 2), (2, -2)]


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_as_many_as_were_drawn(any_scene, count, dtype) -> None:
    protein = 100 * any_scene.blobs(PLACES[:count]) + 20 * any_scene.cell
    row = any_scene.measure(protein, dtype)
    assert row["spot_count"] == count
    in_nucleus = sum(np.hypot(*place) < 6 for place in PLACES[:count])
    assert row["spot_count_nucleus"] == in_nucleus
    assert row["spot_count_cytoplasm"] == count - in_nucleus
    assert row["spots_per_100_um2"] == pytest.approx(100 * count / row["area_um2"])


def test_in_noise(any_scene) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 4, any_scene.cell.shape)
    none = any_scene.measure(50 + 60 * any_scene.cell + noise)
    assert none["spot_count"] <= 1
    some = any_scene.measure(50 + 60 * any_scene.cell + 100 * any_scene.blobs(PLACES) + noise)
    assert some["spot_count"] == pytest.approx(8, abs=1)


def test_two_apart_and_two_together(scene) -> None:
    apart = scene.blobs([(-9, -0.75), (-9, 0.75)])
    together = scene.blobs([(-9, -0.1), (-9, 0.1)])
    assert scene.measure(100 * apart + 10 * scene.cell)["spot_count"] == 2
    assert scene.measure(100 * together + 10 * scene.cell)["spot_count"] == 1


def test_larger_spots_are_larger(any_scene) -> None:
    small, large = (
        any_scene.measure(100 * any_scene.blobs(PLACES, sigma) + 10 * any_scene.cell)
        for sigma in (0.2, 0.6)
    )
    assert 0.1 < small["spot_area_median_um2"] < 0.6 * large["spot_area_median_um2"]
    assert large["spot_area_share"] == pytest.approx(
        8 * large["spot_area_median_um2"] / large["area_um2"], rel=0.1
    )


def test_how_much_of_the_protein_they_hold(any_scene) -> None:
    alone = any_scene.measure(100 * any_scene.blobs(PLACES, 0.4))
    assert alone["spot_protein_share"] > 0.35
    haze = any_scene.measure(10 * any_scene.blobs(PLACES, 0.4) + 50 * any_scene.cell)
    assert haze["spot_protein_share"] < 0.05
    assert 1.02 < haze["spot_contrast_median"] < alone["spot_contrast_median"]


@pytest.mark.parametrize("level", [0, 80])
def test_an_even_cell_and_its_outline_have_none(any_scene, level) -> None:
    row = any_scene.measure(any_scene.cell * level + any_scene.nucleus * level / 2)
    assert row["spot_count"] == row["spot_area_share"] == 0
    assert np.isnan(row["spot_area_median_um2"])
    assert np.isnan(row["spot_protein_share"]) == (level == 0)


def test_equal_pixels_are_one_spot(make_scene) -> None:
    scene = make_scene(0.16)
    row = scene.measure(
        20 * scene.cell + 200.0 * ((abs(scene.row_um + 9) < 0.3) & (abs(scene.col_um) < 0.3))
    )
    assert row["spot_count"] == 1
