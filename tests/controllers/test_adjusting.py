"""Results follow sliders and the choice of border cells by themselves; networks run no more than they must."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets import weights
from organelle_widgets.controllers import AnalysisController, PageThread
from organelle_widgets.controllers.adjusting import same_cell
from organelle_widgets.core.field import Field
from organelle_widgets.core.maps import ProbabilityMaps
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.core.settings import setting
from organelle_widgets.engine import LocalEngine
from organelle_widgets.errors import SegmentationError
from organelle_widgets.io import find_field
from organelle_widgets.registry import Entry
from organelle_widgets.samples import list_samples
from organelle_widgets.segmentation import SEGMENTERS, MapSegmenter
from organelle_widgets.state import PageState

pytestmark = pytest.mark.tensorflow


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a word on the terminal."""

    def log_message(self, *words: object) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Discs(MapSegmenter):
    """Outlines the discs of `disc_field` in a map of how near their middles are."""

    runs: ClassVar[list[str]] = []
    labelled: ClassVar[list[float]] = []
    gate: ClassVar[threading.Event] = threading.Event()
    entered: ClassVar[threading.Event] = threading.Event()
    missing: ClassVar[list[str]] = []
    broken: ClassVar[list[str]] = []
    map_settings: ClassVar[tuple[str, ...]] = ("model",)

    model: str = setting("small", label="Model", choices=("small", "large"))
    radius: float = setting(32.0, label="Radius", minimum=5, maximum=60, step=1)
    skip: int = setting(0, label="Discs left out", minimum=0, maximum=3)

    def _predict(self, field: Field) -> ProbabilityMaps:
        for name in self.missing:
            weights.locate(name)
        self.runs.append(self.model)
        rows, cols = np.mgrid[: field.shape[0], : field.shape[1]]
        middles = ((60, 60), (90, 150), (80, 236))
        near = [np.clip(255 - 4 * np.hypot(rows - r, cols - c), 0, 255) for r, c in middles]
        values = np.stack(near).astype(np.uint8)
        return ProbabilityMaps(values, ("a", "b", "c"), field.shape, self.made_by)

    def _label(self, field: Field, maps: ProbabilityMaps) -> Masks:
        self.labelled.append(self.radius)
        self.entered.set()
        if not self.gate.wait(20):
            raise SegmentationError("The gate stayed shut.")
        if self.broken:
            raise SegmentationError("The discs are broken.")
        nuclei, cells = (np.zeros(field.shape, np.int32) for _ in range(2))
        for number, near in enumerate(maps.values[self.skip :], 1):
            cells[(near >= 255 - 4 * self.radius) & (cells == 0)] = number
            nuclei[(near > 215) & (cells == number)] = number
        return Masks(nuclei, cells)


@pytest.fixture
def discs(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Discs]]:
    """The segmenter above, registered for one test."""
    SEGMENTERS.entries()
    monkeypatch.setitem(SEGMENTERS._entries, "discs", Entry("discs", "Discs", Discs, (), ""))
    lists = (Discs.runs, Discs.labelled, Discs.missing, Discs.broken)
    Discs.gate.set()
    Discs.entered.clear()
    yield Discs
    Discs.gate.set()
    for seen in lists:
        seen.clear()


@pytest.fixture
def state() -> PageState:
    return PageState()


@pytest.fixture
def analysis(state: PageState) -> Iterator[AnalysisController]:
    engine = LocalEngine()
    yield AnalysisController(state, engine, PageThread())
    engine.close()


@pytest.fixture
def source(tmp_path: Path, disc_field: Field) -> Any:
    """The small field on disk."""
    for key in disc_field.present:
        iio.imwrite(tmp_path / f"discs_{key}.png", disc_field.channel(key))
    return find_field(tmp_path / "discs_green.png")


def wait(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@pytest.fixture
def opened(
    state: PageState, analysis: AnalysisController, source: Any, discs: type[Discs]
) -> PageState:
    """The field on the page, analysed with the discs."""
    state.segmenter, state.pixel_size_um = "discs", 0.32
    analysis.open_source(source)
    wait(lambda: state.result is not None and not state.busy)
    assert state.result.n_cells == 3
    return state


def change(state: PageState, analysis: AnalysisController, **settings: Any) -> None:
    """What the presenter does when a slider moves."""
    state.settings = settings
    analysis.adjust()


def settled(state: PageState, analysis: AnalysisController) -> Callable[[], bool]:
    """Whether the result on the page is that of the choices of now."""
    return lambda: not state.outdated and not state.adjusting and not state.busy


def test_a_slider_is_answered_without_the_network(
    opened: PageState, analysis: AnalysisController
) -> None:
    serial, field = opened.shown.pictures.pixels.serial, opened.field
    busy: list[bool] = []
    opened.events.progress.connect(lambda new: busy.append(new is not None))
    change(opened, analysis, radius=20.0)
    assert analysis.follows
    wait(settled(opened, analysis))
    assert (opened.result.cells["area_um2"] < 20 * 20 * 3.2 * 0.32**2).all()
    assert Discs.runs == ["small"]
    assert opened.field is field
    assert opened.shown.pictures.pixels.serial == serial
    assert not any(busy)


def test_changes_close_together_are_one_answer(
    opened: PageState, analysis: AnalysisController
) -> None:
    for radius in range(10, 31):
        change(opened, analysis, radius=float(radius))
    wait(settled(opened, analysis))
    assert Discs.labelled == [32.0, 30.0]


def test_a_change_during_an_answer_is_answered_next(
    opened: PageState, analysis: AnalysisController
) -> None:
    Discs.entered.clear()
    Discs.gate.clear()
    change(opened, analysis, radius=20.0)
    assert Discs.entered.wait(20)
    change(opened, analysis, radius=25.0)
    Discs.gate.set()
    wait(settled(opened, analysis))
    assert Discs.labelled == [32.0, 20.0, 25.0]


def test_a_slow_answer_gives_way(
    opened: PageState, analysis: AnalysisController, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = opened.result
    shown: list[int] = []
    opened.events.shown.connect(lambda new: shown.append(len(new.result.cells)))
    Discs.entered.clear()
    Discs.gate.clear()
    change(opened, analysis, skip=3)
    assert Discs.entered.wait(20)
    monkeypatch.setattr("organelle_widgets.controllers.analysis._PATIENCE_S", 0.0)
    change(opened, analysis, radius=25.0)
    assert opened.result is before
    Discs.gate.set()
    wait(settled(opened, analysis))
    assert shown == [3]


def test_what_the_network_depends_on_takes_the_button(
    opened: PageState, analysis: AnalysisController
) -> None:
    before = opened.result
    change(opened, analysis, model="large")
    assert not analysis.follows
    time.sleep(0.3)
    assert opened.result is before
    assert opened.outdated
    analysis.analyse()
    wait(settled(opened, analysis))
    assert Discs.runs == ["small", "large"]


def test_backends_without_maps_take_the_button(
    state: PageState, analysis: AnalysisController, source: Any
) -> None:
    state.segmenter, state.pixel_size_um = "watershed", 0.32
    analysis.open_source(source)
    wait(lambda: state.result is not None and not state.busy)
    change(state, analysis, nucleus_threshold=0.3)
    assert not analysis.follows


def test_a_quick_network_may_look_once_more(
    opened: PageState, analysis: AnalysisController
) -> None:
    shown = opened.shown
    result = dataclasses.replace(shown.result, maps=None, timings={"segmentation": 0.5})
    opened.shown = dataclasses.replace(shown, result=result, whole=result)
    change(opened, analysis, radius=20.0)
    wait(settled(opened, analysis))
    change(opened, analysis, radius=25.0)
    wait(settled(opened, analysis))
    assert Discs.runs == ["small", "small"]
    slow = dataclasses.replace(opened.result, maps=None, timings={"segmentation": 9.0})
    opened.shown = dataclasses.replace(opened.shown, result=slow, whole=slow)
    change(opened, analysis, radius=30.0)
    assert not analysis.follows


def test_an_answer_that_fails_is_said_once_and_the_button_comes_back(
    opened: PageState, analysis: AnalysisController
) -> None:
    Discs.broken.append("yes")
    change(opened, analysis, radius=20.0)
    wait(lambda: opened.failure is not None)
    assert "The discs are broken" in opened.failure.message
    assert not opened.adjusting
    assert not analysis.follows
    assert opened.outdated
    Discs.broken.clear()
    change(opened, analysis, radius=21.0)
    wait(settled(opened, analysis))


def test_settings_changed_during_an_analysis_are_answered_after_it(
    opened: PageState, analysis: AnalysisController
) -> None:
    Discs.entered.clear()
    Discs.gate.clear()
    analysis.analyse()
    assert Discs.entered.wait(20)
    change(opened, analysis, radius=20.0)
    Discs.gate.set()
    wait(settled(opened, analysis))
    assert Discs.labelled[-1] == 20.0
    assert Discs.runs == ["small"]


def test_the_selection_stays_with_its_cell(opened: PageState, analysis: AnalysisController) -> None:
    opened.selected = 3
    place = opened.result.cells.iloc[2]["centroid_col"]
    change(opened, analysis, skip=1)
    wait(settled(opened, analysis))
    assert opened.selected == 2
    assert opened.result.cells.iloc[1]["centroid_col"] == place
    change(opened, analysis, skip=3)
    wait(settled(opened, analysis))
    assert opened.selected == 0


def test_same_cell_follows_the_nucleus(disc_result: FieldResult) -> None:
    masks = disc_result.masks
    other = np.array([0, 0, 1, 0, 0, 2, 0, 0, 0, 3])
    renamed = Masks(other[masks.nuclei], other[masks.cells])
    after = dataclasses.replace(disc_result, masks=renamed)
    assert [same_cell(disc_result, after, cell) for cell in (2, 5, 9, 0, 77)] == [1, 2, 3, 0, 0]
    gone = dataclasses.replace(
        disc_result,
        masks=Masks(masks.nuclei * (masks.nuclei != 5), masks.cells * (masks.cells != 5)),
        probabilities=disc_result.probabilities[[0, 2]],
    )
    assert same_cell(disc_result, gone, 5) == 0
    twin = dataclasses.replace(disc_result, field=dataclasses.replace(disc_result.field))
    assert same_cell(disc_result, twin, 2) == 0


def test_border_cells_go_and_come_back_without_any_model(
    state: PageState, analysis: AnalysisController, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis.open_sample(list_samples()[0].key)
    wait(lambda: state.result is not None and not state.busy)
    whole = state.result
    monkeypatch.setattr("organelle_widgets.controllers.work.analyze_field", None)
    state.leave_out = "border"
    analysis.adjust()
    wait(settled(state, analysis))
    assert 0 < state.result.n_cells < whole.n_cells
    assert not state.result.cells["touches_border"].any()
    state.leave_out = "nothing"
    analysis.adjust()
    wait(settled(state, analysis))
    assert state.result is whole


def test_files_are_read_once(
    state: PageState, analysis: AnalysisController, source: Any, discs: type[Discs]
) -> None:
    state.files = {path.stem.split("_")[1]: path for path in source.paths}
    state.segmenter, state.pixel_size_um = "discs", 0.32
    analysis.open_files()
    wait(lambda: state.result is not None and not state.busy)
    field, serial = state.field, state.shown.pictures.pixels.serial
    state.settings = {"radius": 20.0}
    analysis.analyse()
    wait(settled(state, analysis))
    assert state.field is field
    assert state.shown.pictures.pixels.serial == serial
    assert Discs.runs == ["small"]


def test_files_that_changed_are_read_again(opened: PageState, analysis: AnalysisController) -> None:
    field = opened.field
    path = Path(field.sources["green"])
    iio.imwrite(path, np.zeros(field.shape, np.uint8) + 40)
    analysis.analyse()
    wait(settled(opened, analysis))
    assert opened.field is not field
    assert (opened.field.channel("green") == 40).all()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty model store, and a server on this machine that has the weights of nuclei."""
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mirror"
    file = folder / "hpa-nuclei" / weights.catalogue()["hpa-nuclei"].file_name
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(range(256)) * 4000)
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("ORGANELLE_WIDGETS_MIRROR", f"http://127.0.0.1:{server.server_port}")
        yield folder
        server.shutdown()


@pytest.mark.usefixtures("mirror")
def test_missing_weights_are_offered_fetched_and_used(
    state: PageState, analysis: AnalysisController, source: Any, discs: type[Discs]
) -> None:
    discs.missing.append("hpa-nuclei")
    state.segmenter = "discs"
    analysis.open_source(source)
    wait(lambda: state.failure is not None)
    (offer,) = state.failure.downloads
    known = weights.catalogue()["hpa-nuclei"]
    assert (offer.title, offer.licence, offer.source) == (known.title, known.licence, known.source)
    assert offer.size_bytes == (known.size_bytes or known.about_bytes)
    assert state.result is None
    steps: list[str] = []
    state.events.progress.connect(lambda new: steps.append(new.step if new else ""))
    analysis.download()
    wait(lambda: state.result is not None and not state.busy)
    assert weights.is_here("hpa-nuclei")
    assert steps[0] == "Downloading"
    assert "Reading the images" in steps
    assert state.failure is None


@pytest.mark.usefixtures("mirror")
def test_a_stopped_download_is_offered_again(
    state: PageState,
    analysis: AnalysisController,
    source: Any,
    discs: type[Discs],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = threading.Event()

    def fetch(name: str, *, monitor: Any) -> None:
        begun.set()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            monitor.report("Downloading", 0.1)
            time.sleep(0.01)

    monkeypatch.setattr(weights, "download", fetch)
    discs.missing.append("hpa-nuclei")
    state.segmenter = "discs"
    analysis.open_source(source)
    wait(lambda: state.failure is not None)
    offered = state.failure
    analysis.download()
    assert state.failure is None
    assert begun.wait(20)
    wait(lambda: state.progress.fraction > 0)
    assert not state.progress.replaces
    analysis.cancel()
    wait(lambda: not state.busy)
    assert state.failure is offered


def test_a_failed_download_is_said_and_offered_again(
    state: PageState,
    analysis: AnalysisController,
    source: Any,
    discs: type[Discs],
    mirror: Path,
) -> None:
    next(mirror.rglob("*.pth")).unlink()
    discs.missing.append("hpa-nuclei")
    state.segmenter = "discs"
    analysis.open_source(source)
    wait(lambda: state.failure is not None)
    analysis.download()
    wait(lambda: not state.busy)
    assert "404" in state.failure.message
    assert "organelle-widgets models" in state.failure.hint
    assert [offer.name for offer in state.failure.downloads] == ["hpa-nuclei"]
