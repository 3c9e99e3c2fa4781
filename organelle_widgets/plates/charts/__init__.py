"""Charts of a run: one file per chart, all behind `RunChart`."""

from __future__ import annotations

from organelle_widgets.plates.charts._base import RUN_CHARTS, RunChart

__all__ = ["RUN_CHARTS", "RunChart"]
