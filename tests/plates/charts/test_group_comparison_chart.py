"""The forest plot of two groups."""

from __future__ import annotations

import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.plates.charts.group_comparison import GroupComparisonChart
from organelle_widgets.results import open_results


def test_what_the_made_up_drug_does_is_found(run24):
    table = GroupComparisonChart().compute(run24)
    assert table.attrs["title"] == "drug against DMSO"
    assert set(table.loc[table["significant"], "code"]) >= {"NO", "CY"}
    by_code = table.set_index("code")["difference"]
    assert by_code["NO"] == pytest.approx(0.6, abs=0.1)
    assert by_code["CY"] == pytest.approx(-0.6, abs=0.1)


def test_groups_as_asked(run24):
    table = GroupComparisonChart(by="drug", a="drug", b="DMSO").compute(run24)
    assert table.attrs["title"] == "DMSO against drug"
    assert table.set_index("code")["difference"]["NO"] < 0
    only_b = GroupComparisonChart(by="dose", b="0.0").compute(run24)
    assert (only_b.attrs["a"], only_b.attrs["b"]) == (1.0, 0.0)


def test_what_is_drawn(run24):
    chart = GroupComparisonChart(unit="field")
    figure = chart.figure(run24)
    texts = [text.get_text() for text in figure.texts]
    assert any(text.startswith("DMSO: 24 fields, ") for text in texts)
    assert any(text.startswith("+1.00 large") for text in texts)
    assert "< 0.001" in texts
    assert "← DMSO" in texts
    assert "drug →" in texts
    words = " ".join(texts)
    assert "fields of one well share its treatment" in words


def test_groups_that_are_not_there(run24, plain_run):
    with pytest.raises(
        InputError, match="a value of 'drug' out of 'DMSO', 'drug'; found 'aspirin'"
    ):
        GroupComparisonChart(by="drug", a="aspirin").compute(run24)
    with pytest.raises(InputError, match="found 'DMSO' twice"):
        GroupComparisonChart(by="drug", a="DMSO", b="DMSO").compute(run24)
    with pytest.raises(InputError, match="one column to compare groups of; found 2: drug, dose"):
        GroupComparisonChart(by="drug, dose").compute(run24)
    with (
        open_results(plain_run) as results,
        pytest.raises(InputError, match="a column with two groups to compare; found none"),
    ):
        GroupComparisonChart().compute(results)


@pytest.mark.parametrize("width_mm", [120.0, 180.0, 300.0])
def test_the_differences_have_room(width_mm, run24):
    figure = GroupComparisonChart(width_mm=width_mm).figure(run24)
    widest = max(axes.get_position().width for axes in figure.axes if axes.axison)
    assert widest > 0.25
    words = {text.get_text() for text in figure.texts}
    assert ("Nucleoli" in words) is (width_mm > 150)
    assert "NO" in words
