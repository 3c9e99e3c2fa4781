"""Robust distances, and what they mean in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from organelle_widgets.plates.outliers import (
    FEWEST,
    WELL_MEASURES,
    robust_spread,
    robust_z,
    shown,
    standing_out,
)
from organelle_widgets.plates.quality import WELL_COLUMNS

BY_COLUMN = {measure.column: measure for measure in WELL_MEASURES}


def test_robust_z_by_hand():
    z = robust_z(np.array([1.0, 2, 3, 4, 100, np.nan]))
    assert z[:5] == pytest.approx(0.6745 * (np.array([1, 2, 3, 4, 100]) - 3) / 1)
    assert np.isnan(z[5])
    mostly_equal = robust_z(np.array([0.0, 0, 0, 0, 5]))
    assert mostly_equal == pytest.approx([0, 0, 0, 0, 5 / 1.2533])
    assert (robust_z(np.full(4, 7.0)) == 0).all()
    assert np.isnan(robust_z(np.full(3, np.nan))).all()


def test_few_false_alarms_of_normal_wells():
    rng = np.random.default_rng(0)
    assert np.mean(np.abs(robust_z(rng.normal(size=20_000))) > 3.5) < 0.001


def test_the_spread_is_a_standard_deviation_of_normal_values():
    assert robust_spread(np.random.default_rng(0).normal(5, 2, 20_000)) == pytest.approx(
        2, rel=0.03
    )


def test_measures_are_columns_and_have_words():
    assert set(BY_COLUMN) <= set(WELL_COLUMNS)
    assert all(measure.high for measure in WELL_MEASURES)


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("border_share", 0.256, "26 %"),
        ("cells_per_field", 41.7, "42"),
        ("cells_per_field", 1.5, "1.5"),
        ("nucleus_edge_um", 0.4321, "0.43 µm"),
        ("median_cell_area_um2", 1234.5, "1,234 µm²"),
    ],
)
def test_values_with_their_units(column, value, text):
    assert shown(BY_COLUMN[column], value) == text


def test_too_few_wells_have_nothing_that_stands_out():
    values = [0.4, 0.41, 0.39, 0.4, 0.42, 3.0]
    plate = pd.DataFrame({"nucleus_edge_um": values})
    assert len(values) == FEWEST
    assert standing_out(plate, BY_COLUMN["nucleus_edge_um"])[-1].startswith("out of focus (3 µm")
    fewer = plate.iloc[1:].reset_index(drop=True)
    assert standing_out(fewer, BY_COLUMN["nucleus_edge_um"]) == [""] * 5
    unknown = plate.assign(nucleus_edge_um=[np.nan, *values[1:]])
    assert standing_out(unknown, BY_COLUMN["nucleus_edge_um"]) == [""] * 6
