"""Profiles of stains at known distances."""

from __future__ import annotations

import numpy as np
import pytest

CYTOPLASM = [f"radial_cytoplasm_{n}of4" for n in (1, 2, 3, 4)]
PROFILE = ["radial_nucleus_core", "radial_nucleus_rim", *CYTOPLASM]


def test_an_even_stain(any_scene) -> None:
    row = any_scene.measure(any_scene.cell * 80.0)
    np.testing.assert_allclose(row[PROFILE].astype(float), 1, rtol=1e-3)
    assert row["protein_distance_nucleus_relative"] == pytest.approx(1, rel=1e-3)
    assert row["protein_offset_um"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("number", range(4))
def test_a_ring_is_in_its_bin(any_scene, number) -> None:
    """Nucleus to 6 um, cell to 15 um: bins of the cytoplasm are rings 2.25 um wide."""
    middle = 6 + 2.25 * (number + 0.5)
    ring = np.abs(any_scene.distance_um - middle) < 0.6
    row = any_scene.measure(ring * 100.0)
    assert row[PROFILE].astype(float).idxmax() == CYTOPLASM[number]
    assert row[CYTOPLASM].sum() == pytest.approx(row[CYTOPLASM[number]], rel=0.1)
    assert row["protein_distance_nucleus_um"] == pytest.approx(middle - 6, abs=0.15)


def test_core_and_rim_of_the_nucleus(any_scene) -> None:
    core = any_scene.measure((any_scene.distance_um < 2.4) * 100.0)
    assert core["radial_nucleus_core"] > 5
    assert core["radial_nucleus_rim"] < 0.2
    rim = any_scene.measure(any_scene.nucleus * (any_scene.distance_um > 3.6) * 100.0)
    assert rim["radial_nucleus_rim"] > 5
    assert rim["radial_nucleus_core"] < 0.5


def test_off_centre(any_scene) -> None:
    protein = any_scene.cell * 1.0 * (any_scene.col_um > 0)
    assert any_scene.measure(protein)["protein_offset_um"] == pytest.approx(
        4 * 15 / (3 * np.pi), rel=0.02
    )


def test_without_a_nucleus_or_signal(make_scene) -> None:
    bare = make_scene(0.32, nucleus_um=0)
    row = bare.measure(bare.cell * 80.0)
    assert row[PROFILE].isna().all()
    assert np.isnan(row["protein_distance_nucleus_um"])
    assert row["protein_offset_um"] == pytest.approx(0, abs=0.01)
    scene = make_scene(0.32)
    dark = scene.measure(scene.cell * 0.0)
    assert dark[[*PROFILE, "protein_distance_nucleus_um", "protein_offset_um"]].isna().all()
