"""Each thing that goes wrong with a field is told, and nothing is told of a good one."""

from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.quality import likely_pixel_size_um, measure_quality
from organelle_widgets.errors import InputError
from organelle_widgets.io import discover_fields, read_field
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.synthetic import virtual_field

CHANNELS = ("red", "green", "blue", "yellow")


@pytest.fixture(scope="module")
def virtual():
    return virtual_field((512, 512), seed=3, pixel_size_um=0.32)


def measure(field, masks):
    return measure_quality(field, masks, cell_table(masks, field.pixel_size_um))


def changed(field, **planes):
    """The field with other planes by channel key."""
    pixels = np.stack(
        [planes.get(key, plane) for key, plane in zip(CHANNELS, field.pixels, strict=True)]
    )
    return dataclasses.replace(field, pixels=pixels)


def only(quality, words):
    """Whether exactly one thing is warned of, in these words."""
    return len(quality.warnings) == 1 and words in quality.warnings[0]


def test_numbers_of_three_discs(disc_field, disc_masks):
    quality = measure(disc_field, disc_masks)
    assert quality.n_cells == 3
    disc = np.count_nonzero(disc_masks.cells == 2) * 0.32**2
    assert quality.median_cell_area_um2 == pytest.approx(disc)
    assert quality.border_share == pytest.approx(1 / 3)
    assert quality.n_fragments == 0
    assert quality.largest_cell_share == pytest.approx(disc / (160 * 240 * 0.32**2))
    assert quality.nucleus_width_um == pytest.approx(1.8 * 14 * 0.32, rel=0.1)
    assert quality.fitting_pixel_size_um is None
    assert quality.n_nuclei_without_cells == quality.n_cells_without_nucleus == 0
    assert quality.grey_levels["blue"] == pytest.approx(190, abs=12)
    assert max(quality.saturated_share.values()) < 0.06
    assert quality.warnings == ()


def test_a_good_field_is_not_warned_of(virtual):
    assert measure(virtual.field, virtual.masks).warnings == ()


def test_numbers_are_plain_data(virtual):
    quality = measure(virtual.field.without("red"), virtual.masks)
    found = json.loads(json.dumps(quality.to_dict()))
    assert set(found) == {f.name for f in dataclasses.fields(quality)} - {"warnings"}
    assert set(found["grey_levels"]) == {"green", "blue", "yellow"}
    assert found["median_cell_area_um2"] == pytest.approx(quality.median_cell_area_um2, rel=1e-3)


@pytest.mark.parametrize(
    ("pixel_size_um", "source", "said"),
    [
        (0.08, "assumed", "(assumed)"),
        (0.08, "metadata", "(from the file)"),
        (1.5, "given", "given"),
    ],
)
def test_a_wrong_pixel_size_is_told_and_a_fitting_one_named(virtual, pixel_size_um, source, said):
    field = dataclasses.replace(
        virtual.field, pixel_size_um=pixel_size_um, pixel_size_source=source
    )
    quality = measure(field, virtual.masks)
    assert only(
        quality, f"pixel size of {pixel_size_um:g} µm ({said.strip('()')}) is probably wrong"
    )
    assert quality.fitting_pixel_size_um == pytest.approx(0.32, rel=0.7)
    assert f"about {quality.fitting_pixel_size_um:g} µm would fit" in quality.warnings[0]


def test_only_an_assumed_pixel_size_is_doubted(virtual):
    stated = dataclasses.replace(virtual.field, pixel_size_source="given", pixel_size_um=0.05)
    assumed = dataclasses.replace(stated, pixel_size_source="assumed")
    assert likely_pixel_size_um(stated) == 0.05
    assert likely_pixel_size_um(assumed) == pytest.approx(virtual.field.pixel_size_um, rel=0.7)
    right = dataclasses.replace(virtual.field, pixel_size_source="assumed")
    assert likely_pixel_size_um(right) == virtual.field.pixel_size_um


def test_no_cells_asks_for_channel_and_pixel_size(virtual):
    nothing = np.zeros(virtual.field.shape, np.int32)
    quality = measure(virtual.field, Masks(nothing, nothing))
    assert only(quality, "No cells were found. Check that the nuclei channel")
    assert (quality.median_cell_area_um2, quality.nucleus_edge_um) == (None, None)
    small = dataclasses.replace(virtual.field, pixel_size_um=0.06)
    first, second = measure(small, Masks(nothing, nothing)).warnings
    assert first == "No cells were found."
    assert "would fit" in second


def test_blur_is_told(virtual):
    for sigma_um, blurred in ((0.2, False), (1.5, True), (3.0, True)):
        blue = gaussian_filter(virtual.field.channel("blue"), sigma_um / 0.32)
        quality = measure(changed(virtual.field, blue=blue), virtual.masks)
        assert any("out of focus" in text for text in quality.warnings) == blurred


@pytest.mark.parametrize("key", CHANNELS)
def test_a_channel_that_holds_nothing_is_named_once(virtual, key):
    flat = np.full(virtual.field.shape, 4, np.uint8)
    field = changed(virtual.field, **{key: flat})
    told = [text for text in measure(field, virtual.masks).warnings if "every pixel is 4" in text]
    assert len(told) == 1
    assert f"({key})" in told[0]
    noted = dataclasses.replace(field, notes=(told[0].split(". ")[0] + ".",))
    assert not any("every pixel" in text for text in measure(noted, virtual.masks).warnings)


def test_dim_markers_are_named_but_dim_protein_is_an_answer(virtual):
    dim = {key: virtual.field.channel(key) // 20 for key in CHANNELS}
    quality = measure(changed(virtual.field, **dim), virtual.masks)
    assert only(quality, "Very dim, in grey levels above the background: microtubules (")
    assert "nuclei (" in quality.warnings[0]
    assert "protein" not in quality.warnings[0]


def test_few_photons_in_sixteen_bits_are_not_dim(virtual):
    pixels = (virtual.field.pixels.astype(np.uint16) * 3 + 100).astype(np.uint16)
    field = dataclasses.replace(virtual.field, pixels=pixels)
    assert measure(field, virtual.masks).warnings == ()


def test_saturation_is_told(virtual):
    blue = np.minimum(virtual.field.channel("blue").astype(int) * 4, 255).astype(np.uint8)
    quality = measure(changed(virtual.field, blue=blue), virtual.masks)
    assert quality.saturated_share["blue"] > 0.3
    assert only(quality, "Saturated: nuclei (")


def test_one_giant_cell_is_told(virtual):
    cells = np.ones(virtual.field.shape, np.int32)
    nuclei = (virtual.masks.nuclei > 0).astype(np.int32)
    quality = measure(virtual.field, Masks(nuclei, cells))
    assert quality.largest_cell_share == 1
    assert any("One cell covers 100% of the field" in text for text in quality.warnings)


def test_cells_that_are_only_nuclei_are_told(virtual):
    quality = measure(virtual.field, Masks(virtual.masks.nuclei, virtual.masks.nuclei))
    assert quality.n_nuclei_without_cells == quality.n_cells > 5
    assert any("are hardly larger than their nuclei" in text for text in quality.warnings)


def test_cells_without_nuclei_are_told(virtual):
    none = np.zeros_like(virtual.masks.nuclei)
    quality = measure(virtual.field, Masks(none, virtual.masks.cells))
    assert quality.n_cells_without_nucleus == quality.n_cells
    assert only(quality, f"{quality.n_cells} of {quality.n_cells} cells have no nucleus")


def test_a_field_of_cut_cells_is_told(virtual):
    table = cell_table(virtual.masks, 0.32)
    row = table[~table["touches_border"]].sort_values("area_um2").iloc[-1]
    top, left = int(row["centroid_row"]), int(row["centroid_col"])
    window = (slice(top - 30, top + 30), slice(left - 30, left + 30))
    field = Field(virtual.field.pixels[:, *window], pixel_size_um=0.32)
    ids = np.arange(3600).reshape(60, 60) // 1200 + 1  # three bands, each cut by the edge
    cells = ids.astype(np.int32)
    quality = measure(field, Masks(cells * (virtual.masks.nuclei[window] > 0), cells))
    assert quality.border_share == 1
    assert any("answers for them are unsure" in text for text in quality.warnings)


def test_masks_of_another_field_are_refused(virtual):
    nothing = np.zeros((4, 5), np.int32)
    with pytest.raises(InputError, match=r"shape \(512, 512\); found \(4, 5\)"):
        measure(virtual.field, Masks(nothing, nothing))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_field_of_one_pixel_can_be_measured(dtype):
    nothing = np.zeros((1, 1), np.int32)
    quality = measure(Field(np.zeros((4, 1, 1), dtype)), Masks(nothing, nothing))
    assert quality.warnings[0].startswith("No cells were found.")


def test_large_fields_are_measured_quickly(virtual):
    pixels = np.tile(virtual.field.pixels, (1, 4, 4))
    masks = Masks(*(np.tile(m, (4, 4)) for m in (virtual.masks.nuclei, virtual.masks.cells)))
    field = Field(pixels, pixel_size_um=0.32)
    table = cell_table(masks, 0.32)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        measure_quality(field, masks, table)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.3


@pytest.fixture(scope="module")
def real(data):
    """Real fields of different cell lines, by the first letters of their names."""
    names = ("09803248", "0b6eb490", "16c64cc0", "1f1db84c", "41d15cbe", "52558d7e", "1258502e")
    sources = discover_fields(data / "fields_512")
    return {
        name: next(s for s in sources if s.name.startswith(name)).read(pixel_size_um=0.32)
        for name in names
    }


def judged(field):
    return measure(field, make_segmenter("watershed").segment(field))


@pytest.mark.data
def test_real_fields_are_warned_of_only_where_they_are_dim(real):
    warned = {name: judged(field).warnings for name, field in real.items()}
    assert "Very dim" in warned.pop("1258502e")[0]
    assert not any(warned.values())


@pytest.mark.data
def test_real_fields_at_a_wrong_pixel_size(real):
    for name in ("09803248", "0b6eb490", "1f1db84c", "52558d7e"):
        field = real[name]
        for factor in (0.25, 4):
            wrong = dataclasses.replace(field, pixel_size_um=0.32 * factor)
            quality = judged(wrong)
            assert quality.fitting_pixel_size_um == pytest.approx(0.32, rel=0.7)


@pytest.mark.data
def test_real_fields_out_of_focus(real):
    for name in ("0b6eb490", "16c64cc0", "41d15cbe"):
        pixels = np.stack([gaussian_filter(plane, 1.5 / 0.32) for plane in real[name].pixels])
        quality = judged(dataclasses.replace(real[name], pixels=pixels))
        assert any("out of focus" in text for text in quality.warnings)
        assert quality.nucleus_edge_um == pytest.approx(1.4, abs=0.3)


@pytest.mark.data
def test_a_full_field_is_not_warned_of(data):
    quality = judged(read_field(data / "fields" / "57_F11_1_green.png"))
    assert quality.warnings == ()
    assert 0.25 < quality.nucleus_edge_um < 0.6
