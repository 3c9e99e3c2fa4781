"""Runs started from the page are processes of their own: started, watched, stopped, gone on with, saved."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

from organelle_widgets.batch.status import RunStatus, read_status, write_status
from organelle_widgets.controllers import (
    AnalysisController,
    Aside,
    FolderController,
    PageThread,
    RunController,
    RunPresenter,
    RunSavingController,
)
from organelle_widgets.controllers.run_places import results_place
from organelle_widgets.controllers.run_process import batch_arguments, is_gone
from organelle_widgets.controllers.run_work import run_formats
from organelle_widgets.core.results import FieldResult
from organelle_widgets.engine import LocalEngine
from organelle_widgets.errors import InputError
from organelle_widgets.results import ResultsWriter
from organelle_widgets.results.records import FailureRecord, record_of
from organelle_widgets.state import PageState
from organelle_widgets.widgets import Regions

STAND_IN = Path(__file__).with_name("run_stand_in.py")
CHOICES = {
    "segmenter": "watershed",
    "settings": {"nucleus_smoothing_um": 0.5, "split": True},
    "classifier": "organelle",
    "threshold": 0.4,
    "leave_out": "border",
    "pixel_size_um": 0.08,
}


class Desk:
    """State, regions and controllers of a page without a browser."""

    def __init__(self, root: Path, mode: str = "quick") -> None:
        self.state, self.regions, self.engine = PageState(), Regions(), LocalEngine()
        self.state.segmenter = "watershed"
        page = PageThread()
        self.aside = Aside(page)
        command = (sys.executable, str(STAND_IN), mode)
        state, regions = self.state, self.regions
        self.runs = RunController(
            state, page, self.aside, regions, root, command=command, every_s=0.02
        )
        self.saving = RunSavingController(state, self.engine, page, self.aside, regions, root)
        self.presenter = RunPresenter(state, regions)
        analysis = AnalysisController(state, self.engine, page)
        self.folder = FolderController(state, regions.sample, analysis, root)

    def close(self) -> None:
        self.runs.leave()
        self.aside.close()
        self.engine.close()
        for region in self.regions:
            region.close()

    def wait(self, stage: str, timeout_s: float = 30) -> Any:
        """Until the run has come so far."""
        wait(lambda: self.state.run is not None and self.state.run.stage == stage, timeout_s)
        return self.state.run

    def start(self, source: str = "plate") -> Any:
        self.runs.offer(source)
        ready = self.wait("ready")
        self.runs.start(ready.results)
        return self.state.run


def wait(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two fields and one that lacks nuclei, and a neighbour that must stay unseen."""
    rng = np.random.default_rng(0)
    (tmp_path / "top/plate").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    names = [(f, c) for f in ("one", "two") for c in ("red", "green", "blue", "yellow")]
    for name, channel in [*names, ("three", "green")]:
        image = rng.integers(0, 255, (64, 80), dtype=np.uint8)
        iio.imwrite(tmp_path / f"top/plate/{name}_{channel}.png", image)
    return tmp_path / "top"


@pytest.fixture
def open_desk(root: Path) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(mode: str = "quick") -> Desk:
        desks.append(Desk(root, mode))
        return desks[-1]

    yield make
    for desk in desks:
        watch = desk.runs._watch
        desk.close()
        if watch is not None and watch.process is not None and watch.process.exit_code is None:
            watch.process.terminate()
            watch.process._process.wait(10)


@pytest.fixture
def results(root: Path, disc_result: FieldResult, empty_result: FieldResult) -> Path:
    """Results of a run that has ended, with a failure."""
    run = {"source": str(root / "plate"), "n_planned": 3, "settings": {}}
    out = root / "plate results"
    records = [record_of(disc_result, name="a"), record_of(empty_result, name="b")]
    with ResultsWriter.create(out, run) as writer:
        writer.commit(records, [FailureRecord("c", message="It is broken.")])
    return out


def test_the_command_says_all_choices() -> None:
    words = batch_arguments(Path("/a b"), Path("/c"), CHOICES)
    assert words == [
        "/a b", "/c", "--segmenter", "watershed",
        "--segmenter-setting", "nucleus_smoothing_um=0.5", "--segmenter-setting", "split=true",
        "--classifier", "organelle", "--threshold", "0.4", "--leave-out", "border",
        "--pixel-size-um", "0.08",
    ]  # fmt: skip


def test_the_command_names_workers_and_what_to_do_again() -> None:
    words = batch_arguments(
        Path("/a"),
        Path("/c"),
        {**CHOICES, "pixel_size_um": None},
        resume=True,
        retry=True,
        scheduler="tcp://127.0.0.1:8786",
    )
    assert words[-4:] == ["--scheduler", "tcp://127.0.0.1:8786", "--resume", "--retry-failures"]
    assert "--pixel-size-um" not in words


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Expected a name"),
        (".hidden", "Expected a name"),
        ("a\x00b", "Expected a name"),
        ("x" * 201, "Expected a name"),
        ("..", "Expected a name"),
        ("../secret/new", "leads out"),
        ("/etc/new", "leads out"),
        ("way out/new", "leads out"),
        ("dangling", "none called"),
        ("no such folder/new", "none called"),
        ("plate", "holds no results"),
    ],
)
def test_results_stay_below_the_root(root: Path, name: str, message: str) -> None:
    (root / "way out").symlink_to(root.parent / "secret")
    (root / "dangling").symlink_to(root / "nowhere")
    with pytest.raises(InputError, match=message):
        results_place(root, name)


def test_a_link_to_results_elsewhere_is_refused(root: Path, results: Path) -> None:
    results.rename(root.parent / "secret/results")
    (root / "plate results").symlink_to(root.parent / "secret/results")
    with pytest.raises(InputError, match="leads out"):
        results_place(root, "plate results")


def test_new_results_and_such_that_go_on(root: Path, results: Path) -> None:
    assert results_place(root, "plate/new ") == (root.resolve() / "plate/new", False)
    assert results_place(root, "plate results") == (results.resolve(), True)


def test_a_folder_is_counted_before_it_is_run(open_desk: Any) -> None:
    desk = open_desk()
    desk.runs.offer("plate")
    assert desk.regions.run.opened
    run = desk.wait("ready")
    assert (run.n_fields, run.n_problems, run.results) == (2, 1, "plate results")
    panel = desk.regions.run
    assert panel.found["text"] == "2 fields found"
    assert "three" in panel.found["problems"][0]
    assert panel.can_start
    shown = {row["label"]: row["value"] for row in panel.choices}
    assert shown["Confidence threshold"] == "0.50"
    desk.state.threshold = 0.25
    shown = {row["label"]: row["value"] for row in panel.choices}
    assert shown["Confidence threshold"] == "0.25"


def test_a_folder_without_fields_can_not_be_run(open_desk: Any, root: Path) -> None:
    (root / "empty").mkdir()
    desk = open_desk()
    desk.runs.offer("empty")
    desk.wait("ready")
    assert desk.regions.run.found["text"] == "No fields found"
    desk.runs.start("empty results")
    assert not desk.regions.run.can_start
    assert desk.state.run.stage == "ready"


def test_a_folder_outside_the_root_is_not_looked_into(open_desk: Any) -> None:
    desk = open_desk()
    desk.runs.offer("../secret")
    assert desk.state.run is None
    assert "leads out" in desk.state.failure.message


def test_a_bad_name_is_told_and_not_used(open_desk: Any, root: Path) -> None:
    desk = open_desk()
    desk.runs.offer("plate")
    desk.wait("ready")
    desk.runs.start("../out")
    assert desk.state.run.stage == "ready"
    assert "leads out" in desk.regions.run.results["problem"]
    assert not (root.parent / "out").exists()


def test_a_run_goes_to_its_end(open_desk: Any, root: Path) -> None:
    desk = open_desk()
    desk.folder.open_folder("")
    stages: list[str] = []
    desk.state.events.run.connect(lambda run: stages.append(run.stage if run else ""))
    desk.start()
    run = desk.wait("ended")
    wait(lambda: len(desk.state.run.failures) == 5)
    assert [s for i, s in enumerate(stages) if s not in stages[:i]] == [
        "counting", "ready", "starting", "running", "ended",
    ]  # fmt: skip
    assert (run.status.state, run.status.n_failed) == ("done", 6)
    outcome = desk.regions.run.outcome
    assert outcome["title"] == "Done, but 6 fields could not be analysed"
    assert outcome["failures"][0] == {"name": "field 1", "message": "It is broken."}
    assert outcome["more"] == "and 1 more"
    asked = json.loads((root / "asked.json").read_text())
    assert asked[:2] == ["--segmenter", "watershed"]
    listed = {e["name"]: (e["kind"], e["detail"]) for e in desk.regions.sample.folder_entries}
    assert listed["plate results"] == ("run", "results · 0 fields")
    assert listed["plate"] == ("folder", "")
    assert outcome["retries"]
    desk.runs.resume(again=True)
    desk.wait("ended")
    assert json.loads((root / "asked.json").read_text())[-2:] == ["--resume", "--retry-failures"]


def test_a_run_stops_and_goes_on_with_its_own_choices(open_desk: Any, root: Path) -> None:
    desk = open_desk("patient")
    desk.start()
    desk.wait("running")
    wait(lambda: desk.state.run.status.n_failed == 1)
    desk.runs.stop()
    assert desk.regions.run.progress["stopping"]
    assert desk.wait("ended").status.state == "stopped"
    outcome = desk.regions.run.outcome
    assert (outcome["title"], outcome["continues"]) == ("Stopped; 5 fields not analysed yet", True)
    desk.state.threshold = 0.9
    desk.runs._command = (sys.executable, str(STAND_IN), "quick")
    desk.runs.resume()
    assert desk.state.run.stage == "starting"
    assert desk.wait("ended").status.n_failed == 6
    asked = json.loads((root / "asked.json").read_text())
    assert asked[-1] == "--resume"
    assert asked[asked.index("--threshold") + 1] == "0.5"


def test_results_of_a_run_are_gone_on_with_by_name(open_desk: Any) -> None:
    desk = open_desk("patient")
    desk.start()
    desk.wait("running")
    desk.runs.stop()
    desk.wait("ended")
    desk.runs.close()
    desk.state.threshold = 0.9
    desk.runs.offer("plate")
    assert desk.wait("ready").continues
    assert desk.regions.run.results["continues"]
    assert "(1 of 6 fields · 1 failed · 0 cells)" in desk.regions.run.results["note"]
    shown = {row["label"]: row["value"] for row in desk.regions.run.choices}
    assert shown["Confidence threshold"] == "0.50"
    desk.runs.offer("")
    desk.wait("ready")
    desk.runs.choose_results("plate results")
    assert "another folder" in desk.state.run.results_problem


def test_a_run_under_way_is_not_begun_twice(open_desk: Any) -> None:
    desk = open_desk("patient")
    desk.start()
    desk.wait("running")
    other = open_desk()
    other.runs.offer("plate")
    run = other.wait("ready")
    assert "A run is under way in 'plate results'" in run.results_problem
    assert not run.can_start
    other.runs.start("plate results")
    assert other.state.run.stage == "ready"


def test_a_run_that_refuses_says_why(open_desk: Any, root: Path) -> None:
    desk = open_desk("refuse")
    desk.start()
    run = desk.wait("ended")
    outcome = desk.regions.run.outcome
    assert outcome["kind"] == "failed"
    assert outcome["message"] == "plate results: The weights are not here."
    assert "plate results.log" in outcome["hint"]
    assert "The weights are not here." in (root / "plate results.log").read_text()
    assert str(root) not in outcome["message"]
    assert run.continues


def test_a_program_that_does_not_start_says_so(open_desk: Any) -> None:
    desk = open_desk()
    desk.runs._command = ("/no/such/program",)
    desk.start()
    assert desk.state.run.stage == "ready"
    assert "can't be started: No such file" in desk.regions.run.error["message"]


def test_a_log_that_is_a_link_is_not_followed(open_desk: Any, root: Path) -> None:
    (root / "plate results.log").symlink_to(root.parent / "secret/log")
    desk = open_desk()
    desk.start()
    assert "can't be started" in desk.regions.run.error["message"]
    assert not (root.parent / "secret/log").exists()


def test_a_killed_run_is_noticed_and_goes_on(open_desk: Any, root: Path) -> None:
    desk = open_desk("patient")
    desk.start()
    desk.wait("running")
    wait(lambda: desk.state.run.status.n_failed == 1)
    process = int(desk.state.run.status.process.rpartition(":")[2])
    os.kill(process, signal.SIGKILL)
    run = desk.wait("ended")
    assert (run.status.state, run.continues) == ("failed", True)
    assert "ended before the run did" in desk.regions.run.outcome["message"]
    other = open_desk()
    other.runs.watch("plate results")
    assert other.wait("ended").status.state == "failed"
    assert is_gone(read_status(root / "plate results"))


def test_a_run_outlives_its_page_and_is_watched_by_another(open_desk: Any) -> None:
    desk = open_desk("patient")
    desk.start()
    desk.wait("running")
    process = desk.runs._watch.process
    desk.runs.leave()
    assert process.exit_code is None
    other = open_desk()
    other.folder.open_folder("")
    entry = next(e for e in other.regions.sample.folder_entries if e["kind"] == "run")
    assert (entry["name"], entry["detail"]) == ("plate results", "results · running")
    other.runs.watch("plate results")
    assert other.wait("running").source == "plate"
    shown = {row["label"]: row["value"] for row in other.regions.run.choices}
    assert shown["Organelles named by"] == "Organelle network"
    other.runs.stop()
    assert other.wait("ended").status.state == "stopped"
    wait(lambda: process.exit_code == 0)


def test_closed_while_it_runs_it_becomes_a_chip(open_desk: Any) -> None:
    desk = open_desk("patient")
    desk.start()
    desk.wait("running")
    wait(lambda: desk.state.run.status.n_failed == 1)
    assert desk.regions.header.run == {}
    desk.runs.close()
    assert not desk.regions.run.opened
    assert desk.regions.header.run["text"] == "Run 16 %"
    desk.runs.offer("")
    assert desk.state.run.results == "plate results"
    assert desk.regions.run.opened
    assert desk.regions.header.run == {}
    desk.runs.close()
    desk.runs.stop()
    desk.wait("ended")
    assert desk.regions.header.run["text"] == "Run stopped"
    desk.runs.open()
    desk.runs.close()
    assert desk.state.run is None
    assert desk.regions.header.run == {}


def test_stopping_before_it_began_is_no_failure(open_desk: Any) -> None:
    desk = open_desk("patient")
    desk.start()
    desk.runs.stop()
    assert desk.wait("ended").status.state == "stopped"
    assert desk.regions.run.outcome["title"] == "Stopped before it began"


def test_results_without_a_status_are_shown_by_what_they_hold(
    open_desk: Any, results: Path
) -> None:
    desk = open_desk()
    desk.runs.watch("plate results")
    wait(lambda: bool(desk.regions.run.outcome) and bool(desk.state.run.failures))
    assert desk.regions.run.outcome["counts"] == "3 of 3 fields · 1 failed · 3 cells"
    assert not desk.regions.run.outcome["continues"]


def test_a_run_whose_fields_are_gone_says_why_it_can_not_go_on(open_desk: Any, root: Path) -> None:
    desk = open_desk("patient")
    desk.start()
    desk.wait("running")
    desk.runs.stop()
    desk.wait("ended")
    desk.runs.close()
    (root / "plate").rename(root / "moved")
    desk.runs.watch("plate results")
    wait(lambda: bool(desk.regions.run.outcome))
    assert not desk.regions.run.outcome["continues"]
    assert "is not below the top folder" in desk.regions.run.outcome["note"]
    desk.runs.resume()
    assert desk.state.run.stage == "ended"


def test_what_is_no_results_folder_is_not_watched(open_desk: Any) -> None:
    desk = open_desk()
    desk.runs.watch("plate")
    assert "holds no results" in desk.state.failure.message
    desk.runs.watch("gone")
    assert "no results in 'gone' any more" in desk.state.failure.message
    assert desk.state.run is None


def test_results_are_saved_and_sent(open_desk: Any, results: Path) -> None:
    desk = open_desk()
    sent: list[tuple[str, str, bytes]] = []
    desk.regions.header.offer_file = lambda *file: sent.append(file)  # type: ignore[method-assign]
    desk.runs.watch("plate results")
    desk.wait("ended")
    desk.saving.save("csv")
    wait(lambda: not desk.state.run.saving)
    saved = desk.regions.run.saved
    assert saved["place"].startswith("plate results/exports/")
    assert saved["place"].endswith(".csv")
    assert saved["download"]
    assert saved["notes"] == [
        "Without 1 field that could not be analysed.",
        "b: no cells were found, so it has no rows.",
    ]
    path = results.parent / saved["place"]
    assert len(pd.read_csv(path)) == 3
    desk.saving.download()
    wait(lambda: bool(sent))
    assert sent[0][::2] == (path.name, path.read_bytes())
    path.unlink()
    desk.saving.download()
    wait(lambda: desk.state.run.failure is not None)
    assert "can't be read" in desk.regions.run.error["message"]


def test_a_format_of_many_files_is_named_not_sent(open_desk: Any, results: Path) -> None:
    desk = open_desk()
    desk.runs.watch("plate results")
    desk.wait("ended")
    desk.saving.save("cells_tiff")
    wait(lambda: not desk.state.run.saving)
    saved = desk.regions.run.saved
    assert saved["place"] == "plate results/exports/cells_tiff"
    assert not saved["download"]
    assert saved["size"] > 0
    assert len(list((results / "exports/cells_tiff").iterdir())) == 2


def test_exports_that_lead_out_are_refused(open_desk: Any, root: Path, results: Path) -> None:
    (results / "exports").symlink_to(root.parent / "secret")
    desk = open_desk()
    desk.runs.watch("plate results")
    desk.wait("ended")
    desk.saving.save("csv")
    wait(lambda: not desk.state.run.saving)
    assert "leads out" in desk.regions.run.error["message"]
    assert list((root.parent / "secret").iterdir()) == []


def test_every_installed_format_is_offered() -> None:
    formats = run_formats()
    assert {"csv", "cells_tiff"} <= {entry["key"] for entry in formats}
    assert formats[0]["key"] == "csv"
    assert all(entry["title"] and entry["detail"] for entry in formats)


@pytest.mark.parametrize(
    ("process", "gone"), [("", False), ("elsewhere:1", False), (f"{os.uname().nodename}:1", False)]
)
def test_only_a_process_that_is_known_to_be_gone_is(
    tmp_path: Path, process: str, gone: bool
) -> None:
    write_status(tmp_path, RunStatus("running", process=process))
    assert is_gone(read_status(tmp_path)) is gone
