"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from organelle_widgets.errors import ExportError
from organelle_widgets.render.saving import folder_written_whole, save_figure, written_whole


def write_half(target, error):
    with written_whole(target) as part:
        part.write_text("half")
        raise error


def fill_half(target, keep):
    with folder_written_whole(target, keep=keep) as part:
        (part / "a").write_text("new")
        raise OSError(errno.ENOSPC, "No space left on device")


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


def test_a_new_folder_is_written_whole(tmp_path):
    with folder_written_whole(tmp_path / "new") as part:
        (part / "a").write_text("1")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "a").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["new"]


def test_a_folder_stays_as_it_was_where_writing_fails(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a").write_text("old")
    for keep in (True, False):
        with pytest.raises(ExportError, match=r"Can't write .*old: .* disk is full"):
            fill_half(tmp_path / "old", keep)
    assert (tmp_path / "old" / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_folders_within_a_kept_folder_are_replaced(tmp_path):
    for name in ("run/x.zarr/0", "run/y.zarr/0"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "chunk").write_text("old")
    with folder_written_whole(tmp_path / "run", keep=True) as part:
        (part / "x.zarr" / "0").mkdir(parents=True)
        (part / "x.zarr" / "0" / "other").write_text("new")
    assert [p.name for p in (tmp_path / "run" / "x.zarr" / "0").iterdir()] == ["other"]
    assert (tmp_path / "run" / "y.zarr" / "0" / "chunk").read_text() == "old"


def test_a_folder_that_can_not_take_its_place_gives_it_back(tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a").write_text("old")
    whole = Path.replace

    def second_fails(self, target):
        if self.suffix == ".part":
            raise OSError(errno.EACCES, "Permission denied")
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", second_fails)
    with (
        pytest.raises(ExportError, match=r"this may not be written"),
        folder_written_whole(tmp_path / "old") as part,
    ):
        (part / "a").write_text("new")
    assert (tmp_path / "old" / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_threads_that_still_write_leave_nothing_behind(tmp_path):
    def late(folder):
        time.sleep(0.02)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "late").write_text("late")

    def fails():
        with folder_written_whole(tmp_path / "new") as part:
            thread.append(threading.Thread(target=late, args=(part / "deep",)))
            thread[0].start()
            raise OSError(errno.ENOSPC, "No space left on device")

    thread = []
    with pytest.raises(ExportError, match="the disk is full"):
        fails()
    thread[0].join()
    assert list(tmp_path.iterdir()) == []
