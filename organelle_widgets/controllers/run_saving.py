"""Saving the results of a run as files of other formats: in its folder first, then in the browser if they are small."""

from __future__ import annotations

import dataclasses
import mimetypes
from typing import TYPE_CHECKING, Any

from organelle_widgets.controllers.failures import failure_of
from organelle_widgets.controllers.run_places import results_place
from organelle_widgets.controllers.run_work import save_run
from organelle_widgets.errors import ExportError, OrganelleWidgetsError
from organelle_widgets.state import Progress

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from organelle_widgets.controllers.aside import Aside
    from organelle_widgets.controllers.page_thread import PageThread
    from organelle_widgets.engine import Engine, Job
    from organelle_widgets.state import PageState, RunFile
    from organelle_widgets.widgets import Regions

__all__ = ["MOST_DOWNLOAD_BYTES", "RunSavingController"]

MOST_DOWNLOAD_BYTES = 100_000_000
"""Larger files are named, not sent to the browser."""


class RunSavingController:
    """Writes the run on the page in a format that a person chose.

    Parameters
    ----------
    state : PageState
        Holds the run.
    engine : Engine
        Where files are made.
    on_page : PageThread
        The way back from there.
    aside : Aside
        Where files are read for the browser.
    regions : Regions
        Where the person asks, and who hands files to the browser.
    root : Path
        Where results are confined to.
    """

    def __init__(
        self,
        state: PageState,
        engine: Engine,
        on_page: PageThread,
        aside: Aside,
        regions: Regions,
        root: Path,
    ) -> None:
        self._state = state
        self._engine = engine
        self._on_page = on_page
        self._aside = aside
        self._header = regions.header
        self._root = root
        self._job: Job[RunFile] | None = None
        regions.run.save_requested.connect(self.save)
        regions.run.save_cancelled.connect(self.cancel)
        regions.run.download_requested.connect(self.download)

    def save(self, key: str) -> None:
        """Write the run's results in one format.

        Parameters
        ----------
        key : str
            One of `organelle_widgets.controllers.run_work.run_formats`.
        """
        run = self._state.run
        if run is None or run.stage != "ended" or run.saving:
            return
        try:
            out, _ = results_place(self._root, run.results)
        except OrganelleWidgetsError as error:
            self._change(failure=failure_of(error))
            return
        self._change(saving=key, saving_progress=Progress("", 0.0), saved=None, failure=None)
        job = self._engine.submit(save_run, out, self._root, key, on_progress=self._report)
        self._job = job
        job.future.add_done_callback(lambda future: self._on_page(self._finish, future))

    def cancel(self) -> None:
        """Stop writing; nothing is left behind."""
        if self._job is not None:
            self._job.cancel()

    def download(self) -> None:
        """Send the file written last to the browser."""
        saved = self._state.run.saved if self._state.run is not None else None
        if saved is None or not saved.is_file or saved.size_bytes >= MOST_DOWNLOAD_BYTES:
            return
        path = self._root.resolve() / saved.place
        self._aside(path.read_bytes, lambda content: self._offer(path.name, content), self._unread)

    def _offer(self, name: str, content: bytes) -> None:
        """Let the browser save a file."""
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._header.offer_file(name, mime, content)

    def _unread(self, error: BaseException) -> None:
        """The file is gone, or may not be read."""
        message = f"The file can't be read: {getattr(error, 'strerror', None) or error}."
        self._change(saved=None, failure=failure_of(ExportError(message, hint="Save it again.")))

    def _report(self, step: str, fraction: float) -> None:
        """How far a file is, from the engine's thread."""
        self._on_page(self._advance, Progress(step, fraction))

    def _advance(self, progress: Progress) -> None:
        """Show it while the file is being made."""
        if self._state.run is not None and self._state.run.saving:
            self._change(saving_progress=progress)

    def _finish(self, future: Future[RunFile]) -> None:
        """A file is made, or not."""
        if self._job is None or self._job.future is not future:
            return
        self._job = None
        error = None if future.cancelled() else future.exception()
        made = None if future.cancelled() or error is not None else future.result()
        self._change(saving="", saving_progress=None, saved=made, failure=failure_of(error))

    def _change(self, **values: Any) -> None:
        """Other values for the run shown."""
        if self._state.run is not None:
            self._state.run = dataclasses.replace(self._state.run, **values)
