"""From `PageState.run` to the run's dialog and the header's chip. Writes widgets, never state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organelle_widgets.controllers.run_plan_words import (
    choices_in_words,
    found_in_words,
    place_in_words,
)
from organelle_widgets.controllers.run_saving import MOST_DOWNLOAD_BYTES
from organelle_widgets.controllers.run_words import (
    chip_of,
    outcome_in_words,
    progress_in_words,
    saved_in_words,
)
from organelle_widgets.controllers.run_work import run_formats
from organelle_widgets.controllers.runs import CHOICES

if TYPE_CHECKING:
    from organelle_widgets.state import PageState, RunShown
    from organelle_widgets.widgets import Regions

__all__ = ["RunPresenter"]


class RunPresenter:
    """Shows the run of one page.

    Parameters
    ----------
    state : PageState
        What to show.
    regions : Regions
        The widgets.
    """

    def __init__(self, state: PageState, regions: Regions) -> None:
        self._state = state
        self._panel = regions.run
        self._header = regions.header
        self._panel.formats = run_formats()
        events = state.events
        events.run.connect(self._show_run)
        events.run_open.connect(self._show_open)
        for name in CHOICES:
            getattr(events, name).connect(self._show_choices)

    def _show_open(self, *_: Any) -> None:
        """Whether the person looks at the run: in the dialog, or as a chip in the header."""
        self._panel.opened = self._state.run_open and self._state.run is not None
        self._show_chip()

    def _show_chip(self) -> None:
        """The run in two words, while the dialog is closed."""
        hidden = self._state.run_open
        self._header.run = {} if hidden else chip_of(self._state.run)

    def _show_run(self, *_: Any) -> None:
        """All that there is to say of a run."""
        run, panel = self._state.run, self._panel
        with panel.hold_sync():
            panel.stage = run.stage if run is not None else ""
            if run is not None:
                self._show_plan(run)
                self._show_course(run)
            self._show_choices()
        self._show_open()

    def _show_plan(self, run: RunShown) -> None:
        """What is to be done."""
        panel, root = self._panel, "Top folder"
        panel.source = "" if run.source is None else run.source or root
        panel.found = {
            "text": found_in_words(run),
            "problems": list(run.problems),
            "more": run.n_problems - len(run.problems),
            "n_problems": run.n_problems,
        }
        panel.results = {
            "name": run.results,
            "problem": run.results_problem,
            "note": place_in_words(run),
            "continues": run.continues,
        }
        panel.can_start = run.can_start

    def _show_course(self, run: RunShown) -> None:
        """How far it is, and what came of it."""
        panel, saving = self._panel, run.saving_progress
        panel.progress = progress_in_words(run) if run.under_way else {}
        panel.outcome = outcome_in_words(run)
        panel.saving = (
            {"key": run.saving, "step": saving.step, "fraction": round(saving.fraction, 3)}
            if run.saving and saving is not None
            else {}
        )
        panel.saved = saved_in_words(run.saved, MOST_DOWNLOAD_BYTES)
        failure = run.failure
        panel.error = {"message": failure.message, "hint": failure.hint} if failure else {}

    def _show_choices(self, *_: Any) -> None:
        """What the run is, or will be, done with."""
        run = self._state.run
        if run is None:
            return
        choices = run.choices
        if choices is None and run.stage in ("counting", "ready"):
            choices = {name: getattr(self._state, name) for name in CHOICES}
        self._panel.choices = choices_in_words(choices) if choices is not None else []
