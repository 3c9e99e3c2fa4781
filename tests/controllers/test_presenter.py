"""State reaches the regions, and choices of a person reach state."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from unittest.mock import MagicMock

import numpy as np
import pytest

from organelle_widgets.controllers import AnalysisController, Presenter
from organelle_widgets.controllers.pictures import make_pictures
from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.quality import measure_quality
from organelle_widgets.core.results import FieldResult
from organelle_widgets.pipeline import DEFAULT_SEGMENTER
from organelle_widgets.segmentation.unet import UNet
from organelle_widgets.state import Download, Failure, Measured, PageState, Progress, Shown
from organelle_widgets.widgets import Regions


@dataclass
class PageUnderTest:
    """A page without an engine."""

    state: PageState
    regions: Regions
    analysis: MagicMock
    presenter: Presenter
    result: FieldResult

    def show(self) -> None:
        field = self.result.field
        self.state.shown = Shown(field, self.result, make_pictures(field, self.result))


@pytest.fixture
def page(disc_field: Field, disc_masks: Masks) -> PageUnderTest:
    probabilities = np.full((3, 19), 0.02, np.float32)
    probabilities[0, 2], probabilities[1, [0, 2]], probabilities[2, 18] = 0.9, (0.6, 0.55), 0.3
    result = FieldResult(disc_field, disc_masks, probabilities, {"segmentation": 1.25})
    state, regions = PageState(), Regions()
    analysis = MagicMock(spec=AnalysisController, follows=False)
    return PageUnderTest(state, regions, analysis, Presenter(state, regions, analysis), result)


def test_a_result_fills_every_region(page: PageUnderTest) -> None:
    page.show()
    regions = page.regions
    assert regions.header.chip == "discs · 240 × 160 · 0.32 µm/px"
    assert regions.header.summary == "3 cells · analysed in 1.2 s"
    assert [cell["id"] for cell in regions.views.cells] == [2, 5, 9]
    assert [cell["code"] for cell in regions.film.cells] == ["NO", "NP", "NE"]
    assert regions.cell.subject["kind"] == "field"
    assert regions.sample.can_analyse


def test_selecting_shows_the_cell_everywhere(page: PageUnderTest) -> None:
    page.show()
    page.state.selected = 5
    assert page.regions.views.selected == 5
    assert page.regions.film.selected == 5
    subject = page.regions.cell.subject
    assert (subject["kind"], subject["id"], subject["number"]) == ("cell", 5, 2)
    assert subject["title"] == "Nucleoplasm"
    assert subject["detail"] == "and Nucleoli"
    page.state.selected = 0
    assert page.regions.cell.subject["kind"] == "field"


def test_selecting_in_one_region_reaches_the_others(page: PageUnderTest) -> None:
    page.show()
    page.regions.film.set_state({"selected": 9})
    assert page.state.selected == 9
    assert page.regions.views.selected == 9
    page.regions.views.set_state({"selected": 2})
    assert page.state.selected == 2
    assert page.regions.film.selected == 2


def test_threshold_changes_answers_without_new_work(page: PageUnderTest) -> None:
    page.show()
    page.state.selected = 5
    page.regions.sample.threshold_changed.emit(0.7)
    assert page.state.threshold == 0.7
    assert page.regions.cell.threshold == 0.7
    assert page.regions.cell.subject["title"] == "Not sure"
    assert [cell["sure"] for cell in page.regions.film.cells] == [True, False, False]
    page.analysis.analyse.assert_not_called()


def test_progress_dims_and_ends(page: PageUnderTest) -> None:
    page.state.progress = Progress("Finding cells", 0.2)
    assert page.regions.sample.progress == {"step": "Finding cells", "fraction": 0.2}
    assert page.regions.views.busy
    page.state.progress = Progress("Downloading", 0.2, replaces=False)
    assert page.regions.sample.progress == {"step": "Downloading", "fraction": 0.2}
    assert not any(r.busy for r in (page.regions.views, page.regions.cell, page.regions.film))
    page.state.progress = None
    assert page.regions.sample.progress == {}
    assert not page.regions.views.busy


def test_failures_are_sentences(page: PageUnderTest) -> None:
    page.state.failure = Failure("The green image is cut short.", "Copy the file again.")
    assert page.regions.sample.error == {
        "message": "The green image is cut short.",
        "hint": "Copy the file again.",
        "downloads": [],
        "otherwise": "",
    }
    page.regions.sample.error_dismissed.emit()
    assert page.regions.sample.error == {}
    assert page.state.failure is None


def test_four_files_open_the_field_and_three_wait(page: PageUnderTest) -> None:
    files = {key: f"{key}.png" for key in ("red", "green", "blue")}
    page.regions.sample.files_changed.emit(files)
    page.analysis.open_files.assert_not_called()
    assert page.regions.sample.can_analyse
    page.regions.sample.files_changed.emit({**files, "yellow": "yellow.png"})
    page.analysis.open_files.assert_called_once_with()


def test_missing_files_are_named(page: PageUnderTest) -> None:
    page.regions.sample.files_changed.emit({"red": "red.png"})
    assert not page.regions.sample.can_analyse
    assert page.regions.sample.analyse_hint == "Add protein and nuclei"


def test_settings_that_are_defaults_are_not_kept(page: PageUnderTest) -> None:
    entry = page.regions.sample.settings[0]
    other = entry["minimum"]
    page.regions.sample.setting_changed.emit(entry["name"], other)
    assert page.state.settings == {entry["name"]: other}
    page.regions.sample.setting_changed.emit(entry["name"], entry["default"])
    assert page.state.settings == {}


def test_an_emptied_page_is_empty_everywhere(page: PageUnderTest) -> None:
    page.show()
    page.state.shown = None
    assert page.regions.header.chip == ""
    assert page.regions.header.exports == []
    assert page.regions.views.cells == []
    assert page.regions.film.cells == []
    assert page.regions.cell.subject == {}
    assert not page.regions.sample.can_analyse


def test_own_files_go_when_another_field_takes_the_page(page: PageUnderTest) -> None:
    page.regions.sample.files = [{"slot": "blue", "name": "a_blue.png", "size": 9, "thumb": ""}]
    page.state.files = {"blue": "a_blue.png"}
    page.state.files = {}
    assert page.regions.sample.files == []


def test_other_files_overtake_what_went_wrong(page: PageUnderTest) -> None:
    page.state.failure = Failure("The green image is cut short.")
    page.regions.sample.files_changed.emit({"red": "red.png"})
    assert page.regions.sample.error == {}


def test_changed_settings_are_said(page: PageUnderTest) -> None:
    field = page.result.field
    used = {"segmenter": DEFAULT_SEGMENTER, "settings": {}, "pixel_size_um": None}
    page.state.shown = Shown(field, page.result, make_pictures(field, page.result), used)
    panel = page.regions.sample
    assert not panel.outdated
    panel.setting_changed.emit("nucleus_threshold", 0.3)
    assert panel.outdated
    panel.setting_changed.emit("nucleus_threshold", UNet.nucleus_threshold)
    assert not panel.outdated
    panel.pixel_size_changed.emit(0.1)
    assert panel.outdated


def test_what_a_result_follows_by_itself_needs_no_button(page: PageUnderTest) -> None:
    field = page.result.field
    used = {"segmenter": DEFAULT_SEGMENTER, "settings": {}, "leave_out": "nothing"}
    page.state.shown = Shown(field, page.result, make_pictures(field, page.result), used)
    page.analysis.follows = True
    page.regions.sample.setting_changed.emit("nucleus_threshold", 0.3)
    page.analysis.adjust.assert_called_once_with()
    assert not page.regions.sample.outdated
    page.analysis.follows = False
    page.regions.sample.leave_out_changed.emit("border")
    assert page.state.leave_out == "border"
    assert page.analysis.adjust.call_count == 2
    assert page.regions.sample.outdated


def test_following_dims_nothing(page: PageUnderTest) -> None:
    page.state.adjusting = True
    assert page.regions.sample.adjusting
    assert not page.regions.views.busy
    page.state.adjusting = False
    assert not page.regions.sample.adjusting


def test_missing_weights_are_offered(page: PageUnderTest) -> None:
    offer = Download(
        "hpa-nuclei", "HPA nuclei", 559_000_000, True, "CC-BY-4.0", "https://x.org", "HPA"
    )
    page.state.failure = Failure("Weights are missing.", "Fetch them.", (offer,))
    error = page.regions.sample.error
    assert [d["title"] for d in error["downloads"]] == ["HPA nuclei"]
    page.regions.sample.download_requested.emit()
    page.analysis.download.assert_called_once_with()


def test_the_same_field_keeps_its_small_pictures(page: PageUnderTest) -> None:
    page.show()
    page.regions.sample.files = [{"slot": "blue", "name": "a_blue.png", "size": 9, "thumb": ""}]
    page.state.shown = dataclasses.replace(page.state.shown)
    assert page.regions.sample.files[0]["thumb"] == ""
    page.show()
    assert page.regions.sample.files[0]["thumb"].startswith("data:image/jpeg")


def test_quality_is_told_once(page: PageUnderTest) -> None:
    warning = "Nuclei are small: the pixel size is probably wrong."
    measured = measure_quality(page.result.field, page.result.masks, page.result.cells)
    quality = dataclasses.replace(
        measured, n_cells=4, median_cell_area_um2=411.6, border_share=0.25, warnings=(warning,)
    )
    notes = (warning, "One cell was left out.")
    page.result = dataclasses.replace(page.result, quality=quality, notes=notes)
    page.show()
    header = page.regions.header
    assert header.summary.startswith(
        "3 of 4 cells · median 412 µm² · 25 % at the border · analysed"
    )
    assert header.checks == [warning]
    assert header.warnings == ["One cell was left out."]
    shown = page.regions.cell.field["quality"]
    assert shown["warnings"] == [warning]
    assert shown["border_share"] == 0.25


def test_cut_cells_say_so(page: PageUnderTest) -> None:
    page.show()
    page.state.selected = 9
    assert page.regions.cell.subject["border"]
    row = page.result.row_of(9)
    assert page.regions.cell.subject["fragment"] == page.result.cells["is_fragment"][row]
    page.state.selected = 2
    assert not page.regions.cell.subject["border"]


def test_a_fitting_pixel_size_is_one_press_away(page: PageUnderTest) -> None:
    measured = measure_quality(page.result.field, page.result.masks, page.result.cells)
    quality = dataclasses.replace(measured, fitting_pixel_size_um=0.29, warnings=("Wrong size.",))
    page.result = dataclasses.replace(page.result, quality=quality)
    page.show()
    assert not page.regions.cell.fixable
    page.state.shown = dataclasses.replace(page.state.shown, origin="files")
    assert page.regions.cell.fixable
    page.regions.cell.pixel_size_requested.emit(0.29)
    assert page.state.pixel_size_um == 0.29
    page.analysis.analyse.assert_called_once_with()


def test_measurements_are_shown_where_somebody_looks(page: PageUnderTest) -> None:
    page.show()
    panel = page.regions.cell

    def solidity() -> str:
        return next(row for row in panel.measured if row["title"] == "Shape")["figures"][1]["value"]

    page.state.selected = 5
    assert panel.measured == []
    page.state.measuring = True
    assert solidity() == ""
    page.state.measured = Measured(page.result, {5: {"solidity": 0.91}, 2: {"solidity": 0.5}})
    assert solidity() == "0.91"
    page.state.selected = 9
    assert solidity() == ""
    page.state.selected = 2
    assert solidity() == "0.50"
    page.state.selected = 0
    assert panel.measured == []
    page.state.selected = 2
    page.state.shown = dataclasses.replace(
        page.state.shown, result=dataclasses.replace(page.result)
    )
    assert solidity() == ""


def test_strange_cells_are_marked_like_doubtful_ones(page: PageUnderTest) -> None:
    answers = CellAnswers(page.result.probabilities, strangeness=np.array([2, 0.2, 0.3]))
    page.result = dataclasses.replace(page.result, answers=answers)
    page.show()
    assert [(cell["sure"], cell["unusual"]) for cell in page.regions.film.cells] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    assert [cell["sure"] for cell in page.regions.views.cells] == [False, True, False]
    page.state.selected = 2
    subject = page.regions.cell.subject
    assert (subject["title"], subject["unusual"]) == ("Not sure", True)
    assert page.regions.cell.field["n_unusual"] == 1


def test_own_classes_are_offered_where_there_are_some(page: PageUnderTest) -> None:
    page.show()
    assert page.regions.cell.own == {}
    own = np.array([[0.1, 0.8], [0.2, 0.7], [0.3, 0.6]], np.float32)
    answers = CellAnswers(page.result.probabilities, own_probabilities=own, own_classes=("a", "b"))
    named = {"classifier": {"name": "subcell"}}
    page.result = dataclasses.replace(page.result, answers=answers, provenance=named)
    page.show()
    page.state.selected = 5
    assert page.regions.cell.own["title"] == "2 classes of SubCell"
    assert page.regions.cell.own["p"] == [0.2, 0.7]
    page.state.shown = None
    assert page.regions.cell.own == {}
