"""What the page shows, as observable dataclasses (psygnal): no widgets, no models.

State is the only truth of the page. Widgets show it and set view state (which cell, which threshold); all that
computes is asked of a controller. A listener on state never writes state.
"""

from __future__ import annotations

from organelle_widgets.state.page import Download, Failure, Measured, PageState, Progress, Shown
from organelle_widgets.state.run import RunFile, RunShown, RunStage

__all__ = [
    "Download",
    "Failure",
    "Measured",
    "PageState",
    "Progress",
    "RunFile",
    "RunShown",
    "RunStage",
    "Shown",
]
