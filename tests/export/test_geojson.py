"""Outlines as GeoJSON, read back as QuPath and shapely read them."""

from __future__ import annotations

import dataclasses
import json
from uuid import UUID

import numpy as np
import pytest
from shapely.geometry import shape

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.field import Field
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.errors import SettingsError
from organelle_widgets.export.geojson import GeoJsonExporter
from organelle_widgets.render.overlay import NOT_SURE_COLOR


def no_constant(text):
    raise AssertionError(text)


def read(result, folder, **settings):
    path = GeoJsonExporter(**settings).write(result, folder / "cells.geojson")
    text = path.read_text("utf-8")
    found = json.loads(text, parse_constant=no_constant)
    assert (found["type"], found["name"]) == ("FeatureCollection", result.field.name)
    return found["features"]


def test_area_and_centroid_are_those_of_the_masks(disc_result, tmp_path):
    features = read(disc_result, tmp_path)
    assert len(features) == 3
    rows = disc_result.cells.to_dict("records")
    for feature, row in zip(features, rows, strict=True):
        cell, nucleus = shape(feature["geometry"]), shape(feature["nucleusGeometry"])
        assert cell.is_valid
        assert nucleus.is_valid
        assert cell.area == (disc_result.masks.cells == row["cell_id"]).sum()
        assert nucleus.area == (disc_result.masks.nuclei == row["cell_id"]).sum()
        assert cell.centroid.x == pytest.approx(row["centroid_col"] + 0.5)
        assert cell.centroid.y == pytest.approx(row["centroid_row"] + 0.5)
        assert cell.bounds == (row["min_col"], row["min_row"], row["max_col"], row["max_row"])


def test_classes_and_colors(disc_result, tmp_path):
    found = [feature["properties"]["classification"] for feature in read(disc_result, tmp_path)]
    assert [c["name"] for c in found] == ["Nucleoplasm", "Not sure", "Negative"]
    colors = ["#" + "".join(f"{value:02X}" for value in c["color"]) for c in found]
    assert colors == ["#5B8FF9", NOT_SURE_COLOR, "#7D8794"]


def test_what_qupath_wants_of_a_cell(disc_result, tmp_path):
    first = read(disc_result, tmp_path)[0]
    assert list(first) == ["type", "id", "geometry", "nucleusGeometry", "properties"]
    assert first["type"] == "Feature"
    assert str(UUID(first["id"])) == first["id"]
    properties = first["properties"]
    assert (properties["objectType"], properties["name"]) == ("cell", "Cell 2")
    assert properties["metadata"] == {
        "Field": "discs",
        "Predicted classes": "Nucleoplasm|Nucleoli",
    }
    numbers = properties["measurements"]
    assert all(type(value) is float for value in numbers.values())
    assert numbers["Cell: Area µm^2"] == pytest.approx(disc_result.cells["area_um2"][0], rel=1e-5)
    assert (numbers["Cell ID"], numbers["Touches border"], numbers["Unusual"]) == (2, 0, 0)
    assert numbers["Confidence"] == pytest.approx(0.9)
    assert [numbers[f"Probability: {name}"] for name in CLASS_NAMES] == pytest.approx(
        disc_result.probabilities[0].tolist(), rel=1e-5
    )


def test_strangeness_only_where_it_is_known(disc_result, tmp_path):
    assert "Strangeness" not in read(disc_result, tmp_path)[0]["properties"]["measurements"]
    answers = CellAnswers(disc_result.probabilities, strangeness=np.array([0.5, 2, 1], np.float32))
    strange = read(dataclasses.replace(disc_result, answers=answers), tmp_path)
    assert [f["properties"]["measurements"]["Strangeness"] for f in strange] == [0.5, 2, 1]
    assert strange[1]["properties"]["measurements"]["Unusual"] == 1


def test_ids_are_stable_and_differ(disc_result, tmp_path):
    ids = [feature["id"] for feature in read(disc_result, tmp_path)]
    assert ids == [feature["id"] for feature in read(disc_result, tmp_path)]
    renamed = dataclasses.replace(disc_result.field, name="other")
    others = read(dataclasses.replace(disc_result, field=renamed), tmp_path)
    assert len({*ids, *(feature["id"] for feature in others)}) == 6


def test_no_cells_are_no_features(empty_result, tmp_path):
    assert read(empty_result, tmp_path) == []


def test_holes_parts_large_ids_and_any_name(tmp_path):
    cells = np.zeros((300, 260), np.int32)
    cells[10:20, 10:30] = 70_000
    cells[14, 15:18] = 0
    cells[20:25, 30:40] = 70_000  # touches the other part at a corner
    field = Field(np.zeros((4, 300, 260), np.uint8), "Größe\n😀")
    result = FieldResult(field, Masks(np.zeros_like(cells), cells), np.full((1, 19), 0.2))
    (feature,) = read(result, tmp_path)
    geometry = shape(feature["geometry"])
    assert geometry.geom_type == "MultiPolygon"
    assert geometry.is_valid
    assert [len(part.interiors) for part in geometry.geoms] == [1, 0]
    assert geometry.area == (cells > 0).sum()
    assert "nucleusGeometry" not in feature
    assert feature["properties"]["name"] == "Cell 70000"
    assert feature["properties"]["metadata"]["Field"] == "Größe\n😀"


def test_simpler_outlines(disc_result, tmp_path):
    exact, simple = (read(disc_result, tmp_path, simplify_px=size)[0] for size in (0, 1.5))
    corners = [len(f["geometry"]["coordinates"][0]) for f in (exact, simple)]
    assert corners[1] < corners[0] / 4
    assert shape(simple["geometry"]).is_valid
    with pytest.raises(SettingsError, match="simplify_px: expected 0 to 20 px; found -1"):
        GeoJsonExporter(simplify_px=-1)
