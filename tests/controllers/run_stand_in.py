"""A stand-in for the command ``batch``: same files, no models. Called as ``run_stand_in.py MODE SOURCE OUT ...``."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

from organelle_widgets.batch.status import RunStatus, ask_to_stop, stop_wanted, write_status
from organelle_widgets.results import ResultsWriter
from organelle_widgets.results.records import FailureRecord

N_FIELDS = 6
SETTINGS = {
    "segmenter": {"name": "watershed", "settings": {}},
    "classifier": {"name": "organelle"},
    "threshold": 0.5,
    "leave_out": "nothing",
    "pixel_size_um": None,
}


def main(mode: str, source: str, out: Path, rest: list[str]) -> int:
    if mode == "refuse":
        sys.stderr.write(f"organelle-widgets: {out}: The weights are not here.\n")
        return 1
    run = {"source": source, "settings": SETTINGS, "n_planned": N_FIELDS, "arguments": rest}
    with (
        ResultsWriter.resume(out) if "--resume" in rest else ResultsWriter.create(out, run)
    ) as writer:
        writer.update_run(arguments=rest)
        ask_to_stop(out, wanted=False)
        return work(mode, out, writer)


def work(mode: str, out: Path, writer: ResultsWriter) -> int:
    def tell(state: str, **more: object) -> None:
        n_failed = writer.n_failures
        process = f"{socket.gethostname()}:{os.getpid()}"
        write_status(out, RunStatus(state, N_FIELDS, 0, n_failed, process=process, **more))

    tell("planning")
    while writer.n_failures < N_FIELDS:
        if stop_wanted(out):
            tell("stopped")
            return 0
        if mode != "patient" or not writer.n_failures:
            name = f"field {writer.n_failures + 1}"
            writer.commit([], [FailureRecord(name, message="It is broken.")])
        tell("running", n_running=1, current=(f"{name}: Finding cells",), fields_per_minute=30.0)
        time.sleep(0.02)
    tell("done")
    return 0


if __name__ == "__main__":
    (Path(sys.argv[3]).parent / "asked.json").write_text(json.dumps(sys.argv[4:]))
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
