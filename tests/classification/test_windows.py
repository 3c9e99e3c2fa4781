"""Windows on hand-made masks: position, extent, masking, channels, grey values."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from organelle_widgets.classification import WindowCutter, WindowRule
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import InputError, SettingsError

FIXED = WindowRule(size=32, extent_um=32 * 0.32, scaling="full_scale")
BOX = WindowRule(size=32, scaling="full_scale")


def touching(pixel_size_um=0.32, scale=1, dtype=np.uint8):
    """Cell 3, 12 x 8 px at 0.32 um, beside cell 8; the channels have 20, 40, 60 and 80 in it, 200 in cell 8."""
    cells = np.zeros((40, 60), np.int32)
    cells[10:22, 20:28] = 3
    cells[10:22, 28:40] = 8
    pixels = np.zeros((4, 40, 60), dtype)
    pixels[:, cells == 3] = np.array([20, 40, 60, 80])[:, None]
    pixels[:, cells == 8] = 200
    cells, pixels = (np.repeat(np.repeat(a, scale, -1), scale, -2) for a in (cells, pixels))
    return Field(pixels, "touching", pixel_size_um, "given"), Masks(cells * 0, cells)


def cut(rule, cell=3, **settings):
    return WindowCutter(*touching(**settings), rule).cut([cell])[0]


def test_a_fixed_window_is_centred_on_the_box_and_shows_one_cell():
    crop = cut(FIXED)
    assert crop.shape == (4, 32, 32)
    assert crop.dtype == np.float32
    inside = np.zeros((32, 32), bool)
    inside[10:22, 12:20] = True
    np.testing.assert_array_equal(crop[2] > 0, inside)
    np.testing.assert_allclose(
        crop[:, inside], np.array([20, 40, 60, 80])[:, None] / 255 + 0 * crop[:, inside]
    )


@pytest.mark.parametrize("scale", [2, 4])
def test_windows_do_not_depend_on_the_pixel_size(scale):
    np.testing.assert_allclose(
        cut(FIXED, scale=scale, pixel_size_um=0.32 / scale), cut(FIXED), atol=1e-6
    )


def test_neighbours_are_seen_where_nothing_is_masked():
    crop = cut(dataclasses.replace(FIXED, masked=False))
    np.testing.assert_allclose(crop[:, 10:22, 20:32], 200 / 255, rtol=1e-6)


def test_a_mask_is_widened():
    crop = cut(dataclasses.replace(FIXED, grow_um=2 * 0.32))
    np.testing.assert_allclose(crop[:, 10:22, 20:22], 200 / 255, rtol=1e-6)
    assert not crop[:, :, 22:].any()


def test_beyond_the_field_is_zero():
    field, masks = touching()
    cells = np.zeros_like(masks.cells)
    cells[:6, :6] = 1
    bright = dataclasses.replace(field, pixels=np.full_like(field.pixels, 255))
    rule = dataclasses.replace(FIXED, masked=False)
    crop = WindowCutter(bright, Masks(cells * 0, cells), rule).cut([1])[0, 0]
    assert not crop[:13].any()
    assert not crop[:, :13].any()
    np.testing.assert_allclose(crop[13:, 13:], 1, rtol=1e-6)


def test_a_box_is_stretched_to_the_square():
    crop = cut(BOX)
    np.testing.assert_allclose(
        crop,
        np.broadcast_to(np.array([20, 40, 60, 80])[:, None, None] / 255, crop.shape),
        rtol=1e-5,
    )


def test_a_box_is_widened_as_far_as_the_field_reaches():
    rule = dataclasses.replace(BOX, margin_um=4 * 0.32)
    crop = cut(rule)
    rows, cols = (np.flatnonzero(crop[0].max(axis=axis) > 10 / 255) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (6, 25)  # 4 of 20 px, 32 / 20 each
    assert (cols[0], cols[-1]) == (8, 23)  # 4 of 16 px
    field, masks = touching()
    cells = np.zeros_like(masks.cells)
    cells[:6, :6] = 1
    edge = WindowCutter(field, Masks(cells * 0, cells), dataclasses.replace(rule, masked=False))
    np.testing.assert_array_equal(edge.cut([1]), 0)


def test_channels_come_in_the_order_asked_for():
    crop = cut(dataclasses.replace(BOX, channels=(3, 1)))
    np.testing.assert_allclose(crop[:, 16, 16], [80 / 255, 40 / 255], rtol=1e-5)


def test_shrinking_averages():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (4, 128, 128)).astype(np.uint8)
    cells = np.ones((128, 128), np.int32)
    crop = WindowCutter(Field(pixels), Masks(cells * 0, cells), BOX).cut([1])[0]
    blocks = pixels.reshape(4, 32, 4, 32, 4).mean(axis=(2, 4)) / 255
    np.testing.assert_allclose(crop, blocks, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_smallest_and_largest_are_taken_over_all_channels_or_each(dtype):
    together = cut(dataclasses.replace(FIXED, scaling="cell"), dtype=dtype)
    np.testing.assert_allclose(together[:, 16, 16], [0.25, 0.5, 0.75, 1], rtol=1e-4)
    each = cut(dataclasses.replace(FIXED, scaling="cell_channel"), dtype=dtype)
    np.testing.assert_allclose(each[:, 16, 16], 1, rtol=1e-4)
    assert together.min() == each.min() == 0


def test_the_scale_of_a_field_is_shared_by_its_cells():
    rule = dataclasses.replace(FIXED, scaling="field")
    np.testing.assert_allclose(cut(rule, 8)[:, 16, 16], 1, rtol=1e-5)
    np.testing.assert_allclose(cut(rule, 3)[:, 16, 16], [0.1, 0.2, 0.3, 0.4], rtol=1e-5)


def test_an_empty_field_gives_zeros():
    field, masks = touching()
    empty = dataclasses.replace(field, pixels=field.pixels * 0)
    for scaling in ("field", "full_scale", "cell", "cell_channel"):
        rule = dataclasses.replace(FIXED, scaling=scaling)
        np.testing.assert_array_equal(WindowCutter(empty, masks, rule).cut([3, 8]), 0)


def test_what_can_not_be_cut_is_refused():
    field, masks = touching()
    small = Masks(np.zeros((5, 5), np.int32), np.zeros((5, 5), np.int32))
    with pytest.raises(InputError, match=r"field's shape \(40, 60\); found \(5, 5\)"):
        WindowCutter(field, small, BOX)
    with pytest.raises(InputError, match="id of a cell in the masks; found 4"):
        WindowCutter(field, masks, BOX).cut([4])


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"size": 4}, "at least 8 px; found 4"),
        ({"extent_um": 0.0}, "extent above 0 um"),
        ({"margin_um": -1.0}, "no margin below"),
        ({"grow_um": float("nan")}, "no margin below"),
        ({"channels": (0, 4)}, r"channels from 0 to 3; found \(0, 4\)"),
        ({"scaling": "loud"}, "scaling out of field.*; found 'loud'"),
    ],
)
def test_rules_that_can_not_be_followed_are_refused(settings, text):
    with pytest.raises(SettingsError, match=text):
        WindowRule(**settings)
