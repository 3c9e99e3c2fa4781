"""Masks as label images."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.export.masks_tiff import CellMaskExporter, NucleusMaskExporter


@pytest.mark.parametrize(
    ("exporter", "mask"), [(CellMaskExporter(), "cells"), (NucleusMaskExporter(), "nuclei")]
)
def test_ids_come_back(exporter, mask, disc_result, tmp_path):
    path = exporter.write(disc_result, tmp_path / exporter.filename)
    labels = tifffile.imread(path)
    assert labels.dtype == np.uint16
    assert (labels == getattr(disc_result.masks, mask)).all()


def test_pixel_size_for_ome_and_for_imagej(disc_result, tmp_path):
    path = CellMaskExporter().write(disc_result, tmp_path / "cells.tif")
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        numerator, denominator = page.tags["XResolution"].value
        assert 1e4 * denominator / numerator == pytest.approx(0.32)
        assert page.tags["ResolutionUnit"].value == tifffile.RESUNIT.CENTIMETER
        assert 'PhysicalSizeX="0.32" PhysicalSizeXUnit="µm"' in file.ome_metadata
        assert 'Name="discs cells"' in file.ome_metadata
        assert "3 cells" in file.ome_metadata


def test_no_cells_are_an_empty_image_that_says_so(empty_result, tmp_path):
    path = NucleusMaskExporter().write(empty_result, tmp_path / "nuclei.tif")
    assert not tifffile.imread(path).any()
    with tifffile.TiffFile(path) as file:
        assert "No nuclei found" in file.ome_metadata


def test_large_ids_need_32_bits(tmp_path):
    cells = np.zeros((300, 300), np.int32)
    cells[:2, :2], cells[5:, 5:] = 65_535, 65_536
    field = Field(np.zeros((4, 300, 300), np.uint8))
    result = FieldResult(field, Masks(np.zeros_like(cells), cells), np.zeros((2, 19)))
    labels = tifffile.imread(CellMaskExporter().write(result, tmp_path / "cells.tif"))
    assert labels.dtype == np.uint32
    assert np.unique(labels).tolist() == [0, 65_535, 65_536]
