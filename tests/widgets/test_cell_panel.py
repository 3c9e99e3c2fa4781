from __future__ import annotations

import math
from typing import Any

import pytest
import traitlets

from organelle_widgets.widgets.cell_panel import CHART_FORMATS, CellPanel


def test_crops_go_to_a_page_that_comes_later(browse: Any) -> None:
    panel = CellPanel()
    browser = browse(panel)
    browser.say("ready")
    assert browser.sent == []
    panel.show_crops({"green": b"g", "composite": b"c", "violet": b"v"})
    browser.say("ready")
    expected = ({"type": "crops", "keys": ["composite", "green"]}, [b"c", b"g"])
    assert browser.sent == [expected, expected]


def test_clear_takes_answer_and_pictures_away(browse: Any) -> None:
    panel = CellPanel(
        subject={"kind": "cell"},
        field={"n_cells": 3},
        own={"title": "x"},
        measured=[{"title": "y"}],
    )
    browser = browse(panel)
    panel.show_crops({"composite": b"c"})
    panel.clear()
    assert (panel.subject, panel.field, panel.own, panel.measured) == ({}, {}, {}, [])
    assert browser.sent[-1] == ({"type": "crops", "keys": []}, [])


@pytest.mark.parametrize("chart_format", CHART_FORMATS)
def test_a_chart_is_requested_in_a_format(browse: Any, heard: Any, chart_format: str) -> None:
    panel = CellPanel()
    asked = heard(panel.chart_requested)
    browse(panel).say("chart", format=chart_format)
    assert asked == [(chart_format,)]


@pytest.mark.parametrize("chart_format", ["exe", "", None, ["png"]])
def test_other_formats_are_ignored(browse: Any, heard: Any, chart_format: Any) -> None:
    panel = CellPanel()
    asked = heard(panel.chart_requested)
    browse(panel).say("chart", format=chart_format)
    assert asked == []


def test_back_to_the_field(browse: Any, heard: Any) -> None:
    panel = CellPanel()
    asked = heard(panel.deselect_requested)
    browse(panel).say("deselect")
    assert asked == [()]


def test_the_line_moves_the_threshold(browse: Any, heard: Any) -> None:
    panel = CellPanel()
    moved = heard(panel.threshold_changed)
    browse(panel).say("threshold", value=0.25)
    assert (panel.threshold, moved) == (0.25, [(0.25,)])


@pytest.mark.parametrize("value", [True, False])
def test_looking_at_measurements_is_told(browse: Any, heard: Any, value: bool) -> None:
    panel = CellPanel()
    told = heard(panel.measuring_changed)
    browse(panel).say("measuring", open=value)
    assert told == [(value,)]


@pytest.mark.parametrize("value", [1, "open", None])
def test_what_is_no_yes_or_no_is_ignored(browse: Any, heard: Any, value: Any) -> None:
    panel = CellPanel()
    told = heard(panel.measuring_changed)
    browse(panel).say("measuring", open=value)
    assert told == []


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, "0.5", None, True])
def test_a_threshold_that_is_none_is_ignored(browse: Any, heard: Any, value: Any) -> None:
    panel = CellPanel()
    moved = heard(panel.threshold_changed)
    browse(panel).say("threshold", value=value)
    assert (panel.threshold, moved) == (0.5, [])


def test_a_browser_may_not_write_traits(browse: Any) -> None:
    panel = CellPanel(subject={"kind": "field"})
    browse(panel).put(subject={}, threshold=0.9, busy=True)
    assert (panel.subject, panel.threshold, panel.busy) == ({"kind": "field"}, 0.5, False)


def test_python_keeps_to_the_range_too() -> None:
    with pytest.raises(traitlets.TraitError, match="threshold"):
        CellPanel(threshold=1.5)


def test_only_a_pixel_size_that_fits_is_asked_for(browse: Any, heard: Any) -> None:
    panel = CellPanel(field={"quality": {"pixel_size_um": 0.29}})
    asked = heard(panel.pixel_size_requested)
    browser = browse(panel)
    browser.say("fix-pixel-size", value=5)
    assert asked == []
    panel.fixable, panel.busy = True, True
    browser.say("fix-pixel-size")
    assert asked == []
    panel.busy = False
    browser.say("fix-pixel-size", value=5)
    assert asked == [(0.29,)]
    panel.field = {"quality": {"pixel_size_um": 0.0}}
    browser.say("fix-pixel-size")
    panel.field = {}
    browser.say("fix-pixel-size")
    assert asked == [(0.29,)]
