"""What a run over many fields costs: rate by workers, overhead of the engine, memory over many fields, 10,000 fields.

Fields are virtual, 1024 x 1024 px at 0.16 um per pixel (memory: 512 x 512 px), drawn once and repeated under
other names. Models are those that come along, one thread a worker.
``python benchmarks/batch.py --parts rate overhead memory many``.
"""

from __future__ import annotations

import argparse
import functools
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import imageio.v3 as iio
import numpy as np
import psutil

from organelle_widgets.batch import BatchSettings, plan_batch, run_batch
from organelle_widgets.engine import DaskEngine, LocalEngine, warm_up
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER, DEFAULT_SEGMENTER
from organelle_widgets.results import open_results
from organelle_widgets.synthetic import virtual_field

if TYPE_CHECKING:
    from organelle_widgets.batch.status import RunStatus
    from organelle_widgets.engine import Engine

SIZE = 1024
PIXEL_SIZE_UM = 0.16
KINDS = 8
KEYS = ("red", "green", "blue", "yellow")
MIB = 2**20


def write_fields(folder: Path, count: int, size: int) -> None:
    """A few virtual fields, linked under many names."""
    folder.mkdir(parents=True)
    for kind in range(min(KINDS, count)):
        field = virtual_field((size, size), seed=kind, pixel_size_um=PIXEL_SIZE_UM).field
        for key, plane in zip(KEYS, field.pixels, strict=True):
            iio.imwrite(folder / f"f{kind:05d}_{key}.png", plane)
    for index in range(KINDS, count):
        for key in KEYS:
            os.link(folder / f"f{index % KINDS:05d}_{key}.png", folder / f"f{index:05d}_{key}.png")


def workers(count: int, threads: int) -> DaskEngine:
    """Worker processes with warm models."""
    warm = functools.partial(warm_up, DEFAULT_SEGMENTER, DEFAULT_CLASSIFIER)
    return DaskEngine(workers=count, threads=threads, warm=warm)


def run(folder: Path, out: Path, engine: Engine, on_status: object = None) -> float:
    """Seconds of a run."""
    plan = plan_batch(folder, pixel_size_um=PIXEL_SIZE_UM)
    start = time.perf_counter()
    run_batch(plan, out, BatchSettings(), engine, on_status=on_status)
    return time.perf_counter() - start


def rate(work: Path, count: int, rounds: int) -> None:
    """Fields a minute with one worker and with two, in turns."""
    folder = work / "rate"
    write_fields(folder, count, SIZE)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    own: dict[int, float] = {}
    for number in seconds:
        engine = workers(number, 1)
        for turn in range(rounds + 1):
            out = work / f"rate{number}_{turn}"
            taken = run(folder, out, engine)
            with open_results(out) as results:
                own[number] = float(results.fields()["seconds"].sum())
            if turn:  # the first warms disk and models
                seconds[number].append(taken)
        engine.close()
    for number, taken in seconds.items():
        median = float(np.median(taken))
        overhead = (median * number - own[number]) / own[number]
        print(
            f"{number} worker(s), 1 thread each: {60 * count / median:.0f} fields a minute; "
            f"own time of the pipeline {own[number]:.1f} s, worker time {median * number:.1f} s: "
            f"overhead {100 * overhead:.1f} %"
        )
    print(f"two workers against one: {np.median(seconds[1]) / np.median(seconds[2]):.2f} times")


def overhead(work: Path, count: int) -> None:
    """Seconds of a run in this process beside the pipeline's own."""
    folder = work / "overhead"
    write_fields(folder, count, SIZE)
    engine = LocalEngine()
    run(folder, work / "warm", engine)
    taken = run(folder, work / "local", engine)
    engine.close()
    with open_results(work / "local") as results:
        own = float(results.fields()["seconds"].sum())
    print(
        f"this process: {taken:.1f} s, of these the pipeline {own:.1f} s: "
        f"overhead {100 * (taken - own) / own:.1f} %"
    )


def memory(work: Path, count: int) -> None:
    """Resident memory of client and worker from the 50th to the last field."""
    folder = work / "memory"
    write_fields(folder, count, SIZE // 2)
    engine = workers(1, 1)
    client = psutil.Process()
    seen: list[tuple[int, float, float]] = []

    def look(status: RunStatus) -> None:
        children = sum(child.memory_info().rss for child in client.children(recursive=True))
        seen.append((status.n_done, client.memory_info().rss / MIB, children / MIB))

    run(folder, work / "memory_out", engine, look)
    engine.close()
    for wanted in (50, count // 4, count // 2, count):
        done, own, others = min(seen, key=lambda entry: abs(entry[0] - wanted))
        print(f"after {done} fields: client {own:.0f} MiB, worker processes {others:.0f} MiB")


def many(work: Path, count: int) -> None:
    """Tiny fields planned and scheduled."""
    folder = work / "many"
    folder.mkdir()
    rng = np.random.default_rng(0)
    planes = rng.integers(0, 40, (4, 48, 48)).astype(np.uint8)
    planes[2, 16:32, 16:32] = 230
    for key, plane in zip(KEYS, planes, strict=True):
        iio.imwrite(folder / f"f00000_{key}.png", plane)
        for index in range(1, count):
            os.link(folder / f"f00000_{key}.png", folder / f"f{index:05d}_{key}.png")
    start = time.perf_counter()
    plan = plan_batch(folder, pixel_size_um=0.5)
    planned = time.perf_counter() - start
    engine = workers(2, 1)
    chosen = BatchSettings("watershed")
    client = psutil.Process()
    before = client.memory_info().rss
    start = time.perf_counter()
    status = run_batch(plan, work / "many_out", chosen, engine)
    taken = time.perf_counter() - start
    engine.close()
    parts = sum(1 for path in (work / "many_out").rglob("*.parquet"))
    print(
        f"{len(plan.fields)} fields planned in {planned:.1f} s, run in {taken:.0f} s "
        f"({status.n_done} done, {status.n_failed} failed), {parts} Parquet files, "
        f"client grew by {(client.memory_info().rss - before) / MIB:.0f} MiB"
    )
    start = time.perf_counter()
    with open_results(work / "many_out") as results:
        counted = results.sql("select count(distinct field) as n from cells")["n"][0]
    print(f"opened and counted {counted} fields with cells in {time.perf_counter() - start:.2f} s")


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("rate", "overhead", "memory", "many")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--fields", type=int, default=60, help="for rate and overhead")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--long", type=int, default=500, help="fields of the memory part")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="organelle_batch_"))
    try:
        if "rate" in options.parts:
            rate(work, options.fields, options.rounds)
        if "overhead" in options.parts:
            overhead(work, options.fields)
        if "memory" in options.parts:
            memory(work, options.long)
        if "many" in options.parts:
            many(work, options.many)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
