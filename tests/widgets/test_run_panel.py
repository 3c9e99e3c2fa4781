"""The run's dialog believes nothing that a browser says, and reports what a person asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from organelle_widgets.widgets import HeaderBar, RunPanel, SamplePanel
from organelle_widgets.widgets.run_panel import LONGEST_PLACE

FORMATS = [{"key": "csv", "title": "Table"}, {"key": "h5ad", "title": "AnnData"}]


@pytest.fixture
def panel() -> Iterator[RunPanel]:
    made = RunPanel(opened=True, stage="ready", formats=FORMATS)
    yield made
    made.close()


def test_the_results_folder_is_named(panel: RunPanel, browse: Any, heard: Any) -> None:
    named, started = heard(panel.results_changed), heard(panel.start_requested)
    browser = browse(panel)
    browser.say("results", name="plate results")
    browser.say("start", name="other results")
    assert (named, started) == ([("plate results",)], [("other results",)])


@pytest.mark.parametrize("name", [None, 3, ["a"], "x" * (LONGEST_PLACE + 1)])
def test_other_than_short_texts_are_no_names(
    panel: RunPanel, browse: Any, heard: Any, name: Any
) -> None:
    named, started = heard(panel.results_changed), heard(panel.start_requested)
    browser = browse(panel)
    browser.say("results", name=name)
    browser.say("start", name=name)
    assert named == started == []


@pytest.mark.parametrize("stage", ["", "counting", "starting", "running", "ended"])
def test_only_a_prepared_run_starts(panel: RunPanel, browse: Any, heard: Any, stage: str) -> None:
    started = heard(panel.start_requested)
    panel.stage = stage
    browse(panel).say("start", name="results")
    assert started == []


@pytest.mark.parametrize(
    ("stage", "count"), [("ready", 0), ("starting", 1), ("running", 1), ("ended", 0)]
)
def test_only_a_run_under_way_stops(
    panel: RunPanel, browse: Any, heard: Any, stage: str, count: int
) -> None:
    stopped = heard(panel.stop_requested)
    panel.stage = stage
    browse(panel).say("stop")
    assert len(stopped) == count


def test_a_run_goes_on_where_that_is_offered(panel: RunPanel, browse: Any, heard: Any) -> None:
    asked = heard(panel.continue_requested)
    browser = browse(panel)
    browser.say("continue")
    panel.stage = "ended"
    browser.say("continue")
    panel.outcome = {"kind": "stopped", "continues": True}
    panel.saving = {"key": "csv"}
    browser.say("continue")
    assert asked == []
    panel.saving = {}
    browser.say("continue")
    assert asked == [()]


def test_failed_fields_are_tried_again_where_that_is_offered(
    panel: RunPanel, browse: Any, heard: Any
) -> None:
    asked = heard(panel.retry_requested)
    browser = browse(panel)
    panel.stage = "ended"
    browser.say("retry")
    assert asked == []
    panel.outcome = {"kind": "done", "retries": True}
    browser.say("retry")
    assert asked == [()]


def test_results_are_saved_in_a_known_format_one_at_a_time(
    panel: RunPanel, browse: Any, heard: Any
) -> None:
    asked, cancelled = heard(panel.save_requested), heard(panel.save_cancelled)
    browser = browse(panel)
    browser.say("save", key="csv")
    panel.stage = "ended"
    browser.say("save", key="exe")
    browser.say("cancel-save")
    assert asked == cancelled == []
    browser.say("save", key="h5ad")
    panel.saving = {"key": "h5ad"}
    browser.say("save", key="csv")
    browser.say("cancel-save")
    assert (asked, cancelled) == ([("h5ad",)], [()])


def test_only_what_is_offered_is_downloaded(panel: RunPanel, browse: Any, heard: Any) -> None:
    asked = heard(panel.download_requested)
    browser = browse(panel)
    browser.say("download")
    panel.saved = {"place": "exports/cells.csv", "download": False}
    browser.say("download")
    assert asked == []
    panel.saved = {"place": "exports/cells.csv", "download": True}
    browser.say("download")
    assert asked == [()]


def test_closing_is_told(panel: RunPanel, browse: Any, heard: Any) -> None:
    closed = heard(panel.closed)
    browse(panel).say("close")
    assert closed == [()]


def test_a_browser_may_set_nothing(panel: RunPanel, browse: Any) -> None:
    browse(panel).put(
        opened=False, stage="ended", can_start=True, formats=[], saved={"download": True}
    )
    assert (panel.opened, panel.stage, panel.can_start, panel.formats) == (
        True, "ready", False, FORMATS,
    )  # fmt: skip
    assert panel.saved == {}


def test_the_header_opens_a_run_that_it_shows(browse: Any, heard: Any) -> None:
    bar = HeaderBar()
    asked = heard(bar.run_requested)
    browser = browse(bar)
    browser.say("run")
    browser.put(run={"kind": "running"})
    browser.say("run")
    assert asked == []
    bar.run = {"kind": "running", "text": "Run 3 %"}
    browser.say("run")
    assert asked == [()]


@pytest.mark.parametrize(
    ("kinds", "offered"), [(["field"], 1), (["folder"], 1), (["run"], 0), ([], 0)]
)
def test_a_folder_with_something_in_it_is_offered(
    browse: Any, heard: Any, kinds: list[str], offered: int
) -> None:
    entries = [{"kind": kind, "name": kind} for kind in kinds]
    panel = SamplePanel(folder_path="plates", folder_entries=entries)
    asked = heard(panel.run_offered)
    browse(panel).say("offer-run")
    assert asked == [("plates",)] * offered
    panel.close()


def test_results_in_the_list_are_opened_as_such(browse: Any, heard: Any) -> None:
    entries = [{"kind": "run", "name": "a results"}, {"kind": "folder", "name": "b"}]
    panel = SamplePanel(folder_path="plates", folder_entries=entries)
    opened, folders = heard(panel.run_opened), heard(panel.folder_opened)
    browser = browse(panel)
    browser.say("open-run", name="b")
    browser.say("open-folder", name="a results")
    assert opened == folders == []
    browser.say("open-run", name="a results")
    assert opened == [("plates/a results",)]
    panel.close()
