"""The table of cells as Parquet, read back by pyarrow, pandas and DuckDB."""

from __future__ import annotations

import dataclasses
import json

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.export import _cells
from organelle_widgets.export.csv import CSV_COLUMNS
from organelle_widgets.export.parquet import ParquetExporter
from organelle_widgets.results import open_results


@pytest.fixture
def known(disc_result):
    """The discs with what a classifier knows besides, and columns of a person's own."""
    answers = CellAnswers(
        disc_result.probabilities,
        np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
        np.array([0.1, 0.2, 0.3], np.float32),
    )
    field = dataclasses.replace(disc_result.field, extra={"gene": "ACTB", "rows": "7"})
    return dataclasses.replace(disc_result, field=field, answers=answers)


def test_every_value_comes_back_exactly(known, tmp_path):
    table = pd.read_parquet(ParquetExporter().write(known, tmp_path / "cells.parquet"))
    assert table.columns.tolist() == ["field", "gene", "source_rows", *CSV_COLUMNS, "embedding"]
    expected = known.table()
    pd.testing.assert_frame_equal(
        table[expected.columns], expected.astype({"confidence": np.float32}), check_dtype=False
    )
    assert table["p_nucleoli"].dtype == np.float32
    np.testing.assert_array_equal(np.stack(table["embedding"]), known.answers.embedding)
    assert set(table["field"]) == {"discs"}
    assert (set(table["gene"]), set(table["source_rows"])) == ({"ACTB"}, {"7"})


def test_what_the_file_says_of_itself(known, tmp_path):
    path = ParquetExporter().write(known, tmp_path / "cells.parquet")
    schema = pq.read_schema(path)
    said = {key.decode(): text.decode() for key, text in schema.metadata.items()}
    assert said["schema"] == "organelle_widgets.cells"
    assert (said["schema_version"], said["threshold"]) == ("1", "0.5")
    assert json.loads(said["classes"]) == list(CLASS_NAMES)
    columns = json.loads(said["columns"])
    assert list(columns) == schema.names
    assert columns["cell_id"] == CSV_COLUMNS["cell_id"]
    assert schema.field("p_nucleoli").metadata[b"description"].startswith(b"Probability of")
    assert json.loads(said["provenance"])["threshold"] == 0.5
    keys = duckdb.sql(f"SELECT key FROM parquet_kv_metadata('{path}')").fetchall()
    assert (b"provenance",) in keys


def test_no_cells_keep_the_types(disc_result, empty_result, tmp_path):
    empty = pq.read_table(ParquetExporter().write(empty_result, tmp_path / "empty"))
    full = pq.read_table(ParquetExporter().write(disc_result, tmp_path / "full"))
    assert empty.num_rows == 0
    assert empty.schema.equals(full.schema)
    assert full["embedding"].null_count == 3


def test_a_run_is_one_table_of_the_same_types(run_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(_cells, "_ROWS", 4)
    with open_results(run_folder) as results:
        done = ParquetExporter().write_run(results, tmp_path / "cells.parquet")
        expected = results.cells()
    assert (done.n_fields, done.n_cells) == (4, 9)
    file = pq.ParquetFile(done.path)
    assert [file.metadata.row_group(i).num_rows for i in range(3)] == [4, 4, 1]
    table = file.read().to_pandas()
    assert table.columns[:4].tolist() == ["field", "well", "dose", "share/%"]
    ours = table.drop(columns="embedding")
    pd.testing.assert_frame_equal(ours, expected[ours.columns], check_dtype=False)
    np.testing.assert_array_equal(np.stack(table["embedding"]), np.stack(expected["embedding"]))
    assert file.schema_arrow.field("dose").type == pa.int64()
    provenance = json.loads(file.schema_arrow.metadata[b"provenance"])
    assert (provenance["source"], provenance["python"]) == ("here", "3")


def test_a_run_by_duckdb(run_folder, tmp_path):
    with open_results(run_folder) as results:
        path = ParquetExporter().write_run(results, tmp_path / "c.parquet", where="dose > 0").path
    found = duckdb.sql(f"SELECT field, count(*), max(len(embedding)) FROM '{path}' GROUP BY field")
    assert found.fetchall() == [("B3/discs", 3, 5)]
