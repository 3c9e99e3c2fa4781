"""Structures of known width are in their part of the spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from organelle_widgets.measurements.granularity import _opened

SPECTRUM = [f"granularity_{width}um" for width in (1, 2, 4, 8)]


@pytest.mark.parametrize(("width", "name"), [(0.64, 0), (1.6, 1), (3.2, 2), (6.4, 3)])
def test_squares_are_found_by_their_width(any_scene, width, name) -> None:
    square = (abs(any_scene.row_um) < width / 2) & (abs(any_scene.col_um) < width / 2)
    row = any_scene.measure(square * 100.0 + any_scene.cell * 5)
    found = row[SPECTRUM].astype(float)
    assert found.idxmax() == SPECTRUM[name]
    whole = square.sum() * 100 + any_scene.cell.sum() * 5
    assert found.iloc[name] == pytest.approx(square.sum() * 100 / whole, rel=0.02)


def test_an_even_cell_has_none_whatever_its_outline(any_scene) -> None:
    row = any_scene.measure(any_scene.cell * 50.0)
    np.testing.assert_allclose(row[SPECTRUM].astype(float), 0, atol=1e-6)
    assert any_scene.measure(any_scene.cell * 0.0)[SPECTRUM].isna().all()


def test_widths_that_pixels_do_not_show(make_scene) -> None:
    row = make_scene(1.0).measure(make_scene(1.0).cell * 50.0)
    assert row[SPECTRUM].isna().tolist() == [True, False, False, False]


@pytest.mark.parametrize("side", [3, 7, 13, 25])
def test_openings_are_those_of_scipy(side) -> None:
    image = np.random.default_rng(0).random((40, 31)).astype(np.float32)
    eroded = ndimage.minimum_filter(image, side, mode="nearest")
    expected = ndimage.maximum_filter(eroded, side, mode="nearest")
    np.testing.assert_array_equal(_opened(image, side), expected)
