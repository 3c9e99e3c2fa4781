"""Size and form, against what geometry and scikit-image say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from skimage.draw import ellipse
from skimage.measure import perimeter_crofton, regionprops

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.measurements import measure_cells
from organelle_widgets.measurements.shape import _form, _hull_area


def test_a_disc(any_scene) -> None:
    row = any_scene.measure(any_scene.cell)
    assert row["area_um2"] == pytest.approx(np.pi * 15**2, rel=0.01)
    assert row["perimeter_um"] == pytest.approx(2 * np.pi * 15, rel=0.02)
    assert row["axis_major_um"] == pytest.approx(30, rel=0.01)
    assert row["axis_minor_um"] == pytest.approx(30, rel=0.01)
    assert row["eccentricity"] < 0.05
    assert np.isnan(row["orientation_deg"])
    assert row["solidity"] == pytest.approx(0.99, abs=0.02)
    assert row["form_factor"] == pytest.approx(1, abs=0.03)
    assert row["outline_on_border"] == 0


def test_its_nucleus(any_scene) -> None:
    row = any_scene.measure(any_scene.cell)
    assert row["nucleus_area_um2"] == pytest.approx(np.pi * 36, rel=0.02)
    assert row["nucleus_area_share"] == pytest.approx(0.16, rel=0.02)
    assert row["nucleus_perimeter_um"] == pytest.approx(2 * np.pi * 6, rel=0.03)
    assert row["nucleus_offset_um"] == pytest.approx(0, abs=0.01)


def test_no_nucleus(make_scene) -> None:
    scene = make_scene(0.32, nucleus_um=0)
    row = scene.measure(scene.cell)
    assert row["nucleus_area_um2"] == row["nucleus_area_share"] == 0
    for name in ("nucleus_perimeter_um", "nucleus_eccentricity", "nucleus_offset_um"):
        assert np.isnan(row[name]), name


@pytest.mark.parametrize("degrees", [0, 30, 90, -45])
def test_an_ellipse(degrees) -> None:
    cells = np.zeros((240, 240), np.int32)
    rows, cols = ellipse(120, 120, 30, 80, rotation=np.deg2rad(degrees))
    cells[rows, cols] = 1
    nuclei = np.zeros_like(cells)
    nuclei[120, 120] = 1
    field = Field(np.ones((4, 240, 240), np.uint8), "ellipse", 0.32)
    row = measure_cells(field, Masks(nuclei, cells)).iloc[0]
    assert row["orientation_deg"] == pytest.approx(degrees, abs=0.6)
    assert row["axis_major_um"] == pytest.approx(160 * 0.32, rel=0.01)
    assert row["axis_minor_um"] == pytest.approx(60 * 0.32, rel=0.02)
    assert row["eccentricity"] == pytest.approx(np.sqrt(1 - (30 / 80) ** 2), abs=0.01)


def test_as_scikit_image_counts() -> None:
    rng = np.random.default_rng(0)
    region = rng.random((23, 31)) > 0.4
    region[:, :4] = False
    found, expected = _form(region, 1.0), regionprops(region.astype(np.uint8))[0]
    assert found["perimeter_um"] == pytest.approx(perimeter_crofton(np.pad(region, 1), 4))
    assert found["axis_major_um"] == pytest.approx(expected.axis_major_length)
    assert found["axis_minor_um"] == pytest.approx(expected.axis_minor_length)
    assert found["eccentricity"] == pytest.approx(expected.eccentricity)
    assert (found["row_um"], found["col_um"]) == pytest.approx(expected.centroid)
    assert found["orientation_deg"] % 180 == pytest.approx(
        (np.rad2deg(expected.orientation) + 90) % 180
    )


def test_a_dent_lowers_solidity() -> None:
    cells = np.zeros((60, 60), np.int32)
    cells[10:50, 10:50] = 1
    square = Masks(np.zeros_like(cells), cells)
    dented = cells.copy()
    dented[10:30, 20:40] = 0
    field = Field(np.ones((4, 60, 60), np.uint8), "square", 0.32)
    assert measure_cells(field, square)["solidity"].item() == pytest.approx(1)
    half = Masks(np.zeros_like(cells), dented)
    assert measure_cells(field, half)["solidity"].item() == pytest.approx(0.75)


def test_cut_by_the_border(disc_field, disc_masks) -> None:
    table = measure_cells(disc_field, disc_masks).set_index("cell_id")
    assert table["outline_on_border"].loc[[2, 5]].tolist() == [0, 0]
    assert table["outline_on_border"].loc[9] == pytest.approx(64 / (64 + np.pi * 32), abs=0.05)


@pytest.mark.parametrize("seed", range(8))
def test_hulls_are_those_of_all_corners(seed) -> None:
    rng = np.random.default_rng(seed)
    region = rng.random((17, 11)) > rng.uniform(0.3, 0.95)
    region[[0, -1], [3, 8]] = True
    region[5:8] = False
    rows, cols = np.nonzero(region)
    corners = [np.column_stack([rows + r, cols + c]) for r in (0, 1) for c in (0, 1)]
    assert _hull_area(region) == pytest.approx(ConvexHull(np.concatenate(corners)).volume)


def test_hulls_of_one_pixel_and_of_a_line() -> None:
    assert _hull_area(np.ones((1, 1), bool)) == pytest.approx(1)
    assert _hull_area(np.ones((1, 9), bool)) == pytest.approx(9)
    assert _hull_area(np.ones((9, 1), bool)) == pytest.approx(9)
    assert _hull_area(np.eye(5, dtype=bool)) == pytest.approx(9)
