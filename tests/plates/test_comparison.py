"""Two groups compared: by hand, against scipy, and by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.plates.comparison import COMPARISON_COLUMNS, compare_groups, effect_word
from organelle_widgets.plates.ranks import mann_whitney


def groups(showing, sizes, drug, **columns):
    """Fields of which so many cells show nucleoli, the others cytosol."""
    n = len(sizes)
    table = {
        "field": [f"f{i}" for i in range(n)] * 2,
        "drug": [*drug, *drug],
        "predicted_classes": ["Nucleoli"] * n + ["Cytosol"] * n,
        "n_cells": [*showing, *(np.asarray(sizes) - np.asarray(showing))],
    }
    return pd.DataFrame({**table, **{name: [*v, *v] for name, v in columns.items()}})


def drawn(n, shares, seed):
    """Two groups of so many fields that differ among themselves."""
    rng = np.random.default_rng(seed)
    sizes = rng.poisson(60, 2 * n) + 1
    mean = np.repeat(shares, n)
    return groups(
        rng.binomial(sizes, rng.beta(8 * mean, 8 - 8 * mean)), sizes, ["a"] * n + ["b"] * n
    )


def row(found, name="Nucleoli"):
    return found.set_index("name").loc[name]


def test_statistics_by_hand():
    table = groups([1, 2, 3, 30, 8, 9], [10, 10, 10, 40, 10, 10], list("aaabbb"))
    found = compare_groups(table, "drug", "a", "b")
    assert found.columns.tolist() == list(COMPARISON_COLUMNS)
    nucleoli = row(found)
    assert nucleoli["mean_a"] == pytest.approx(0.2)
    assert nucleoli["mean_b"] == pytest.approx((0.75 + 0.8 + 0.9) / 3)  # a large field counts once
    assert nucleoli["difference"] == pytest.approx(nucleoli["mean_b"] - 0.2)
    assert nucleoli["cliffs_delta"] == 1
    assert nucleoli["effect"] == "large"
    h = 2 * np.arcsin(np.sqrt(nucleoli["mean_b"])) - 2 * np.arcsin(np.sqrt(0.2))
    assert nucleoli["cohens_h"] == pytest.approx(h)
    assert nucleoli["p_value"] == pytest.approx(0.1)  # 2 of the 20 ways to split six
    assert found.attrs["n_units"] == (3, 3)
    assert found.attrs["n_cells"] == (30, 60)


def test_the_other_way_round_turns_the_signs():
    table = drawn(6, (0.3, 0.6), 0)
    one, two = (row(compare_groups(table, "drug", *pair)) for pair in (("a", "b"), ("b", "a")))
    for name in ("difference", "cliffs_delta", "cohens_h"):
        assert one[name] == pytest.approx(-two[name])
    assert one["p_value"] == two["p_value"]


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (3, 5), (8, 8), (2, 30)])
def test_the_exact_test_is_scipys(n_a, n_b):
    rng = np.random.default_rng(n_a)
    a, b = rng.random((n_a, 5)), rng.random((n_b, 5)) + 0.2
    delta, p = mann_whitney(a, b)
    theirs = stats.mannwhitneyu(b, a, axis=0, method="exact")
    assert p == pytest.approx(theirs.pvalue)
    assert delta == pytest.approx(2 * theirs.statistic / (n_a * n_b) - 1)


def test_many_observations_take_the_normal_distribution():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, (40, 3)) / 6, rng.integers(0, 6, (50, 3)) / 6
    a[:, 2] = b[:, 2] = 0.5  # all equal: nothing to tell
    delta, p = mann_whitney(a, b)
    theirs = stats.mannwhitneyu(a[:, :2], b[:, :2], axis=0, method="asymptotic")
    assert p[:2] == pytest.approx(theirs.pvalue)
    assert (delta[2], p[2]) == (0, 1)


def test_ties_are_exact_by_hand():
    delta, p = mann_whitney(np.array([[0.0], [0.0]]), np.array([[0.0], [1.0]]))
    assert delta == pytest.approx([0.5])
    assert p == pytest.approx([1.0])  # the one that differs is in the one group or the other


def test_the_correction_is_benjamini_and_hochbergs():
    found = compare_groups(drawn(12, (0.2, 0.6), 1), "drug", "a", "b")
    assert len(found) == 20
    assert found["p_adjusted"].to_numpy() == pytest.approx(
        stats.false_discovery_control(found["p_value"])
    )
    assert found.loc[found["significant"], "code"].tolist() == ["NO", "CY"]
    absent = found[(found["mean_a"] == 0) & (found["mean_b"] == 0)]
    assert len(absent) == 18
    assert (absent["p_value"] == 1).all()
    assert (absent["effect"] == "negligible").all()


@pytest.mark.parametrize("n", [3, 12])
def test_intervals_hold_the_true_difference(n):
    held = [
        row(compare_groups(drawn(n, (0.25, 0.4), [n, run]), "drug", "a", "b", n_draws=200))
        for run in range(100)
    ]
    assert 0.88 <= np.mean([x["low"] <= 0.15 <= x["high"] for x in held]) <= 0.99


def test_equal_groups_are_rarely_called_different():
    p = [
        row(compare_groups(drawn(6, (0.3, 0.3), run), "drug", "a", "b", n_draws=100))["p_value"]
        for run in range(100)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.09


def test_few_units_are_warned_of():
    two = compare_groups(groups([1, 2, 8, 9], [10] * 4, list("aabb")), "drug", "a", "b")
    assert two.attrs["smallest_p"] == pytest.approx(1 / 3)
    assert not two["significant"].any()
    assert (
        "With 2 and 2 fields the smallest p that the test can give is 0.33" in two.attrs["notes"][0]
    )
    five = compare_groups(drawn(5, (0.2, 0.8), 0), "drug", "a", "b")
    assert "after the correction for 20 rows" in five.attrs["notes"][0]
    assert compare_groups(drawn(9, (0.2, 0.8), 0), "drug", "a", "b").attrs["notes"] == ()


def test_one_unit_gives_no_interval():
    found = compare_groups(groups([1, 8, 9], [10] * 3, list("abb")), "drug", "a", "b")
    assert found[["low", "high"]].isna().all().all()
    assert found.attrs["notes"][-1] == "A group of one field gives no interval."


def test_wells_are_the_units_where_there_are():
    wells = ["A1", "A1", "A2", "A2", "B1", "B1", "B2", "B2"]
    table = groups([1, 2, 3, 2, 7, 8, 9, 8], [10] * 8, ["a"] * 4 + ["b"] * 4, well=wells)
    assert compare_groups(table, "drug", "a", "b").attrs["n_units"] == (2, 2)
    by_field = compare_groups(table, "drug", "a", "b", "field")
    assert by_field.attrs["n_units"] == (4, 4)
    assert "fields of one well share its treatment" in by_field.attrs["notes"][0]


def test_numbers_are_understood_as_text():
    table = groups([1, 2, 8, 9], [10] * 4, [0.0, 0.0, 10.0, 10.0])
    found = compare_groups(table, "drug", "0.0", 10)
    assert (found.attrs["a"], found.attrs["b"]) == (0.0, 10.0)


def test_groups_that_are_not_there():
    table = groups([1, 2, 8, 9], [10] * 4, list("aabb"))
    with pytest.raises(InputError, match="a value of 'drug' out of 'a', 'b'; found 'c'"):
        compare_groups(table, "drug", "a", "c")
    with pytest.raises(InputError, match="two groups of 'drug'; found 'a' twice"):
        compare_groups(table, "drug", "a", "a")
    with pytest.raises(InputError, match="the column 'gene'; found field, drug"):
        compare_groups(table, "gene", "a", "b")
    with pytest.raises(SettingsError, match="auto, well, field; found 'cell'"):
        compare_groups(table, "drug", "a", "b", "cell")
    with pytest.raises(SettingsError, match="alpha above 0 and below 1; found 5"):
        compare_groups(table, "drug", "a", "b", alpha=5)
    nowhere = table.assign(field=table["field"].where(table["drug"] == "a"))
    with pytest.raises(
        InputError, match="cells where drug is 'b'; found none with a field or well"
    ):
        compare_groups(nowhere, "drug", "a", "b")


@pytest.mark.parametrize(
    ("delta", "word"),
    [(0.1, "negligible"), (-0.2, "small"), (0.4, "medium"), (-0.5, "large"), (1, "large")],
)
def test_effects_in_words(delta, word):
    assert effect_word(delta) == word
