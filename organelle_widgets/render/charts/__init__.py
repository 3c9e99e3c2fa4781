"""Charts of a result: one file per chart, all behind `Chart`."""

from __future__ import annotations

from organelle_widgets.render.charts._base import CHARTS, Chart

__all__ = ["CHARTS", "Chart"]
