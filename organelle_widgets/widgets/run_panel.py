"""The dialog of a run over many fields: whether to start it, how far it is, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets
from psygnal import Signal

from organelle_widgets.widgets._base import front_end
from organelle_widgets.widgets._page_region import PageRegion, text_in

if TYPE_CHECKING:
    from organelle_widgets.widgets._page_region import Handler

__all__ = ["LONGEST_PLACE", "RunPanel"]

LONGEST_PLACE = 500
"""Longest name of a results folder that is taken, in characters."""


class RunPanel(PageRegion):
    """One run: prepared, under way or ended. Nothing of it is seen while it is closed.

    Attributes
    ----------
    opened : bool
        Whether the dialog is open.
    stage : str
        Empty, or one of `organelle_widgets.state.RunStage`.
    source : str
        The folder of the fields; empty where it is not known.
    found : dict
        What is in it: ``text``, ``problems`` (the first ones, in sentences), ``n_problems`` and ``more`` (numbers).
    choices : list of dict
        What the run is done with: ``label`` and ``value``.
    results : dict
        The results folder: ``name``, ``problem`` (why it can't be used), ``note`` (what becomes of it) and
        ``continues`` (whether a run in it goes on).
    can_start : bool
        Whether the button that starts the run works.
    progress : dict
        ``fraction`` (None while unknown), ``counts``, ``rate``, ``now`` and ``stopping``.
    outcome : dict
        ``kind`` (``"done"``, ``"stopped"`` or ``"failed"``), ``title``, ``counts``, ``message``, ``hint``, ``note``,
        ``n_failed``, ``failures`` (``name`` and ``message`` of the first; empty while they are looked up), ``more``,
        ``continues`` and ``retries``.
    formats : list of dict
        What results can be saved as: ``key``, ``title``, ``detail``.
    saving : dict
        A file being made: ``key``, ``step``, ``fraction``; empty for none.
    saved : dict
        The last one made: ``place``, ``size`` in bytes, ``notes``, ``more`` and ``download`` (whether it is offered).
    error : dict
        What went wrong with the last wish: ``message``, ``hint``; empty for nothing.
    closed, continue_requested, retry_requested, stop_requested, save_cancelled, download_requested : Signal
        The person did that.
    results_changed, start_requested : Signal
        Emit the name of the results folder.
    save_requested : Signal
        Emits the key of a format.
    """

    _esm = front_end("dom", "controls", "run_panel", suffix=".js")
    _css = front_end("theme", "controls", "run_panel", suffix=".css")

    opened = traitlets.Bool(False).tag(sync=True)
    stage = traitlets.Enum(("", "counting", "ready", "starting", "running", "ended"), "").tag(
        sync=True
    )
    source = traitlets.Unicode().tag(sync=True)
    found = traitlets.Dict().tag(sync=True)
    choices = traitlets.List(traitlets.Dict()).tag(sync=True)
    results = traitlets.Dict().tag(sync=True)
    can_start = traitlets.Bool(False).tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    outcome = traitlets.Dict().tag(sync=True)
    formats = traitlets.List(traitlets.Dict()).tag(sync=True)
    saving = traitlets.Dict().tag(sync=True)
    saved = traitlets.Dict().tag(sync=True)
    error = traitlets.Dict().tag(sync=True)

    closed = Signal()
    results_changed = Signal(str)
    start_requested = Signal(str)
    continue_requested = Signal()
    retry_requested = Signal()
    stop_requested = Signal()
    save_requested = Signal(str)
    save_cancelled = Signal()
    download_requested = Signal()

    def _handlers(self) -> dict[str, Handler]:
        return {
            "close": lambda _, __: self.closed.emit(),
            "results": self._on_results,
            "start": self._on_start,
            "continue": self._on_continue,
            "retry": self._on_retry,
            "stop": self._on_stop,
            "save": self._on_save,
            "cancel-save": self._on_cancel_save,
            "download": self._on_download,
        }

    def _on_results(self, message: dict[str, Any], _: list[Any]) -> None:
        name = text_in(message, "name", longest=LONGEST_PLACE)
        if self.stage == "ready":
            self.results_changed.emit(name)

    def _on_start(self, message: dict[str, Any], _: list[Any]) -> None:
        name = text_in(message, "name", longest=LONGEST_PLACE)
        if self.stage == "ready":
            self.start_requested.emit(name)

    def _on_continue(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.stage == "ended" and self.outcome.get("continues") and not self.saving:
            self.continue_requested.emit()

    def _on_retry(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.stage == "ended" and self.outcome.get("retries") and not self.saving:
            self.retry_requested.emit()

    def _on_stop(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.stage in ("starting", "running"):
            self.stop_requested.emit()

    def _on_save(self, message: dict[str, Any], _: list[Any]) -> None:
        key = text_in(message, "key", [entry.get("key") for entry in self.formats])
        if self.stage == "ended" and not self.saving:
            self.save_requested.emit(key)

    def _on_cancel_save(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.saving:
            self.save_cancelled.emit()

    def _on_download(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.saved.get("download"):
            self.download_requested.emit()
