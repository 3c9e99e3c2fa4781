"""The table of cells."""

from __future__ import annotations

import pandas as pd
import pytest

from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.export.csv import CSV_COLUMNS, CsvExporter


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
