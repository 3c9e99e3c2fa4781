from __future__ import annotations

from typing import Any

import pytest
import traitlets

from organelle_widgets.widgets import header_bar
from organelle_widgets.widgets.header_bar import CHUNK_BYTES, SHORTCUTS, HeaderBar

EXPORTS = [{"key": "csv", "title": "Table", "detail": "CSV"}, {"key": "masks", "title": "Masks"}]


def fetch(browser: Any) -> bytes:
    """What a browser does with the offer that it just got."""
    offer = browser.last
    data = b""
    while len(data) < offer["size"] or not data:
        browser.say("pull", offer=offer["offer"], offset=len(data))
        part, buffers = browser.sent[-1]
        assert part == {"type": "part", "offer": offer["offer"], "offset": len(data)}
        data += buffers[0]
        if not buffers[0]:
            break
    browser.say("received", offer=offer["offer"])
    return data


def test_an_export_is_requested_by_its_key(browse: Any, heard: Any) -> None:
    bar = HeaderBar(exports=EXPORTS)
    asked = heard(bar.export_requested)
    browse(bar).say("export", key="masks", client="c1")
    assert asked == [("masks",)]


@pytest.mark.parametrize("message", [{"key": "zip"}, {"key": "csv"}, {"key": None}, {}])
def test_an_unknown_export_or_one_without_a_client_is_ignored(
    browse: Any, heard: Any, message: dict[str, Any]
) -> None:
    bar = HeaderBar(exports=EXPORTS)
    asked = heard(bar.export_requested)
    browse(bar).say("export", **message)
    assert asked == []


def test_one_export_at_a_time(browse: Any, heard: Any) -> None:
    bar = HeaderBar(exports=EXPORTS, exporting="csv")
    asked = heard(bar.export_requested)
    browse(bar).say("export", key="masks", client="c1")
    assert asked == []


def test_a_file_goes_in_chunks_to_the_browser_that_asked(browse: Any) -> None:
    bar = HeaderBar(exports=EXPORTS)
    browser = browse(bar)
    browser.say("export", key="csv", client="c1")
    bar.exporting = "csv"
    data = bytes(range(256)) * (CHUNK_BYTES // 100)
    bar.offer_file("cells.csv", "text/csv", data)
    about = {k: browser.last[k] for k in ("type", "client", "name", "mime", "size")}
    assert about == {
        "type": "offer", "client": "c1", "name": "cells.csv", "mime": "text/csv", "size": len(data),
    }  # fmt: skip
    assert bar.exporting == ""
    assert fetch(browser) == data
    assert max(len(b) for _, buffers in browser.sent for b in buffers) == CHUNK_BYTES
    assert sum(1 for content, _ in browser.sent if content["type"] == "part") == 3


def test_an_empty_file_arrives(browse: Any) -> None:
    browser = browse(bar := HeaderBar())
    bar.offer_file("empty.csv", "text/csv", b"")
    assert fetch(browser) == b""


def test_a_chunk_can_be_asked_for_twice(browse: Any) -> None:
    browser = browse(bar := HeaderBar())
    bar.offer_file("a", "b", b"abc")
    offer = browser.last["offer"]
    for _ in range(2):
        browser.say("pull", offer=offer, offset=1)
        assert browser.sent[-1][1] == [b"bc"]


@pytest.mark.parametrize("offset", [-1, 4, 0.5, "0", None])
def test_an_offset_outside_the_file_is_ignored(browse: Any, offset: Any) -> None:
    browser = browse(bar := HeaderBar())
    bar.offer_file("a", "b", b"abc")
    browser.say("pull", offer=browser.last["offer"], offset=offset)
    assert len(browser.sent) == 1


def test_a_received_file_is_let_go(browse: Any) -> None:
    browser = browse(bar := HeaderBar())
    bar.offer_file("a", "b", b"abc")
    offer = browser.last["offer"]
    browser.say("received", offer=offer)
    browser.say("received", offer=offer)
    browser.say("pull", offer=offer, offset=0)
    assert len(browser.sent) == 1


def test_offers_that_nobody_fetches_do_not_pile_up(browse: Any) -> None:
    browser = browse(bar := HeaderBar())
    for number in range(10):
        bar.offer_file(str(number), "b", b"abc")
    for content, _ in list(browser.sent):
        browser.say("pull", offer=content["offer"], offset=0)
    assert len(browser.sent) == 10 + header_bar.MOST_OFFERS


def test_the_theme_goes_both_ways(browse: Any, heard: Any) -> None:
    bar = HeaderBar()
    chosen = heard(bar.theme_changed)
    browser = browse(bar)
    browser.put(theme="dark")
    browser.put(theme="dark")
    browser.put(theme="blue")
    assert (bar.theme, chosen) == ("dark", [("dark",)])
    bar.theme = "light"
    assert chosen == [("dark",)]
    with pytest.raises(traitlets.TraitError, match="'theme' trait"):
        bar.theme = "blue"


def test_a_browser_may_not_write_the_rest(browse: Any) -> None:
    bar = HeaderBar(summary="19 cells", exports=EXPORTS)
    browse(bar).put(summary="0 cells", exports=[], exporting="csv", warnings=["!"])
    assert (bar.summary, bar.exports, bar.exporting, bar.warnings) == ("19 cells", EXPORTS, "", [])


def test_every_shortcut_has_group_keys_and_text() -> None:
    assert all(set(line) == {"group", "keys", "text"} and all(line.values()) for line in SHORTCUTS)
