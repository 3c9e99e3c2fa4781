"""A written sample reads back as it was drawn."""

from __future__ import annotations

import csv

import imageio.v3 as imageio
import numpy as np
import pytest

from organelle_widgets.core.labels import parse_labels
from organelle_widgets.errors import ExportError, SettingsError
from organelle_widgets.synthetic import virtual_field, write_sample
from organelle_widgets.synthetic.writing import FIELDS_COLUMNS


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_reads_back(tmp_path):
    written = write_sample(tmp_path / "new", 2, seed=7, shape=(96, 80), pixel_size_um=0.5)
    assert len(written) == 2 * 6 + 2
    assert all(path.is_file() for path in written)
    table = rows(tmp_path / "new" / "fields.csv")
    assert tuple(table[0]) == FIELDS_COLUMNS
    for line, seed in zip(table, (7, 8), strict=True):
        drawn = virtual_field((96, 80), seed=seed, pixel_size_um=0.5)
        assert (line["id"], line["folder"]) == (drawn.field.name, "fields")
        assert (line["height"], line["width"], line["pixel_size_um"]) == ("96", "80", "0.5")
        for index, word in enumerate(("red", "green", "blue", "yellow")):
            read = imageio.imread(tmp_path / "new" / "fields" / f"{line['id']}_{word}.png")
            np.testing.assert_array_equal(read, drawn.field.pixels[index])
        for word, mask in (("cellmask", drawn.masks.cells), ("nucleimask", drawn.masks.nuclei)):
            read = imageio.imread(tmp_path / "new" / "fields" / f"{line['id']}_{word}.png")
            assert read.dtype == np.uint16
            np.testing.assert_array_equal(read, mask)


def test_tables_agree(tmp_path):
    write_sample(tmp_path, 2, seed=3, shape=(96, 96), pixel_size_um=0.8, classes=[[0, 16], [2]])
    fields, cells = rows(tmp_path / "fields.csv"), rows(tmp_path / "cells.csv")
    for line in fields:
        own = [parse_labels(cell["labels"]) for cell in cells if cell["id"] == line["id"]]
        assert set(own) <= {(0, 16), (2,)}
        assert parse_labels(line["labels"]) == tuple(sorted({i for part in own for i in part}))
        mask = imageio.imread(tmp_path / "fields" / f"{line['id']}_cellmask.png")
        assert len(own) == len(np.unique(mask[mask > 0]))


@pytest.mark.data
def test_columns_are_those_of_the_real_table(data):
    with (data / "fields.csv").open(encoding="utf-8") as file:
        assert tuple(next(csv.reader(file))) == FIELDS_COLUMNS


def test_sixteen_bit(tmp_path):
    write_sample(tmp_path, 1, shape=(64, 64), pixel_size_um=0.5, dtype="uint16")
    read = imageio.imread(tmp_path / "fields" / "virtual-0_blue.png")
    assert read.dtype == np.uint16
    assert read.max() > 10000


def test_refuses(tmp_path):
    with pytest.raises(
        SettingsError, match="n_fields: expected a whole number, 1 or more; found 0"
    ):
        write_sample(tmp_path, 0)
    with pytest.raises(SettingsError, match="dtype: expected uint8 or uint16"):
        write_sample(tmp_path, 1, dtype="float32")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="Expected a folder that can be written to"):
        write_sample(tmp_path / "file", 1, shape=(64, 64))
