"""Opening fields and analysing them, with progress, cancellation and errors in words."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from organelle_widgets.controllers import work
from organelle_widgets.controllers.adjusting import answers_at_once, same_cell
from organelle_widgets.controllers.failures import failure_of, missing_weights
from organelle_widgets.pipeline import analyze_field
from organelle_widgets.state import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from organelle_widgets.controllers.page_thread import PageThread
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.engine import Analyze, Engine, Job
    from organelle_widgets.io import FieldSource
    from organelle_widgets.state import Failure, PageState, Shown

__all__ = ["AnalysisController"]

_PROGRESS_EVERY_S = 0.05
_GATHER_S = 0.1  # changes that come so close together are answered as one
_PATIENCE_S = (
    0.6  # an answer to an older change may take so long; it then gives way to the newer one
)


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
    analyze : callable
        Called on the engine to analyse a field: by itself, or on the workers that visitors share.
    """

    def __init__(
        self,
        state: PageState,
        engine: Engine,
        on_page: PageThread,
        analyze: Analyze = analyze_field,
    ) -> None:
        self._state = state
        self._engine = engine
        self._analyze = analyze
        self._on_page = on_page
        self._job: Job[Any] | None = None
        self._last_report = 0.0
        self._source: FieldSource | None = None
        self._waiting = False
        self._started = 0.0
        self._refused: dict[str, Any] | None = None
        self._offer: Failure | None = None

    @property
    def follows(self) -> bool:
        """Whether the result follows the changes made since by itself: no button need be pressed."""
        return self._choices() != self._refused and answers_at_once(
            self._state.shown, self._choices()
        )

    def open_sample(self, key: str) -> None:
        """Show a sample with its stored result.

        Parameters
        ----------
        key : str
            One of `organelle_widgets.samples.list_samples`.
        """
        self._state.sample = key
        self._state.files = {}
        self._source = None
        self._start("Opening the sample", work.load_sample, key, self._choices()["leave_out"])

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
        self._open(source.read, source.paths)

    def open_files(self) -> None:
        """Read the person's own files, show the field, then analyse it."""
        from organelle_widgets.io import read_field

        files: Any = dict(self._state.files)
        source = files.get("all", files)
        self._state.sample = ""
        self._source = None

        def read(*, pixel_size_um: float | None) -> Field:
            return read_field(source, pixel_size_um=pixel_size_um)

        self._open(read, tuple(files.values()))

    def analyse(self) -> None:
        """Analyse the field on the page with the settings of now; the old result stays until then."""
        if self._state.files:
            self.open_files()
        elif self._source is not None:
            self.open_source(self._source)
        elif self._state.shown is not None:
            args = (self._state.shown, self._choices(), self._analyze)
            self._start("Finding cells", work.analyse, *args)

    def adjust(self) -> None:
        """Let the result follow changed settings, where it can at once; see `follows`.

        Changes that come close together are answered as one, and the newest wins: an answer to an older one is
        shown if it is nearly there, else it is dropped.
        """
        if not self.follows or self._state.busy or self._waiting:
            return
        if self._job is None:
            self._waiting = True
            self._on_page.later(_GATHER_S, self._adjust_now)
        elif time.monotonic() - self._started > _PATIENCE_S:
            self._job.cancel()

    def download(self) -> None:
        """Fetch the weights that the last failure named, then analyse."""
        offer = self._state.failure
        if offer is not None and offer.downloads:
            names = [wanted.name for wanted in offer.downloads]
            self._start("Downloading", work.download, names)
            self._offer = offer
            self._state.progress = Progress("Downloading", 0.0, replaces=False)

    def cancel(self) -> None:
        """Stop the work under way at its next step; what is on the page stays."""
        if self._job is not None:
            self._job.cancel()
            self._state.progress = Progress("Stopping", 1.0)

    def reset(self) -> None:
        """Start over: an empty page, ready for another field."""
        self._drop_job()
        self._source = None
        state = self._state
        state.progress = None
        state.adjusting = False
        state.failure = None
        state.selected = 0
        state.files = {}
        state.sample = ""
        state.shown = None

    def _open(self, read: Callable[..., Field], paths: Sequence[Path]) -> None:
        """Read a field and analyse it."""
        args = (read, paths, self._choices(), self._state.shown, self._show_early, self._analyze)
        self._start("Reading the images", work.read_and_analyse, *args)

    def _choices(self) -> dict[str, Any]:
        """What the person chose, as the work needs it."""
        names = (*work.USED, "threshold", "pixel_size_um")
        return {name: getattr(self._state, name) for name in names}

    def _start(self, step: str, task: Callable[..., Any], *args: Any) -> None:
        """Run work on the engine, in place of what runs now."""
        self._drop_job()
        self._state.failure = None
        self._state.adjusting = False
        self._state.progress = Progress(step, 0.0)
        self._submit(task, *args, on_progress=self._report)

    def _drop_job(self) -> None:
        """Nobody waits any more for what runs now."""
        job, self._job, self._offer = self._job, None, None
        if job is not None:
            job.cancel()

    def _submit(self, task: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Hand work to the engine and hear of its end."""
        self._started = time.monotonic()
        job = self._engine.submit(task, *args, **kwargs)
        self._job = job
        monitor = job.monitor  # not the job itself: a result would hold on to itself
        job.future.add_done_callback(lambda future: self._on_page(self._finish, monitor, future))

    def _adjust_now(self) -> None:
        """Answer the changes gathered, unless something larger has begun meanwhile."""
        self._waiting = False
        if self._job is None and not self._state.busy and self.follows:
            self._state.adjusting = True
            self._submit(work.adjust, self._state.shown, self._choices(), self._analyze)

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
            replaces = self._offer is None  # a download takes minutes; the page is of use meanwhile
            self._state.progress = dataclasses.replace(progress, replaces=replaces)

    def _show_early(self, monitor: Monitor, shown: Shown) -> None:
        """From the worker's thread: a field is read, its result is to come."""
        self._on_page(self._show_field, monitor, shown)

    def _show_field(self, monitor: Monitor, shown: Shown) -> None:
        """Show a field unless another was asked for since."""
        if self._job is not None and self._job.monitor is monitor and not monitor.cancelled:
            self._show(shown)

    def _show(self, shown: Shown) -> None:
        """Show a field; the selection stays with its cell."""
        selected = same_cell(self._state.result, shown.result, self._state.selected)
        with self._state.events.selected.blocked():  # whoever hears of the field looks at both
            self._state.selected = selected
        self._state.shown = shown

    def _finish(self, monitor: Monitor, future: Future[Shown | None]) -> None:
        """Show the outcome of the job that is still wanted."""
        if self._job is None or self._job.monitor is not monitor:
            return
        adjusting, offer = self._state.adjusting, self._offer
        self._job = self._offer = None
        stopped = future.cancelled() or monitor.cancelled
        error = None if future.cancelled() else future.exception()
        failed = error is not None and not stopped
        self._refused = self._choices() if failed else None
        if not failed and not stopped:
            self._succeed(future.result())
        self._state.adjusting = False
        if failed or not adjusting:
            failure = failure_of(error) if failed else None
            self._state.failure = failure if offer else missing_weights(failure)
        if stopped and offer is not None:
            self._state.failure = offer
        self._state.progress = None
        if offer is not None and not failed and not stopped:
            self.analyse()  # what was missing is here
        else:
            self.adjust()  # settings may have changed meanwhile

    def _succeed(self, shown: Shown | None) -> None:
        """Show what came out, if it is anything to see."""
        if shown is not None:
            self._show(shown)
