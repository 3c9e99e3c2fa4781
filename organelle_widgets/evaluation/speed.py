"""Seconds and memory of each stage of the pipeline, measured in a fresh process.

Cold is the first field of a process, with imports and loading of weights; warm is the same field again. Figures are
of the machine they were measured on and are for comparing.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from organelle_widgets.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["measure_stages"]

T = TypeVar("T")

_STAGES = (
    "import",
    "read four PNG files",
    "segmentation",
    "classification",
    "result",
    "write results",
)


def measure_stages(size: int = 2048) -> dict[str, Any]:
    """Measure every stage for one virtual field, cold and warm.

    Parameters
    ----------
    size : int
        Side of the field, px; its pixel size is 0.08 um.

    Returns
    -------
    dict
        ``field``, ``cells``, ``machine`` and ``stages``: for each ``stage``, ``cold_s``, ``warm_s`` (seconds) and
        ``memory_mib`` (peak resident memory of the process after the stage, MiB).

    Raises
    ------
    StepError
        If the measured process fails.
    SettingsError
        If no field can have that size.
    """
    import imageio.v3 as iio

    from organelle_widgets.synthetic import virtual_field

    field = virtual_field((size, size), seed=1).field
    with tempfile.TemporaryDirectory() as folder:
        for key in field.present:
            iio.imwrite(Path(folder) / f"virtual_{key}.png", field.channel(key))
        command = [sys.executable, "-m", "organelle_widgets.evaluation.speed", folder]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        message = f"The measured process ended with exit code {ran.returncode}: {ran.stderr[-500:]}"
        raise StepError(message, step="benchmark")
    figures: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {"field": f"{size} x {size} px, 4 channels of 8 bits", "machine": machine, **figures}


def _peak_mib() -> float:
    """Peak resident memory of this process, MiB.

    Linux tells it of this program alone in ``/proc``; the figure of `resource` starts with that of the process that
    started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(text for text in status.read_text().splitlines() if text.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _pass(images: Path) -> tuple[dict[str, float], dict[str, float], int]:
    """Seconds and memory of each stage of one pass, and the number of cells."""
    seconds: dict[str, float] = {}
    memory: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        outcome = work()
        seconds[stage], memory[stage] = time.perf_counter() - start, _peak_mib()
        return outcome

    package = timed(_STAGES[0], lambda: importlib.import_module("organelle_widgets.pipeline"))
    io = importlib.import_module("organelle_widgets.io")
    export = importlib.import_module("organelle_widgets.export")
    field = timed(_STAGES[1], lambda: io.read_field(images))
    masks = timed(
        _STAGES[2], lambda: package.make_segmenter(package.DEFAULT_SEGMENTER).segment(field)
    )
    judge = package.make_classifier(package.DEFAULT_CLASSIFIER)
    probabilities = timed(_STAGES[3], lambda: judge.classify(field, masks))
    result = timed(_STAGES[4], lambda: package.FieldResult(field, masks, probabilities))
    with tempfile.TemporaryDirectory() as folder:
        timed(_STAGES[5], lambda: export.export_field(result, Path(folder)))
    return seconds, memory, masks.n_cells


def _measure(images: Path) -> dict[str, Any]:
    """Both passes in this process."""
    cold, memory, cells = _pass(images)
    warm, _, _ = _pass(images)
    stages = [
        {"stage": s, "cold_s": cold[s], "warm_s": warm[s], "memory_mib": memory[s]} for s in _STAGES
    ]
    return {"cells": cells, "stages": stages}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measure(Path(sys.argv[1]))) + "\n")
