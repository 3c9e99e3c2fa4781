"""Made-up runs on disk, written as a real run writes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.plates.wells import Well
from organelle_widgets.results import ResultsWriter, open_results
from organelle_widgets.results.records import FailureRecord, FieldRecord
from organelle_widgets.results.schema import CELLS

KINDS = ("int32", "double", "float")


def cells_of(shares, n_cells, rng):
    """Cells that show classes by chance; without any they are not sure."""
    shows = rng.random((n_cells, 19)) < shares
    words = ["|".join(np.array(CLASS_NAMES)[row]) for row in shows]
    table = {name: np.zeros(n_cells) for name, (kind, _) in CELLS.items() if kind in KINDS}
    table |= {"cell_id": np.arange(1, n_cells + 1), "area_um2": rng.normal(700, 90, n_cells)}
    table |= {"predicted_classes": words, "top_class": [w.split("|")[0] for w in words]}
    table |= {"confidence": rng.uniform(0.5, 1, n_cells)}
    table |= {
        name: np.zeros(n_cells, bool) for name in ("touches_border", "is_fragment", "unusual")
    }
    return pd.DataFrame(table)


def field_of(name, cells, rng, blur=0.4, saturated=0.01):
    """The row of a field."""
    n = len(cells)
    return {
        "field": name,
        "rows": 512,
        "cols": 512,
        "pixel_size_um": 0.32,
        "n_cells": n,
        "n_cells_on_border": int(rng.binomial(n, 0.25)) if n else 0,
        "n_fragments": 0,
        "n_unusual": int(rng.binomial(n, 0.02)) if n else 0,
        "quality_median_cell_area_um2": float(rng.normal(700, 25)),
        "quality_median_nucleus_area_um2": float(rng.normal(200, 8)),
        "quality_nucleus_edge_um": float(rng.normal(blur, 0.02)),
        "quality_saturated_share_green": float(abs(rng.normal(saturated, 0.002))),
        "warnings": "",
        "seconds": 2.0,
    }


def write_run(
    path,
    rows,
    cols,
    n_fields=2,
    *,
    n_cells=30,
    plates=("",),
    drugs=("DMSO", "drug"),
    empty=(),
    seed=0,
):
    """A run of whole plates: columns by drug, the drug moves cells from cytosol to nucleoli.

    Well B02 is out of focus, B03 sparse; of every plate's last well all fields failed; `empty` wells were not imaged.
    """
    rng = np.random.default_rng(seed)
    kinds = {"well": "string", "drug": "string", "dose": "float"}
    extra = kinds | ({"plate": "string"} if any(plates) else {})
    with ResultsWriter.create(path, {"extra": extra}) as writer:
        for plate in plates:
            records, failures = [], []
            for place in range(rows * cols):
                well = Well(*divmod(place, cols))
                if well.name in empty:
                    continue
                group = well.col * len(drugs) // cols
                about = {"well": well.name, "drug": drugs[group], "dose": float(group)}
                about |= {"plate": plate} if any(plates) else {}
                shares = np.full(19, 0.01)
                lift = 0.6 * group / max(len(drugs) - 1, 1)
                shares[[0, 2, 7, 16]] = 0.5, 0.15 + lift, 0.08, 0.8 - lift
                shares = np.clip(shares + rng.normal(0, 0.08, 19) * (shares > 0.02), 0, 1)
                for site in range(n_fields):
                    name = f"{plate}{well.name}_{site}"
                    if place == rows * cols - 1:
                        failures.append(FailureRecord(name, error="InputError", extra=about))
                        continue
                    count = int(rng.poisson(n_cells / 10 if well.name == "B03" else n_cells))
                    cells = cells_of(shares, count, rng)
                    row = field_of(name, cells, rng, blur=1.1 if well.name == "B02" else 0.4)
                    records.append(FieldRecord(name, row, cells, None, about, b"masks", b"thumb"))
            writer.commit(records, failures)
    return path


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A plate of 24 wells, two fields each, two drugs."""
    return write_run(tmp_path_factory.mktemp("runs") / "small", 4, 6)


@pytest.fixture
def run24(small_run):
    """The same, opened."""
    with open_results(small_run) as results:
        yield results


@pytest.fixture(scope="session")
def empty_run(tmp_path_factory):
    """A plate of six wells with fields that have no cells."""
    return write_run(tmp_path_factory.mktemp("runs") / "empty", 2, 3, n_cells=0)


@pytest.fixture(scope="session")
def plain_run(tmp_path_factory):
    """A run without any column of the source: two fields."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("runs") / "plain"
    with ResultsWriter.create(path, {"extra": {}}) as writer:
        for name in ("one", "two"):
            cells = cells_of(np.full(19, 0.2), 12, rng)
            writer.commit(
                [FieldRecord(name, field_of(name, cells, rng), cells, None, {}, b"m", b"t")]
            )
    return path


@pytest.fixture(scope="session")
def two_plates(tmp_path_factory):
    """Two plates of six wells."""
    return write_run(tmp_path_factory.mktemp("runs") / "two", 2, 3, plates=("P1", "P2"))


@pytest.fixture(scope="session")
def made_field():
    """Cells and row of a made-up field of 12 cells."""
    rng = np.random.default_rng(0)

    def make(name):
        cells = cells_of(np.full(19, 0.2), 12, rng)
        return cells, field_of(name, cells, rng)

    return make
