"""Files made for the browser."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from organelle_widgets.controllers.exports import EXPORTS, make_chart, make_export
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.results import FieldResult
from organelle_widgets.export import EXPORTERS, default_formats
from organelle_widgets.io import read_field


@pytest.fixture(scope="module")
def result(disc_field: Field, disc_masks: Masks) -> FieldResult:
    probabilities = np.full((3, 19), 0.1, np.float32)
    probabilities[:, 2] = (0.9, 0.6, 0.3)
    return FieldResult(disc_field, disc_masks, probabilities)


def test_the_table_follows_the_threshold_on_the_page(result: FieldResult) -> None:
    name, content = make_export(result, "table", 0.7, monitor=Monitor())
    table = pd.read_csv(io.BytesIO(content), keep_default_na=False)
    assert name == "discs_cells.csv"
    assert table["predicted_classes"].tolist() == ["Nucleoli", "", ""]


def test_masks_come_as_a_zip_of_both(result: FieldResult) -> None:
    name, content = make_export(result, "masks", 0.5, monitor=Monitor())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == ["discs/cells.tif", "discs/nuclei.tif"]
    assert name == "discs_masks.zip"


def test_measurements_come_with_what_they_mean(result: FieldResult) -> None:
    name, content = make_export(result, "measurements", 0.5, monitor=Monitor())
    assert name == "discs_measurements.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        values = pd.read_csv(archive.open("discs/measurements.csv"))
        meaning = pd.read_csv(archive.open("discs/measurements_columns.csv"))
    assert values["cell_id"].tolist() == [2, 5, 9]
    assert list(values) == meaning["name"].tolist()


def test_everything_holds_every_file(result: FieldResult) -> None:
    _, content = make_export(result, "all", 0.5, monitor=Monitor())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = {path.split("/")[1] for path in archive.namelist()}
        summary = json.loads(archive.read("discs/result.json"))
    assert names == {EXPORTERS.get(name).cls.filename for name in default_formats()}
    assert {"cells.csv", "overview.png", "measurements.csv"} <= names
    assert summary["n_cells"] == 3


@pytest.mark.parametrize("key", [entry["key"] for entry in EXPORTS])
def test_no_export_is_empty(result: FieldResult, key: str) -> None:
    name, content = make_export(result, key, 0.5, monitor=Monitor())
    assert name.startswith("discs_")
    assert len(content) > 100


@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_charts_come_in_three_formats(result: FieldResult, suffix: str, start: bytes) -> None:
    name, content = make_chart(result, 5, 0.5, suffix, monitor=Monitor())
    assert name == f"discs_cell_5_probabilities.{suffix}"
    assert content.startswith(start)
    assert make_chart(result, None, 0.5, suffix, monitor=Monitor())[0].startswith("discs_field_")


def test_the_image_with_labels_is_whole_within_its_zip(result: FieldResult, tmp_path: Path) -> None:
    name, content = make_export(result, "ome_zarr", 0.5, monitor=Monitor())
    assert name == "discs_ome_zarr.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    again = read_field(tmp_path / "discs" / "image.ome.zarr")
    assert (again.pixels == result.field.pixels).all()
