"""The watershed: cells with known outlines, poor fields, settings, and agreement with published masks."""

import dataclasses

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.errors import SettingsError
from organelle_widgets.evaluation.matching import match_labels
from organelle_widgets.evaluation.segmentation import evaluate_segmentation
from organelle_widgets.segmentation.watershed import Watershed


def without(field, *keys):
    pixels = field.pixels.copy()
    pixels[[{"red": 0, "green": 1, "yellow": 3}[key] for key in keys]] = 0
    return dataclasses.replace(field, pixels=pixels, missing=frozenset(keys) - {"green"})


def nuclei_field(shape, centres, radius, pixel_size_um=0.32):
    """Bright discs in the blue channel and a wide rim of microtubules around them."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    distance = np.min([np.hypot(rows - r, cols - c) for r, c in centres], axis=0)
    pixels = np.zeros((4, *shape), np.uint8)
    pixels[2][distance < radius] = 150
    pixels[0][distance < 2 * radius] = 100
    return Field(pixels, pixel_size_um=pixel_size_um, missing=frozenset({"yellow"}))


def test_the_discs_are_found(disc_field, disc_masks):
    masks = Watershed().segment(disc_field)
    cells = match_labels(disc_masks.cells, masks.cells)
    assert cells.average_precision[0.75] == 1
    assert cells.mean_iou > 0.8
    assert match_labels(disc_masks.nuclei, masks.nuclei).average_precision[0.75] == 1
    assert masks.cell_ids.tolist() == [1, 2, 3]


@pytest.mark.parametrize("factor", [2, 4])
def test_finer_pixels_give_the_same_cells_with_smooth_borders(disc_field, disc_masks, factor):
    fine = np.ones((factor, factor), np.uint8)
    field = dataclasses.replace(
        disc_field, pixels=np.kron(disc_field.pixels, fine), pixel_size_um=0.32 / factor
    )
    found = Watershed().segment(field).cells
    match = match_labels(np.kron(disc_masks.cells, fine), found)
    assert match.average_precision[0.75] == 1
    blocks = found.reshape(found.shape[0] // factor, factor, found.shape[1] // factor, factor)
    stepped = (blocks == blocks[:, :1, :, :1]).all()
    assert not stepped, "borders follow the coarse pixels"


def test_sixteen_bit_and_floats_give_what_eight_bit_gives(disc_field):
    expected = Watershed().segment(disc_field).cells
    for pixels in (disc_field.pixels.astype(np.uint16) * 257, np.float32(disc_field.pixels) / 255):
        found = Watershed().segment(dataclasses.replace(disc_field, pixels=pixels)).cells
        match = match_labels(expected, found)
        assert match.average_precision[0.9] == 1


@pytest.mark.parametrize("missing", [("red",), ("yellow",), ("red", "yellow")])
def test_one_cytoplasm_stain_is_enough(disc_field, disc_masks, missing):
    cells = Watershed().segment(without(disc_field, *missing)).cells
    assert match_labels(disc_masks.cells, cells).average_precision[0.5] == 1


def test_without_any_cytoplasm_cells_are_rims_around_nuclei(disc_field, disc_masks):
    masks = Watershed().segment(without(disc_field, "red", "green", "yellow"))
    assert masks.n_cells == 3
    rows, cols = np.nonzero(masks.cells)
    near = np.min([np.hypot(rows - r, cols - c) for r, c in ((60, 60), (90, 150), (80, 236))], 0)
    assert 24 < near.max() < 31  # nucleus of 14 px and 4 um at 0.32 um/px


def test_noise_has_no_cells():
    noise = np.random.default_rng(1).poisson(20, (4, 256, 256)).astype(np.uint8)
    assert Watershed().segment(Field(noise, pixel_size_um=0.32)).n_cells == 0


@pytest.mark.parametrize("value", [0, 37, 255])
def test_flat_fields_have_no_cells(value):
    field = Field(np.full((4, 90, 110), value, np.uint8), pixel_size_um=0.32)
    assert Watershed().segment(field).n_cells == 0


def test_a_very_dim_field_still_has_its_cells(disc_field, disc_masks):
    rng = np.random.default_rng(2)
    dim = rng.poisson(disc_field.pixels / 25).astype(np.uint8)
    cells = Watershed().segment(dataclasses.replace(disc_field, pixels=dim)).cells
    assert match_labels(disc_masks.cells, cells).average_precision[0.5] == 1


def test_haze_in_the_nuclear_channel_is_no_nucleus(disc_field):
    rows, cols = np.mgrid[:160, :240]
    pixels = disc_field.pixels.copy()
    haze = 40 * np.exp(-(((rows - 30) / 40) ** 2 + ((cols - 200) / 40) ** 2))
    pixels[2] = np.maximum(pixels[2], haze.astype(np.uint8))
    assert Watershed().segment(dataclasses.replace(disc_field, pixels=pixels)).n_cells == 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 5), (17, 9)])
@pytest.mark.parametrize("pixel_size_um", [0.01, 0.08, 0.32, 5.0])
def test_tiny_fields_and_odd_pixel_sizes_do_not_fail(shape, pixel_size_um):
    pixels = np.random.default_rng(3).integers(0, 255, (4, *shape), np.uint8)
    assert Watershed().segment(Field(pixels, pixel_size_um=pixel_size_um)).shape == shape


def test_touching_nuclei_are_parted_as_asked():
    field = nuclei_field((100, 140), [(50, 50), (50, 84)], 18)  # the waist is 12 px of 36
    assert Watershed().segment(field).n_cells == 2
    assert Watershed(split_sensitivity=0.3).segment(field).n_cells == 1


def test_small_things_are_dropped_as_asked():
    field = nuclei_field(
        (120, 160), [(50, 40), (60, 120)], 10
    )  # nuclei of 32 um2, cells of 129 um2
    assert Watershed().segment(field).n_cells == 2
    assert Watershed(min_nucleus_area_um2=60).segment(field).n_cells == 0
    assert Watershed(min_cell_area_um2=200).segment(field).n_cells == 0


def test_a_lower_cell_threshold_makes_larger_cells(disc_field):
    rows, cols = np.mgrid[:160, :240]
    pixels = np.zeros((4, 160, 240), np.uint8)
    distance = np.hypot(rows - 80, cols - 120)
    pixels[2][distance < 15] = 150
    pixels[0] = np.where(distance < 30, 120, np.where(distance < 55, 30, 0))
    field = Field(pixels, pixel_size_um=0.32, missing=frozenset({"yellow"}))
    small = np.count_nonzero(Watershed(cell_threshold=0.5).segment(field).cells)
    large = np.count_nonzero(Watershed(cell_threshold=0.1).segment(field).cells)
    assert large > 2 * small


@pytest.mark.parametrize("spec", describe_settings(Watershed), ids=lambda spec: spec.name)
def test_settings_out_of_range_are_refused(spec):
    for value in (spec.minimum - 0.01, spec.maximum + 0.01, float("nan"), "much", True):
        with pytest.raises(SettingsError, match=f"{spec.name}: expected"):
            Watershed(**{spec.name: value})


@pytest.mark.data
def test_agrees_with_the_published_masks(data):
    result = evaluate_segmentation(data, folders=["fields"])
    assert len(result["fields"]) == 5
    assert result["mean"]["ap50"] >= 0.85
    assert result["mean"]["mean_iou"] >= 0.8
