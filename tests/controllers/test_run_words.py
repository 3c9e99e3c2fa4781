"""Runs in words."""

from __future__ import annotations

from typing import Any

import pytest

from organelle_widgets.batch.status import RunStatus
from organelle_widgets.controllers.run_plan_words import choices_in_words, found_in_words
from organelle_widgets.controllers.run_words import (
    chip_of,
    listed_run,
    outcome_in_words,
    progress_in_words,
    saved_in_words,
    time_left,
)
from organelle_widgets.state import Progress, RunFile, RunShown

STATUS = RunStatus(
    "running",
    n_planned=2000,
    n_done=125,
    n_failed=3,
    n_cells=2431,
    n_running=2,
    fields_per_minute=14.4,
    seconds_left=7800.0,
    current=("A1: Finding cells", "A2: Classifying 31 cells"),
)
CHOICES = {
    "segmenter": "unet",
    "settings": {"min_cell_area_um2": 50.0, "nucleus_threshold": 0.6},
    "classifier": "organelle+subcell",
    "threshold": 0.35,
    "leave_out": "fragments",
    "pixel_size_um": None,
}


def shown(stage: Any = "running", status: RunStatus | None = STATUS, **values: Any) -> RunShown:
    return RunShown(stage, "plate", "plate results", status=status, **values)


def test_a_run_under_way() -> None:
    assert progress_in_words(shown()) == {
        "fraction": 0.064,
        "counts": "128 of 2,000 fields · 3 failed · 2,431 cells",
        "rate": "14 fields a minute · about 2 hours left",
        "now": "A1: Finding cells · A2: Classifying 31 cells",
        "stopping": False,
    }


def test_a_run_that_has_found_no_cell_yet_has_no_rate() -> None:
    status = RunStatus("running", 10, 0, 2, fields_per_minute=500.0, seconds_left=1.0, n_running=1)
    words = progress_in_words(shown(status=status))
    assert (words["rate"], words["now"]) == ("", "1 field under way")


def test_a_run_that_starts_and_one_that_stops() -> None:
    starting = progress_in_words(shown("starting", None))
    assert (starting["fraction"], starting["counts"]) == (None, "")
    assert starting["now"].startswith("Starting")
    stopping = progress_in_words(shown(stopping=True))
    assert stopping["now"].startswith("Stopping")
    assert stopping["rate"] == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (20, "less than a minute left"),
        (70, "about 1 minute left"),
        (3600, "about 60 minutes left"),
        (7300, "about 2 hours left"),
        (4 * 86400, "about 4 days left"),
    ],
)
def test_time_left_as_people_say_it(seconds: float | None, words: str) -> None:
    assert time_left(seconds) == words


@pytest.mark.parametrize(
    ("status", "kind", "title"),
    [
        (RunStatus("done", 5, 5, 0, 9), "done", "Done"),
        (RunStatus("done", 5, 4, 1, 9), "done", "Done, but 1 field could not be analysed"),
        (RunStatus("stopped", 5, 1, 1, 9), "stopped", "Stopped; 3 fields not analysed yet"),
        (RunStatus("stopped"), "stopped", "Stopped before it began"),
        (RunStatus("failed", message="No disk."), "failed", "The run could not go on"),
    ],
)
def test_how_a_run_ended(status: RunStatus, kind: str, title: str) -> None:
    outcome = outcome_in_words(shown("ended", status, continues=True))
    assert (outcome["kind"], outcome["title"]) == (kind, title)
    assert outcome["continues"] is (kind != "done")
    assert outcome["retries"] is (kind == "done" and status.n_failed == 1)
    assert outcome["message"] == status.message
    assert outcome_in_words(shown("running", status)) == {}


def test_choices_are_named_and_defaults_are_not() -> None:
    rows = {row["label"]: row["value"] for row in choices_in_words(CHOICES)}
    assert rows["Organelles named by"] == "Organelle network + SubCell"
    assert rows["Confidence threshold"] == "0.35"
    assert rows["Cells at the border"] == "fragments are left out"
    assert rows["Pixel size"] == "from the files"
    assert "50 µm²" in rows.values()
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("stage", "n_fields", "words"),
    [
        ("counting", 0, ""),
        ("ready", 0, "No fields found"),
        ("ready", 1, "1 field found"),
        ("ready", 2000, "2,000 fields found"),
    ],
)
def test_how_many_fields_there_are(stage: Any, n_fields: int, words: str) -> None:
    assert found_in_words(shown(stage, n_fields=n_fields)) == words


def test_the_chip_never_says_more_than_is_done() -> None:
    assert chip_of(None) == chip_of(shown("ready")) == {}
    assert chip_of(shown())["text"] == "Run 6 %"
    almost = RunStatus("running", 1000, 999)
    assert chip_of(shown(status=almost))["text"] == "Run 99 %"
    assert chip_of(shown("ended", RunStatus("failed")))["kind"] == "failed"
    saving = shown("ended", RunStatus("done"), saving="csv", saving_progress=Progress("a", 0.5))
    assert chip_of(saving) == {
        "text": "Saving", "title": "Saving: 50 %. Show the run", "fraction": 0.5, "kind": "running",
    }  # fmt: skip


def test_large_files_and_folders_are_not_offered() -> None:
    assert saved_in_words(None, 100) == {}
    assert saved_in_words(RunFile("a/b.csv", 99, True), 100)["download"]
    assert not saved_in_words(RunFile("a/b.csv", 100, True), 100)["download"]
    assert not saved_in_words(RunFile("a/b", 1, False), 100)["download"]
    many = tuple(f"{n}: no cells." for n in range(8))
    words = saved_in_words(RunFile("a/b.csv", 1, True, (*many, "x: it has no result: bad.")), 100)
    assert words["notes"][0] == "Without 1 field that could not be analysed."
    assert (len(words["notes"]), words["more"]) == (5, "and 4 more")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "results"),
        (STATUS, "results · running"),
        (RunStatus("done", 9, 9), "results · 9 fields"),
        (RunStatus("stopped", 9, 1), "results · stopped at 1 field"),
        (RunStatus("failed", 9, 1), "results · failed"),
    ],
)
def test_results_in_a_list(status: RunStatus | None, words: str) -> None:
    assert listed_run(status) == words
