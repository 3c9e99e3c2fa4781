"""Files are written whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from organelle_widgets.errors import ExportError
from organelle_widgets.render.saving import save_figure, written_whole


def write_half(target, error):
    with written_whole(target) as part:
        part.write_text("half")
        raise error


def test_a_file_takes_its_place(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with written_whole(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
        assert part.parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "new"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(KeyError, match="no such"):
        write_half(target, KeyError("no such"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "old"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EACCES, "this may not be written. Choose a folder that you may write to"),
        (errno.EROFS, "the disk is read-only. Choose a folder on another disk"),
        (errno.EIO, "Input/output error. Try another folder"),
    ],
)
def test_the_reason_is_said(tmp_path, number, words):
    with pytest.raises(ExportError, match=words):
        write_half(tmp_path / "a.txt", OSError(number, "Input/output error"))
    assert not list(tmp_path.iterdir())


def test_folders_that_are_none(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    cases = {"no/a.txt": "does not exist", "file/a.txt": "a file is in", "folder": "a folder of"}
    for name, words in cases.items():
        with pytest.raises(ExportError, match=words), written_whole(tmp_path / name) as part:
            part.write_text("x")


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89")],
)
def test_figures_in_all_formats(tmp_path, suffix, start):
    path = save_figure(Figure(figsize=(1, 1)), tmp_path / f"a{suffix}")
    assert path.read_bytes().startswith(start)
    assert [p.name for p in Path(tmp_path).iterdir()] == [f"a{suffix}"]


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ExportError, match=r"ends in .png, .svg, .pdf; found 'a.jpg'"):
        save_figure(Figure(), tmp_path / "a.jpg")


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for suffix in (".svg", ".pdf", ".png"):
        one, two = (
            save_figure(Figure(figsize=(1, 1)), tmp_path / f"{n}{suffix}") for n in ("a", "b")
        )
        assert one.read_bytes() == two.read_bytes()
