"""Crops of fine fields against the definition: cut the cell out at full size, then average."""

from __future__ import annotations

import dataclasses

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.classification import CellCutter, CropRule, cut_crops
from organelle_widgets.classification._boxes import find_boxes
from organelle_widgets.classification._crops import channel_ranges
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks, relabel
from organelle_widgets.synthetic import virtual_field

RULE = CropRule(size=64, pixel_size_um=0.32)


def patches(shape=(301, 223), seed=0, n_cells=9):
    """Touching cells with ragged outlines and background between some, on noise."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 1, (n_cells, 2)) * shape
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    apart = np.hypot(rows - centres[:, 0, None, None], cols - centres[:, 1, None, None])
    nearest = apart + rng.normal(0, 1, apart.shape)
    ids = np.sort(rng.choice(np.arange(1, 300), n_cells, replace=False))
    cells = np.where(apart.min(axis=0) < 60, ids[nearest.argmin(axis=0)], 0).astype(np.int32)
    pixels = rng.integers(0, 256, (4, *shape)).astype(np.uint8)
    return pixels, Masks(np.zeros_like(cells), cells)


def shares(length, step, origin, size):
    """Share of every pixel of a line in every new pixel, by its definition."""
    begin = origin + np.arange(size)[:, None] * step
    pixel = np.arange(length)[None]
    return np.clip(np.minimum(pixel + 1, begin + step) - np.maximum(pixel, begin), 0, None) / step


def cut_then_averaged(field, masks, rule, cell, step):
    """One crop the slow way: the cell alone at full size, averaged on the grid that the whole field has."""
    low, high = (values[:, None, None] for values in channel_ranges(field, masks))
    image = np.clip((field.pixels.astype(float) - low) / (high - low), 0, 1)
    image = image * (masks.cells == cell)
    found = np.nonzero(masks.cells == cell)
    maps = []
    for place, length in zip(found, field.shape, strict=True):
        middle = place.min() + (place.max() + 1 - place.min()) // 2 + 0.5
        maps.append(shares(length, step, (int(middle / step) - rule.size // 2) * step, rule.size))
    return maps[0] @ image @ maps[1].T


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("step", [2, 3, 4, 1.6, 2.46, 4.923])
def test_a_crop_is_the_cell_cut_out_and_then_averaged(step, kind):
    pixels, masks = patches()
    pixels = pixels if kind == "uint8" else pixels.astype(kind) * (0.004 if "f" in kind else 190)
    field = Field(pixels.astype(kind), "patches", 0.32 / step, "given")
    rule = CropRule(size=256, pixel_size_um=0.32)
    crops = cut_crops(field, masks, rule, masks.cell_ids)
    for crop, cell in zip(crops, masks.cell_ids, strict=True):
        expected = cut_then_averaged(field, masks, rule, cell, step)
        np.testing.assert_allclose(crop, expected, atol=3e-5)


def test_a_step_next_to_a_whole_number_counts_as_that():
    pixels, masks = patches()
    exact, near = (
        cut_crops(Field(pixels, "patches", px, "given"), masks, RULE, masks.cell_ids)
        for px in (0.08, 0.08003)
    )
    np.testing.assert_array_equal(near, exact)


@pytest.mark.parametrize("step", [1, 2, 1.3, 4, 0.5])
def test_the_middle_of_the_box_is_in_the_middle(step):
    """To half a pixel of the crop beside the half that separates the middle pixel's middle from its edge."""
    cells = np.zeros((300, 300), np.int32)
    for cell, (top, left) in enumerate([(3, 4), (18, 151), (151, 17), (187, 201)], 1):
        cells[top : top + 70 + 7 * cell, left : left + 93 - 6 * cell] = cell
    pixels = np.repeat(np.uint8(200) * (cells > 0)[None], 4, axis=0)
    field = Field(pixels, "boxes", 0.32 / step, "given")
    ids, boxes = find_boxes(cells)
    crops = cut_crops(field, Masks(cells * 0, cells), CropRule(512, 0.32), ids)
    for crop, box in zip(crops, boxes, strict=True):
        for axis, (start, stop) in enumerate(box.reshape(2, 2)):
            light = crop[0].sum(axis=1 - axis)
            middle = (light * (np.arange(512) + 0.5)).sum() / light.sum()
            assert abs(middle - 256.5) <= 0.5 + 0.5 / step + 1e-3
            assert light.sum() / light.max() == pytest.approx((stop - start) / step, rel=0.02)


@pytest.mark.parametrize("pixel_size_um", [0.065, 0.08, 0.16, 0.2])
def test_cells_that_do_not_fit_are_nearly_what_one_averaging_gives(pixel_size_um):
    drawn = virtual_field((500, 400), seed=4, pixel_size_um=pixel_size_um)
    whole = CropRule(size=1024, pixel_size_um=pixel_size_um)
    small = CropRule(size=48, pixel_size_um=0.32)
    found = cut_crops(drawn.field, drawn.masks, small, drawn.masks.cell_ids)
    full = cut_crops(drawn.field, drawn.masks, whole, drawn.masks.cell_ids)
    _, boxes = find_boxes(drawn.masks.cells)
    large = 0
    for crop, image, box in zip(found, full, boxes, strict=True):
        step = max(0.32 / pixel_size_um, *(box[1::2] - box[::2]) / 48)
        large += step > 0.32 / pixel_size_um
        grid = shares(1024, step, 512.5 - 24.5 * step, 48)
        expected = grid @ image @ grid.T
        np.testing.assert_allclose(crop.sum((1, 2)), expected.sum((1, 2)), rtol=0.02, atol=1)
        assert np.abs(crop - expected).mean() < 0.012
    assert large > 0


def test_a_field_at_the_crops_scale_is_neither_copied_nor_resampled():
    pixels, masks = patches()
    field = Field(pixels, "patches", 0.32, "given")
    rule = CropRule(size=512, pixel_size_um=0.32)
    cutter = CellCutter(field, masks, rule)
    assert cutter.nbytes == 0
    expected = cut_then_averaged(field, masks, rule, masks.cell_ids[0], 1)
    np.testing.assert_allclose(cutter.cut(masks.cell_ids[:1])[0], expected, atol=1e-6)


def test_what_a_cutter_keeps_is_small():
    drawn = virtual_field((512, 512), seed=2)
    cutter = CellCutter(drawn.field, drawn.masks, CropRule())
    assert 0 < cutter.nbytes < 0.6 * drawn.field.pixels.nbytes


def test_views_that_are_not_contiguous_give_the_same():
    pixels, masks = patches((300, 224))
    wide, labels = np.repeat(pixels, 2, axis=2), np.repeat(masks.cells, 2, axis=1)
    field = Field(wide[:, :, ::2], "every other", 0.08, "given")
    found = cut_crops(field, Masks(labels[:, ::2] * 0, labels[:, ::2]), RULE, masks.cell_ids)
    exact = cut_crops(Field(pixels, "all", 0.08, "given"), masks, RULE, masks.cell_ids)
    np.testing.assert_array_equal(found, exact)


def test_a_cell_smaller_than_one_pixel_of_its_crop_is_there():
    cells = np.zeros((90, 90), np.int32)
    cells[41:43, 50:53] = 4
    cells[10:40, 10:40] = 6
    field = Field(np.repeat(cells[None] > 0, 4, 0).astype(np.uint8) * 99, "tiny", 0.04, "given")
    crops = cut_crops(field, Masks(cells * 0, cells), RULE, [4, 6])
    np.testing.assert_allclose(crops.sum((2, 3))[:, 0], [6 / 64, 900 / 64], rtol=1e-3)


def test_the_whole_field_may_be_one_cell():
    cells = np.full((37, 53), 1, np.int32)
    field = Field(np.full((4, 37, 53), 7, np.uint16), "one", 0.1, "given")
    bright = field.pixels.copy()
    bright[:, 5:30, 5:40] = 900
    crop = cut_crops(dataclasses.replace(field, pixels=bright), Masks(cells * 0, cells), RULE, [1])[
        0
    ]
    assert crop[0].sum() == pytest.approx(25 * 35 / 3.2**2, rel=0.01)


@pytest.mark.data
def test_cells_of_a_real_field_are_cut_so(data):
    mask = sorted((data / "fields").glob("*_cellmask.png"))[0]
    stem = mask.name.removesuffix("_cellmask.png")
    cells = relabel(iio.imread(mask))[300:1300, 200:1201]
    keys = ("red", "green", "blue", "yellow")
    pixels = np.stack([iio.imread(mask.with_name(f"{stem}_{key}.png")) for key in keys])
    field = Field(pixels[:, 300:1300, 200:1201], stem, 0.08, "given")
    masks = Masks(np.zeros_like(cells), cells)
    rule = CropRule(size=512, pixel_size_um=0.32)
    ids = masks.cell_ids[:4]
    crops = cut_crops(field, masks, rule, ids)
    step = 0.32 / field.pixel_size_um
    for crop, cell in zip(crops, ids, strict=True):
        expected = cut_then_averaged(field, masks, rule, cell, step)
        np.testing.assert_allclose(crop, expected, atol=3e-5)
