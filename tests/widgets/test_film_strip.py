from __future__ import annotations

from typing import Any

import pytest

from organelle_widgets.widgets.film_strip import FILTERS, SORTS, FilmStrip


def cell(cell_id: int) -> dict[str, Any]:
    return {
        "id": cell_id, "top": 2, "code": "NO", "confidence": 0.9, "sure": True, "border": False, "area_um2": 600.0,
    }  # fmt: skip


@pytest.fixture
def strip() -> FilmStrip:
    return FilmStrip(cells=[cell(2), cell(5), cell(9)])


def test_the_person_selects(strip: FilmStrip, browse: Any, heard: Any) -> None:
    chosen = heard(strip.selected_changed)
    browser = browse(strip)
    for cell_id in (5, 5, 9, 0):
        browser.put(selected=cell_id)
    assert chosen == [(5,), (9,), (0,)]
    assert strip.selected == 0


def test_python_selects_without_a_signal(strip: FilmStrip, heard: Any) -> None:
    chosen = heard(strip.selected_changed)
    strip.selected = 9
    assert chosen == []


@pytest.mark.parametrize("cell_id", [3, -1, 5.0, True, "5", None, [5], {"id": 5}])
def test_a_cell_that_does_not_exist_is_refused(
    strip: FilmStrip, browse: Any, heard: Any, cell_id: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    strip.selected = 2
    chosen = heard(strip.selected_changed)
    told: list[Any] = []
    monkeypatch.setattr(strip, "send_state", told.append)
    browse(strip).put(selected=cell_id)
    assert (strip.selected, chosen, told) == (2, [], ["selected"])


@pytest.mark.parametrize(("trait", "values"), [("sort", SORTS), ("shown", FILTERS)])
def test_order_and_filter_are_the_persons(
    strip: FilmStrip, browse: Any, trait: str, values: tuple[str, ...]
) -> None:
    browser = browse(strip)
    for value in values:
        browser.put(**{trait: value})
        assert getattr(strip, trait) == value
    browser.put(**{trait: "no such"})
    assert getattr(strip, trait) == values[-1]


def test_a_browser_may_not_write_cells(strip: FilmStrip, browse: Any) -> None:
    browse(strip).put(cells=[], busy=True)
    assert [c["id"] for c in strip.cells] == [2, 5, 9]
    assert not strip.busy


def test_thumbnails_go_to_a_page_that_comes_later(strip: FilmStrip, browse: Any) -> None:
    browser = browse(strip)
    browser.say("ready")
    assert browser.sent == []
    strip.show_thumbnails(b"sprite", 2, 76)
    browser.say("ready")
    expected = ({"type": "thumbnails", "columns": 2, "size": 76, "ids": [2, 5, 9]}, [b"sprite"])
    assert browser.sent == [expected, expected]


def test_thumbnails_may_name_their_cells(strip: FilmStrip, browse: Any) -> None:
    browser = browse(strip)
    strip.show_thumbnails(b"sprite", 1, 76, ids=[9, 2])
    assert browser.last["ids"] == [9, 2]


def test_clear_forgets_all(strip: FilmStrip, browse: Any) -> None:
    strip.show_thumbnails(b"sprite", 2, 76)
    strip.selected = 5
    browser = browse(strip)
    strip.clear()
    assert (strip.cells, strip.selected) == ([], 0)
    assert browser.last["ids"] == []
    browser.say("ready")
    assert len(browser.sent) == 1
