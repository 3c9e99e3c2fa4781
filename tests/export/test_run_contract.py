"""What every export format must do with a whole run."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.errors import Cancelled, ExportError, InputError
from organelle_widgets.export import EXPORTERS, Exporter
from organelle_widgets.export._run import unique_stems
from organelle_widgets.results import ResultsWriter, open_results

FAST = {"dpi": 50, "format": "svg"}

each = pytest.mark.parametrize("name", EXPORTERS.names())


def make(name):
    """An exporter, in its fastest settings."""
    known = {spec.name for spec in describe_settings(EXPORTERS.get(name).cls)}
    return EXPORTERS.create(name, **{key: FAST[key] for key in known & set(FAST)})


@pytest.fixture
def results(run_folder):
    with open_results(run_folder) as opened:
        yield opened


@pytest.fixture
def no_results(tmp_path):
    """A run without any field."""
    ResultsWriter.create(tmp_path / "run", {}).close()
    with open_results(tmp_path / "run") as opened:
        yield opened


def files(path):
    """What an export wrote, by name; the file itself has none."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}


@each
def test_a_run_is_written_and_nothing_else(name, results, tmp_path):
    exporter = make(name)
    done = exporter.write_run(results, tmp_path / "out")
    assert done.path == tmp_path / "out"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert done.path.is_file() == exporter.one_file
    assert done.n_fields >= 2
    assert done.n_cells >= 6
    if not exporter.one_file:
        made = {p.name for p in done.path.iterdir()}
        assert len(made) == done.n_fields
        assert {f"B2_discs_{exporter.filename}", f"B3_discs_{exporter.filename}"} <= made
    assert all(files(done.path).values())


@each
def test_what_is_left_out_is_named(name, results, tmp_path):
    exporter = make(name)
    done = exporter.write_run(results, tmp_path / "out")
    said = {sentence.split(":")[0]: sentence for sentence in done.skipped}
    assert said["B6/discs"] == "B6/discs: it has no result: No nuclei."
    assert all(sentence.endswith((".", "?")) for sentence in done.skipped)
    if not exporter.one_file:
        assert done.n_fields + len(said) == 5
    if exporter.needs_pixels and not exporter.one_file:
        assert "gone.png" in said["B5/discs"]
        assert not any(path.startswith("B5") for path in files(done.path))
    if not exporter.allows_empty and not exporter.one_file:
        assert said["B4/discs"].startswith("B4/discs: There are no cells")


@each
def test_some_fields(name, results, tmp_path):
    exporter = make(name)
    done = exporter.write_run(results, tmp_path / "out", where="well = 'B3'")
    assert (done.n_fields, done.n_cells, done.skipped) == (1, 3, ())
    if not exporter.one_file:
        assert {p.name for p in done.path.iterdir()} == {f"B3_discs_{exporter.filename}"}


@each
def test_no_field_fits(name, results, tmp_path):
    with pytest.raises(ExportError, match=r"at least one field that fits well = 'H9'; found none"):
        make(name).write_run(results, tmp_path / "out", where="well = 'H9'")
    with pytest.raises(InputError, match="wall"):
        make(name).write_run(results, tmp_path / "out", where="wall = 'H9'")
    assert list(tmp_path.iterdir()) == []


@each
def test_a_run_of_nothing_is_said_or_is_a_table_of_nothing(name, no_results, tmp_path):
    exporter = make(name)
    if exporter.one_file and exporter.allows_empty:
        done = exporter.write_run(no_results, tmp_path / "out")
        assert (done.n_fields, done.n_cells) == (0, 0)
        assert (tmp_path / "out").stat().st_size > 20
    else:
        with pytest.raises(ExportError, match=r"has no field with a result|There are no cells"):
            exporter.write_run(no_results, tmp_path / "out")
        assert not (tmp_path / "out").exists()


@each
def test_cancelled_leaves_nothing(name, results, tmp_path):
    monitor = Monitor(lambda step, part: monitor.cancel())
    with pytest.raises(Cancelled):
        make(name).write_run(results, tmp_path / "out", monitor)
    assert list(tmp_path.iterdir()) == []


@each
def test_progress_rises_to_the_end(name, results, tmp_path):
    seen = []
    make(name).write_run(results, tmp_path / "out", Monitor(lambda step, part: seen.append(part)))
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[-1] == 1


@each
def test_again_over_an_earlier_export(name, results, tmp_path):
    exporter = make(name)
    one = files(exporter.write_run(results, tmp_path / "out").path)
    two = files(exporter.write_run(results, tmp_path / "out").path)
    assert one == two
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@each
def test_a_full_disk_leaves_nothing(name, results, tmp_path, monkeypatch):
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ExportError, match=r"Can't write .*: the disk is full. Free some"):
        make(name).write_run(results, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_other_files_in_the_folder_stay(results, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "B2_discs_cells.tif").write_text("old")
    EXPORTERS.create("cells_tiff").write_run(results, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "B2_discs_cells.tif").read_bytes() != b"old"


def test_names_that_look_alike_get_files_of_their_own():
    names = ["a/b", "a b", "A_B", "c"]
    assert unique_stems(names) == ["a_b", "a_b-2", "A_B-3", "c"]


class Picky(Exporter):
    """A format that some fields are nothing for."""

    filename = "picky.txt"

    def _write(self, result, path):
        if result.field.name != "B3/discs":
            message = "Too large for this format."
            raise ExportError(message, hint="Take another one.")
        path.write_text("x")


def test_a_field_that_a_format_refuses_is_skipped(results, tmp_path):
    done = Picky().write_run(results, tmp_path / "out")
    assert (done.n_fields, len(done.skipped)) == (1, 4)
    assert done.skipped[0] == "B2/discs: Too large for this format. Take another one."
    with pytest.raises(ExportError, match=r"Nothing could be exported: B2/discs: Too large"):
        Picky().write_run(results, tmp_path / "none", where="well = 'B2'")
