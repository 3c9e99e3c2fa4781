"""The table: which rows and columns, what is NaN, and that nothing makes it fail."""

from __future__ import annotations

import re

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

import organelle_widgets as ow
from organelle_widgets import measurements
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.measurements import GROUPS, MeasurementGroup, measure_cells
from organelle_widgets.measurements._base import groups

EACH = pytest.mark.parametrize("name", GROUPS.names())


@pytest.fixture(scope="module")
def virtual():
    return ow.virtual_field((320, 320), seed=3, pixel_size_um=0.32)


@pytest.fixture(scope="module")
def table(virtual) -> pd.DataFrame:
    return measure_cells(virtual.field, virtual.masks)


def test_one_row_a_cell_and_every_column_is_defined(virtual, table) -> None:
    assert table["cell_id"].tolist() == virtual.masks.cell_ids.tolist()
    assert table.columns.tolist() == ["cell_id", *measurements.MEASUREMENTS]
    assert (table.dtypes.iloc[1:] == np.float64).all()


@EACH
def test_definitions_are_sentences_with_units(name) -> None:
    columns = GROUPS.get(name).cls.columns
    assert columns
    for column in columns:
        assert column.definition.endswith(".")
        assert column.unit
        assert len(column.definition) > 20
        has_unit = re.search(r"(?<!per_100)_(um|um2|deg)$", column.name) is not None
        assert has_unit == (column.unit in ("um", "um2", "degrees")), column.name


def test_names_are_unique_over_all_groups() -> None:
    names = [column.name for _, group in groups() for column in group.columns]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.islower() for name in names)
    assert {m.group for m in measurements.MEASUREMENTS.values()} == set(GROUPS.names())


@EACH
def test_groups_measure_what_they_list_and_nothing_else(name, virtual, table, monkeypatch) -> None:
    seen: set[str] = set()
    group = dict(groups())[name]
    original = type(group).measure

    def noted(self, cell):
        found = original(self, cell)
        seen.update(found)
        return found

    monkeypatch.setattr(type(group), "measure", noted)
    measure_cells(virtual.field, virtual.masks)
    assert seen == {column.name for column in group.columns}
    assert table[sorted(seen)].notna().any().all()


def test_some_cells_are_measured_as_in_the_whole_table(virtual, table) -> None:
    ids = virtual.masks.cell_ids
    some = measure_cells(virtual.field, virtual.masks, [int(ids[3]), int(ids[1]), int(ids[1])])
    pd.testing.assert_frame_equal(some, table.iloc[[1, 3]].reset_index(drop=True))
    assert (
        measure_cells(virtual.field, virtual.masks, []).columns.tolist() == table.columns.tolist()
    )


def test_threads_change_nothing(virtual, table) -> None:
    found = measure_cells(virtual.field, virtual.masks, threads=2)
    pd.testing.assert_frame_equal(found, table, check_exact=True)
    with pytest.raises(SettingsError, match="Expected 1 thread or more; found 0"):
        measure_cells(virtual.field, virtual.masks, threads=0)


def test_no_cells_give_an_empty_table(empty_result) -> None:
    found = measure_cells(empty_result.field, empty_result.masks)
    assert found.empty
    assert found.columns.tolist() == ["cell_id", *measurements.MEASUREMENTS]


def test_ids_and_shapes_that_do_not_fit(virtual, disc_masks) -> None:
    with pytest.raises(InputError, match=r"Expected the id of a cell in the masks; found 999"):
        measure_cells(virtual.field, virtual.masks, [999])
    with pytest.raises(InputError, match=r"Expected masks of the field's shape \(320, 320\)"):
        measure_cells(virtual.field, disc_masks)


@pytest.mark.parametrize("size", [0.02, 0.08, 0.11, 0.32, 1.0, 5.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_no_size_dtype_or_shape_fails(size, dtype) -> None:
    rng = np.random.default_rng(0)
    cells = np.zeros((37, 53), np.int32)
    cells[0, 0] = 1  # one pixel in a corner
    cells[36, 40:53] = 2  # a line along the edge, its end at the far corner
    cells[10:30, 10:30] = 5
    nuclei = np.where(cells == 5, np.pad(np.full((6, 6), 5), ((15, 16), (15, 32))), 0)
    pixels = rng.integers(0, 200, (4, 37, 53)).astype(dtype)
    table = measure_cells(Field(pixels, "odd", size), Masks(nuclei, cells))
    assert table["cell_id"].tolist() == [1, 2, 5]
    np.testing.assert_allclose(table["area_um2"], np.array([1, 13, 400]) * size**2)
    assert table["protein_mean_nucleus"].isna().tolist() == [True, True, False]
    inside = [pixels[1][cells == cell].mean(dtype=float) for cell in (1, 2, 5)]
    expected = np.maximum(np.array(inside) - table["protein_background"], 0)
    np.testing.assert_allclose(table["protein_mean_cell"], expected, rtol=1e-5)
    assert np.isfinite(table["perimeter_um"]).all()


def test_a_cell_as_large_as_the_field() -> None:
    ones = np.ones((40, 40), np.int32)
    pixels = np.random.default_rng(0).integers(5, 200, (4, 40, 40)).astype(np.uint8)
    row = measure_cells(Field(pixels, "all", 0.32), Masks(np.zeros_like(ones), ones)).iloc[0]
    assert row["outline_on_border"] == pytest.approx(1, abs=0.03)
    assert np.isnan(row["protein_mean_edge"])
    assert row["protein_mean_cell"] > 50


def test_nothing_but_black_and_nothing_but_white(disc_masks) -> None:
    for value in (0, 255):
        pixels = np.full((4, *disc_masks.shape), value, np.uint8)
        table = measure_cells(Field(pixels, "flat", 0.32), disc_masks)
        assert (table["protein_mean_cell"] == 0).all()
        assert (table["protein_saturated_share"] == (value == 255)).all()
        for name in ("protein_ratio_nucleus_cytoplasm", "pearson_er", "manders_m1_nuclei"):
            assert table[name].isna().all(), name
        assert (table["spot_count"] == 0).all()


def test_missing_channels_are_nan_in_their_columns_only(virtual, table) -> None:
    field = virtual.field.without("red", "yellow")
    found = measure_cells(field, virtual.masks)
    gone = {name for name in table if {"er", "microtubules"} & set(name.split("_"))}
    assert len(gone) == 10
    assert found[sorted(gone)].isna().all().all()
    kept = [name for name in table if name not in gone]
    pd.testing.assert_frame_equal(found[kept], table[kept])


def test_brighter_images_have_brighter_means_and_the_same_shares(virtual, table) -> None:
    pixels = virtual.field.pixels.astype(np.uint16) * 200 + 90
    found = measure_cells(Field(pixels, "bright", 0.32), virtual.masks)
    np.testing.assert_allclose(
        found["protein_total_cell"], 200 * table["protein_total_cell"], rtol=1e-4
    )
    same = ["pearson_nuclei", "manders_m1_er", "spot_count", "texture_contrast_1um"]
    same += ["granularity_2um", "protein_cv_cell", "radial_cytoplasm_2of4"]
    np.testing.assert_allclose(found[same], table[same], rtol=0.02, atol=0.01)


def test_neighbours_do_not_matter(virtual, table) -> None:
    """A cell's own numbers stay when the pixels of all other cells change, but for what is of the field."""
    cell = int(virtual.masks.cell_ids[2])
    other = (virtual.masks.cells > 0) & (virtual.masks.cells != cell)
    pixels = virtual.field.pixels.copy()
    pixels[:, other] = pixels[:, other][:, ::-1]  # the same grey levels elsewhere
    found = measure_cells(Field(pixels, "shuffled", 0.32), virtual.masks).iloc[2]
    for name in ("protein_mean_cell", "spot_count", "texture_entropy_1um", "pearson_nuclei"):
        assert found[name] == pytest.approx(table[name].iloc[2], rel=0.01), name


def test_third_parties_may_add_a_group(disc_field, disc_masks) -> None:
    class Odd(MeasurementGroup):
        columns = (measurements.Measurement("odd", "1", "Whether the id is odd."),)

        def measure(self, cell):
            return {"odd": cell.cell_id % 2}

    GROUPS.entries()
    GROUPS.register("odd")(Odd)
    groups.cache_clear()
    try:
        assert measure_cells(disc_field, disc_masks)["odd"].tolist() == [0, 1, 1]
    finally:
        GROUPS._entries.pop("odd")
        groups.cache_clear()


def test_unknown_names_of_the_package() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = measurements.nothing


@pytest.mark.data
def test_a_real_field(data) -> None:
    path = sorted((data / "fields").glob("*_cellmask.png"))[0]
    name = path.name.removesuffix("_cellmask.png")
    cells = iio.imread(path).astype(np.int32)
    keys = ("red", "green", "blue", "yellow")
    planes = [iio.imread(data / "fields" / f"{name}_{key}.png") for key in keys]
    table = measure_cells(Field(np.stack(planes), name, 0.08), Masks(np.zeros_like(cells), cells))
    assert len(table) == len(np.unique(cells)) - 1
    assert table["area_um2"].median() > 100
    assert table["protein_mean_cell"].gt(0).mean() > 0.9
    assert table["protein_mean_nucleus"].isna().all()
