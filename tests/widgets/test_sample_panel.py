from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from organelle_widgets.core.settings import Setting
from organelle_widgets.widgets._uploads import UploadReceiver
from organelle_widgets.widgets.sample_panel import (
    MOST_CHUNK_BYTES,
    SLOTS,
    SamplePanel,
    setting_entry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECS = (
    Setting("cut", "Nucleus threshold", 0.4, "", 0.0, 1.0, 0.01, help="More is less."),
    Setting("tiles", "Tiles", 4, "", 1, 16, 1),
    Setting("fill", "Fill holes", True),
    Setting("way", "Method", "watershed", choices=("watershed", "voronoi")),
    Setting("gain", "Gain", 1.5),
    Setting("files", "Masks", "{name}.png"),
)


@pytest.fixture
def panel() -> Iterator[SamplePanel]:
    made = SamplePanel(
        UploadReceiver(reserve=0),
        samples=[{"key": "a", "title": "A"}, {"key": "b", "title": "B"}],
        segmenters=[{"name": "unet"}, {"name": "cellpose", "installed": False}],
        classifiers=[{"name": "organelle", "installed": True}],
        settings=[setting_entry(spec) for spec in SPECS],
        folder_path="plates/one",
        folder_entries=[{"kind": "folder", "name": "week 2"}, {"kind": "field", "name": "57_F11"}],
        can_analyse=True,
    )
    yield made
    made.close()


def upload(
    browser: Any, slot: str, data: bytes = b"0123456789", name: str = "", step: int = 4
) -> None:
    about = {
        "upload": f"u-{slot}",
        "slot": slot,
        "name": name or f"a_{slot}.tif",
        "size": len(data),
    }
    for offset in range(0, len(data), step):
        browser.say("chunk", data[offset : offset + step], offset=offset, **about)


def test_a_sample_is_requested(panel: SamplePanel, browse: Any, heard: Any) -> None:
    asked = heard(panel.sample_requested)
    browser = browse(panel)
    browser.say("sample", key="b")
    browser.say("sample", key="c")
    browser.say("sample")
    assert asked == [("b",)]


def test_an_upload_answers_each_chunk_and_ends_as_a_file(
    panel: SamplePanel, browse: Any, heard: Any
) -> None:
    changed = heard(panel.files_changed)
    browser = browse(panel)
    upload(browser, "blue")
    answers = [content for content, _ in browser.sent]
    assert answers == [{"type": "received", "upload": "u-blue", "received": n} for n in (4, 8, 10)]
    assert panel.files == [{"slot": "blue", "name": "a_blue.tif", "size": 10, "thumb": ""}]
    ((files,),) = changed
    assert files["blue"].read_bytes() == b"0123456789"


def test_the_page_knows_the_file_before_the_last_answer(panel: SamplePanel, browse: Any) -> None:
    browser = browse(panel)
    seen: list[int] = []
    panel.observe(lambda _: seen.append(len(browser.sent)), "files")
    upload(browser, "blue")
    assert seen == [2]
    assert len(browser.sent) == 3


def test_four_channels_make_four_slots(panel: SamplePanel, browse: Any, heard: Any) -> None:
    changed = heard(panel.files_changed)
    for slot in ("red", "green", "blue", "yellow"):
        upload(browse(panel), slot)
    assert sorted(changed[-1][0]) == ["blue", "green", "red", "yellow"]


def test_one_file_for_all_and_single_channels_exclude_each_other(
    panel: SamplePanel, browse: Any, heard: Any
) -> None:
    changed = heard(panel.files_changed)
    browser = browse(panel)
    upload(browser, "blue")
    upload(browser, "all")
    assert list(changed[-1][0]) == ["all"]
    upload(browser, "red")
    assert list(changed[-1][0]) == ["red"]
    assert [f["slot"] for f in panel.files] == ["red"]


def test_a_new_file_takes_the_place_of_the_old(panel: SamplePanel, browse: Any, heard: Any) -> None:
    changed = heard(panel.files_changed)
    browser = browse(panel)
    upload(browser, "blue", b"first")
    upload(browser, "blue", b"second", "b_blue.tif")
    assert [f["name"] for f in panel.files] == ["b_blue.tif"]
    assert not changed[0][0]["blue"].exists()
    assert changed[1][0]["blue"].read_bytes() == b"second"


def test_a_refused_file_is_said_to_the_browser(panel: SamplePanel, browse: Any, heard: Any) -> None:
    changed = heard(panel.files_changed)
    browser = browse(panel)
    upload(browser, "blue", b"0", "a.exe")
    assert browser.last["type"] == "refused"
    assert browser.last["upload"] == "u-blue"
    assert "Expected a file that ends in" in browser.last["message"]
    assert (panel.files, changed) == ([], [])


GOOD_CHUNK = {"upload": "u", "slot": "blue", "name": "a.tif", "size": 4, "offset": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"slot": "violet"}, {"slot": None}, {"slot": "../blue"}, {"upload": 3}, {"upload": "u" * 65}, {"name": None},
        {"name": "n" * 2000 + ".tif"}, {"size": -1}, {"size": "4"}, {"size": math.inf}, {"size": 2**60},
        {"offset": -1}, {"offset": None}, {"offset": 0.5},
    ],
)  # fmt: skip
def test_a_malformed_chunk_is_ignored(panel: SamplePanel, browse: Any, wrong: Any) -> None:
    browser = browse(panel)
    browser.say("chunk", b"0123", **{**GOOD_CHUNK, **wrong})
    assert (browser.sent, panel.files) == ([], [])


@pytest.mark.parametrize("buffers", [[], [b"01", b"23"], [bytes(MOST_CHUNK_BYTES + 1)]])
def test_a_chunk_is_one_buffer_of_limited_size(
    panel: SamplePanel, browse: Any, buffers: list[bytes]
) -> None:
    browser = browse(panel)
    browser.say("chunk", *buffers, **GOOD_CHUNK)
    assert browser.sent == []


def test_cancel_and_begin_again(panel: SamplePanel, browse: Any) -> None:
    browser = browse(panel)
    browser.say("chunk", b"01", **GOOD_CHUNK)
    browser.say("cancel-upload", upload="u")
    browser.say("cancel-upload", upload=None)
    browser.say("chunk", b"23", **{**GOOD_CHUNK, "offset": 2})
    assert browser.last["received"] == 0
    browser.say("chunk", b"abcd", **GOOD_CHUNK)
    assert panel.files[0]["size"] == 4


def test_remove_a_file(panel: SamplePanel, browse: Any, heard: Any) -> None:
    browser = browse(panel)
    upload(browser, "blue")
    changed = heard(panel.files_changed)
    for slot in ("red", "violet", None, "blue", "blue"):
        browser.say("remove-file", slot=slot)
    assert changed == [({},)]
    assert panel.files == []


def test_thumbnails_and_clearing(panel: SamplePanel, browse: Any, heard: Any) -> None:
    browser = browse(panel)
    changed = heard(panel.files_changed)
    upload(browser, "blue")
    panel.set_thumbnail("blue", "data:image/png;base64,AA")
    panel.set_thumbnail("red", "data:image/png;base64,BB")
    assert [f["thumb"] for f in panel.files] == ["data:image/png;base64,AA"]
    panel.clear_files()
    assert panel.files == []
    assert not changed[0][0]["blue"].exists()
    assert len(changed) == 1


def test_close_deletes_the_files(browse: Any, heard: Any) -> None:
    panel = SamplePanel(UploadReceiver(reserve=0))
    changed = heard(panel.files_changed)
    upload(browse(panel), "blue")
    panel.close()
    assert not changed[0][0]["blue"].exists()


def test_two_panels_share_nothing(panel: SamplePanel, browse: Any) -> None:
    other = SamplePanel(UploadReceiver(reserve=0))
    upload(browse(panel), "blue", b"mine")
    upload(browse(other), "blue", b"theirs")
    panel.clear_files()
    assert [f["size"] for f in other.files] == [6]
    other.close()


@pytest.mark.parametrize(("value", "expected"), [(0.08, 0.08), (1, 1.0), (None, None)])
def test_the_pixel_size(
    panel: SamplePanel, browse: Any, heard: Any, value: Any, expected: float | None
) -> None:
    given = heard(panel.pixel_size_changed)
    browse(panel).say("pixel-size", value=value)
    assert (panel.pixel_size_um, given) == (expected, [(expected,)])


@pytest.mark.parametrize("value", [0, -1, 1e9, "0.08", True, [1]])
def test_an_impossible_pixel_size_is_ignored(
    panel: SamplePanel, browse: Any, heard: Any, value: Any
) -> None:
    given = heard(panel.pixel_size_changed)
    browse(panel).say("pixel-size", value=value)
    assert (panel.pixel_size_um, given) == (None, [])


def test_folders_open_by_the_names_shown(panel: SamplePanel, browse: Any, heard: Any) -> None:
    opened, asked = heard(panel.folder_opened), heard(panel.field_requested)
    browser = browse(panel)
    browser.say("open-folder", name="week 2")
    browser.say("open-field", name="57_F11")
    browser.say("up-folder")
    assert opened == [("plates/one/week 2",), ("plates",)]
    assert asked == [("plates/one/57_F11",)]
    assert panel.folder_field == "plates/one/57_F11"


def test_up_ends_at_the_root(panel: SamplePanel, browse: Any, heard: Any) -> None:
    opened = heard(panel.folder_opened)
    browser = browse(panel)
    for here in ("plates", ""):
        panel.folder_path = here
        browser.say("up-folder")
    assert opened == [("",)]


@pytest.mark.parametrize("name", ["..", "../secret", "/etc", "57_F11", "", None, ["week 2"]])
def test_other_folders_do_not_open(panel: SamplePanel, browse: Any, heard: Any, name: Any) -> None:
    opened = heard(panel.folder_opened)
    browse(panel).say("open-folder", name=name)
    assert opened == []


def test_backends_are_chosen_by_name(panel: SamplePanel, browse: Any, heard: Any) -> None:
    segmenters, classifiers = heard(panel.segmenter_changed), heard(panel.classifier_changed)
    browser = browse(panel)
    for name in ("cellpose", "nothing", None, "unet"):
        browser.say("segmenter", name=name)
    browser.say("classifier", name="unet")
    browser.say("classifier", name="organelle")
    assert (segmenters, classifiers) == ([("unet",)], [("organelle",)])
    assert (panel.segmenter, panel.classifier) == ("unet", "organelle")


def test_several_classifiers_may_be_asked_together(
    panel: SamplePanel, browse: Any, heard: Any
) -> None:
    panel.classifiers = [{"name": name, "installed": name != "far"} for name in ("a", "b", "far")]
    asked = heard(panel.classifier_changed)
    browser = browse(panel)
    browser.say("classifier", name="a+b")
    assert asked == [("a+b",)]
    for wrong in ("a+a", "a+far", "a+", "a+magic"):
        browser.say("classifier", name=wrong)
    assert asked == [("a+b",)]
    browser.say("segmenter", name="unet+unet")
    assert panel.segmenter != "unet+unet"


@pytest.mark.parametrize(
    ("name", "value"),
    [("cut", 0.0), ("cut", 1), ("tiles", 16), ("fill", False), ("way", "voronoi"), ("gain", -1e6)],
)
def test_a_setting_changes(
    panel: SamplePanel, browse: Any, heard: Any, name: str, value: Any
) -> None:
    changed = heard(panel.setting_changed)
    browse(panel).say("setting", name=name, value=value)
    assert changed == [(name, value)]
    assert {e["name"]: e["value"] for e in panel.settings}[name] == value
    assert [e["name"] for e in panel.settings] == [spec.name for spec in SPECS]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cut", 1.01), ("cut", "0.5"), ("cut", math.nan), ("cut", True), ("tiles", 2.5), ("tiles", 0), ("fill", 1),
        ("way", "magic"), ("way", None), ("gain", math.inf), ("no such", 1), (None, 1),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_ignored(
    panel: SamplePanel, browse: Any, heard: Any, name: Any, value: Any
) -> None:
    changed, before = heard(panel.setting_changed), panel.settings
    browse(panel).say("setting", name=name, value=value)
    assert (changed, panel.settings) == ([], before)


def test_whole_numbers_stay_whole(panel: SamplePanel, browse: Any, heard: Any) -> None:
    changed = heard(panel.setting_changed)
    browse(panel).say("setting", name="tiles", value=3.0)
    assert type(changed[0][1]) is int


def test_a_text_may_be_anything_but_long(panel: SamplePanel, browse: Any, heard: Any) -> None:
    changed = heard(panel.setting_changed)
    browser = browse(panel)
    for value in ("{name}_mask.png", 7, "x" * 5000):
        browser.say("setting", name="files", value=value)
    assert changed == [("files", "{name}_mask.png")]


def test_setting_entry() -> None:
    kinds = [setting_entry(spec)["kind"] for spec in SPECS]
    assert kinds == ["number", "whole", "yes-no", "choice", "number", "text"]
    entry = setting_entry(SPECS[0], 0.7)
    assert (entry["value"], entry["default"], entry["help"]) == (0.7, 0.4, "More is less.")


def test_the_threshold_moves(panel: SamplePanel, browse: Any, heard: Any) -> None:
    moved = heard(panel.threshold_changed)
    browser = browse(panel)
    for value in (0.25, -1, "x"):
        browser.say("threshold", value=value)
    assert (panel.threshold, moved) == (0.25, [(0.25,)])


def test_analyse_only_when_it_can(panel: SamplePanel, browse: Any, heard: Any) -> None:
    asked = heard(panel.analyse_requested)
    browser = browse(panel)
    browser.say("analyse")
    panel.progress = {"step": "Finding cells", "fraction": 0.1}
    browser.say("analyse")
    panel.progress = {}
    panel.can_analyse = False
    browser.say("analyse")
    assert asked == [()]


def test_cancel_only_while_busy(panel: SamplePanel, browse: Any, heard: Any) -> None:
    asked = heard(panel.cancel_requested)
    browser = browse(panel)
    browser.say("cancel")
    panel.progress = {"step": "Finding cells", "fraction": 0.0}
    browser.say("cancel")
    assert asked == [()]


def test_border_cells_are_chosen(panel: SamplePanel, browse: Any, heard: Any) -> None:
    chosen = heard(panel.leave_out_changed)
    browser = browse(panel)
    browser.say("leave-out", value="fragments")
    browser.say("leave-out", value="everything")
    browser.say("leave-out", value=3)
    assert chosen == [("fragments",)]
    assert panel.leave_out == "fragments"


def test_only_what_is_offered_is_downloaded(panel: SamplePanel, browse: Any, heard: Any) -> None:
    pressed = heard(panel.download_requested)
    browser = browse(panel)
    browser.say("download")
    panel.error = {"message": "No.", "hint": "", "downloads": []}
    browser.say("download")
    assert pressed == []
    panel.error = {"message": "No.", "hint": "", "downloads": [{"title": "HPA nuclei"}]}
    panel.progress = {"step": "Downloading", "fraction": 0.1}
    browser.say("download")
    assert pressed == []
    panel.progress = {}
    browser.say("download")
    assert pressed == [()]


def test_a_browser_may_not_offer_downloads(panel: SamplePanel, browse: Any) -> None:
    browse(panel).put(error={"downloads": [{"title": "x"}]}, leave_out="border", adjusting=True)
    assert (panel.error, panel.leave_out, panel.adjusting) == ({}, "nothing", False)


def test_reset_and_dismiss(panel: SamplePanel, browse: Any, heard: Any) -> None:
    reset, dismissed = heard(panel.reset_requested), heard(panel.error_dismissed)
    panel.error = {"message": "It failed.", "hint": "Try again."}
    browser = browse(panel)
    browser.say("reset")
    browser.say("dismiss-error")
    assert (reset, dismissed, panel.error) == ([()], [()], {})


def test_a_browser_sets_the_tab_and_nothing_else(panel: SamplePanel, browse: Any) -> None:
    browse(panel).put(
        tab="folder", can_analyse=False, folder_path="/etc", segmenter="x", files=[{}]
    )
    assert (panel.tab, panel.can_analyse, panel.folder_path) == ("folder", True, "plates/one")
    assert (panel.segmenter, panel.files) == ("", [])


def test_the_slots_are_in_the_pages_order() -> None:
    assert [slot["slot"] for slot in SamplePanel().slots] == list(SLOTS[:4])
