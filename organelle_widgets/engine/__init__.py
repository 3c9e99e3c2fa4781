"""Where work runs: a worker thread in this process, or the workers of a Dask cluster, behind one interface."""

from __future__ import annotations

from organelle_widgets.engine._base import Engine, Job
from organelle_widgets.engine._cluster import hush
from organelle_widgets.engine._limits import ALLOCATOR
from organelle_widgets.engine.analysis import Analyze, analyze_on
from organelle_widgets.engine.dask import DaskEngine
from organelle_widgets.engine.local import LocalEngine
from organelle_widgets.engine.pool import WorkerPool
from organelle_widgets.engine.shared import SharedWorkers
from organelle_widgets.engine.warm import warm_up

__all__ = [
    "ALLOCATOR",
    "Analyze",
    "DaskEngine",
    "Engine",
    "Job",
    "LocalEngine",
    "SharedWorkers",
    "WorkerPool",
    "analyze_on",
    "hush",
    "warm_up",
]
