"""Speed and memory of classifying cells: crops, the package's network and its embedding.

Every scene runs in a process of its own with ``--threads`` threads, the second pass counts. Fields are virtual, with
their true masks: 2048 x 2048 px at 0.08 um (few cells, the shrinking of the field counts most) and at 0.16 and 0.32 um
(many cells). Crop by crop means that the same model is called as ``model(crop[None])`` for one cell after another;
the same on a traced graph is told beside it. The first prediction is that of a fresh process, once TensorFlow is there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 2048
SCENES = {"0.08": (0.08, 25, 3), "0.16": (0.16, None, 1), "0.32": (0.32, None, 1)}
"""Pixel size, um, cells in a field (None: as many as HPA's fields hold), and number of fields."""
_ONE_BY_ONE = 16


def judge():
    """The default classifier."""
    from organelle_widgets.classification import make_classifier
    from organelle_widgets.pipeline import DEFAULT_CLASSIFIER

    return make_classifier(DEFAULT_CLASSIFIER)


def fields(pixel_size_um: float, n_cells: int | None, count: int) -> list:
    """Virtual fields with their true masks."""
    from organelle_widgets.synthetic import virtual_field

    made = [
        virtual_field((SIZE, SIZE), seed=seed, pixel_size_um=pixel_size_um, n_cells=n_cells)
        for seed in range(count)
    ]
    return [(one.field, one.masks) for one in made]


def seconds(work: Callable[[], object], rounds: int = 1) -> float:
    """The median time of some rounds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def scene(name: str, rounds: int) -> dict:
    """Stages of one scene, milliseconds a cell, and cells a second through all of them."""
    from organelle_widgets.classification import CellCutter

    classifier, drawn = judge(), fields(*SCENES[name])
    n_cells = sum(masks.n_cells for _, masks in drawn)
    for field, masks in drawn[:1]:
        classifier.answer(field, masks)
    cutters = [CellCutter(field, masks, classifier.crop_rule) for field, masks in drawn]
    batches = [masks.cell_ids[: classifier.batch_size] for _, masks in drawn]
    crops = [cutter.cut(ids) for cutter, ids in zip(cutters, batches, strict=True)]
    n_cut = sum(len(part) for part in crops)
    shrink = seconds(
        lambda: [CellCutter(field, masks, classifier.crop_rule) for field, masks in drawn], rounds
    )
    cut = seconds(lambda: [c.cut(ids) for c, ids in zip(cutters, batches, strict=True)], rounds)
    network = seconds(lambda: [classifier._answer(part) for part in crops], rounds)
    cpu = time.process_time()
    whole = seconds(lambda: [classifier.answer(*pair) for pair in drawn], rounds)
    cpu = (time.process_time() - cpu) / rounds
    called, traced = one_by_one(classifier, np.concatenate(crops)[:_ONE_BY_ONE])
    return {
        "cells": n_cells,
        "shrink_ms_a_field": 1e3 * shrink / len(drawn),
        "cut_ms": 1e3 * cut / n_cut,
        "network_ms": 1e3 * network / n_cut,
        "all_ms": 1e3 * whole / n_cells,
        "cells_a_second": n_cells / whole,
        "cells_a_cpu_second": n_cells / cpu,
        "one_by_one_ms": called,
        "traced_one_by_one_ms": traced,
        "times_as_fast": called / (1e3 * network / n_cut),
    }


def one_by_one(classifier, crops: np.ndarray) -> tuple[float, float]:
    """Milliseconds a cell for the model called with one crop at a time: as it is, and traced."""
    from organelle_widgets.classification._keras import load_network

    network = load_network(classifier.path)
    network.model(crops[:1], training=False)
    network.run(crops[:1])
    called = seconds(lambda: [network.model(crop[None], training=False) for crop in crops])
    traced = seconds(lambda: [network.run(crop[None]) for crop in crops])
    return 1e3 * called / len(crops), 1e3 * traced / len(crops)


def first() -> dict:
    """Seconds of importing TensorFlow, and of the first prediction after that."""
    from organelle_widgets.classification._keras import quiet_start

    def load() -> None:
        with quiet_start():
            import keras  # noqa: F401
            import tensorflow  # noqa: F401

    imported = seconds(load)
    classifier = judge()
    crops = np.random.default_rng(0).random((8, 4, 128, 128), np.float32)
    return {"import_s": imported, "first_s": seconds(lambda: classifier._answer(crops))}


def memory() -> dict:
    """MiB that a field of a thousand cells adds at its peak, and what one of a fifth of that adds."""
    (field, masks), classifier = fields(0.32, None, 1)[0], judge()
    classifier.answer(field, masks)
    few = peak_growth(lambda: classifier.answer(field, masks))
    many = tiled(field, masks, -(-1000 // masks.n_cells))
    grown = peak_growth(lambda: classifier.answer(*many))
    return {
        "few_cells": masks.n_cells,
        "few_mib": few,
        "many_cells": many[1].n_cells,
        "many_mib": grown,
        "field_mib": many[0].pixels.nbytes / 2**20,
        "mib_a_1000_cells": grown * 1000 / many[1].n_cells,
    }


def tiled(field, masks, times: int) -> tuple:
    """The same field several times below one another."""
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

    highest = int(masks.cells.max())
    cells = [np.where(masks.cells, masks.cells + k * highest, 0) for k in range(times)]
    labels = np.concatenate(cells).astype(np.int32)
    pixels = np.concatenate([field.pixels] * times, axis=1)
    return Field(pixels, "tiled", field.pixel_size_um, "given"), Masks(labels * 0, labels)


def peak_growth(work: Callable[[], object]) -> float:
    """MiB by which the resident memory rises above what it is now (Linux only)."""
    Path("/proc/self/clear_refs").write_text("5")
    before = status_mib("VmRSS")
    work()
    return status_mib("VmHWM") - before


def status_mib(key: str) -> float:
    """One figure of this process, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 2**10


def measure(what: str, options: argparse.Namespace) -> dict:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--measure", what, "--rounds", str(options.rounds)]
    command += ["--threads", str(options.threads)]
    limits = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), str(options.threads))
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, **limits})
    return json.loads(ran.stdout.splitlines()[-1])


def table(measured: dict) -> str:
    """The figures as tables."""
    lines = [
        "| field | cells | shrink, ms a field | cut, ms a cell | network | all | cells a second "
        "| cells a CPU second | one by one | times as fast | traced one by one |",
        "|---|" + "---:|" * 10,
    ]
    for name in SCENES:
        row = measured[name]
        lines.append(
            f"| {SIZE} px, {name} um | {row['cells']} | {row['shrink_ms_a_field']:.0f} "
            f"| {row['cut_ms']:.2f} | {row['network_ms']:.2f} | {row['all_ms']:.2f} "
            f"| {row['cells_a_second']:.0f} | {row['cells_a_cpu_second']:.0f} | {row['one_by_one_ms']:.1f} "
            f"| {row['times_as_fast']:.1f} | {row['traced_one_by_one_ms']:.2f} |"
        )
    first_one, grown = measured["first"], measured["memory"]
    lines += [
        "",
        f"TensorFlow imported in {first_one['import_s']:.1f} s; first prediction after that: "
        f"{first_one['first_s']:.2f} s.",
        f"Peak memory above that before: {grown['few_mib']:.0f} MiB for {grown['few_cells']} cells, "
        f"{grown['many_mib']:.0f} MiB for {grown['many_cells']} cells "
        f"({grown['mib_a_1000_cells']:.0f} MiB per 1,000; the field itself has "
        f"{grown['field_mib']:.0f} MiB).",
    ]
    return "\n".join(lines)


def main() -> None:
    kinds = (*SCENES, "first", "memory")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", choices=kinds, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure in SCENES:
        print(json.dumps(scene(options.measure, options.rounds)))
    elif options.measure:
        print(json.dumps(first() if options.measure == "first" else memory()))
    else:
        measured = {kind: measure(kind, options) for kind in kinds}
        print(json.dumps(measured, indent=2) if options.json else table(measured))


if __name__ == "__main__":
    main()
