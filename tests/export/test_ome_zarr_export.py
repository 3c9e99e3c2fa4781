"""OME-Zarr, read back with ome-zarr and with our own reader."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import zarr

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.errors import SettingsError
from organelle_widgets.export.ome_zarr import OmeZarrExporter
from organelle_widgets.io import read_field

VERSIONS = ["0.4", "0.5"]
each = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module")
def large_result():
    """Two cells, the second without a nucleus and of a large id; no microtubules; not square, sides odd."""
    pixels = np.random.default_rng(0).integers(0, 60_000, (4, 301, 531)).astype(np.uint16)
    pixels[0] = 0
    cells = np.zeros((301, 531), np.int32)
    cells[10:200, 10:300], cells[250:, 400:] = 3, 70_000
    nuclei = np.where(cells == 3, 3, 0)
    nuclei[:50] = 0
    field = Field(pixels, "Größe µ/😀", 0.16, "given", frozenset({"red"}), extra={"gene": "ACTB"})
    probabilities = np.full((2, 19), 0.1)
    probabilities[0, [7, 2]] = 0.9, 0.6
    return FieldResult(field, Masks(nuclei, cells), probabilities)


def nodes(path):
    """What ome-zarr finds in the folder, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from ome_zarr.io import parse_url
        from ome_zarr.reader import Reader

        found = list(Reader(parse_url(str(path)))())
    names = ["image", "labels", "cells", "nuclei"]
    return {name: next((n for n in found if f"/{name}" in str(n.zarr)), found[0]) for name in names}


def attributes(group):
    values = dict(group.attrs)
    return values.get("ome", values)


@each
def test_the_field_comes_back(version, large_result, tmp_path):
    path = OmeZarrExporter(version=version).write(large_result, tmp_path / "image.ome.zarr")
    field = read_field(path)
    assert field.pixels.dtype == np.uint16
    assert (field.pixels == large_result.field.pixels).all()
    assert (field.pixel_size_um, field.pixel_size_source) == (0.16, "metadata")
    assert field.missing == {"red"}
    assert len(field.notes) == 1
    assert "Microtubules (red) are missing" in field.notes[0]


@each
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_all_channels_of_other_types(version, dtype, disc_result, tmp_path):
    pixels = (disc_result.field.pixels / (1 if dtype == np.uint8 else 256)).astype(dtype)
    field = Field(pixels, "discs", 0.32)
    result = FieldResult(field, disc_result.masks, disc_result.probabilities)
    back = read_field(OmeZarrExporter(version=version).write(result, tmp_path / "image.ome.zarr"))
    assert back.pixels.dtype == dtype
    assert (back.pixels == pixels).all()
    assert (back.missing, back.notes) == (frozenset(), ())


@each
def test_ome_zarr_reads_image_and_labels(version, large_result, tmp_path):
    found = nodes(OmeZarrExporter(version=version).write(large_result, tmp_path / "image.ome.zarr"))
    image = found["image"]
    assert [level.shape for level in image.data] == [(3, 301, 531), (3, 151, 266), (3, 76, 133)]
    assert (np.asarray(image.data[0]) == large_result.field.pixels[1:]).all()
    assert image.metadata["channel_names"] == ["Protein", "Nuclei", "ER"]
    assert [axis["name"] for axis in image.metadata["axes"]] == ["c", "y", "x"]
    assert {axis.get("unit") for axis in image.metadata["axes"]} == {None, "micrometer"}
    scales = [level[0]["scale"] for level in image.metadata["coordinateTransformations"]]
    assert scales == [[1, 0.16, 0.16], [1, 0.32, 0.32], [1, 0.64, 0.64]]
    for mask in ("cells", "nuclei"):
        labels = found[mask]
        assert len(labels.data) == 3
        assert (np.asarray(labels.data[0]) == getattr(large_result.masks, mask)).all()
        small, full = (np.unique(np.asarray(labels.data[level])) for level in (2, 0))
        assert small.tolist() == full.tolist()


@each
def test_labels_know_colors_and_classes(version, large_result, tmp_path):
    found = nodes(OmeZarrExporter(version=version).write(large_result, tmp_path / "image.ome.zarr"))
    cells, nuclei = found["cells"].metadata, found["nuclei"].metadata
    assert {k: np.rint(np.multiply(v, 255)).tolist() for k, v in cells["color"].items()} == {
        3: [0x73, 0xD1, 0x3D, 255],
        70_000: [0xC3, 0xCB, 0xD6, 255],
    }
    assert set(nuclei["properties"]) == {3}
    golgi, unsure = cells["properties"][3], cells["properties"][70_000]
    assert (golgi["class"], golgi["predicted_classes"]) == (
        "Golgi apparatus",
        "Golgi apparatus|Nucleoli",
    )
    assert golgi["confidence"] == golgi["p_golgi_apparatus"] == 0.9
    assert (unsure["class"], unsure["predicted_classes"]) == ("Not sure", "")
    assert unsure["touches_border"] is True


@each
def test_levels_are_means_and_labels_are_not(version, large_result, tmp_path):
    path = OmeZarrExporter(version=version).write(large_result, tmp_path / "image.ome.zarr")
    root = zarr.open_group(str(path), mode="r")
    pixels = large_result.field.pixels[1:, :300, :530].astype(float)
    expected = pixels.reshape(3, 150, 2, 265, 2).mean(axis=(2, 4))
    assert np.abs(root["1"][:, :150, :265] - expected).max() <= 0.5
    assert (root["1"][0, -1, -1]) == large_result.field.pixels[1, -1, -1]
    assert root["labels/cells/0"].dtype == np.uint32
    assert root["labels/nuclei/0"].dtype == np.uint16
    datasets = attributes(root)["multiscales"][0]["datasets"]
    moved = [step for step in datasets[1]["coordinateTransformations"] if "translation" in step]
    assert moved == [{"type": "translation", "translation": [0, 0.08, 0.08]}]


@each
def test_attributes(version, large_result, tmp_path):
    path = OmeZarrExporter(version=version).write(large_result, tmp_path / "image.ome.zarr")
    root = zarr.open_group(str(path), mode="r")
    assert root.metadata.zarr_format == {"0.4": 2, "0.5": 3}[version]
    ome = attributes(root)
    stated = ome["version"] if version == "0.5" else ome["multiscales"][0]["version"]
    assert stated == version
    assert ome["multiscales"][0]["name"] == "Größe µ/😀"
    window = ome["omero"]["channels"][0]["window"]
    assert window["min"] <= window["start"] < window["end"] <= window["max"] == 65_535
    assert attributes(root["labels"])["labels"] == ["cells", "nuclei"]
    assert attributes(root["labels/cells"])["image-label"]["source"] == {"image": "../../"}
    own = root.attrs["organelle_widgets"]
    assert own["missing_channels"] == ["red"]
    assert own["pixel_size_source"] == "given"
    assert own["extra"] == {"gene": "ACTB"}


def test_0_4_by_default_with_folders_for_chunks(disc_result, tmp_path):
    path = OmeZarrExporter().write(disc_result, tmp_path / "image.ome.zarr")
    array = json.loads((path / "0" / ".zarray").read_text())
    assert array["dimension_separator"] == "/"
    assert array["compressor"]["id"] == "blosc"
    assert (path / "0" / "3" / "0" / "0").is_file()
    with pytest.raises(SettingsError, match=r"version: expected one of 0\.4, 0\.5; found '0\.3'"):
        OmeZarrExporter(version="0.3")


@each
def test_no_cells_are_empty_labels(version, empty_result, tmp_path):
    path = OmeZarrExporter(version=version).write(empty_result, tmp_path / "image.ome.zarr")
    found = nodes(path)
    assert not np.asarray(found["cells"].data[0]).any()
    label = attributes(zarr.open_group(str(path), mode="r")["labels/cells"])["image-label"]
    assert "colors" not in label
    assert "properties" not in label


@each
def test_an_earlier_export_is_replaced(version, disc_result, large_result, tmp_path):
    exporter = OmeZarrExporter(version=version)
    exporter.write(disc_result, tmp_path / "image.ome.zarr")
    path = exporter.write(disc_result, tmp_path / "image.ome.zarr")
    assert (read_field(path).pixels == disc_result.field.pixels).all()
