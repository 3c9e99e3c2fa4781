"""The chart of classes by group."""

from __future__ import annotations

import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.plates.charts.class_fractions import ClassFractionsChart
from organelle_widgets.plates.fractions import class_fractions
from organelle_widgets.results import open_results


def test_the_numbers_are_those_of_all_cells(run24):
    table = ClassFractionsChart(by="drug").compute(run24)
    own = class_fractions(run24.cells(), "drug")
    assert table["fraction"].tolist() == pytest.approx(own["fraction"].tolist())
    assert table.attrs["unit"] == own.attrs["unit"] == "well"


def test_the_column_is_chosen_where_none_is_named(run24):
    table = ClassFractionsChart().compute(run24)
    assert table.attrs["title"] == "Classes by drug"
    assert table["group"].unique().tolist() == ["DMSO", "drug"]


def test_classes_that_are_shown(run24):
    shown = ClassFractionsChart(least=0.05).compute(run24).query("shown")["code"].unique().tolist()
    assert shown == ["NP", "NO", "GA", "CY", "?"]
    some = ClassFractionsChart(classes="Golgi apparatus, no, ?").compute(run24)
    assert some.query("shown")["code"].unique().tolist() == ["NO", "GA", "?"]
    assert "Not shown: NP, NM," in some.attrs["notes"][-1]


def test_several_columns(run24):
    table = ClassFractionsChart(by="drug, dose").compute(run24)
    assert table["group"].unique().tolist() == ["DMSO · 0.0", "drug · 1.0"]


def test_what_is_not_there_is_said(run24):
    with pytest.raises(InputError, match=r"a column of this run; found 'gene'.*well, drug, dose"):
        ClassFractionsChart(by="gene").compute(run24)
    with pytest.raises(InputError, match="a class name or a two-letter code; found 'XX'"):
        ClassFractionsChart(classes="XX").compute(run24)
    with pytest.raises(InputError, match=r"at most 48 groups; found .* values of cell_id"):
        ClassFractionsChart(by="cell_id, well").compute(run24)


def test_a_run_without_columns_is_one_group(plain_run):
    with open_results(plain_run) as results:
        table = ClassFractionsChart().compute(results)
    assert table["group"].unique().tolist() == ["All cells"]
    assert table["n_units"].unique().tolist() == [2]


@pytest.mark.parametrize("shared", [True, False])
def test_one_scale_or_each_its_own(shared, run24):
    figure = ClassFractionsChart(shared_axis=shared, least=0.0).figure(run24)
    ends = {round(axes.get_xlim()[1], 6) for axes in figure.axes if axes.axison}
    assert (len(ends) == 1) is shared
