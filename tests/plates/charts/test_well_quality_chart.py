"""The chart of wells that stand out."""

from __future__ import annotations

from organelle_widgets.plates.charts.well_quality import WellQualityChart
from organelle_widgets.results import open_results


def test_flagged_wells_are_named_in_strips_and_below(run24):
    chart = WellQualityChart()
    table = chart.compute(run24)
    assert table.attrs["title"] == f"{(table['n_flags'] > 0).sum()} of 24 wells stand out"
    figure = chart.draw(table)
    in_strips = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"B02", "B03"} <= set(in_strips)
    below = [text.get_text() for text in figure.texts]
    assert "2 of 2 fields failed" in below
    assert any(text.startswith("out of focus") for text in below)


def test_the_list_can_be_cut(run24):
    table = WellQualityChart().compute(run24)
    flagged = (table["n_flags"] > 0).sum()
    texts = [text.get_text() for text in WellQualityChart(listed=1).draw(table).texts]
    assert f"and {flagged - 1} more" in texts
    none = [text.get_text() for text in WellQualityChart(listed=0).draw(table).texts]
    assert not any("fields failed" in text or "more" in text for text in none)


def test_several_plates_have_a_lane_each(two_plates):
    with open_results(two_plates) as results:
        figure = WellQualityChart().figure(results)
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("P1") == texts.count("P2") == len(figure.axes) > 4
    assert any(text.startswith("P1 ") for text in texts)
