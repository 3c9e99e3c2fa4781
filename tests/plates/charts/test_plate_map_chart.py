"""Plates as heat maps."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.plates.charts.plate_map import PlateMapChart
from organelle_widgets.results import open_results


def by_well(table):
    return table.set_index("well")["value"]


def test_cells_and_shares_are_those_of_the_wells(run24):
    cells = run24.cells()
    counts = by_well(PlateMapChart().compute(run24))
    own = cells.groupby("well").size()
    assert counts.drop("D06").to_dict() == own.to_dict()
    assert np.isnan(counts["D06"])  # all of its fields failed
    shares = by_well(PlateMapChart(value="Nucleoli").compute(run24))
    shows = cells["predicted_classes"].str.split("|").map(lambda names: "Nucleoli" in names)
    assert shares.drop("D06").to_dict() == pytest.approx(
        (100 * shows.groupby(cells["well"]).mean()).to_dict()
    )


@pytest.mark.parametrize(
    ("value", "unit", "title"),
    [
        ("no", "%", "Share of cells: Nucleoli"),
        ("not_sure", "%", "Share of cells: Not sure"),
        ("unusual_share", "%", "Unusual cells"),
        ("nucleus_edge_um", "µm", "Blur of nuclei"),
        ("confidence", "", "Confidence of the cells"),
        ("area_um2", "µm²", "Mean of the cells: area_um2"),
        ("quality_saturated_share_green", "", "Mean of the fields: quality_saturated_share_green"),
        ("dose", "", "Mean of the cells: dose"),
    ],
)
def test_values_by_name(value, unit, title, run24):
    table = PlateMapChart(value=value).compute(run24)
    assert (table.attrs["unit"], table.attrs["title"]) == (unit, title)
    assert table["value"].notna().sum() == 23
    assert table["value"].std() > 0


def test_failed_fields_are_known_of_wells_without_results(run24):
    assert by_well(PlateMapChart(value="n_failed").compute(run24))["D06"] == 2


def test_means_of_cells_by_hand(run24):
    own = run24.cells().groupby("well")["confidence"].mean()
    found = by_well(PlateMapChart(value="confidence").compute(run24)).drop("D06")
    assert found.to_dict() == pytest.approx(own.to_dict(), rel=1e-5)


def test_the_plate_is_the_smallest_or_the_one_asked_for(run24):
    assert PlateMapChart().compute(run24).attrs["rows"] == 4
    larger = PlateMapChart(wells="96").compute(run24)
    assert (larger.attrs["rows"], larger.attrs["cols"]) == (8, 12)
    assert "Hatched: no field." in larger.attrs["notes"][-1]
    assert "Hatched" not in PlateMapChart().compute(run24).attrs["notes"][-1]
    with pytest.raises(InputError, match=r"a plate of 6; found A04. Set wells to auto or 24"):
        PlateMapChart(wells="6").compute(run24)


def test_several_plates_are_panels(two_plates):
    with open_results(two_plates) as results:
        both = PlateMapChart().compute(results)
        one = PlateMapChart(plate="P2").compute(results)
        with pytest.raises(InputError, match="one of the plates 'P1', 'P2'; found 'P3'"):
            PlateMapChart(plate="P3").compute(results)
        figure = PlateMapChart().draw(both)
    assert both["plate"].unique().tolist() == ["P1", "P2"]
    assert one["plate"].unique().tolist() == ["P2"]
    assert len(both) == 2 * len(one) == 12
    assert {"P1", "P2"} <= {text.get_text() for text in figure.texts}
    assert len(figure.axes) == 3  # two plates and the scale


def test_values_are_written_where_there_is_room(run24):
    for numbers, texts in ((True, 23), (False, 0)):
        figure = PlateMapChart(numbers=numbers).figure(run24)
        assert len(figure.axes[0].texts) == texts


def test_what_is_not_there_is_said(run24, plain_run):
    with pytest.raises(InputError, match=r"Expected a class, one of n_fields, .*; found 'weight'"):
        PlateMapChart(value="weight").compute(run24)
    with pytest.raises(InputError, match=r"Expected a class, .* found 'drug'"):
        PlateMapChart(value="drug").compute(run24)  # a text is no number
    with (
        open_results(plain_run) as results,
        pytest.raises(InputError, match="a column that names wells"),
    ):
        PlateMapChart().compute(results)
