from __future__ import annotations

import logging
import math
from typing import Any, ClassVar

import pytest
import traitlets

from organelle_widgets.widgets._page_region import PageRegion, number_in, text_in, whole_in


class Region(PageRegion):
    _esm = "export default {}"
    browser_sets: ClassVar[frozenset[str]] = frozenset({"mode"})
    mode = traitlets.Enum(("a", "b"), "a").tag(sync=True)
    secret = traitlets.Unicode("mine").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.got: list[str] = []
        super().__init__(**traits)

    def _handlers(self) -> Any:
        return {"word": lambda message, _: self.got.append(text_in(message, "word", longest=5))}


def test_a_known_message_reaches_its_handler(browse: Any) -> None:
    region = Region()
    browse(region).say("word", word="hello")
    assert region.got == ["hello"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        3,
        "word",
        [],
        {},
        {"type": None},
        {"type": ["word"]},
        {"type": "no such"},
        {"type": "word"},
    ]
    + [{"type": "word", "word": w} for w in (None, 5, ["x"], {"x": 1}, "too long")],
)
def test_any_other_message_is_logged_and_ignored(
    browse: Any, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    region = Region()
    with caplog.at_level(logging.DEBUG, "organelle_widgets"):
        browse(region).raw(content)
    assert region.got == []
    assert [(r.levelno, "ignored" in r.message) for r in caplog.records] == [(logging.DEBUG, True)]


def test_a_browser_sets_only_what_it_may(browse: Any) -> None:
    region = Region()
    browse(region).put(mode="b", secret="stolen", _esm="alert(1)", no_such=1)
    assert (region.mode, region.secret, region._esm) == ("b", "mine", "export default {}")


def test_a_refused_value_is_put_back_in_the_browser(
    browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = Region()
    told: list[Any] = []
    monkeypatch.setattr(region, "send_state", told.append)
    browse(region).put(mode={"not": "a word"})
    assert region.mode == "a"
    assert told == [["mode"]]


@pytest.mark.parametrize("state", [None, 3, ["mode"], "mode"])
def test_state_that_is_no_dict_is_ignored(state: Any) -> None:
    region = Region()
    region.set_state(state)
    assert region.mode == "a"


def test_text_in() -> None:
    assert text_in({"k": "b"}, "k", ["a", "b"]) == "b"
    with pytest.raises(traitlets.TraitError, match=r"k: expected one of \['a'\]; found 'b'"):
        text_in({"k": "b"}, "k", ["a"])
    with pytest.raises(traitlets.TraitError, match="k: expected a text of up to 2 characters"):
        text_in({"k": "abc"}, "k", longest=2)


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_number_in(value: float) -> None:
    assert number_in({"k": value}, "k", 0, 1) == value


@pytest.mark.parametrize(
    "value", [None, True, "1", -0.1, 1.1, math.nan, math.inf, -math.inf, [1], 10**400]
)
def test_numbers_out_of_range_or_of_another_kind(value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match="k: expected a number from 0 to 1"):
        number_in({"k": value}, "k", 0, 1)


def test_infinity_is_no_number() -> None:
    with pytest.raises(traitlets.TraitError, match="expected a finite number"):
        number_in({"k": math.inf}, "k")


def test_whole_in() -> None:
    assert whole_in({"k": 3.0}, "k", 0, 5) == 3
    with pytest.raises(traitlets.TraitError, match=r"whole number; found 2\.5"):
        whole_in({"k": 2.5}, "k", 0, 5)
