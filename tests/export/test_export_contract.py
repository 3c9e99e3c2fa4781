"""What every export format must do, and writing all of them at once."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.errors import ExportError, SettingsError
from organelle_widgets.export import EXPORTERS, default_formats, export_field

FAST = {"dpi": 50}


def make(name):
    """An exporter, in its fastest settings."""
    known = {spec.name for spec in describe_settings(EXPORTERS.get(name).cls)}
    return EXPORTERS.create(name, **{key: FAST[key] for key in known & set(FAST)})


each = pytest.mark.parametrize("name", EXPORTERS.names())


@each
@pytest.mark.parametrize("which", ["disc_result", "empty_result"])
def test_one_file_and_no_other(name, which, request, tmp_path):
    result = request.getfixturevalue(which)
    exporter = make(name)
    path = exporter.write(result, tmp_path / exporter.filename)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_size > 100


@each
def test_title_suffix_and_name(name, disc_result):
    exporter = make(name)
    assert exporter.title == EXPORTERS.get(name).title != name
    assert exporter.filename.endswith(exporter.suffix)
    assert exporter.suffix.startswith(".")
    assert "/" in exporter.mimetype
    assert exporter.name_for(disc_result) == f"discs_{exporter.filename}"


@each
@pytest.mark.parametrize(
    ("field_name", "stem"),
    [("a/b: c", "a_b_c"), ("../..", "field"), ("57_F11_1", "57_F11_1"), ("x" * 300, "x" * 120)],
)
def test_names_are_safe(name, field_name, stem, disc_result):
    field = Field(disc_result.field.pixels, field_name)
    result = FieldResult(field, disc_result.masks, disc_result.probabilities)
    exporter = make(name)
    assert exporter.name_for(result) == f"{stem}_{exporter.filename}"


@each
def test_a_file_that_is_there_is_replaced(name, disc_result, tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    make(name).write(disc_result, target)
    assert not target.read_bytes().startswith(b"old")


@each
def test_the_same_result_gives_the_same_bytes(name, disc_result, tmp_path):
    exporter = make(name)
    one, two = (exporter.write(disc_result, tmp_path / part).read_bytes() for part in ("a", "b"))
    assert one == two


@each
def test_a_full_disk_leaves_the_old_file(name, disc_result, tmp_path, monkeypatch):
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "file"
    target.write_text("old")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ExportError, match=r"discs: Can't write .*: the disk is full. Free some"):
        make(name).write(disc_result, target)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert target.read_text() == "old"


@each
def test_a_folder_that_is_not_there(name, disc_result, tmp_path):
    with pytest.raises(ExportError, match=r"the folder does not exist. Make the folder") as caught:
        make(name).write(disc_result, tmp_path / "no" / "file")
    assert caught.value.step == "export"
    assert caught.value.source == "discs"


@each
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_other_dtypes_and_missing_channels(name, dtype, disc_result, tmp_path):
    pixels = disc_result.field.pixels.astype(dtype)
    pixels[[0, 3]] = 0
    field = Field(pixels, "dim", missing=frozenset({"red", "yellow"}))
    result = FieldResult(field, disc_result.masks, disc_result.probabilities)
    assert make(name).write(result, tmp_path / "file").stat().st_size > 100


@each
def test_one_cell_of_one_pixel(name, tmp_path):
    cells = np.zeros((9, 7), np.int32)
    cells[4, 3] = 1
    field = Field(np.ones((4, 9, 7), np.uint8))
    result = FieldResult(field, Masks(np.zeros_like(cells), cells), np.full((1, 19), 0.2))
    assert make(name).write(result, tmp_path / "file").stat().st_size > 100


def test_the_default_formats_into_one_folder(disc_result, tmp_path):
    paths = export_field(disc_result, tmp_path / "new" / "folder")
    names = {"cells.csv", "cells.tif", "nuclei.tif", "overview.png", "result.json"}
    assert names <= {path.name for path in paths.values()}
    assert list(paths) == default_formats()
    assert all(path.parent == tmp_path / "new" / "folder" for path in paths.values())
    assert sorted(p.name for p in paths.values()) == sorted(
        p.name for p in (tmp_path / "new" / "folder").iterdir()
    )


def test_some_formats(disc_result, tmp_path):
    assert list(export_field(disc_result, tmp_path, ["json"])) == ["json"]
    with pytest.raises(SettingsError, match="found 'docx'"):
        export_field(disc_result, tmp_path, ["docx"])


def test_a_file_in_the_folders_place(disc_result, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match=r"discs: Can't make the folder .*file.* Choose a folder"):
        export_field(disc_result, tmp_path / "file")
