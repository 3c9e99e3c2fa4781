"""The chart of cells per class."""

from __future__ import annotations

from organelle_widgets.render.charts.field_summary import FieldSummaryChart, cells_per_class


def test_cells_are_counted_for_each_of_their_classes(disc_result):
    table = cells_per_class(disc_result)
    assert table["code"].tolist() == ["NP", "NO", "NE", "?"]
    assert table["n_cells"].tolist() == [1, 1, 1, 1]
    assert table["share"].round(3).tolist() == [0.333] * 4


def test_the_threshold_moves_cells(disc_result):
    assert cells_per_class(disc_result, 0.3)["code"].tolist() == ["NP", "NO", "GA", "NE"]
    unsure = cells_per_class(disc_result, 0.95)
    assert unsure[["name", "n_cells"]].to_numpy().tolist() == [["Not sure", 3]]


def test_no_cells_no_rows(empty_result):
    table = cells_per_class(empty_result)
    assert table.empty
    assert table.columns.tolist() == ["code", "name", "color", "n_cells", "share"]


def test_words(disc_result):
    attrs = FieldSummaryChart().compute(disc_result).attrs
    assert attrs["title"] == "3 cells by class"
    assert attrs["footer"] == "A cell may count for several classes."
    assert FieldSummaryChart(threshold=0.7).compute(disc_result).attrs["footer"] == ""
