"""What happens when a person does something.

Controllers listen to widgets and state, call the engine and the exporters, and write state. They are the only place
that catches errors and turns them into sentences on the page.
"""

from __future__ import annotations

from organelle_widgets.controllers.analysis import AnalysisController
from organelle_widgets.controllers.aside import Aside
from organelle_widgets.controllers.exports import ExportController
from organelle_widgets.controllers.folder import FolderController
from organelle_widgets.controllers.measuring import MeasuringController
from organelle_widgets.controllers.page_thread import PageThread
from organelle_widgets.controllers.presenter import Presenter
from organelle_widgets.controllers.run_presenter import RunPresenter
from organelle_widgets.controllers.run_saving import RunSavingController
from organelle_widgets.controllers.runs import RunController

__all__ = [
    "AnalysisController",
    "Aside",
    "ExportController",
    "FolderController",
    "MeasuringController",
    "PageThread",
    "Presenter",
    "RunController",
    "RunPresenter",
    "RunSavingController",
]
