"""Brightness of known cells."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.measurements import measure_cells


def test_means_and_totals(any_scene) -> None:
    row = any_scene.measure(10 + any_scene.cell * 40 + any_scene.nucleus * 60, np.uint8)
    areas = {"cell": row["area_um2"], "nucleus": row["nucleus_area_um2"]}
    areas["cytoplasm"] = areas["cell"] - areas["nucleus"]
    means = {"nucleus": 100, "cytoplasm": 40}
    means["cell"] = sum(means[p] * areas[p] for p in means) / areas["cell"]
    assert row["protein_background"] == 10
    for place, mean in means.items():
        assert row[f"protein_mean_{place}"] == pytest.approx(mean, rel=1e-5), place
        assert row[f"protein_total_{place}"] == pytest.approx(mean * areas[place], rel=1e-5)
    assert row["protein_ratio_nucleus_cytoplasm"] == pytest.approx(2.5, rel=1e-5)
    assert row["protein_share_nucleus"] == pytest.approx(100 * 0.16 / 49.6, rel=0.03)
    assert row["protein_mean_cell_of_full_scale"] == pytest.approx(means["cell"] / 255)


def test_the_edge_is_one_micrometre_wide(any_scene) -> None:
    rim = any_scene.cell & (any_scene.distance_um > 14)
    row = any_scene.measure(any_scene.cell * 20 + rim * 80, np.uint8)
    assert row["protein_mean_edge"] == pytest.approx(100, rel=0.15)
    assert row["protein_ratio_edge_inside"] == pytest.approx(5, rel=0.2)
    assert row["protein_total_edge"] / row["protein_mean_edge"] == pytest.approx(
        np.pi * (15**2 - 14**2), rel=0.12
    )


def test_where_the_field_cuts_the_cell_there_is_no_edge(make_scene) -> None:
    scene = make_scene(0.32)
    rim = scene.cell & (scene.distance_um > 14)
    half = slice(None), slice(75, None)
    field = scene.field(scene.cell * 20 + rim * 80, np.uint8)
    masks = type(scene.masks)(scene.masks.nuclei[half], scene.masks.cells[half])
    cut = Field(field.pixels[:, half[0], half[1]], "half", 0.32, missing=field.missing)
    found = measure_cells(cut, masks)["protein_mean_edge"].item()
    assert found == pytest.approx(
        scene.measure(field.channel(1), np.uint8)["protein_mean_edge"], rel=0.03
    )


@pytest.mark.parametrize("level", [0, 7])
def test_no_signal_has_no_ratios(scene, level) -> None:
    row = scene.measure(np.full(scene.cell.shape, level), np.uint8)
    assert row["protein_mean_cell"] == row["protein_total_nucleus"] == 0
    for name in ("ratio_nucleus_cytoplasm", "ratio_edge_inside", "share_nucleus", "cv_cell"):
        assert np.isnan(row[f"protein_{name}"]), name


def test_noise_outside_the_nucleus_gives_no_ratio(make_scene) -> None:
    """A protein of the nucleus alone: its ratio would divide by noise."""
    scene = make_scene(0.32)
    rng = np.random.default_rng(0)
    protein = scene.nucleus * 200 + rng.normal(30, 1, scene.cell.shape)
    row = scene.measure(protein)
    assert row["protein_background"] == pytest.approx(30, abs=0.1)
    assert row["protein_mean_cytoplasm"] < 1
    assert np.isnan(row["protein_ratio_nucleus_cytoplasm"])
    assert row["protein_share_nucleus"] == pytest.approx(1, abs=0.03)


def test_background_ignores_bright_specks_outside(make_scene) -> None:
    scene = make_scene(0.32)
    rng = np.random.default_rng(0)
    protein = rng.normal(50, 2, scene.cell.shape) + scene.cell * 100
    protein[:30] += 150  # a cell that was not found: 30 % of what is outside
    assert scene.measure(protein)["protein_background"] == pytest.approx(50, abs=0.2)


def test_background_of_a_full_field(make_scene) -> None:
    scene = make_scene(0.32, cell_um=60)
    protein = 20 + 100 * (scene.row_um > -23)
    assert scene.measure(protein, np.uint8)["protein_background"] == pytest.approx(20, abs=1)


def test_spread(scene) -> None:
    even = scene.measure(scene.cell * 100.0)
    assert even["protein_half_area_share"] == pytest.approx(0.5, abs=0.01)
    assert even["protein_cv_cell"] == pytest.approx(0, abs=1e-3)
    assert even["protein_median"] == even["protein_p99"] == 100
    tenth = scene.measure(scene.cell * 1.0 + (scene.distance_um < 15 * np.sqrt(0.1)) * 99.0)
    assert tenth["protein_half_area_share"] == pytest.approx(0.1 * 0.545, rel=0.05)
    assert tenth["protein_cv_cell"] == pytest.approx(29.7 / 10.9, rel=0.03)
    assert (tenth["protein_median"], tenth["protein_p95"]) == (1, 100)


def test_saturation(scene) -> None:
    row = scene.measure(np.where(scene.nucleus, 65535, 300), np.uint16)
    assert row["protein_saturated_share"] == pytest.approx(0.16, rel=0.02)
    assert np.isnan(scene.measure(scene.cell * 1.0)["protein_saturated_share"])


def test_markers(scene) -> None:
    row = scene.measure(scene.cell * 9, np.uint8, red=scene.cell * 30, blue=scene.nucleus * 80)
    assert row["microtubules_mean_cell"] == pytest.approx(30)
    assert row["nuclei_mean_nucleus"] == pytest.approx(80)
    assert row["nuclei_total_nucleus"] == pytest.approx(80 * row["nucleus_area_um2"])
    assert np.isnan(row["er_mean_cell"])
