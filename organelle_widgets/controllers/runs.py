"""Runs over many fields from the page: prepare, start, watch, stop, go on.

The run is a process of its own, see `organelle_widgets.controllers.run_process`; what is here asks for it, follows it
and keeps `PageState.run`. What takes a while happens beside the page's thread.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from organelle_widgets.batch.status import RunStatus, ask_to_stop, read_status
from organelle_widgets.controllers.failures import failure_of
from organelle_widgets.controllers.folder import confined
from organelle_widgets.controllers.run_places import (
    chosen_place,
    default_place,
    earlier_run,
    results_place,
)
from organelle_widgets.controllers.run_process import RunWatch, batch_arguments, start_run
from organelle_widgets.controllers.run_work import count_fields, first_failures, status_of
from organelle_widgets.errors import InputError, OrganelleWidgetsError
from organelle_widgets.state import RunShown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from organelle_widgets.controllers.aside import Aside
    from organelle_widgets.controllers.page_thread import PageThread
    from organelle_widgets.controllers.run_process import RunProcess
    from organelle_widgets.state import PageState, RunStage
    from organelle_widgets.widgets import Regions

__all__ = ["CHOICES", "RunController"]

CHOICES = ("segmenter", "settings", "classifier", "threshold", "leave_out", "pixel_size_um")
"""What a run depends on besides its fields, by the names that `PageState` has for it."""


class RunController:
    """Prepares, starts and follows one run at a time.

    Parameters
    ----------
    state : PageState
        Holds the run.
    on_page : PageThread
        The way back from other threads.
    aside : Aside
        Where folders are looked into.
    regions : Regions
        Where the person asks.
    root : Path
        Where sources and results are confined to.
    scheduler : str, optional
        Address of the workers that all pages share; without it, each run works in its own process.
    command : sequence of str
        Program to start in place of this package's command ``batch``.
    every_s : float
        Seconds between two looks at a run.
    """

    def __init__(
        self,
        state: PageState,
        on_page: PageThread,
        aside: Aside,
        regions: Regions,
        root: Path,
        scheduler: str | None = None,
        command: Sequence[str] = (),
        every_s: float = 1.0,
    ) -> None:
        self._state = state
        self._on_page = on_page
        self._root = root
        self._scheduler = scheduler
        self._command = tuple(command)
        self._every_s = every_s
        self._watch: RunWatch | None = None
        self._aside = aside
        panel = regions.run
        regions.sample.run_offered.connect(self.offer)
        regions.sample.run_opened.connect(self.watch)
        regions.header.run_requested.connect(self.open)
        panel.closed.connect(self.close)
        panel.results_changed.connect(self.choose_results)
        panel.start_requested.connect(self.start)
        panel.continue_requested.connect(self._on_continue)
        panel.retry_requested.connect(self._on_retry)
        panel.stop_requested.connect(self.stop)

    def offer(self, source: str) -> None:
        """Ask whether to analyse a whole folder; a run that is under way is shown instead.

        Parameters
        ----------
        source : str
            The folder, relative to the root.
        """
        run = self._state.run
        if run is not None and run.under_way:
            self.open()
            return
        self._leave()
        try:
            folder = confined(self._root, source)
        except OrganelleWidgetsError as error:
            self._state.failure = failure_of(error)
            return
        self._state.run = RunShown("counting", source, default_place(self._root, source))
        self._state.run_open = True
        self._aside(count_fields, partial(self._counted, source), self._refuse, folder)

    def watch(self, results: str) -> None:
        """Show a run that exists: how far it is, or how it ended.

        Parameters
        ----------
        results : str
            Its results folder, relative to the root.
        """
        run = self._state.run
        if run is None or run.results != results or not run.under_way:
            self._leave()
            try:
                out, known = results_place(self._root, results)
                if not known:
                    message = f"There are no results in {results!r} any more."
                    raise InputError(message)
            except OrganelleWidgetsError as error:
                self._state.failure = failure_of(error)
                return
            status = read_status(out)
            over = status is None or status.ended
            source, choices = self._begun(out)
            stage: RunStage = "ended" if over else "running"
            self._state.run = RunShown(stage, source, results, choices=choices, status=status)
            self._follow(out)
        self._state.run_open = True

    def _begun(self, out: Path) -> tuple[str | None, dict[str, Any] | None]:
        """What a run was begun with, as far as its folder says."""
        try:
            return earlier_run(self._root, out)
        except OrganelleWidgetsError:
            return None, None

    def open(self) -> None:
        """Look at the run again."""
        if self._state.run is not None:
            self._state.run_open = True

    def close(self) -> None:
        """Look away. A run that is under way goes on and is watched; any other is forgotten."""
        self._state.run_open = False
        run = self._state.run
        if run is not None and not run.under_way and not run.saving:
            self._leave()
            self._state.run = None

    def leave(self) -> None:
        """The page ends: stop watching. A run goes on."""
        self._leave()

    def choose_results(self, results: str) -> None:
        """Take another results folder.

        Parameters
        ----------
        results : str
            Relative to the root.
        """
        run = self._state.run
        if run is not None and run.stage == "ready":
            self._change(**chosen_place(self._root, run.source, results))

    def start(self, results: str) -> None:
        """Start the run, or go on with the one in the results folder.

        Parameters
        ----------
        results : str
            The results folder, relative to the root.
        """
        self.choose_results(results)
        run = self._state.run
        if run is not None and run.can_start and run.source is not None:
            self._start(run, run.source)

    def resume(self, *, again: bool = False) -> None:
        """Go on with a run that has ended.

        Parameters
        ----------
        again : bool
            Whether to try the fields again that failed.
        """
        run = self._state.run
        if run is None or run.stage != "ended":
            return
        try:
            out, known = results_place(self._root, run.results)
            source, choices = earlier_run(self._root, out) if known else (run.source, run.choices)
        except OrganelleWidgetsError as error:
            self._refuse(error)
            return
        if source is not None:
            self._start(dataclasses.replace(run, choices=choices), source, retry=again)

    def _on_continue(self) -> None:
        self.resume()

    def _on_retry(self) -> None:
        self.resume(again=True)

    def stop(self) -> None:
        """Ask the run to stop."""
        run, watch = self._state.run, self._watch
        if run is None or watch is None or not run.under_way:
            return
        try:
            if run.status is None and watch.process is not None:
                watch.process.terminate()
            else:
                ask_to_stop(watch.out)
        except OSError as error:
            message = f"The run can't be told to stop: {error.strerror or error}."
            self._change(failure=failure_of(InputError(message)))
        else:
            self._change(stopping=True)

    def _change(self, **values: Any) -> None:
        """Other values for the run shown."""
        if self._state.run is not None:
            self._state.run = dataclasses.replace(self._state.run, **values)

    def _refuse(self, error: BaseException) -> None:
        """Say what went wrong."""
        self._change(failure=failure_of(error))

    def _counted(self, source: str, found: tuple[int, tuple[str, ...], int]) -> None:
        """The fields are counted; unless the person has gone elsewhere, they can be analysed."""
        run = self._state.run
        if run is not None and run.stage == "counting" and run.source == source:
            counts = dict(zip(("n_fields", "problems", "n_problems"), found, strict=True))
            self._change(
                stage="ready", **counts, **chosen_place(self._root, run.source, run.results)
            )

    def _start(self, run: RunShown, source: str, *, retry: bool = False) -> None:
        """Start the process, and follow it."""
        self._leave()
        choices = run.choices or {name: getattr(self._state, name) for name in CHOICES}
        try:
            out, known = results_place(self._root, run.results)
            fields = confined(self._root, source)
            words = batch_arguments(
                fields, out, choices, resume=known, retry=retry, scheduler=self._scheduler
            )
            before = read_status(out)
            process = start_run(words, out.with_name(f"{out.name}.log"), self._command)
        except OrganelleWidgetsError as error:
            self._refuse(error)
            return
        self._state.run = RunShown(
            "starting", source, run.results, run.n_fields, choices=dict(choices)
        )
        self._follow(out, process, before)

    def _follow(
        self, out: Path, process: RunProcess | None = None, before: RunStatus | None = None
    ) -> None:
        """Watch a run: one that this page started, or any other."""
        self._watch = RunWatch(out, self._heard, process, before, self._every_s)
        self._watch.begin()

    def _leave(self) -> None:
        """Watch no run any more."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.leave()

    def _heard(self, watch: RunWatch, status: RunStatus | None, over: bool) -> None:
        """News of a run, on the watching thread."""
        self._on_page(self._follow_up, watch, status, over)

    def _follow_up(self, watch: RunWatch, status: RunStatus | None, over: bool) -> None:
        """Show how far the run is."""
        run = self._state.run
        if watch is not self._watch or run is None:
            return
        if not over:
            stage = "running" if status is not None else "starting"
            self._change(stage=stage, status=status)
        elif (
            status is None
        ):  # results from elsewhere, without the file that says how far their run is
            self._aside(status_of, partial(self._end, watch, run), self._refuse, watch.out)
        else:
            self._end(watch, run, status)

    def _end(self, watch: RunWatch, run: RunShown, status: RunStatus) -> None:
        """Show how a run ended."""
        if watch is not self._watch:
            return
        if run.stopping and status.state == "failed" and not status.n_planned:
            status = RunStatus("stopped")  # it had not begun
        self._change(stage="ended", status=status, stopping=False, continues=self._continues(run))
        if status.n_failed:
            failed = partial(self._list_failures, watch)
            self._aside(first_failures, failed, self._refuse, watch.out, self._root)

    def _continues(self, run: RunShown) -> bool:
        """Whether a run that has ended could go on."""
        try:
            out, known = results_place(self._root, run.results)
        except OrganelleWidgetsError:
            return False
        return self._begun(out)[0] is not None if known else run.source is not None

    def _list_failures(self, watch: RunWatch, failures: tuple[tuple[str, str], ...]) -> None:
        """Show what failed."""
        if watch is self._watch:
            self._change(failures=failures)
