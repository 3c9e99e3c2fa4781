"""Shares by group and their intervals: by hand, and by how often they hold the truth."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from organelle_widgets.errors import SettingsError
from organelle_widgets.plates.fractions import FRACTION_COLUMNS, class_fractions


def counted(showing, sizes, **columns):
    """Fields of which so many cells show nucleoli, and the others are not sure."""
    n = len(sizes)
    table = {
        "field": [f"f{i}" for i in range(n)] * 2,
        "predicted_classes": ["Nucleoli"] * n + [""] * n,
        "n_cells": [*showing, *(np.asarray(sizes) - np.asarray(showing))],
    }
    return pd.DataFrame({**table, **{name: [*v, *v] for name, v in columns.items()}})


def nucleoli(table, by=(), **options):
    """The row of nucleoli of a table with one group."""
    return class_fractions(table, by, **options).set_index("name").loc["Nucleoli"]


def test_shares_by_hand():
    table = counted([1, 3, 2, 4], [4, 12, 4, 4], drug=["b", "b", "a", "a"])
    found = class_fractions(table, "drug")
    assert found.columns.tolist() == ["drug", *FRACTION_COLUMNS]
    assert found["drug"].tolist() == ["a"] * 20 + ["b"] * 20
    rows = found[found["code"] == "NO"]
    assert rows["fraction"].tolist() == [6 / 8, 4 / 16]
    assert rows[["n_units", "n_cells", "n_showing"]].to_numpy().tolist() == [[2, 8, 6], [2, 16, 4]]
    assert found[found["code"] == "?"]["fraction"].tolist() == [0.25, 0.75]
    assert found.attrs["unit"] == "field"


def test_the_interval_is_the_one_of_ten_thousand_plain_draws():
    rng = np.random.default_rng(3)
    sizes = rng.integers(5, 60, 200)
    showing = rng.binomial(sizes, rng.beta(2, 5, 200))
    taken = rng.integers(0, 200, (10_000, 200))
    low, high = np.quantile(showing[taken].sum(1) / sizes[taken].sum(1), [0.025, 0.975])
    row = nucleoli(counted(showing, sizes), n_draws=10_000)
    assert [row["low"], row["high"]] == pytest.approx([low, high], abs=0.003)
    narrow = nucleoli(counted(showing, sizes), confidence=0.8)
    assert row["low"] < narrow["low"] < narrow["fraction"] < narrow["high"] < row["high"]


@pytest.mark.parametrize("n_fields", [3, 5, 20])
def test_the_interval_holds_the_truth_as_often_as_it_says(n_fields):
    held = []
    for run in range(160):
        rng = np.random.default_rng([n_fields, run])
        sizes = rng.poisson(40, n_fields) + 1
        showing = rng.binomial(sizes, rng.beta(2, 6, n_fields))  # fields differ: sd 0.14 about 0.25
        row = nucleoli(counted(showing, sizes), n_draws=300, seed=run)
        held.append(row["low"] <= 0.25 <= row["high"])
    assert 0.88 <= np.mean(held) <= 0.99


def test_cells_as_units_would_be_too_sure():
    """Why fields are drawn: the binomial interval of the cells is less than half as wide."""
    rng = np.random.default_rng(0)
    sizes = np.full(20, 200)
    showing = rng.binomial(sizes, rng.beta(2, 6, 20))
    row = nucleoli(counted(showing, sizes))
    naive = 2 * 1.96 * np.sqrt(row["fraction"] * (1 - row["fraction"]) / sizes.sum())
    assert row["high"] - row["low"] > 2 * naive


def test_one_field_gives_no_interval_and_says_so():
    found = class_fractions(counted([1, 2, 3], [9, 9, 9], drug=["a", "b", "b"]), "drug")
    a, b = found[found["code"] == "NO"].to_dict("records")
    assert np.isnan([a["low"], a["high"]]).all()
    assert 0 <= b["low"] < b["fraction"] < b["high"] <= 1
    assert found.attrs["notes"] == (
        "1 group of one field each: without a second field there is no interval.",
        "1 group of fewer than 5 fields: the interval rests on the t distribution and is rough.",
    )


def test_none_and_all_are_not_certain():
    none, all_of_them = nucleoli(counted([0] * 8, [50] * 8)), nucleoli(counted([50] * 8, [50] * 8))
    assert none["low"] == 0
    assert none["high"] == pytest.approx(0.00918, abs=1e-4)  # 0 of 400, Clopper and Pearson
    assert all_of_them["low"] == pytest.approx(1 - 0.00918, abs=1e-4)
    assert all_of_them["high"] == 1


def test_wells_are_drawn_where_there_are():
    wells = [f"A{1 + i // 10:02d}" for i in range(60)]
    showing = np.repeat([2, 4, 6, 8, 10, 12], 10)  # the fields of a well agree
    table = counted(showing, [20] * 60, well=wells)
    by_well, by_field = nucleoli(table), nucleoli(table, unit="field")
    assert by_well["n_units"] == 6
    assert by_field["n_units"] == 60
    assert by_well["high"] - by_well["low"] > 2 * (by_field["high"] - by_field["low"])


def test_several_columns_make_groups():
    table = counted([1, 2, 3, 4], [9] * 4, gene=["A", "A", "B", "B"], dose=[10.0, 2.0, 2.0, 10.0])
    found = class_fractions(table, ["gene", "dose"])
    groups = found[["gene", "dose"]].drop_duplicates().to_numpy().tolist()
    assert groups == [["A", 2.0], ["A", 10.0], ["B", 2.0], ["B", 10.0]]


def test_the_seed_makes_it_repeatable():
    table = counted([1, 5, 3, 8, 2, 9], [20] * 6)
    pd.testing.assert_frame_equal(class_fractions(table, ()), class_fractions(table, ()))
    assert nucleoli(table, n_draws=100)["low"] != nucleoli(table, n_draws=100, seed=1)["low"]


def test_ten_thousand_fields_take_seconds():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 100, 10_000)
    table = counted(rng.binomial(sizes, 0.3), sizes, drug=[f"d{i % 24}" for i in range(10_000)])
    began = time.perf_counter()
    assert len(class_fractions(table, "drug")) == 24 * 20
    assert time.perf_counter() - began < 10


def test_no_cells_no_rows():
    found = class_fractions(counted([], [], drug=[]), "drug")
    assert found.empty
    assert found.columns.tolist() == ["drug", *FRACTION_COLUMNS]


@pytest.mark.parametrize("wrong", [{"n_draws": 10}, {"confidence": 1.0}, {"seed": -1}])
def test_numbers_are_checked(wrong):
    with pytest.raises(
        SettingsError, match=r"100 draws or more, a confidence above 0\.5 and below 1"
    ):
        class_fractions(counted([1], [2]), (), **wrong)


def test_fields_themselves_can_be_the_groups() -> None:
    cells = pd.DataFrame(
        {"field": ["a", "a", "b"], "predicted_classes": ["Nucleoli", "", "Nucleoli"]}
    )
    table = class_fractions(cells, by="field")
    nucleoli = table[table["name"] == "Nucleoli"].set_index("field")
    assert nucleoli["fraction"].to_dict() == {"a": 0.5, "b": 1.0}
    assert nucleoli["low"].isna().all()  # one field says nothing of others
