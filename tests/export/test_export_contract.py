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
from organelle_widgets.export import EXPORTERS, Exporter, default_formats, export_field

FAST = {"dpi": 50, "format": "svg"}


def make(name):
    """An exporter, in its fastest settings."""
    known = {spec.name for spec in describe_settings(EXPORTERS.get(name).cls)}
    return EXPORTERS.create(name, **{key: FAST[key] for key in known & set(FAST)})


class Boxes(Exporter):
    """A format that is a folder."""

    filename = "boxes"
    is_folder = True

    def _write(self, result, path):
        (path / "a.txt").write_text(result.field.name)


def content(path):
    """Bytes of a file, or of each file in a folder."""
    if path.is_file():
        return {"": path.read_bytes()}
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in files}


def size(path):
    """Bytes in all."""
    return sum(map(len, content(path).values()))


def put_old(exporter, target):
    """Something of an earlier day in the place of an export."""
    if exporter.is_folder:
        target.mkdir()
    else:
        target.write_text("old")


each = pytest.mark.parametrize("name", EXPORTERS.names())


@each
@pytest.mark.parametrize("which", ["disc_result", "empty_result"])
def test_one_file_and_no_other(name, which, request, tmp_path):
    result = request.getfixturevalue(which)
    exporter = make(name)
    if not (result.n_cells or exporter.allows_empty):
        with pytest.raises(ExportError, match=r"discs: There are no cells, and nothing to write"):
            exporter.write(result, tmp_path / exporter.filename)
        assert list(tmp_path.iterdir()) == []
        return
    path = exporter.write(result, tmp_path / exporter.filename)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.is_dir() == exporter.is_folder
    assert size(path) > 40


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
    exporter, target = make(name), tmp_path / "file"
    put_old(exporter, target)
    exporter.write(disc_result, target)
    once = size(target)
    assert not content(target).get("", b"").startswith(b"old")
    exporter.write(disc_result, target)
    assert size(target) == once > 40
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_strangers_folder_is_not_replaced(disc_result, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"Can't replace the folder .*'notes.txt'.* Choose"):
        Boxes().write(disc_result, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    (tmp_path / "file").write_text("old")
    with pytest.raises(ExportError, match=r"a file is in the folder's place"):
        Boxes().write(disc_result, tmp_path / "file")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "notes.txt"]


@each
def test_the_same_result_gives_the_same_bytes(name, disc_result, tmp_path):
    exporter = make(name)
    one, two = (content(exporter.write(disc_result, tmp_path / part)) for part in ("a", "b"))
    assert one == two


@each
def test_a_full_disk_leaves_the_old_file(name, disc_result, tmp_path, monkeypatch):
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    exporter, target = make(name), tmp_path / "file"
    put_old(exporter, target)
    before = content(target)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ExportError, match=r"discs: Can't write .*: the disk is full. Free some"):
        exporter.write(disc_result, target)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert content(target) == before


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
    assert size(make(name).write(result, tmp_path / "file")) > 40


@each
def test_one_cell_of_one_pixel(name, tmp_path):
    cells = np.zeros((9, 7), np.int32)
    cells[4, 3] = 1
    field = Field(np.ones((4, 9, 7), np.uint8))
    result = FieldResult(field, Masks(np.zeros_like(cells), cells), np.full((1, 19), 0.2))
    assert size(make(name).write(result, tmp_path / "file")) > 40


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
