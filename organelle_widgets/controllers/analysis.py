"""Opening fields and analysing them, with progress, cancellation and errors in words."""

from __future__ import annotations

import dataclasses
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets import samples
from organelle_widgets.controllers.pictures import make_pictures
from organelle_widgets.errors import Cancelled, OrganelleWidgetsError
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER, DEFAULT_SEGMENTER, analyze_field
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.state import Failure, Progress, Shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from organelle_widgets.controllers.page_thread import PageThread
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.engine import Engine, Job
    from organelle_widgets.io import FieldSource
    from organelle_widgets.state import PageState

__all__ = ["AnalysisController"]

logger = logging.getLogger(__name__)

_PROGRESS_EVERY_S = 0.05


class AnalysisController:
    """Opens and analyses fields for one page.

    Parameters
    ----------
    state : PageState
        Is written on the page's thread only.
    engine : Engine
        Where the work runs.
    on_page : PageThread
        The way back from there.
    """

    def __init__(self, state: PageState, engine: Engine, on_page: PageThread) -> None:
        self._state = state
        self._engine = engine
        self._on_page = on_page
        self._job: Job[Any] | None = None
        self._last_report = 0.0
        self._source: FieldSource | None = None
        self._opened: Any = None

    def open_sample(self, key: str) -> None:
        """Show a sample with its stored result.

        Parameters
        ----------
        key : str
            One of `organelle_widgets.samples.list_samples`.
        """
        self._state.sample = key
        self._state.files = {}
        self._source = self._opened = None
        self._start("Opening the sample", _load_sample, key)

    def open_source(self, source: FieldSource) -> None:
        """Read a field from disk, show it, then analyse it.

        Parameters
        ----------
        source : FieldSource
            One of `organelle_widgets.discover_fields`.
        """
        self._state.sample = ""
        self._state.files = {}
        self._source = source
        self._open(source, source.read)

    def open_files(self) -> None:
        """Read the person's own files, show the field, then analyse it."""
        from organelle_widgets.io import read_field

        files: Any = dict(self._state.files)
        source = files.get("all", files)
        self._state.sample = ""
        self._source = None

        def read(*, pixel_size_um: float | None) -> Field:
            return read_field(source, pixel_size_um=pixel_size_um)

        self._open(files, read)

    def analyse(self) -> None:
        """Analyse the field on the page with the settings of now; the old result stays until then."""
        if self._state.files:
            self.open_files()
        elif self._source is not None:
            self.open_source(self._source)
        elif self._state.shown is not None:
            shown = self._state.shown
            self._start("Finding cells", _analyse, shown.field, self._choices(), shown.pictures)

    def cancel(self) -> None:
        """Stop the work under way at its next step; what is on the page stays."""
        if self._job is not None:
            self._job.cancel()
            self._state.progress = Progress("Stopping", 1.0)

    def reset(self) -> None:
        """Start over: an empty page, ready for another field."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._source = self._opened = None
        state = self._state
        state.progress = None
        state.failure = None
        state.selected = 0
        state.files = {}
        state.sample = ""
        state.shown = None

    def _open(self, subject: Any, read: Callable[..., Field]) -> None:
        """Read a field and analyse it; one that is not on the page yet is shown as soon as it is read."""
        show_early = None if subject == self._opened else self._show_early
        self._opened = subject
        work = _read_and_analyse
        self._start("Reading the images", work, read, self._choices(), show_early)

    def _choices(self) -> dict[str, Any]:
        """What the person chose, as the work needs it."""
        state = self._state
        return {
            "segmenter": state.segmenter,
            "settings": dict(state.settings),
            "classifier": state.classifier,
            "threshold": state.threshold,
            "pixel_size_um": state.pixel_size_um,
        }

    def _start(self, step: str, work: Callable[..., Shown], *args: Any) -> None:
        """Run work on the engine, in place of what runs now."""
        if self._job is not None:
            self._job.cancel()
        self._state.failure = None
        self._state.progress = Progress(step, 0.0)
        job = self._engine.submit(work, *args, on_progress=self._report)
        self._job = job
        monitor = job.monitor  # not the job itself: a result would hold on to itself
        job.future.add_done_callback(lambda future: self._on_page(self._finish, monitor, future))

    def _report(self, step: str, fraction: float) -> None:
        """Progress from the worker's thread; a few times a second is enough."""
        now = time.monotonic()
        if now - self._last_report < _PROGRESS_EVERY_S:
            return
        self._last_report = now
        self._on_page(self._advance, self._job, Progress(step, fraction))

    def _advance(self, job: Job[Any] | None, progress: Progress) -> None:
        """Show progress of the job that is still wanted."""
        if job is self._job and job is not None and not job.monitor.cancelled:
            self._state.progress = progress

    def _show_early(self, monitor: Monitor, shown: Shown) -> None:
        """From the worker's thread: a field is read, its result is to come."""
        self._on_page(self._show, monitor, shown)

    def _show(self, monitor: Monitor, shown: Shown) -> None:
        """Show a field unless another was asked for since."""
        if self._job is not None and self._job.monitor is monitor and not monitor.cancelled:
            self._state.selected = 0
            self._state.shown = shown

    def _finish(self, monitor: Monitor, future: Future[Shown]) -> None:
        """Show the outcome of the job that is still wanted."""
        if self._job is None or self._job.monitor is not monitor:
            return
        self._job = None
        failure = None if future.cancelled() else _failure_of(future.exception())
        if not future.cancelled() and future.exception() is None:
            shown = future.result()
            if not _has_cell(shown, self._state.selected):
                self._state.selected = 0
            self._state.shown = shown
        self._state.failure = failure
        self._state.progress = None


def _has_cell(shown: Shown, cell_id: int) -> bool:
    """Whether a cell of that id is in the result."""
    return shown.result is not None and cell_id in shown.result.masks.cell_ids


def _failure_of(error: BaseException | None) -> Failure | None:
    """An error as a sentence and a hint; None for success and for a wish to stop."""
    if error is None or isinstance(error, Cancelled):
        return None
    if isinstance(error, OrganelleWidgetsError):
        place = Path(error.source or "")
        named = place.suffix and place.name not in error.message  # folders of uploads mean nothing
        message = f"{place.name}: {error.message}" if named else error.message
        return Failure(message, error.hint or "")
    if isinstance(error, MemoryError):
        return Failure("This machine has too little memory for the field.", "Try a smaller field.")
    logger.error("A step failed that should not.", exc_info=error)
    return Failure(
        f"Something went wrong that should not: {error}",
        "The page goes on working. The log has the details.",
    )


def _load_sample(key: str, *, monitor: Monitor) -> Shown:
    """A sample, ready to show."""
    monitor.report("Opening the sample", 0.1)
    result = samples.load_sample(key)
    choices = {"segmenter": DEFAULT_SEGMENTER, "settings": {}, "classifier": DEFAULT_CLASSIFIER}
    return Shown(result.field, result, make_pictures(result.field, result), choices)


def _read_and_analyse(
    read: Callable[..., Field],
    choices: dict[str, Any],
    show_early: Callable[[Monitor, Shown], None] | None,
    *,
    monitor: Monitor,
) -> Shown:
    """Read a field, show it, analyse it."""
    monitor.report("Reading the images", 0.02)
    field = read(pixel_size_um=choices["pixel_size_um"])
    monitor.report("Showing the images", 0.05)
    pictures = make_pictures(field)
    if show_early is not None:
        show_early(monitor, Shown(field, None, pictures))
    shown = _analyse(field, choices, pictures, monitor=monitor)
    given = {**shown.choices, "pixel_size_um": choices["pixel_size_um"]}
    return dataclasses.replace(shown, choices=given)


def _analyse(
    field: Field, choices: dict[str, Any], pictures: Any = None, *, monitor: Monitor
) -> Shown:
    """Analyse a field, ready to show."""
    result = analyze_field(
        field,
        make_segmenter(choices["segmenter"], **choices["settings"]),
        choices["classifier"],
        threshold=choices["threshold"],
        monitor=monitor,
    )
    used = {name: choices[name] for name in ("segmenter", "settings", "classifier")}
    return Shown(field, result, make_pictures(field, result, pictures), used)
