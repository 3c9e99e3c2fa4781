"""A run in a process of its own, to be killed: ``python run_client.py SOURCE OUT SCHEDULER SECONDS [resume]``."""

from __future__ import annotations

import sys

from batch_backends import Blobs, Brightness

from organelle_widgets.batch import BatchSettings, plan_batch, run_batch
from organelle_widgets.engine import DaskEngine

if __name__ == "__main__":
    source, out, scheduler, seconds, *words = sys.argv[1:]
    settings = BatchSettings(Blobs(seconds=float(seconds)), Brightness(), 0.5)
    engine = DaskEngine(scheduler)
    status = run_batch(plan_batch(source), out, settings, engine, resume="resume" in words)
    engine.close()
    sys.exit(0 if status.state == "done" else 3)
