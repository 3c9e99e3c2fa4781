"""Where work runs: now a worker thread in this process, behind an interface that other engines can fill."""

from __future__ import annotations

from organelle_widgets.engine._base import Engine, Job
from organelle_widgets.engine.local import LocalEngine

__all__ = ["Engine", "Job", "LocalEngine"]
