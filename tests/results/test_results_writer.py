"""The one writer of a results folder."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from organelle_widgets.errors import BatchError, ExportError, SettingsError
from organelle_widgets.results import ResultsWriter, is_results, open_results
from organelle_widgets.results import _parts as parts_module
from organelle_widgets.results import writer as writer_module


def files_of(folder: Path) -> set[str]:
    """Parts, masks and thumbnails in a folder."""
    return {
        path.relative_to(folder).as_posix()
        for place in ("cells", "fields", "failures", "masks", "thumbnails")
        for path in (folder / place).rglob("*")
        if path.is_file()
    }


def small_fanout(monkeypatch, fanout=3):
    """Merge after a few commits."""
    monkeypatch.setattr(writer_module, "due", lambda parts: parts_module.due(parts, fanout))


def test_create_commit_resume(tmp_path, run, record, failure):
    out = tmp_path / "new" / "out"
    with ResultsWriter.create(out, run) as writer:
        assert is_results(out)
        writer.commit([record("a"), record("b")], [failure("bad", stamp="t")])
        assert (writer.n_fields, writer.n_cells, writer.n_failures) == (2, 6, 1)
    with ResultsWriter.resume(out) as writer:
        assert (writer.n_fields, writer.n_cells, writer.n_failures) == (2, 6, 1)
        assert writer.stamps == {"a": "a", "b": "b"}
        assert writer.failed == {"bad": "t"}
        assert writer.run["settings"] == {"threshold": 0.5}
        writer.commit([record("c")])
    with open_results(out) as results:
        assert results.field_names() == ["a", "b", "c"]


def test_run_json_says_what_it_is(writer):
    run = json.loads((writer.path / "run.json").read_text())
    assert (run["schema"], run["schema_version"]) == ("organelle_widgets.results", 1)
    assert run["created"].endswith("+00:00")
    writer.update_run(notes="ünique")
    assert json.loads((writer.path / "run.json").read_text("utf-8"))["notes"] == "ünique"
    assert writer.run["notes"] == "ünique"


def test_manifest_counts(writer, record):
    writer.commit([record("a")])
    manifest = json.loads((writer.path / "manifest.json").read_text())
    assert (manifest["n_fields"], manifest["n_cells"], manifest["n_failures"]) == (1, 3, 0)
    assert {part["file"] for parts in manifest["parts"].values() for part in parts} == {
        name for name in files_of(writer.path) if name.endswith(".parquet")
    }


def test_an_empty_commit_is_none(writer):
    before = (writer.path / "manifest.json").read_bytes()
    writer.commit([])
    assert (writer.path / "manifest.json").read_bytes() == before


def test_a_name_comes_once(writer, record, failure):
    writer.commit([record("a")], [failure("bad")])
    for records, failures in (
        ([record("a")], []),
        ([record("bad")], []),
        ([], [failure("a")]),
        ([record("x"), record("x")], []),
        ([record("y")], [failure("y")]),
    ):
        with pytest.raises(BatchError, match=r"fields that the results don't have yet; found 1: "):
            writer.commit(records, failures)
    assert (writer.n_fields, writer.n_failures) == (1, 1)


def test_extra_columns_that_do_not_fit(writer, record):
    with pytest.raises(BatchError, match=r"a: Expected the extra columns .*; found dye"):
        writer.commit([record("a", extra={"dye": "x"})])
    with pytest.raises(BatchError, match=r"'plate number', which is of type int; found 'two'"):
        writer.commit([record("a", extra={"plate number": "two"})])
    assert files_of(writer.path) == set()


@pytest.mark.parametrize("extra", [{"Field": "string"}, {"a": "string", "A": "int"}, {"": "int"}])
def test_names_of_extra_columns(extra, tmp_path):
    with pytest.raises(SettingsError, match="names of their own"):
        ResultsWriter.create(tmp_path / "out", {"extra": extra})
    with pytest.raises(SettingsError, match="string, int or float; found 'date'"):
        ResultsWriter.create(tmp_path / "out", {"extra": {"when": "date"}})
    assert not (tmp_path / "out").exists()


def test_forget(writer, record, failure):
    writer.commit([record("a"), record("b")], [failure("bad"), failure("worse")])
    writer.commit([record("c")])
    writer.forget(["a", "c", "worse", "unknown"])
    assert (writer.n_fields, writer.n_cells, writer.n_failures) == (1, 3, 1)
    assert set(writer.stamps) == {"b"}
    assert set(writer.failed) == {"bad"}
    writer.commit([record("a")])
    with open_results(writer.path) as results:
        assert results.field_names() == ["b", "a"]
        assert results.cells()["field"].tolist() == ["b"] * 3 + ["a"] * 3
        assert results.failures()["name"].tolist() == ["bad"]
    pictures = [name for name in files_of(writer.path) if name.startswith(("masks", "thumb"))]
    assert len(pictures) == 4


def test_forget_all_leaves_nothing(writer, record):
    writer.commit([record("a"), record("b")])
    writer.forget(["a", "b"])
    writer.close()
    assert files_of(writer.path) == set()
    with open_results(writer.path) as results:
        assert (results.n_fields, results.n_cells, len(results.cells())) == (0, 0, 0)


def test_extra_columns_change_only_while_it_is_empty(writer, record):
    writer.update_run(extra={"well": "string"})
    writer.commit([record("a", extra={"well": "A01"})])
    with pytest.raises(BatchError, match="extra columns that the results have; found others"):
        writer.update_run(extra={})
    with open_results(writer.path) as results:
        assert results.cells()["well"].tolist() == ["A01"] * 3


def test_parts_are_merged_in_order(writer, record, monkeypatch):
    small_fanout(monkeypatch)
    names = [f"f{i:02d}" for i in range(31)]
    for name in names:
        writer.commit([record(name)])
    levels = [part.level for part in writer._manifest.parts["cells"]]
    assert levels == [3, 1, 0]
    assert writer.n_cells == 93
    with open_results(writer.path) as results:
        assert results.field_names() == names
        cells = results.cells(columns=["field", "cell_id"])
        assert cells["field"].tolist() == [name for name in names for _ in range(3)]
        assert cells["cell_id"].tolist() == [2, 5, 9] * 31
        assert sum(batch.num_rows for batch in results.batches()) == 93
    writer.close()
    named = writer._manifest.files()
    assert {f for f in files_of(writer.path) if f.endswith(".parquet")} == named


def test_large_parts_are_not_merged_again(writer, record, monkeypatch):
    small_fanout(monkeypatch)
    monkeypatch.setattr(parts_module, "_MAX_ROWS", 10)
    for i in range(12):
        writer.commit([record(f"f{i:02d}")])
    parts = writer._manifest.parts["cells"]
    assert [(part.rows, part.level) for part in parts] == [(9, parts_module.FULL)] * 4
    monkeypatch.setattr(parts_module, "_MAX_ROWS", 4)
    for i in range(12, 15):
        writer.commit([record(f"f{i:02d}")])
    assert [part.rows for part in writer._manifest.parts["cells"]][4:] == [3, 3, 3]
    with open_results(writer.path) as results:
        assert results.cells(columns=["field"])["field"].nunique() == 15


def test_merged_rows_are_what_they_were(writer, record, monkeypatch):
    small_fanout(monkeypatch, 2)
    writer.commit([record("a")])
    with open_results(writer.path) as results:
        before = results.cells()
    writer.commit([record("b")])
    with open_results(writer.path) as results:
        after = results.cells(where="field = 'a'")
    assert before.drop(columns="embedding").equals(after.drop(columns="embedding"))
    assert [e.tolist() for e in before["embedding"]] == [e.tolist() for e in after["embedding"]]


def test_a_merge_that_fails_costs_nothing(writer, record, monkeypatch):
    small_fanout(monkeypatch)

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "merge_parts", full)
        for i in range(4):
            writer.commit([record(f"f{i}")])
    assert len(writer._manifest.parts["cells"]) == 4
    writer.commit([record("f4")])
    assert [part.rows for part in writer._manifest.parts["cells"]] == [15]


def test_superseded_parts_stay_for_one_commit(writer, record, monkeypatch):
    small_fanout(monkeypatch)
    for name in "abc":
        writer.commit([record(name)])
    assert len([f for f in files_of(writer.path) if f.startswith("cells")]) == 4
    writer.commit([record("d")])
    assert len([f for f in files_of(writer.path) if f.startswith("cells")]) == 2


def test_a_second_writer_is_told_who_writes(writer):
    expected = rf"no other run writes to; process {os.getpid()} on \S+ \(since .*\) does"
    with pytest.raises(BatchError, match=expected):
        ResultsWriter.resume(writer.path)
    with pytest.raises(BatchError, match="found the results of an earlier run"):
        ResultsWriter.create(writer.path, {})


def resume_elsewhere(path):
    """In another process."""
    try:
        ResultsWriter.resume(path).close()
    except BatchError as error:
        return str(error)
    return "opened"


def test_a_writer_of_another_process(writer):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert "no other run writes to" in pool.apply(resume_elsewhere, (writer.path,))
        writer.close()
        assert pool.apply(resume_elsewhere, (writer.path,)) == "opened"


def test_a_closed_writer_writes_no_more(writer, record):
    writer.close()
    writer.close()
    with pytest.raises(BatchError, match="a writer that is open; found one that was closed"):
        writer.commit([record("a")])


def test_folders_that_are_no_place_for_results(tmp_path, run, writer):
    with pytest.raises(BatchError, match=r"results folder to go on with.* start a new run without"):
        ResultsWriter.resume(tmp_path / "no")
    other = tmp_path / "photos"
    other.mkdir()
    (other / "holiday.jpg").touch()
    with pytest.raises(BatchError, match=r"found other things in it: holiday.jpg"):
        ResultsWriter.create(other, run)
    (tmp_path / "file").touch()
    with pytest.raises(BatchError, match=r"Expected a folder that can be used"):
        ResultsWriter.create(tmp_path / "file", run)


def test_status_and_logs_do_not_make_a_folder_full(tmp_path, run):
    for name in ("status.json", "stop", ".hidden"):
        (tmp_path / name).touch()
    ResultsWriter.create(tmp_path, run).close()
    assert is_results(tmp_path)


def test_a_newer_version_is_not_written_to(writer):
    run = json.loads((writer.path / "run.json").read_text())
    (writer.path / "run.json").write_text(json.dumps({**run, "schema_version": 99}))
    writer.close()
    with pytest.raises(BatchError, match=r"schema version 1 or older; found version 99"):
        ResultsWriter.resume(writer.path)


KILLED = """
import os, pickle, sys
from pathlib import Path
from organelle_widgets.results import ResultsWriter, _parts, writer as module

folders, records, failures = pickle.loads(sys.stdin.buffer.read())
module.due = lambda parts: _parts.due(parts, 2)
replace = Path.replace

def commit_until(folder, last):
    writer = ResultsWriter.resume(folder)
    seen = []

    def counted(self, target):
        seen.append(target)
        if len(seen) == last:
            os._exit(9)
        replace(self, target)

    Path.replace = counted
    writer.commit(records, failures)
    os._exit(0)

for last, folder in enumerate(folders, 1):
    child = os.fork()
    if not child:
        commit_until(folder, last)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_killed_anywhere_nothing_is_lost_or_doubled(tmp_path, run, record, failure):
    """A process ends before its first, second, ... file takes its place; another one goes on."""
    base = tmp_path / "base"
    with ResultsWriter.create(base, run) as writer:
        writer.commit([record("a")], [failure("bad")])
    folders = [tmp_path / f"killed{n}" for n in range(1, 18)]
    for folder in folders:
        shutil.copytree(base, folder)
    job = pickle.dumps((folders, [record("b"), record("c")], [failure("worse")]))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], input=job, capture_output=True, check=True, timeout=120
    )
    codes = [int(code) for code in killed.stdout.split()]
    outcomes = set()
    for code, folder in zip(codes, folders, strict=True):
        with ResultsWriter.resume(folder) as again:
            done = len(again.stamps) == 3
            assert set(again.stamps) == ({"a", "b", "c"} if done else {"a"})
            assert set(again.failed) == ({"bad", "worse"} if done else {"bad"})
            pictures = {file for files in again._pictures.values() for file in files}
            assert files_of(folder) == again._manifest.files() | pictures
            if not done:
                again.commit([record("b"), record("c")], [failure("worse")])
        with open_results(folder) as results:
            assert results.field_names() == ["a", "b", "c"]
            assert results.cells()["field"].tolist() == ["a"] * 3 + ["b"] * 3 + ["c"] * 3
            assert results.failures()["name"].tolist() == ["bad", "worse"]
        outcomes.add((code, done))
    assert outcomes == {(9, False), (9, True), (0, True)}


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", 0) as file:
        while True:
            try:
                file.write(bytes(512))
            except OSError:
                return


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no small disk can be made: {error}")
    if done.returncode:
        pytest.skip(f"no small disk can be made: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(small_disk, run, record):
    out = small_disk / "out"
    with ResultsWriter.create(out, run) as writer:
        writer.commit([record("a")])
        filler = small_disk / "filler"
        fill(filler)
        before = files_of(out)
        with pytest.raises(ExportError, match=r"the disk is full. Free some space"):
            writer.commit([record("b"), record("c")])
        assert files_of(out) == before
        assert set(writer.stamps) == {"a"}
        with open_results(out) as results:
            assert results.field_names() == ["a"]
        filler.unlink()
        writer.commit([record("b"), record("c")])
    with open_results(out) as results:
        assert results.field_names() == ["a", "b", "c"]


def test_a_part_for_which_there_is_no_room(small_disk, run, record):
    with ResultsWriter.create(small_disk / "out", run) as writer:
        big = record("big", thumbnail=os.urandom(2**20))
        with pytest.raises(ExportError, match="the disk is full"):
            writer.commit([record("a"), big])
        assert files_of(writer.path) == set()
        writer.commit([record("a")])
        assert writer.n_fields == 1


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_any_file_that_can_not_be_written(code, writer, record, monkeypatch):
    writer.commit([record("a")])
    before = files_of(writer.path)
    replace = Path.replace
    for last in range(1, 6):
        calls = []

        def failing(self, target, calls=calls, last=last):
            calls.append(target)
            if len(calls) == last:
                raise OSError(code, os.strerror(code))
            return replace(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", failing)
            with pytest.raises(ExportError, match=r"Can't write .*: "):
                writer.commit([record("b")])
        assert files_of(writer.path) == before
    writer.commit([record("b")])
    assert set(writer.stamps) == {"a", "b"}


def test_a_read_only_disk(small_disk, run, record):
    out = small_disk / "out"
    with ResultsWriter.create(out, run) as writer:
        writer.commit([record("a")])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(ExportError, match=r"the disk is read-only. Choose a folder on another"):
        ResultsWriter.resume(out)
    with pytest.raises(ExportError, match=r"Can't make the folder .*: Read-only file system"):
        ResultsWriter.create(small_disk / "new", run)
    with open_results(out) as results:
        assert len(results.cells()) == 3


def test_an_interrupt_after_the_commit_keeps_it(writer, record, monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "sync_folder", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.commit([record("a")])
    assert files_of(writer.path) == set()
    write = writer_module.write_manifest

    def late(*args):
        write(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "write_manifest", late)
        with pytest.raises(KeyboardInterrupt):
            writer.commit([record("a")])
    assert set(writer.stamps) == {"a"}
    writer.commit([record("b")])
    writer.close()
    with ResultsWriter.resume(writer.path) as again:
        assert set(again.stamps) == {"a", "b"}
        assert again.n_cells == 6
