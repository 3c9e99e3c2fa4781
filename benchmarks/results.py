"""A results folder of ten million made-up cells: its size, seconds to open it, and seconds of the usual questions.

Cells are 20 a field, with 192 numbers of embedding each; genes are dealt to fields at random, so that no part can be
left out because of its genes. "Cold" is the first question to files that are not in memory (Linux drops them when
asked), "warm" the same again; CPU seconds are of all threads together, and say what it takes on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.results import Results, ResultsWriter, open_results
from organelle_widgets.results._folder import Manifest, Part, write_manifest
from organelle_widgets.results._parts import FULL, write_part
from organelle_widgets.results.schema import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CELLS_A_FIELD = 20
FEATURES = 192
PART = 300_000  # about 256 MB with an embedding, as the writer's own large parts
EXTRA = {"gene": "string", "well": "string", "treatment": "string"}
WHERE = "gene = 'GENE0007' AND p_golgi_apparatus > 0.8"
ORDER = "confidence DESC"


def field_columns(n_fields: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Names, genes, wells and treatments."""
    wells = np.array([f"{row}{col:02d}" for row in "ABCDEFGHIJKLMNOP" for col in range(1, 25)])
    index = np.arange(n_fields)
    return {
        "field": np.char.add(
            np.char.add("plate", (index // 3456).astype(str)),
            np.char.add("_field", index.astype(str)),
        ).astype(object),
        "gene": np.array([f"GENE{i:04d}" for i in range(1000)], object)[
            rng.integers(0, 1000, n_fields)
        ],
        "well": wells.astype(object)[index // 9 % len(wells)],
        "treatment": np.array(["control", "drug A", "drug B", "drug C"], object)[index // 27 % 4],
    }


def cells_table(fields: dict[str, np.ndarray], schema: Any, embedding: Any, rng: Any) -> pa.Table:
    """Cells of some fields."""
    n = len(fields["field"]) * CELLS_A_FIELD
    p = rng.random((n, len(CLASS_NAMES)), dtype=np.float32) ** 6
    top = p.argmax(axis=1)
    confidence = p[np.arange(n), top]
    names = np.array(CLASS_NAMES, object)
    second = names[(top + 5) % len(names)]
    both = rng.random(n) < 0.2
    row, col, area = rng.random(n) * 2048, rng.random(n) * 2048, 300 + 900 * rng.random(n)
    values: dict[str, Any] = {name: np.repeat(v, CELLS_A_FIELD) for name, v in fields.items()}
    values |= {
        "cell_id": np.tile(np.arange(1, CELLS_A_FIELD + 1, dtype=np.int32), n // CELLS_A_FIELD),
        "centroid_row": row,
        "centroid_col": col,
        "min_row": (row - 100).astype(np.int32),
        "min_col": (col - 100).astype(np.int32),
        "max_row": (row + 100).astype(np.int32),
        "max_col": (col + 100).astype(np.int32),
        "area_um2": area,
        "nucleus_area_um2": area / 4,
        "touches_border": rng.random(n) < 0.3,
        "is_fragment": rng.random(n) < 0.1,
        "predicted_classes": np.where(
            confidence < 0.5, "", np.where(both, names[top] + "|" + second, names[top])
        ),
        "top_class": names[top],
        "confidence": confidence,
        "unusual": rng.random(n) < 0.01,
        "strangeness": rng.random(n, dtype=np.float32),
        "embedding": embedding[:n] if embedding is not None else pa.nulls(n, schema.types[-1]),
        **{column: p[:, i] for i, column in enumerate(PROBABILITY_COLUMNS)},
    }
    return pa.table([pa.array(values[i.name], i.type) for i in schema], schema=schema)


def fields_table(fields: dict[str, np.ndarray], schema: Any) -> pa.Table:
    """The table of fields; only a few of its columns are filled."""
    n = len(fields["field"])
    known = {**fields, "n_cells": np.full(n, CELLS_A_FIELD, np.int32)}
    columns = [
        pa.array(known[i.name], i.type) if i.name in known else pa.nulls(n, i.type) for i in schema
    ]
    return pa.table(columns, schema=schema)


def make(folder: Path, n_cells: int, *, embedding: bool) -> None:
    """Write the folder with the writer's own functions for parts."""
    rng = np.random.default_rng(0)
    fields = field_columns(n_cells // CELLS_A_FIELD, rng)
    schema = arrow_schema("cells", EXTRA)
    made = None
    if embedding:
        numbers = rng.normal(size=PART * FEATURES).astype(np.float32)
        offsets = np.arange(PART + 1, dtype=np.int32) * FEATURES
        made = pa.ListArray.from_arrays(offsets, pa.array(numbers)).cast(schema.types[-1])
    ResultsWriter.create(folder, {"extra": EXTRA}).close()
    parts = list(_cell_parts(folder, fields, schema, made, rng))
    others = arrow_schema("fields", EXTRA)
    rows = write_part(folder / "fields/0.parquet", [fields_table(fields, others)], others)
    counted = {
        "cells": tuple(parts),
        "fields": (Part("fields/0.parquet", rows, FULL),),
        "failures": (),
    }
    write_manifest(folder, Manifest(1, 1, 0, counted, 10**6))


def _cell_parts(
    folder: Path, fields: dict[str, np.ndarray], schema: Any, embedding: Any, rng: Any
) -> Iterator[Part]:
    """Write the parts of the table of cells."""
    step = PART // CELLS_A_FIELD
    for number, start in enumerate(range(0, len(fields["field"]), step)):
        some = {name: values[start : start + step] for name, values in fields.items()}
        file = f"cells/{number}.parquet"
        table = cells_table(some, schema, embedding, rng)
        yield Part(file, write_part(folder / file, [table], schema), FULL)


def forget_files(folder: Path) -> None:
    """Ask the system not to keep the folder's files in memory."""
    for path in folder.rglob("*.parquet"):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


QUESTIONS: dict[str, Callable[[Results], Any]] = {
    "filtered, sorted page of 50, all columns": lambda r: r.cells(WHERE, ORDER, 50),
    "page of 50 of all cells by confidence": lambda r: r.cells(order_by=ORDER, limit=50),
    "page of 50 at row 5,000,000 (unsorted)": lambda r: r.cells(limit=50, offset=r.n_cells // 2),
    "count by class": lambda r: r.count("class"),
    "count by well": lambda r: r.count("well"),
    "count by treatment and class": lambda r: r.count(["treatment", "class"]),
    "sample of 1,000 cells, all columns": lambda r: r.cells(sample=1000),
    "sample of 1,000 cells, no embedding": lambda r: r.cells(
        sample=1000, columns=[name for name in r.columns() if name != "embedding"]
    ),
    "cells of one field, all columns": lambda r: r.cells("field = 'plate3_field11111'", limit=50),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="warm rounds; the median is shown")
    parser.add_argument("--no-embedding", action="store_true")
    parser.add_argument(
        "--folder", type=Path, help="where to make it; a temporary folder by default"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="results-", dir=options.folder))
    try:
        start = time.perf_counter()
        make(folder / "run", options.cells, embedding=not options.no_embedding)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        files = len(list(folder.rglob("*.parquet")))
        print(f"made in {time.perf_counter() - start:.0f} s: {size / 1e9:.2f} GB in {files} parts")
        print(f"\n| {options.cells:,} cells | cold, s | warm, s | warm, CPU s |\n|---|---|---|---|")
        measure(folder / "run", options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, rounds: int) -> None:
    """Print a row a question; each is cold in a folder opened for it."""
    for name, ask in {"open": len_of, **QUESTIONS}.items():
        forget_files(folder)
        start = time.perf_counter()
        results = open_results(folder)
        if name != "open":
            start = time.perf_counter()
        ask(results)
        cold = time.perf_counter() - start
        warm, cpu = zip(*(timed(folder, results, name, ask) for _ in range(rounds)), strict=True)
        results.close()
        seconds = (cold, statistics.median(warm), statistics.median(cpu))
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in seconds)} |", flush=True)


def len_of(results: Results) -> int:
    """How many cells there are, which the manifest knows."""
    return results.n_cells


def timed(
    folder: Path, results: Results, name: str, ask: Callable[[Results], Any]
) -> tuple[float, float]:
    """Seconds and CPU seconds of a question, or of opening the folder once more."""
    start, cpu = time.perf_counter(), time.process_time()
    if name == "open":
        open_results(folder).close()
    else:
        ask(results)
    return time.perf_counter() - start, time.process_time() - cpu


if __name__ == "__main__":
    main()
