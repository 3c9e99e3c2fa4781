"""The same scene at 0.08, 0.16 and 0.32 um per pixel gives the same numbers, as far as it can."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.measurements import measure_cells
from organelle_widgets.measurements._grid import grid_factors, shrunk

CLOSE = {
    "area_um2": 0.02,
    "perimeter_um": 0.02,
    "nucleus_perimeter_um": 0.04,
    "protein_mean_cell": 0.01,
    "protein_total_nucleus": 0.03,
    "protein_ratio_nucleus_cytoplasm": 0.03,
    "protein_mean_edge": 0.06,
    "protein_cv_cell": 0.1,
    "protein_half_area_share": 0.1,
    "radial_cytoplasm_1of4": 0.06,
    "radial_cytoplasm_4of4": 0.06,
    "pearson_microtubules": 0.05,
    "manders_m1_microtubules": 0.1,
    "spot_count": 0.01,
    "spot_protein_share": 0.15,
    "granularity_2um": 0.15,
    "texture_entropy_1um": 0.15,
    "texture_contrast_03um": 0.15,
}


@pytest.fixture(scope="module")
def tables(make_scene):
    """One drawing at 0.08 um, and the same with 2 x 2 and 4 x 4 pixels averaged."""
    scene = make_scene(0.08)
    spots = [(r, c) for r in range(-12, 13, 4) for c in range(-12, 13, 4) if np.hypot(r, c) < 13.5]
    protein = 20 * scene.cell + 15 * scene.nucleus + 100 * scene.blobs(spots, 0.35)
    field = scene.field(protein, red=30 * scene.cell + 90 * scene.blobs(spots, 0.6))
    found = {}
    for factor in (1, 2, 4):
        pixels = shrunk(field.pixels.copy(), factor) / factor**2
        half = factor // 2
        nuclei, cells = (
            labels[half::factor, half::factor] for labels in (scene.masks.nuclei, scene.masks.cells)
        )
        small = Field(pixels, "scaled", 0.08 * factor, missing=field.missing)
        found[factor] = measure_cells(small, Masks(nuclei, cells)).iloc[0]
    return found


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("name", CLOSE)
def test_coarser_pixels_agree(tables, name, factor) -> None:
    assert tables[factor][name] == pytest.approx(tables[1][name], rel=CLOSE[name])


@pytest.mark.parametrize(
    ("size", "factors"),
    [
        (0.08, (2, 4, 8)),
        (0.16, (1, 2, 4)),
        (0.32, (1, 1, 2)),
        (0.65, (1, 1, 1)),
        (0.1, (2, 4, 8)),
        (0.04, (4, 8, 16)),
    ],
)
def test_factors(size, factors) -> None:
    assert grid_factors(size) == factors


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("factor", [1, 2, 3, 4, 6, 8])
def test_sums_over_blocks(dtype, factor) -> None:
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    planes = (np.random.default_rng(0).random((2, 24, 48)) * top).astype(dtype)
    planes[0] = top
    blocks = planes.reshape(2, 24 // factor, factor, 48 // factor, factor)
    found = shrunk(planes, factor)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, blocks.sum((2, 4), dtype=float), rtol=1e-6)
