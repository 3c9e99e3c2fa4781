"""Visitors with a pool of workers that they share, and without: seconds of an analysis, memory of kernels and workers.

Every visitor is a process that does what a visitor's kernel does: it builds the page, opens the first sample and
analyses it. Memory is the proportional set size (Linux), so what processes share is counted once; the largest of the
samples taken while all visitors are there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import psutil

from organelle_widgets.engine import SharedWorkers
from organelle_widgets.pipeline import analyze_field
from organelle_widgets.server import SCHEDULER_VARIABLE
from organelle_widgets.server.pool import Pool
from organelle_widgets.synthetic import virtual_field

KERNEL = """
import json, sys, time
from organelle_widgets import Dashboard
dashboard = Dashboard.from_environment()
dashboard.open()
def until_idle():
    while dashboard.state.busy or dashboard.state.shown is None:
        time.sleep(0.02)
until_idle()
print("ready", flush=True)
sys.stdin.readline()
start = time.perf_counter()
dashboard.analysis.analyse()
until_idle()
failure = dashboard.state.failure
print(json.dumps([time.perf_counter() - start, failure.message if failure else ""]), flush=True)
sys.stdin.readline()
"""


def megabytes(processes: list[psutil.Process]) -> float:
    """Proportional set size of processes together, MB."""
    total = 0.0
    for process in processes:
        try:
            total += process.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            continue
    return total


class Visitor:
    """One kernel."""

    def __init__(self, address: str | None) -> None:
        known = {SCHEDULER_VARIABLE: address} if address else {}
        self.process = subprocess.Popen(
            [sys.executable, "-c", KERNEL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **known},
            text=True,
        )

    @property
    def seen(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    def wait(self) -> str:
        return self.process.stdout.readline().strip()

    def go_on(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.communicate("\n")


def visits(count: int, address: str | None) -> tuple[list[float], float, float]:
    """Seconds that each of so many visitors waited, memory of their kernels before and after, MB."""
    visitors = [Visitor(address) for _ in range(count)]
    for visitor in visitors:
        visitor.wait()
    before = megabytes([v.seen for v in visitors])
    for visitor in visitors:
        visitor.go_on()
    waited = []
    for visitor in visitors:
        seconds, failure = json.loads(visitor.wait())
        if failure:
            raise SystemExit(failure)
        waited.append(seconds)
    after = megabytes([v.seen for v in visitors])
    for visitor in visitors:
        visitor.close()
    return waited, before, after


def same_field(address: str, size: int, rounds: int) -> list[tuple[str, str]]:
    """One field through the pool and in this process, both with their models loaded."""
    field = virtual_field((size, size), seed=1, pixel_size_um=0.08).field
    shared = SharedWorkers(address)
    seconds, beside = {}, {}
    for name, analyze in (("pool", shared), ("in-process", analyze_field)):
        analyze(field, "unet", "organelle")
        took, lost = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            result = analyze(field, "unet", "organelle")
            took.append(time.perf_counter() - start)
            lost.append(took[-1] - sum(result.timings.values()))
        seconds[name], beside[name] = statistics.median(took), statistics.median(lost)
    shared.close()
    ratio = seconds["pool"] / seconds["in-process"]
    return [
        (f"{size} x {size} field through the pool, warm", f"{seconds['pool']:.2f} s"),
        (f"{size} x {size} field in-process, warm", f"{seconds['in-process']:.2f} s"),
        ("ratio", f"{ratio:.2f}"),
        ("of it on the way to the worker and back", f"{beside['pool']:.2f} s"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    _, empty, own = visits(1, None)
    rows = [
        ("kernel, page open", f"{empty:.0f} MB"),
        ("kernel after an analysis of its own", f"{own:.0f} MB"),
    ]
    with Pool(options.workers) as pool:
        rows += same_field(pool.address, options.size, options.rounds)
        _, _, one = visits(1, pool.address)
        rows.append(("kernel after an analysis by the pool", f"{one:.0f} MB"))
        waited, _, many = visits(options.visitors, pool.address)
        holder = psutil.Process(pool.process_id)
        workers = megabytes([holder, *holder.children(recursive=True)])
    rows += [
        (f"{options.visitors} kernels after an analysis each, together", f"{many:.0f} MB"),
        (f"pool with {options.workers} worker(s)", f"{workers:.0f} MB"),
        ("together", f"{many + workers:.0f} MB"),
        (
            "all ask at once: seconds until the first, median, last has its result",
            f"{min(waited):.1f}, {statistics.median(waited):.1f}, {max(waited):.1f}",
        ),
    ]
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
