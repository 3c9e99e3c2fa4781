"""Crops on hand-made masks: position, masking, scale, intensity."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from organelle_widgets.classification import CellCutter, CropRule, cut_crops
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import InputError, SettingsError

RULE = CropRule(size=32, pixel_size_um=0.32)


def square_field(pixel_size_um=0.32, scale=1):
    """Two touching squares of 12 px at 0.32 um: cell 3 with a bright dot, cell 8 all bright."""
    cells = np.zeros((40, 60), np.int32)
    cells[10:22, 10:22] = 3
    cells[10:22, 22:34] = 8
    pixels = np.zeros((4, 40, 60), np.uint8)
    pixels[:, 10:22, 10:22] = 100
    pixels[1, 14:16, 14:16] = 200
    pixels[:, 10:22, 22:34] = 200
    cells, pixels = (np.repeat(np.repeat(a, scale, -1), scale, -2) for a in (cells, pixels))
    return Field(pixels, "squares", pixel_size_um, "given"), Masks(np.zeros_like(cells), cells)


def test_crops_are_centred_and_hold_one_cell_only():
    field, masks = square_field()
    crops = cut_crops(field, masks, RULE, [3, 8])
    assert crops.shape == (2, 4, 32, 32)
    assert crops.dtype == np.float32
    inside = np.zeros((32, 32), bool)
    inside[10:22, 10:22] = True
    np.testing.assert_array_equal(crops[:, 2] > 0, [inside, inside])
    np.testing.assert_allclose(crops[0, 2][inside], 0.5)
    np.testing.assert_allclose(crops[1, 2][inside], 1.0)
    np.testing.assert_allclose(crops[0, 1, 14:16, 14:16], 1.0)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_crops_do_not_depend_on_the_pixel_size(scale):
    coarse = cut_crops(*square_field(), RULE, [3, 8])
    fine = cut_crops(*square_field(0.32 / scale, scale), RULE, [3, 8])
    # the centre of an even number of pixels falls between two of them: at most half a coarse pixel off
    assert np.abs(fine - coarse).mean() < 0.02
    np.testing.assert_allclose(fine.sum((2, 3)), coarse.sum((2, 3)), rtol=0.02)


def test_shrinking_averages_instead_of_picking():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 200, (4, 128, 128)).astype(np.uint8)
    cells = np.ones((128, 128), np.int32)
    field = Field(pixels, "noise", 0.08, "given")
    crop = cut_crops(field, Masks(cells * 0, cells), RULE, [1])[0]
    assert crop[0].std() < 0.3 * (pixels[0] / 200).std()  # 16 pixels to one: a quarter is expected


def test_a_cell_that_does_not_fit_is_shrunk():
    cells = np.zeros((100, 100), np.int32)
    cells[5:95, 40:60] = 1
    field = Field(np.repeat(cells[None] * 99, 4, 0).astype(np.uint8), "long", 0.32, "given")
    crop = cut_crops(field, Masks(cells * 0, cells), RULE, [1])[0]
    rows = np.flatnonzero(crop[0].max(axis=1) > 0)
    cols = np.flatnonzero(crop[0].max(axis=0) > 0)
    assert len(rows) >= 31
    assert 6 <= len(cols) <= 9  # 20 px * 32 / 90


@pytest.mark.parametrize("factor", [2.0, 16.0])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_neither_depth_nor_offset_nor_gain_matters(dtype, factor, disc_field, disc_masks):
    expected = cut_crops(disc_field, disc_masks, RULE, disc_masks.cell_ids)
    pixels = disc_field.pixels * factor + 40
    other = dataclasses.replace(disc_field, pixels=pixels.astype(dtype))
    found = cut_crops(other, disc_masks, RULE, disc_masks.cell_ids)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_dim_and_bright_channels_of_one_field_look_alike(disc_field, disc_masks):
    expected = cut_crops(disc_field, disc_masks, RULE, [2])
    pixels = disc_field.pixels.astype(np.float32) / 255
    pixels[3] /= 3
    dim = dataclasses.replace(disc_field, pixels=pixels)
    np.testing.assert_allclose(cut_crops(dim, disc_masks, RULE, [2]), expected, atol=1e-3)


def test_a_protein_signal_near_background_stays_near_zero(disc_field, disc_masks):
    pixels = disc_field.pixels.astype(np.float32) / 255
    pixels[1] = pixels[1] / 40 + 0.3
    faint = dataclasses.replace(disc_field, pixels=pixels)
    crops = cut_crops(faint, disc_masks, RULE, disc_masks.cell_ids)
    assert 0 < crops[:, 1].max() < 0.35
    assert crops[:, 0].max() > 0.9


def test_missing_channels_are_zero(disc_field, disc_masks):
    pixels = disc_field.pixels.copy()
    pixels[[0, 3]] = 0
    field = dataclasses.replace(disc_field, pixels=pixels, missing=frozenset({"red", "yellow"}))
    crops = cut_crops(field, disc_masks, RULE, disc_masks.cell_ids)
    assert not crops[:, [0, 3]].any()
    assert crops[:, 1].any()


def test_border_cells_and_no_cells(disc_field, disc_masks):
    crop = cut_crops(disc_field, disc_masks, CropRule(64, 0.32), [9])[0]
    assert crop.any()
    assert cut_crops(disc_field, disc_masks, RULE, []).shape == (0, 4, 32, 32)


def test_cutting_one_by_one_gives_the_same(disc_field, disc_masks):
    cutter = CellCutter(disc_field, disc_masks, RULE)
    one_by_one = np.concatenate([cutter.cut([cell]) for cell in (2, 5, 9)])
    np.testing.assert_array_equal(one_by_one, cutter.cut([2, 5, 9]))


def test_what_can_not_be_cut_is_refused(disc_field, disc_masks):
    small = Masks(np.zeros((5, 5), np.int32), np.zeros((5, 5), np.int32))
    with pytest.raises(InputError, match=r"field's shape \(160, 240\); found \(5, 5\)"):
        cut_crops(disc_field, small, RULE, [])
    for cell in (0, 3, 99):
        with pytest.raises(InputError, match=f"id of a cell in the masks; found {cell}"):
            cut_crops(disc_field, disc_masks, RULE, [cell])


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"size": 4}, "at least 8 px; found 4"),
        ({"pixel_size_um": 0}, "above 0 um; found 0"),
        ({"pixel_size_um": float("nan")}, "above 0 um; found nan"),
    ],
)
def test_rules_that_can_not_be_followed_are_refused(settings, text):
    with pytest.raises(SettingsError, match=text):
        CropRule(**settings)
