"""Opening, analysing, cancelling and failing, on a real engine with the real backends."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.controllers import AnalysisController, PageThread
from organelle_widgets.core.field import Field
from organelle_widgets.engine import LocalEngine
from organelle_widgets.io import find_field
from organelle_widgets.samples import list_samples
from organelle_widgets.segmentation.watershed import Watershed
from organelle_widgets.state import PageState, Progress

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def state() -> PageState:
    return PageState()


@pytest.fixture
def analysis(state: PageState) -> Iterator[AnalysisController]:
    engine = LocalEngine()
    yield AnalysisController(state, engine, PageThread())
    engine.close()


@pytest.fixture
def files(tmp_path: Path, disc_field: Field) -> dict[str, Path]:
    """The small field on disk."""
    paths = {key: tmp_path / f"discs_{key}.png" for key in disc_field.present}
    for key, path in paths.items():
        iio.imwrite(path, disc_field.channel(key))
    return paths


def wait(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    """Until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def test_a_sample_opens_with_its_stored_result(
    state: PageState, analysis: AnalysisController
) -> None:
    key = list_samples()[0].key
    analysis.open_sample(key)
    wait(lambda: state.result is not None)
    wait(lambda: not state.busy)
    assert state.sample == key
    assert state.failure is None
    assert state.shown.pictures.sprite.startswith(b"\xff\xd8")


def test_files_are_shown_before_they_are_analysed(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    shown: list[bool] = []
    state.events.shown.connect(lambda new: shown.append(new.result is not None))
    state.files = files
    state.pixel_size_um = 0.32
    analysis.open_files()
    wait(lambda: not state.busy)
    assert shown == [False, True]
    assert state.result.n_cells == 3
    assert state.field.pixel_size_um == 0.32
    assert state.sample == ""


def test_progress_is_told_in_words(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    steps: list[str] = []
    state.events.progress.connect(lambda new: steps.append(new.step if new else "ended"))
    analysis.open_source(find_field(files["green"]))
    wait(lambda: not state.busy)
    assert steps[0] == "Reading the images"
    assert steps[-1] == "ended"


def test_a_new_setting_changes_the_result(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    state.files, state.pixel_size_um = files, 0.32
    state.settings = {"min_cell_area_um2": 5000}
    analysis.open_files()
    wait(lambda: not state.busy)
    assert state.result.n_cells == 0
    state.settings = {}
    analysis.analyse()
    wait(lambda: not state.busy)
    assert state.result.n_cells == 3


def test_analysing_again_keeps_the_pictures(state: PageState, analysis: AnalysisController) -> None:
    analysis.open_sample(list_samples()[0].key)
    wait(lambda: not state.busy)
    before = state.shown
    analysis.analyse()
    wait(lambda: not state.busy)
    assert state.shown is not before
    assert state.shown.pictures.pixels.serial == before.pictures.pixels.serial


def test_cancel_keeps_what_was_there(
    state: PageState,
    analysis: AnalysisController,
    files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state.files, state.pixel_size_um, state.segmenter = files, 0.32, "watershed"
    analysis.open_files()
    wait(lambda: not state.busy)
    before = state.result
    entered, go_on = threading.Event(), threading.Event()
    segment = Watershed._segment

    def slow(self: Watershed, field: Field) -> object:
        entered.set()
        assert go_on.wait(30)
        return segment(self, field)

    monkeypatch.setattr(Watershed, "_segment", slow)
    state.files = {}
    analysis.analyse()
    assert entered.wait(30)
    analysis.cancel()
    assert state.progress == Progress("Stopping", 1.0)
    go_on.set()
    wait(lambda: not state.busy)
    assert state.result is before
    assert state.failure is None


def test_a_bad_file_becomes_a_sentence_and_the_page_goes_on(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    whole = files["blue"].read_bytes()
    files["blue"].write_bytes(whole[: len(whole) // 2])
    state.files = files
    analysis.open_files()
    wait(lambda: not state.busy)
    assert "blue" in state.failure.message
    assert "Traceback" not in state.failure.message
    files["blue"].write_bytes(whole)
    analysis.open_files()
    wait(lambda: not state.busy)
    assert state.failure is None
    assert state.result is not None


def test_a_bug_is_said_and_logged(
    state: PageState,
    analysis: AnalysisController,
    files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(self: Watershed, field: Field) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(Watershed, "_segment", broken)
    state.files, state.segmenter = files, "watershed"
    analysis.open_files()
    wait(lambda: not state.busy)
    assert "went wrong that should not: by zero" in state.failure.message
    assert "ZeroDivisionError" in caplog.text


def test_a_newer_wish_overtakes_an_older_one(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    key = list_samples()[-1].key
    state.files = files
    analysis.open_files()
    analysis.open_sample(key)
    wait(lambda: not state.busy)
    assert state.sample == key
    assert state.field.name.startswith("virtual")


def test_reset_empties_the_page(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    state.files = files
    analysis.open_files()
    wait(lambda: not state.busy)
    analysis.reset()
    assert state.shown is None
    assert state.files == {}
    assert not state.busy


def test_a_new_field_forgets_the_selection(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    analysis.open_sample(list_samples()[0].key)
    wait(lambda: not state.busy)
    state.selected = int(np.max(state.result.masks.cell_ids))
    state.files = files
    analysis.open_files()
    wait(lambda: not state.busy)
    assert state.selected == 0


def test_a_pixel_size_takes_effect_on_a_field_of_a_folder(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    analysis.open_source(find_field(files["green"]))
    wait(lambda: not state.busy)
    assert not state.outdated
    before = state.result
    shown: list[bool] = []
    state.events.shown.connect(lambda new: shown.append(new.result is not None))
    state.pixel_size_um = 0.16
    assert state.outdated
    assert state.result is before
    analysis.analyse()
    wait(lambda: not state.busy)
    assert state.field.pixel_size_um == 0.16
    assert not state.outdated
    assert shown == [True]


def test_a_field_of_a_folder_takes_the_place_of_files(
    state: PageState, analysis: AnalysisController, files: dict[str, Path], tmp_path: Path
) -> None:
    state.files = files
    analysis.open_files()
    wait(lambda: not state.busy)
    other = tmp_path / "other"
    other.mkdir()
    for key, path in files.items():
        (other / f"second_{key}.png").write_bytes(path.read_bytes())
    analysis.open_source(find_field(other / "second_green.png"))
    wait(lambda: not state.busy)
    analysis.analyse()
    wait(lambda: not state.busy)
    assert state.files == {}
    assert state.field.name == "second"


def test_a_message_names_no_folder_of_uploads(
    state: PageState, analysis: AnalysisController, files: dict[str, Path], tmp_path: Path
) -> None:
    iio.imwrite(files["green"], np.zeros((64, 64), np.uint8))
    state.files = files
    analysis.open_files()
    wait(lambda: not state.busy)
    assert tmp_path.name not in state.failure.message
    assert state.failure.message.startswith("Expected channels of one size")


def test_a_sample_is_outdated_by_other_settings(
    state: PageState, analysis: AnalysisController
) -> None:
    state.pixel_size_um = 0.3
    analysis.open_sample(list_samples()[0].key)
    wait(lambda: not state.busy)
    assert not state.outdated
    state.settings = {"nucleus_threshold": 0.3}
    assert state.outdated


def test_a_result_goes_when_another_takes_its_place(
    state: PageState, analysis: AnalysisController, files: dict[str, Path]
) -> None:
    analysis.open_source(find_field(files["green"]))
    wait(lambda: not state.busy)
    before = weakref.ref(state.result)
    gc.disable()
    try:
        for _ in range(2):
            analysis.analyse()
            wait(lambda: not state.busy)
        wait(lambda: before() is None, 5)
    finally:
        gc.enable()
