"""The table of cells."""

from __future__ import annotations

import pandas as pd
import pytest

from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.export.csv import CSV_COLUMNS, CsvExporter
from organelle_widgets.results import open_results


def test_every_number_comes_back(disc_result, tmp_path):
    table = pd.read_csv(CsvExporter().write(disc_result, tmp_path / "cells.csv"))
    expected = disc_result.table()
    assert table.columns.tolist() == expected.columns.tolist()
    table["predicted_classes"] = table["predicted_classes"].fillna("")
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, rtol=1e-5)


def test_words_of_the_answers(disc_result, tmp_path):
    path = CsvExporter().write(disc_result, tmp_path / "cells.csv")
    table = pd.read_csv(path, keep_default_na=False)
    assert table["predicted_classes"].tolist() == ["Nucleoplasm|Nucleoli", "", "Negative"]
    assert table["top_class"].tolist() == ["Nucleoplasm", "Golgi apparatus", "Negative"]
    assert table["touches_border"].tolist() == [False, False, True]


def test_no_cells_give_the_header_alone(empty_result, tmp_path):
    path = CsvExporter().write(empty_result, tmp_path / "cells.csv")
    assert path.read_bytes().decode("utf-8") == ",".join(CSV_COLUMNS) + "\n"
    assert pd.read_csv(path).empty


def test_every_column_is_described(disc_result):
    assert list(CSV_COLUMNS) == disc_result.table().columns.tolist()
    assert all(text.endswith(".") for text in CSV_COLUMNS.values())
    assert CSV_COLUMNS[PROBABILITY_COLUMNS[2]] == "Probability of the class Nucleoli, 0 to 1."


@pytest.mark.parametrize("start", [b"cell_id,centroid_row,"])
def test_no_byte_order_mark_and_unix_lines(start, disc_result, tmp_path):
    content = CsvExporter().write(disc_result, tmp_path / "cells.csv").read_bytes()
    assert content.startswith(start)
    assert b"\r" not in content
    assert content.count(b"\n") == 4


def test_a_run_is_one_table(run_folder, disc_result, tmp_path):
    with open_results(run_folder) as results:
        done = CsvExporter().write_run(results, tmp_path / "cells.csv")
    table = pd.read_csv(done.path, dtype={"dose": "Int64"}, keep_default_na=True)
    assert table.columns.tolist() == ["field", "well", "dose", "share/%", *CSV_COLUMNS]
    assert table["field"].tolist() == ["B2/discs"] * 3 + ["B3/discs"] * 3 + ["B5/discs"] * 3
    assert table["dose"].tolist() == [0, 0, 0, 1, 1, 1, pd.NA, pd.NA, pd.NA]
    expected = disc_result.table().drop(columns="strangeness")
    for _, rows in table.fillna({"predicted_classes": ""}).groupby("field"):
        found = rows[expected.columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
    assert done.skipped[0] == "B4/discs: no cells were found, so it has no rows."
    assert b",0.5,2,60," in done.path.read_bytes()


def test_a_run_for_duckdb(run_folder, tmp_path):
    import duckdb

    with open_results(run_folder) as results:
        path = CsvExporter().write_run(results, tmp_path / "cells.csv").path
    found = duckdb.sql(
        f"SELECT well, count(*), sum(p_negative) FROM '{path}' GROUP BY well ORDER BY well"
    ).fetchall()
    assert [row[:2] for row in found] == [("B2", 3), ("B3", 3), ("B5", 3)]
    assert found[0][2] == pytest.approx(0.82)
