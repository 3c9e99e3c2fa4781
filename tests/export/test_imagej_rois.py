"""Outlines as ImageJ's ROIs, read back with roifile."""

from __future__ import annotations

import dataclasses
import zipfile

import numpy as np
import pytest
import roifile
import shapely
from shapely.geometry import Polygon

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.errors import ExportError, SettingsError
from organelle_widgets.export import imagej_rois
from organelle_widgets.export.imagej_rois import ImageJRoisExporter


def read(result, folder, **settings):
    path = ImageJRoisExporter(**settings).write(result, folder / "rois.zip")
    return roifile.roiread(path)


def filled(roi, shape):
    """The pixels whose centres lie in a selection; holes by the even-odd rule."""
    rows, cols = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, bool)
    for ring in roi.coordinates(multi=True):
        inside ^= shapely.contains_xy(Polygon(ring), cols, rows)
    return inside


def result_of(cells, name="field"):
    field = Field(np.zeros((4, *cells.shape), np.uint8), name)
    n_cells = len(np.unique(cells)) - 1
    return FieldResult(field, Masks(np.zeros_like(cells), cells), np.full((n_cells, 19), 0.2))


def test_names_are_sorted_and_agree_with_the_file(disc_result, tmp_path):
    names = [roi.name for roi in read(disc_result, tmp_path)]
    assert names == [
        "0002_Nucleoplasm",
        "0002_Nucleoplasm_nucleus",
        "0005_Not sure",
        "0005_Not sure_nucleus",
        "0009_Negative",
        "0009_Negative_nucleus",
    ]
    with zipfile.ZipFile(tmp_path / "rois.zip") as file:
        assert file.namelist() == [f"{name}.roi" for name in names]


def test_pixels_are_those_of_the_masks(disc_result, tmp_path):
    masks = disc_result.masks
    for roi in read(disc_result, tmp_path):
        labels = masks.nuclei if roi.name.endswith("nucleus") else masks.cells
        expected = labels == int(roi.name[:4])
        assert roi.roitype == roifile.ROI_TYPE.TRACED
        assert (filled(roi, masks.shape) == expected).all()
        rows, cols = np.nonzero(expected)
        assert (roi.left, roi.top) == (cols.min(), rows.min())
        assert (roi.right, roi.bottom) == (cols.max() + 1, rows.max() + 1)


def test_colors_position_and_properties(disc_result, tmp_path):
    first, *_, last = read(disc_result, tmp_path)
    assert first.stroke_color == bytes.fromhex("FF5B8FF9")
    assert (first.position, first.c_position, first.z_position, first.t_position) == (0, 0, 0, 0)
    assert first.properties == {
        "cell_id": 2,
        "confidence": 0.9,
        "field": "discs",
        "object": "cell",
        "predicted_classes": "Nucleoplasm|Nucleoli",
    }
    assert last.properties["object"] == "nucleus"


@pytest.mark.parametrize(
    ("which", "ends"), [("cells", [False] * 3), ("nuclei", [True] * 3), ("cells and nuclei", None)]
)
def test_cells_or_nuclei(which, ends, disc_result, tmp_path):
    found = [roi.name.endswith("_nucleus") for roi in read(disc_result, tmp_path, which=which)]
    assert found == (ends or [False, True] * 3)


def test_holes_and_parts_are_composites(tmp_path):
    cells = np.zeros((60, 90), np.int32)
    cells[10:20, 10:30] = 3
    cells[14, 15:18] = 0
    cells[20:25, 30:40] = 3  # touches the other part at a corner
    (roi,) = read(result_of(cells), tmp_path)
    assert roi.composite
    assert roi.roitype == roifile.ROI_TYPE.RECT
    assert len(roi.coordinates(multi=True)) == 3
    assert (filled(roi, cells.shape) == (cells == 3)).all()


def test_large_fields_are_composites(tmp_path, monkeypatch):
    monkeypatch.setattr(imagej_rois, "_LARGEST", 50)
    cells = np.zeros((60, 90), np.int32)
    cells[10:20, 40:60], cells[30:32, 5:7] = 3, 4
    large, small = read(result_of(cells), tmp_path)
    assert (large.composite, small.composite) == (True, False)
    assert (filled(large, cells.shape) == (cells == 3)).all()


def test_beyond_the_16_bits_of_a_sign(tmp_path):
    cells = np.zeros((4, 40_000), np.int32)
    cells[1:3, 39_000:39_900] = 1
    (roi,) = read(result_of(cells), tmp_path)
    assert not roi.composite
    corners = np.unique(roi.coordinates(), axis=0)
    assert corners.tolist() == [[39_000, 1], [39_000, 3], [39_900, 1], [39_900, 3]]


def test_large_ids_and_any_name(tmp_path):
    cells = np.zeros((300, 300), np.int32)
    cells[:2, :2], cells[5:, 5:] = 7, 70_000
    small, large = read(result_of(cells, "Größe:\n😀"), tmp_path)
    assert (small.name, large.name) == ("00007_Not sure", "70000_Not sure")
    assert small.properties["field"] == "Größe: \ufffd"
    assert small.properties["predicted_classes"] == ""


def test_nothing_to_write(empty_result, disc_result, tmp_path):
    with pytest.raises(ExportError, match="discs: There are no cells"):
        ImageJRoisExporter().write(empty_result, tmp_path / "rois.zip")
    masks = Masks(np.zeros_like(disc_result.masks.nuclei), disc_result.masks.cells)
    bare = dataclasses.replace(disc_result, masks=masks)
    with pytest.raises(ExportError, match="Expected nuclei; found none in 3 cells"):
        ImageJRoisExporter(which="nuclei").write(bare, tmp_path / "rois.zip")
    assert list(tmp_path.iterdir()) == []
    assert len(read(bare, tmp_path)) == 3


def test_settings(disc_result, tmp_path):
    simple = read(disc_result, tmp_path, simplify_px=1.5)[0]
    exact = read(disc_result, tmp_path)[0]
    assert simple.n_coordinates < exact.n_coordinates / 4
    with pytest.raises(SettingsError, match="which: expected one of cells and nuclei, cells"):
        ImageJRoisExporter(which="both")
