"""Columns that charts choose."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.plates.charts._columns import (
    columns_named,
    counted_cells,
    distinct_values,
    grouping_column,
)
from organelle_widgets.results import ResultsWriter, open_results
from organelle_widgets.results.records import FieldRecord


@pytest.fixture
def run_with(tmp_path, made_field):
    """Open a run of four fields with such columns."""

    def make(**columns):
        path = tmp_path / "run"
        with ResultsWriter.create(path, {"extra": dict.fromkeys(columns, "string")}) as writer:
            for i in range(4):
                cells, row = made_field(f"f{i}")
                extra = {name: values[i] for name, values in columns.items()}
                writer.commit([FieldRecord(f"f{i}", row, cells, None, extra, b"m", b"t")])
        return open_results(path)

    return make


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        ({"row": "AABB", "well": "aabb", "gene": "xxyy"}, "gene"),
        ({"id": "1234", "gene": "xxyy"}, "gene"),
        ({"gene": "xxxx", "plate": "1122", "well": ["A1", "A2", "A1", "A2"]}, "plate"),
        ({"plate": "1111", "well": ["A1", "A1", "A2", "A2"]}, "well"),
        ({"gene": ["x", "x", "", None]}, ""),
        ({}, ""),
    ],
)
def test_what_a_person_would_group_by(columns, chosen, run_with):
    with run_with(**columns) as results:
        assert grouping_column(results) == chosen


def test_odd_names_are_no_trouble(run_with):
    with run_with(**{'my "drug", nM': "aabb", "b": "xyxy"}) as results:
        name = 'my "drug", nM'
        assert columns_named(results, name) == (name,)
        assert columns_named(results, "b, top_class") == ("b", "top_class")
        assert sorted(distinct_values(results, name)) == ["a", "b"]
        counted = counted_cells(results, (name,))
    assert counted.columns.tolist() == [name, "field", "predicted_classes", "n_cells"]
    assert counted["n_cells"].sum() == 4 * 12
    assert np.isin(counted[name], ["a", "b"]).all()
