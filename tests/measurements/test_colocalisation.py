"""Correlation and Manders' shares of known pairs of images."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import manders_coloc_coeff, pearson_corr_coeff

from organelle_widgets.measurements import measure_cells
from organelle_widgets.measurements._crop import CellCropper


def stripes(scene, period_um: float, phase: float = 0.0) -> np.ndarray:
    return 50 * (1 + np.sin(2 * np.pi * scene.row_um / period_um + phase)) * scene.cell


def test_the_same_image_twice(any_scene) -> None:
    protein = stripes(any_scene, 6) + 20 * any_scene.cell
    row = any_scene.measure(protein, red=2 * protein, yellow=any_scene.cell * 80.0 - 0.5 * protein)
    assert row["pearson_microtubules"] == pytest.approx(1, abs=1e-4)
    assert row["pearson_microtubules_cytoplasm"] == pytest.approx(1, abs=1e-4)
    assert row["pearson_er"] == pytest.approx(-1, abs=1e-3)
    assert row["manders_m1_microtubules"] == row["manders_m2_microtubules"] > 0.6


def test_waves_a_quarter_apart_do_not_correlate(any_scene) -> None:
    row = any_scene.measure(stripes(any_scene, 3), red=stripes(any_scene, 3, np.pi / 2))
    assert abs(row["pearson_microtubules_cytoplasm"]) < 0.03


def test_shares_of_two_halves_that_overlap(scene) -> None:
    """Protein above -5 um, marker below 5 um: the shares are areas of a disc."""
    protein, marker = scene.cell & (scene.row_um > -5), scene.cell & (scene.row_um < 5)
    row = scene.measure(protein * 100.0, yellow=marker * 50.0)
    both = np.count_nonzero(protein & marker)
    assert row["manders_m1_er"] == pytest.approx(both / np.count_nonzero(protein), abs=0.01)
    assert row["manders_m2_er"] == pytest.approx(both / np.count_nonzero(marker), abs=0.01)


def test_in_the_nucleus_alone(scene) -> None:
    chromatin = scene.nucleus * (60 + 40 * np.sin(scene.col_um * 2))
    row = scene.measure(scene.cell * 30 + scene.nucleus * (100 - chromatin), blue=chromatin)
    assert row["pearson_nuclei_nucleus"] == pytest.approx(
        -1, abs=0.05
    )  # mixed pixels on its outline
    assert row["pearson_nuclei"] > -0.9


def test_as_scikit_image_counts(make_scene) -> None:
    scene = make_scene(0.32)
    rng = np.random.default_rng(1)
    protein, marker = rng.gamma(2, 20, (2, *scene.cell.shape)) * scene.cell
    field = scene.field(protein, red=marker)
    row = measure_cells(field, scene.masks).iloc[0]
    levels = CellCropper(field, scene.masks).levels
    expected = pearson_corr_coeff(protein, marker, scene.cell)[0]
    assert row["pearson_microtubules"] == pytest.approx(expected, abs=1e-4)
    share = manders_coloc_coeff(protein, marker > levels.threshold[0], scene.cell)
    assert row["manders_m1_microtubules"] == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize("name", ["pearson_nuclei", "manders_m1_nuclei", "manders_m2_nuclei"])
def test_an_even_marker_or_protein_says_nothing(scene, name) -> None:
    flat = np.ones(scene.cell.shape)
    assert np.isnan(scene.measure(flat * 9, blue=flat * 5)[name])
    assert np.isnan(scene.measure(scene.nucleus * 9.0, blue=flat * 5)[name])


def test_an_even_nucleus_has_no_correlation(scene) -> None:
    stain = scene.distance_um < 7
    row = scene.measure(scene.cell * 50.0 + stain * 70, blue=stain * 200.0)
    assert row["pearson_nuclei"] == pytest.approx(1, abs=0.02)
    assert np.isnan(row["pearson_nuclei_nucleus"])
