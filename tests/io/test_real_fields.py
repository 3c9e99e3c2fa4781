"""Every real field, as it lies in the shared folder."""

from __future__ import annotations

import csv
import time

import numpy as np
import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.io import discover_fields, read_field

pytestmark = pytest.mark.data


def expected_shapes(data, folder):
    with (data / "fields.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["folder"] == folder]
    return {row["id"]: (int(row["height"]), int(row["width"])) for row in rows}


@pytest.mark.parametrize("folder", ["fields", "fields_512", "fields_rgb_jpeg", "cell_mosaics"])
def test_four_channel_fields(data, folder):
    found = discover_fields(data / folder)
    fields = {source.name: source.read() for source in found}
    assert {name: field.shape for name, field in fields.items()} == expected_shapes(data, folder)
    for field in fields.values():
        assert field.pixels.dtype == np.uint8
        assert not field.missing
        assert field.pixels.max(axis=(1, 2)).min() > 0


def test_coloured_jpegs_keep_their_bright_plane(data):
    field = read_field(data / "fields_rgb_jpeg" / "10580_1610_C1_1_red.jpg")
    assert field.pixels.max(axis=(1, 2)).min() >= 200
    assert not any("coloured" in note for note in field.notes)


def test_composites(data):
    sources = {source.name: source for source in discover_fields(data / "composites_rgb")}
    for name in ("0-1-a", "0-2-a", "1-1-a", "1-3-a", "13-1-a"):  # red and green only
        with pytest.raises(InputError, match="Expected nuclei in the blue plane"):
            sources.pop(name).read()
    fields = {name: source.read() for name, source in sources.items()}
    assert len(fields) == 50
    without_red = {name for name, field in fields.items() if "red" in field.missing}
    assert without_red == {"14-2-a", "14-4-a", "23-1-a", "23-3-a", "23-4-a", "23-5-a"}
    for field in fields.values():
        assert field.shape == (820, 820)
        assert "yellow" in field.missing


def test_awkward_formats(data):
    problems: list[InputError] = []
    found = discover_fields(data / "formats", on_problem=problems.append)
    assert [str(problem.source) for problem in problems] == ["1000_A12_2"]
    assert len(found) == 2
    for source in found:
        field = source.read()
        assert field.shape == (2048, 2048)
        assert not field.missing


def test_16_bit_channel(data, tmp_path):
    green = data / "formats" / "1000_A12_2_green.png"
    with pytest.raises(InputError, match="Expected a file of the blue channel"):
        read_field(green)
    field = read_field({"green": green, "blue": data / "formats" / "1000_A12_2_nucleimask.png"})
    assert field.pixels.dtype == np.uint16
    assert field.missing == {"red", "yellow"}


def test_a_full_field_is_read_quickly(data):
    path = next((data / "fields").glob("b6a469d8*_red.png"))
    start = (
        time.process_time()
    )  # of all threads; on an idle machine about twice the time on the wall
    assert read_field(path).shape == (2048, 2048)
    assert time.process_time() - start < 1.0
