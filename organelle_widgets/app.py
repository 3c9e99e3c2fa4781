"""The dashboard: builds state, widgets, engine and controllers, and holds them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from organelle_widgets import samples
from organelle_widgets.classification import CLASSIFIERS
from organelle_widgets.controllers import (
    AnalysisController,
    Aside,
    ExportController,
    FolderController,
    MeasuringController,
    PageThread,
    Presenter,
    RunController,
    RunPresenter,
    RunSavingController,
)
from organelle_widgets.engine import Engine, LocalEngine, SharedWorkers
from organelle_widgets.errors import InputError
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER, DEFAULT_SEGMENTER, analyze_field
from organelle_widgets.segmentation import SEGMENTERS
from organelle_widgets.server import ROOT_VARIABLE, SCHEDULER_VARIABLE
from organelle_widgets.state import PageState
from organelle_widgets.widgets import Page, Regions

__all__ = ["Dashboard"]


class Dashboard:
    """The interactive page.

    Parameters
    ----------
    root : path, optional
        Folder that the folder picker is confined to; the current folder by default.
    engine : Engine, optional
        Where work runs; a worker thread of this process by default.
    scheduler : str, optional
        Address of workers that visitors share; fields are then analysed there and this process loads no model.

    Raises
    ------
    InputError
        If `root` is not a folder.

    Examples
    --------
    In a notebook's cell:

    >>> from organelle_widgets import Dashboard
    >>> dashboard = Dashboard.from_environment()
    >>> dashboard.show()  # doctest: +SKIP
    """

    def __init__(
        self,
        root: str | Path | None = None,
        engine: Engine | None = None,
        scheduler: str | None = None,
    ) -> None:
        self.root = Path(root or Path.cwd())
        if not self.root.is_dir():
            message = f"Expected a folder for the folder picker; found {self.root}."
            raise InputError(message)
        self.state = PageState(segmenter=DEFAULT_SEGMENTER, classifier=DEFAULT_CLASSIFIER)
        self.regions = Regions()
        self.page = Page(self.regions)
        self._engine = engine or LocalEngine()
        self._shared = SharedWorkers(scheduler) if scheduler else None
        on_page = PageThread()
        self._aside = aside = Aside(on_page)
        regions = self.regions
        analyze = self._shared or analyze_field
        self.analysis = AnalysisController(self.state, self._engine, on_page, analyze)
        self._offer_choices()
        self.runs = RunController(self.state, on_page, aside, regions, self.root, scheduler)
        self._writer = LocalEngine()  # files of whole runs take long; fields must not wait for them
        self._controllers: tuple[Any, ...] = (
            MeasuringController(self.state, self._engine, on_page, regions.cell),
            Presenter(self.state, regions, self.analysis),
            ExportController(self.state, self._engine, on_page, regions.header, regions.cell),
            RunSavingController(self.state, self._writer, on_page, aside, regions, self.root),
            RunPresenter(self.state, regions),
        )
        self.folder = FolderController(self.state, regions.sample, self.analysis, self.root)

    @classmethod
    def from_environment(cls) -> Dashboard:
        """A dashboard set up by environment variables, as the launcher sets them.

        ``ORGANELLE_WIDGETS_ROOT`` is the folder that the folder picker is confined to, and
        ``ORGANELLE_WIDGETS_SCHEDULER`` the address of workers that visitors share, if there are any.

        Returns
        -------
        Dashboard
            Ready to show.
        """
        environment = os.environ.get
        return cls(environment(ROOT_VARIABLE), scheduler=environment(SCHEDULER_VARIABLE))

    def show(self) -> None:
        """Display the page and open the first sample."""
        from IPython.display import display

        display(self.page)
        self.open()

    def open(self) -> None:
        """List the folder and open the first sample, without displaying the page."""
        self.folder.open_folder("")
        known = samples.list_samples()
        if known and self.state.shown is None:
            self.analysis.open_sample(known[0].key)

    def close(self) -> None:
        """Stop the work under way, delete uploaded files and close the widgets. A run goes on."""
        self.runs.leave()
        self._writer.close()
        self._aside.close()
        self._engine.close()
        if self._shared is not None:
            self._shared.close()
        for region in self.regions:
            region.close()
        self.page.close()

    def _offer_choices(self) -> None:
        """Samples and backends that a person can choose from."""
        panel = self.regions.sample
        panel.samples = [
            {"key": s.key, "title": s.title, "detail": s.detail, "thumb": s.thumb}
            for s in samples.list_samples()
        ]
        panel.segmenters = _choices(SEGMENTERS)
        panel.classifiers = _choices(CLASSIFIERS)


def _choices(registry: Any) -> list[dict[str, Any]]:
    """The backends of a registry as the panel gets them."""
    return [
        {
            "name": name,
            "title": entry.title,
            "installed": not entry.missing,
            "hint": f"Install it with: {entry.install}" if entry.missing else "",
        }
        for name, entry in registry.entries().items()
    ]
