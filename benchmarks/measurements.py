"""Cells measured per second at 0.08 and 0.32 um per pixel, on virtual fields and on real ones where there are any.

Virtual fields are 164 um wide and full of cells (about 25); real ones are those of $ORGANELLE_TEST_DATA
that come with a mask of their cells, with Otsu's threshold of the nuclei channel in place of segmented nuclei. Wall
time and CPU time are both shown: on a busy machine only the second says what the program needs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import numpy as np

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.measurements import measure_cells
from organelle_widgets.measurements._base import groups
from organelle_widgets.measurements._crop import CellCropper

SIZE = 2048
CELLS = 25
KEYS = ("red", "green", "blue", "yellow")


def virtual(pixel_size_um: float) -> tuple[Field, Masks]:
    """A virtual field of 164 um."""
    from organelle_widgets.synthetic import virtual_field

    n = round(SIZE * 0.08 / pixel_size_um)
    made = virtual_field((n, n), seed=1, pixel_size_um=pixel_size_um, n_cells=CELLS)
    return made.field, made.masks


def real(path: Path, factor: int) -> tuple[Field, Masks]:
    """A real field, its pixels averaged in blocks."""
    import imageio.v3 as iio
    from skimage.filters import threshold_otsu

    name = path.name.removesuffix("_cellmask.png")
    pixels = np.stack([iio.imread(path.with_name(f"{name}_{key}.png")) for key in KEYS])
    rows, cols = (length // factor for length in pixels.shape[1:])
    blocks = pixels[:, : rows * factor, : cols * factor].reshape(4, rows, factor, cols, factor)
    pixels = np.rint(blocks.mean((2, 4))).astype(pixels.dtype)
    cells = iio.imread(path)[factor // 2 :: factor, factor // 2 :: factor][:rows, :cols]
    cells = cells.astype(np.int32)
    nuclei = cells * (pixels[2] > threshold_otsu(pixels[2]))
    return Field(pixels, name, 0.08 * factor), Masks(nuclei, cells)


def real_fields(factor: int) -> list[tuple[Field, Masks]]:
    """All real fields with a mask; none where the folder is not there."""
    folder = Path(os.environ.get("ORGANELLE_TEST_DATA", "../shared/data")) / "fields"
    return [real(path, factor) for path in sorted(folder.glob("*_cellmask.png"))]


def speed(fields: list[tuple[Field, Masks]], rounds: int, threads: int) -> dict[str, float]:
    """Median seconds and CPU seconds a round, and what the cells are like."""
    wall, cpu = [], []
    tables = [measure_cells(*pair) for pair in fields]
    for _ in range(rounds):
        start = time.perf_counter(), time.process_time()
        for pair in fields:
            measure_cells(*pair, threads=threads)
        wall.append(time.perf_counter() - start[0])
        cpu.append(time.process_time() - start[1])
    areas = np.concatenate([table["area_um2"] for table in tables])
    return {
        "cells": areas.size,
        "area": float(areas.mean()),
        "wall": areas.size / statistics.median(wall),
        "cpu": areas.size / statistics.median(cpu),
    }


def shares(field: Field, masks: Masks) -> dict[str, float]:
    """CPU milliseconds a cell of cutting and of each group."""
    cropper = CellCropper(field, masks)
    spent: dict[str, float] = {}
    for cell_id in masks.cell_ids:
        start = time.process_time()
        cell = cropper.cut(int(cell_id))
        spent["cutting"] = spent.get("cutting", 0.0) + time.process_time() - start
        for name, group in groups():
            start = time.process_time()
            group.measure(cell)
            spent[name] = spent.get(name, 0.0) + time.process_time() - start
    return {name: 1e3 * seconds / masks.n_cells for name, seconds in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    kinds = {
        "virtual, 0.08 um": [virtual(0.08)],
        "virtual, 0.32 um": [virtual(0.32)],
        "real, 0.08 um": real_fields(1),
        "real, 0.32 um": real_fields(4),
    }
    print("| fields | cells | mean area, um2 | cells/s | cells/s of CPU time |")
    print("|---|---:|---:|---:|---:|")
    for kind, fields in kinds.items():
        if fields:
            row = speed(fields, options.rounds, options.threads)
            numbers = f"{row['area']:.0f} | {row['wall']:.0f} | {row['cpu']:.0f}"
            print(f"| {kind} | {row['cells']} | {numbers} |")
    for kind in ("virtual, 0.08 um", "virtual, 0.32 um"):
        parts = shares(*kinds[kind][0]).items()
        print(f"\n{kind}, CPU ms a cell: " + ", ".join(f"{k} {v:.2f}" for k, v in parts))


if __name__ == "__main__":
    main()
