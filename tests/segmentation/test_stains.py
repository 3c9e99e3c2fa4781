"""Planes of comparable brightness for networks of other packages."""

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.segmentation._stains import cytoplasm_stains, stretched, work_ratio


def ramp_field(dtype, scale):
    rows = np.tile(np.linspace(0, 1, 100)[:, None], (1, 40)) * scale
    pixels = np.zeros((4, 100, 40))
    pixels[2] = rows
    pixels[0] = scale / 2
    return Field(pixels.astype(dtype), pixel_size_um=0.32)


@pytest.mark.parametrize(("dtype", "scale"), [("u1", 200), ("u2", 60000), ("f4", 1e-3), ("f4", 1)])
def test_percentiles_become_0_and_1_whatever_the_dtype(dtype, scale):
    plane = stretched(ramp_field(dtype, scale), "blue", 1.0, 1.0)
    assert plane.dtype == np.float32
    assert np.percentile(plane, (1, 99)) == pytest.approx([0, 1], abs=0.01)


def test_flat_stains_are_zero():
    assert not stretched(ramp_field("u1", 200), "red", 2.0, 1.0).any()
    assert not stretched(ramp_field("u1", 200), "green", 1.0, 1.0).any()


def test_a_few_bright_spots_are_seen_though_percentiles_are_flat():
    pixels = np.zeros((4, 200, 200), np.uint8)
    pixels[2, 50:55, 50:55] = 90
    plane = stretched(Field(pixels, pixel_size_um=0.32), "blue", 1.0, 1.0)
    assert (plane.max(), plane[0, 0]) == (1, 0)


def test_planes_are_shrunk_and_coarse_fields_are_not_enlarged():
    field = ramp_field("u1", 200)
    assert work_ratio(field, 0.64) == 2
    assert work_ratio(field, 0.1) == 1
    assert stretched(field, "blue", 2.0, 1.0).shape == (50, 20)


@pytest.mark.parametrize(
    ("missing", "stains"),
    [((), ("red", "yellow")), (("red",), ("yellow",)), (("red", "yellow"), ("green",))],
)
def test_the_protein_stands_in_where_both_stains_of_whole_cells_are_missing(missing, stains):
    field = ramp_field("u1", 200)
    pixels = field.pixels.copy()
    pixels[[{"red": 0, "yellow": 3}[key] for key in missing]] = 0
    assert cytoplasm_stains(Field(pixels, missing=frozenset(missing))) == stains
