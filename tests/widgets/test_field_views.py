from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import traitlets

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.widgets._pixels import PreparedPixels, prepare
from organelle_widgets.widgets._view_settings import COLORS, OPTIONS, accepted
from organelle_widgets.widgets.field_views import FieldViews
from organelle_widgets.widgets.payload import cell_payload

Browse = Callable[[Any], Any]
NOT_A_NUMBER = float("nan")


@pytest.fixture(scope="module")
def pixels(disc_field: Field, disc_masks: Masks) -> PreparedPixels:
    return prepare(disc_field, disc_masks)


@pytest.fixture(scope="module")
def cells(disc_field: Field, disc_masks: Masks) -> list[dict[str, Any]]:
    return cell_payload(FieldResult(disc_field, disc_masks, np.full((3, 19), 0.6)))


@pytest.fixture
def views(pixels: PreparedPixels, cells: list[dict[str, Any]]) -> FieldViews:
    views = FieldViews()
    views.show(pixels, cells)
    return views


# ---- what Python shows


def test_show_describes_the_field_without_a_pixel(
    views: FieldViews, pixels: PreparedPixels
) -> None:
    assert views.image_id == pixels.serial
    assert views.labels_id == pixels.labels.serial if pixels.labels else False
    assert views.shape == [240, 160]
    assert (views.pixel_size_um, views.pixel_size_assumed) == (0.32, False)
    assert [c["key"] for c in views.channels] == ["red", "green", "blue", "yellow"]
    assert views.channels[1]["range"] == [0, 255]
    state = views.get_state()
    assert not any(isinstance(value, (bytes, memoryview)) for value in state.values())
    assert sum(len(repr(state[name])) for name in ("cells", "channels", "shape")) < 5000


def test_an_assumed_pixel_size_is_flagged(disc_field: Field) -> None:
    views = FieldViews()
    views.show(prepare(Field(disc_field.pixels)))
    assert views.pixel_size_assumed is True


def test_another_field_forgets_selection_and_contrast(views: FieldViews, disc_field: Field) -> None:
    views.selected = 5
    views.windows = {"green": [0, 50, 1]}
    views.show(prepare(disc_field))
    assert (views.selected, views.windows, views.cells, views.labels_id) == (0, {}, [], 0)


def test_the_same_pictures_with_other_cells_keep_contrast_and_selection(
    views: FieldViews,
    pixels: PreparedPixels,
    cells: list[dict[str, Any]],
    disc_masks: Masks,
) -> None:
    views.selected = 5
    views.windows = {"green": [0, 50, 1]}
    before = views.image_id, views.labels_id
    views.show(pixels.with_masks(disc_masks), cells[1:])
    assert views.image_id == before[0]
    assert views.labels_id != before[1]
    assert (views.selected, views.windows) == (5, {"green": [0, 50, 1]})
    views.show(pixels, cells[:1])
    assert views.selected == 0


def test_new_answers_keep_a_selection_that_still_exists(
    views: FieldViews, cells: list[dict[str, Any]]
) -> None:
    views.selected = 9
    views.set_cells(cells[1:])
    assert views.selected == 9
    views.set_cells(cells[:1])
    assert (views.selected, len(views.cells)) == (0, 1)


def test_new_cells_come_with_their_selection_in_one_message(
    views: FieldViews,
    pixels: PreparedPixels,
    cells: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views.selected = 5
    told: list[int] = []
    views.observe(lambda change: told.append(change["new"]), "selected")
    states: list[set[str]] = []
    monkeypatch.setattr(views, "send_state", lambda key=None: states.append(set(key or ())))
    renumbered = [{**cell, "id": number} for number, cell in enumerate(cells, 1)]
    views.show(pixels, renumbered, selected=2)
    assert views.selected == 2
    assert told == [2]
    assert states == [{"cells", "selected"}]
    views.show(pixels, renumbered, selected=77)
    assert views.selected == 0


def test_clear_shows_nothing(views: FieldViews, browse: Browse) -> None:
    shown = views.image_id
    views.selected = 2
    views.clear()
    assert (views.image_id, views.labels_id, views.cells, views.selected) == (0, 0, [], 0)
    browser = browse(views)
    browser.say("ready", image=shown)
    assert browser.sent == []


# ---- what the front end asks for


def test_ready_brings_previews_then_labels_then_channels(
    views: FieldViews, pixels: PreparedPixels, browse: Browse
) -> None:
    browser = browse(views)
    browser.say("ready", image=views.image_id, view="a1")
    kinds = [(content["type"], content.get("keys")) for content, _ in browser.sent]
    keys = ["red", "green", "blue", "yellow"]
    assert kinds == [("preview", keys), ("labels", None), *(("full", [key]) for key in keys)]
    assert all(c["view"] == "a1" and c["image"] == pixels.serial for c, _ in browser.sent)
    assert browser.sent[0][1] == [c.preview for c in pixels.channels]
    assert [buffers[0] for _, buffers in browser.sent[2:]] == [c.full for c in pixels.channels]


def test_labels_arrive_as_they_are(views: FieldViews, disc_masks: Masks, browse: Browse) -> None:
    browser = browse(views)
    browser.say("ready", image=views.image_id, want="labels", view="a1")
    ((content, (data,)),) = browser.sent
    assert (content["bits"], content["labels"]) == (16, views.labels_id)
    sent = np.frombuffer(zlib.decompress(data), "<u2").reshape(disc_masks.shape)
    np.testing.assert_array_equal(sent, disc_masks.cells)


def test_every_page_that_asks_gets_the_pictures(views: FieldViews, browse: Browse) -> None:
    browser = browse(views)
    for view in ("first", "second"):
        browser.say("ready", image=views.image_id, view=view)
    assert [c["view"] for c, _ in browser.sent] == ["first"] * 6 + ["second"] * 6


def test_a_missing_channel_is_not_sent(disc_field: Field, browse: Browse) -> None:
    planes = disc_field.pixels.copy()
    planes[0] = 0
    views = FieldViews()
    views.show(prepare(Field(planes, missing=frozenset({"red"}))))
    browser = browse(views)
    browser.say("ready", image=views.image_id)
    assert browser.sent[0][0]["keys"] == ["green", "blue", "yellow"]
    assert [c["type"] for c, _ in browser.sent] == ["preview", "full", "full", "full"]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ready"},
        {"type": "ready", "image": -1},
        {"type": "ready", "image": "all"},
        {"type": "ready", "image": [1]},
        {"type": "READY"},
        {"type": ["ready"]},
        {},
        [],
        None,
        "ready",
        7,
    ],
)
def test_other_messages_have_no_answer(views: FieldViews, browse: Browse, message: Any) -> None:
    browser = browse(views)
    browser.raw(message)
    assert browser.sent == []


def test_an_odd_name_of_a_view_is_not_sent_back(views: FieldViews, browse: Browse) -> None:
    browser = browse(views)
    browser.say("ready", image=views.image_id, want="labels", view={"x": 1})
    browser.say("ready", image=views.image_id, want="labels", view="v" * 1000)
    assert [c["view"] for c, _ in browser.sent] == ["", "v" * 64]


# ---- what the browser may set


def test_the_browser_selects_a_cell(views: FieldViews, browse: Browse) -> None:
    heard: list[int] = []
    views.observe(lambda change: heard.append(change["new"]), "selected")
    browser = browse(views)
    for cell in (5, 9, 0):
        browser.put(selected=cell)
    assert heard == [5, 9, 0]


@pytest.mark.parametrize("value", [4, -1, 10**30, 5.5, True, "5", None, [5], {}])
def test_what_is_no_cell_is_not_selected(views: FieldViews, browse: Browse, value: Any) -> None:
    views.selected = 2
    browse(views).put(selected=value)
    assert views.selected == 2


GOOD = {
    "options": {**OPTIONS, "fill": True},
    "visible": ["green"],
    "colors": {**COLORS, "red": "#ff00FF"},
    "windows": {"green": [3, 90.5, 0.5]},
}


@pytest.mark.parametrize("name", GOOD)
def test_the_browser_sets_the_view(views: FieldViews, browse: Browse, name: str) -> None:
    browse(views).put(**{name: GOOD[name]})
    assert getattr(views, name) == GOOD[name]


BAD: list[tuple[str, Any]] = [
    ("options", {"outlines": True}),
    ("options", {**OPTIONS, "more": True}),
    ("options", {**OPTIONS, "fill": 1}),
    ("options", None),
    ("visible", ["green", "green"]),
    ("visible", ["infrared"]),
    ("visible", 3),
    ("visible", [["green"]]),
    ("colors", {**COLORS, "red": "red"}),
    ("colors", {**COLORS, "red": "#FF00FF;"}),
    ("colors", {"red": "#FF0000"}),
    ("colors", []),
    ("windows", {"green": [9, 9, 1]}),
    ("windows", {"green": [0, 9]}),
    ("windows", {"green": [0, 9, 0]}),
    ("windows", {"green": [0, NOT_A_NUMBER, 1]}),
    ("windows", {"green": [0, float("inf"), 1]}),
    ("windows", {"green": [0, 10**400, 1]}),
    ("windows", {"green": [False, True, 1]}),
    ("windows", {"infrared": [0, 9, 1]}),
    ("windows", 3),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_nonsense_changes_nothing(views: FieldViews, browse: Browse, name: str, value: Any) -> None:
    before = getattr(views, name)
    browse(views).put(**{name: value})
    assert getattr(views, name) == before
    assert not accepted(name, value)


@pytest.mark.parametrize(
    "name", ["cells", "channels", "image_id", "shape", "busy", "classes", "_esm", "renderer"]
)
def test_the_browser_may_not_set_the_rest(views: FieldViews, browse: Browse, name: str) -> None:
    before = getattr(views, name)
    browse(views).put(**{name: [{"id": 1}], "selected": 5})
    assert getattr(views, name) == before
    assert views.selected == 5


# ---- what Python may set


def test_python_hears_of_a_wrong_selection(views: FieldViews) -> None:
    with pytest.raises(traitlets.TraitError, match=r"Expected `selected`.*found 4"):
        views.selected = 4


@pytest.mark.parametrize(("name", "value"), [case for case in BAD if case[0] == "windows"])
def test_python_hears_of_a_wrong_window(views: FieldViews, name: str, value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match="windows"):
        setattr(views, name, value)


def test_an_unknown_renderer_is_refused() -> None:
    with pytest.raises(traitlets.TraitError, match="renderer"):
        FieldViews(renderer="vulkan")


def test_no_setting_of_that_name_is_accepted() -> None:
    assert not accepted("selected", 0)
    assert all(accepted(name, value) for name, value in GOOD.items())


def test_the_front_end_is_one_module_that_fetches_nothing() -> None:
    module = str(FieldViews._esm)
    assert module.count("export default") == 1
    assert not [line for line in module.splitlines() if line.startswith("import ")]
    assert "http" not in module + str(FieldViews._css)
