"""Many fields: find them, run the pipeline over them, survive faults, go on after a stop."""

from __future__ import annotations

from organelle_widgets.batch.plan import Plan, plan_batch
from organelle_widgets.batch.run import run_batch
from organelle_widgets.batch.status import RunStatus, ask_to_stop, read_status
from organelle_widgets.batch.work import BatchSettings

__all__ = [
    "BatchSettings",
    "Plan",
    "RunStatus",
    "ask_to_stop",
    "plan_batch",
    "read_status",
    "run_batch",
]
