"""Cells as batches: even sizes, one schema, only the chosen fields."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import Cancelled
from organelle_widgets.export import _cells
from organelle_widgets.export._cells import cells_of_result, cells_of_run
from organelle_widgets.results import open_results


@pytest.fixture
def results(run_folder):
    with open_results(run_folder) as opened:
        yield opened


@pytest.mark.parametrize(
    ("rows", "sizes"), [(2, [2, 2, 2, 2, 1]), (3, [3, 3, 3]), (5, [5, 4]), (99, [9])]
)
def test_batches_are_even(rows, sizes, results, monkeypatch):
    monkeypatch.setattr(_cells, "_ROWS", rows)
    stream = cells_of_run(results, Monitor(), None)
    batches = list(stream.batches)
    assert [batch.num_rows for batch in batches] == sizes
    table = pa.Table.from_batches(batches, stream.schema)
    assert table["cell_id"].to_pylist() == [2, 5, 9] * 3
    vectors = np.stack(table["embedding"].to_pandas())
    np.testing.assert_array_equal(vectors, np.stack(results.cells()["embedding"]))


def test_a_field_and_a_run_have_columns_of_the_same_types(results):
    one = cells_of_result(results.result("B2/discs", pixels=False)).schema
    run = cells_of_run(results, Monitor(), None).schema
    assert one.names == run.names
    others = [name for name in one.names if name not in results.extra_columns]
    assert all(one.field(name).type == run.field(name).type for name in others)


def test_fields_that_came_since_they_were_listed_are_not_in_it(results):
    found = list(_cells._of_fields(results.batches("cells"), ["B3/discs", "B5/discs"]))
    assert set(pa.Table.from_batches(found)["field"].to_pylist()) == {"B3/discs", "B5/discs"}


def test_what_is_known_of_a_run(results):
    stream = cells_of_run(results, Monitor(), "well = 'B3'")
    assert stream.pixel_sizes_um == {"B3/discs": 0.32}
    assert stream.threshold == 0.5
    assert stream.provenance["source"] == "here"
    assert stream.schema.field("well").metadata[b"description"].endswith(b".")


def test_each_batch_may_be_the_last(results, monkeypatch):
    monkeypatch.setattr(_cells, "_ROWS", 2)
    seen = []
    monitor = Monitor(lambda step, part: seen.append((step, round(part, 3))))
    batches = iter(cells_of_run(results, monitor, None).batches)
    next(batches)
    next(batches)
    assert seen == [("0 of 9 cells", 0), ("2 of 9 cells", 0.222)]
    monitor.cancel()
    with pytest.raises(Cancelled):
        next(batches)
