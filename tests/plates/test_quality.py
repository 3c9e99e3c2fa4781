"""Wells and what stands out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.plates.outliers import WELL_MEASURES
from organelle_widgets.plates.quality import WELL_COLUMNS, well_quality
from organelle_widgets.plates.wells import Well


def fields(n_wells=12, per_well=2, **changes):
    """Two fields in each of twelve like wells; `changes` give a column's value in well A03."""
    rng = np.random.default_rng(0)
    rows = []
    for place in range(n_wells):
        name = Well(0, place).name
        for site in range(per_well):
            row = {
                "field": f"{name}_{site}",
                "well": name,
                "n_cells": 100,
                "n_cells_on_border": 20 + int(rng.integers(0, 5)),
                "n_unusual": int(rng.integers(0, 3)),
                "n_not_sure": 5 + int(rng.integers(0, 4)),
                "quality_median_cell_area_um2": 700 + rng.normal(0, 10),
                "quality_median_nucleus_area_um2": 200 + rng.normal(0, 4),
                "quality_nucleus_edge_um": 0.4 + rng.normal(0, 0.02),
                "quality_saturated_share_green": 0.01 + rng.normal(0, 0.001),
                "quality_saturated_share_red": 0.0,
                "warnings": "",
                "seconds": 1.5,
            }
            rows.append(row | (changes if name == "A03" else {}))
    return pd.DataFrame(rows)


def test_numbers_by_hand():
    table = fields().query("well in ('A01', 'A02')").assign(
        n_cells=[10, 30, 0, 0], n_cells_on_border=[5, 5, 0, 0], n_unusual=[1, 1, 0, 0],
        n_not_sure=[4, 0, 0, 0], quality_nucleus_edge_um=[0.3, 0.5, None, None],
        quality_saturated_share_red=[0.02, 0.04, 0.0, 0.0], warnings=["one\ntwo", "one", "", ""],
    )  # fmt: skip
    wells = well_quality(table)
    assert wells.columns.tolist() == list(WELL_COLUMNS)
    first, second = wells.to_dict("records")
    assert (first["n_fields"], first["n_cells"], first["cells_per_field"]) == (2, 40, 20)
    assert [first[f"{name}_share"] for name in ("border", "unusual", "not_sure")] == [
        0.25,
        0.05,
        0.1,
    ]
    assert first["nucleus_edge_um"] == pytest.approx(0.4)
    assert first["saturated_share"] == pytest.approx(0.03)
    assert (first["n_warnings"], first["seconds"], first["flags"]) == (3, 3.0, "")
    assert np.isnan([second["border_share"], second["nucleus_edge_um"]]).all()
    assert (second["n_flags"], second["flags"]) == (1, "no cells")
    assert wells.attrs["notes"] == (
        "Wells are compared on plates with 6 wells or more that have results.",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"n_cells": 20, "n_cells_on_border": 4, "n_not_sure": 1}, "few cells (20, plate 100)"),
        ({"quality_nucleus_edge_um": 0.9}, "out of focus (0.9 µm, plate 0.4 µm)"),
        ({"quality_nucleus_edge_um": 0.1}, ""),  # sharper is no fault
        ({"n_not_sure": 40}, "many cells not sure (40 %, plate 6 %)"),
        ({"n_unusual": 30}, "many unusual cells (30 %, plate 1 %)"),
        ({"quality_median_nucleus_area_um2": 90.0}, "small nuclei (90 µm², plate 200 µm²)"),
        ({"quality_median_cell_area_um2": 1200.0}, "large cells (1,200 µm², plate 700 µm²)"),
        ({"quality_saturated_share_red": 0.2}, "saturated (20 %, plate 1 %)"),
        ({"quality_saturated_share_red": 0.02}, ""),  # beyond all others, but too little to matter
    ],
)
def test_what_stands_out_is_said(changes, words):
    wells = well_quality(fields(**changes)).set_index("well")
    flags = wells.loc["A03", "flags"]
    assert words.split(" (")[0] == flags.split(" (")[0]
    assert wells.loc["A03", "n_flags"] == bool(words)
    assert (wells.drop("A03")["flags"] == "").all()


def test_a_share_of_few_cells_means_little():
    odd = {"n_cells": 3, "n_cells_on_border": 1, "n_not_sure": 1, "n_unusual": 0}
    flags = well_quality(fields(**odd)).set_index("well").loc["A03", "flags"]
    assert flags == "few cells (3, plate 100)"


def test_failed_fields_are_named_also_where_all_failed():
    failures = pd.DataFrame({"field": ["x", "y"], "well": ["a1", "H12"], "message": "broken"})
    wells = well_quality(fields(), failures).set_index("well")
    assert wells.loc["A01", "flags"] == "1 of 3 fields failed"
    assert wells.loc["H12", ["n_fields", "n_failed", "n_cells"]].tolist() == [0, 1, 0]
    assert wells.loc["H12", "flags"] == "1 of 1 fields failed"


def test_each_plate_is_its_own_measure():
    one, two = fields().assign(plate="1"), fields().assign(plate="2")
    two["quality_nucleus_edge_um"] += 0.6  # another microscope
    assert (well_quality(pd.concat([one, two]))["n_flags"] == 0).all()
    wells = well_quality(pd.concat([two, one]))
    assert wells["plate"].tolist() == ["1"] * 12 + ["2"] * 12
    assert wells["well"].tolist()[:3] == ["A01", "A02", "A03"]


def test_fields_without_a_well_are_counted():
    table = fields()
    table.loc[[0, 5], "well"] = None
    wells = well_quality(table)
    assert wells["n_fields"].sum() == 22
    assert wells.attrs["notes"] == ("2 fields without a well left out.",)


def test_no_wells_no_table():
    with pytest.raises(InputError, match="a column that names wells"):
        well_quality(fields().drop(columns="well"))


def test_what_was_not_measured_stays_empty():
    wells = well_quality(fields()[["field", "well", "n_cells"]])
    measured = [m.column for m in WELL_MEASURES if m.column != "cells_per_field"]
    assert wells[measured].isna().all().all()
    assert (wells["n_cells"] == 200).all()


def test_of_a_run(run24):
    wells = well_quality(run24)
    assert len(wells) == 24
    counted = run24.sql("SELECT count(*) AS n FROM cells WHERE predicted_classes = ''")["n"][0]
    assert (wells["not_sure_share"] * wells["n_cells"]).sum() == pytest.approx(counted)
    named = wells[wells["n_flags"] > 0].set_index("well")["flags"]
    assert named["B02"].startswith("out of focus")
    assert named["B03"].startswith("few cells")
    assert named["D06"] == "2 of 2 fields failed"
