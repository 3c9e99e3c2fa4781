"""Names and places of wells."""

from __future__ import annotations

import pandas as pd
import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.plates.wells import (
    PLATE_FORMATS,
    Well,
    WellColumns,
    find_well_columns,
    in_natural_order,
    locate_wells,
    parse_well,
    plate_format,
)


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ("A1", (0, 0), "A01"),
        ("A01", (0, 0), "A01"),
        ("a-01", (0, 0), "A01"),
        ("A/1", (0, 0), "A01"),
        (" h_12 ", (7, 11), "H12"),
        ("P24", (15, 23), "P24"),
        ("AA12", (26, 11), "AA12"),
        ("AF48", (31, 47), "AF48"),
        ("Well B_3", (1, 2), "B03"),
        ("r02c03", (1, 2), "B03"),
        ("Row 2 Column 3", (1, 2), "B03"),
        ("2,3", (1, 2), "B03"),
        ("(16, 24)", (15, 23), "P24"),
        ((2, 3), (1, 2), "B03"),
        (Well(1, 2), (1, 2), "B03"),
    ],
)
def test_names_as_people_write_them(text, place, name):
    well = parse_well(text)
    assert (well.row, well.col) == place
    assert well.name == name
    assert parse_well(well.name) == well


@pytest.mark.parametrize(
    "text", ["", "A", "7", "A0", "A49", "AG1", "0,3", "A1B2", "control", "A 1 2"]
)
def test_what_is_no_well_is_refused(text):
    with pytest.raises(InputError, match=r"from A1 to AF48, such as B3 or B03; found"):
        parse_well(text)


def test_wells_sort_along_the_rows():
    wells = [parse_well(name) for name in ("AA1", "B10", "A12", "B2", "A2")]
    assert [well.name for well in sorted(wells)] == ["A02", "A12", "B02", "B10", "AA01"]


@pytest.mark.parametrize("plate", PLATE_FORMATS, ids=lambda plate: str(plate.n_wells))
def test_the_last_well_tells_the_plate(plate):
    assert plate_format([Well(0, 0), Well(plate.rows - 1, plate.cols - 1)]) == plate


def test_plates_of_six_to_1536():
    assert [plate.n_wells for plate in PLATE_FORMATS] == [6, 12, 24, 48, 96, 384, 1536]
    assert plate_format([]).n_wells == 6
    assert plate_format([Well(0, 8)]).n_wells == 96


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["field", "well", "plate"], WellColumns(("well",), "plate")),
        (["Metadata_Well", "Metadata_Plate"], WellColumns(("Metadata_Well",), "Metadata_Plate")),
        (["Well ID"], WellColumns(("Well ID",))),
        (["source_well", "Barcode"], WellColumns(("source_well",), "Barcode")),
        (["well_row", "well_col", "rows"], WellColumns(("well_row", "well_col"))),
        (["rows", "cols", "field", "min_row"], None),
    ],
)
def test_columns_by_their_usual_names(columns, found):
    assert find_well_columns(columns) == found


def test_every_row_is_located():
    table = pd.DataFrame({"well": ["b3", "A01", None], "plate": [1.0, 2.0, 2.0]}, index=[5, 6, 9])
    places = locate_wells(table)
    assert places.index.tolist() == [5, 6, 9]
    assert places["plate"].tolist() == ["1", "2", "2"]
    assert places["well"].tolist() == ["B03", "A01", ""]
    assert places[["well_row", "well_col"]].to_numpy().tolist() == [[1, 2], [0, 0], [-1, -1]]


@pytest.mark.parametrize("rows", [["B", "H"], [2, 8]])
def test_rows_and_columns_apart(rows):
    table = pd.DataFrame({"well_row": rows, "well_col": [3, 12]})
    assert locate_wells(table)["well"].tolist() == ["B03", "H12"]
    assert locate_wells(table)["plate"].tolist() == ["", ""]


def test_no_wells_are_said():
    table = pd.DataFrame({"field": ["a"], "gene": ["TP53"]})
    with pytest.raises(
        InputError, match="a column that names wells, such as 'well'; found field, gene"
    ):
        locate_wells(table)
    with pytest.raises(InputError, match="Expected a column 'position'; found field, gene"):
        locate_wells(table, WellColumns(("position",)))
    with pytest.raises(InputError, match="found 'control'"):
        locate_wells(pd.DataFrame({"well": ["A1", "control"]}))


def test_numbers_in_names_count_as_numbers():
    assert in_natural_order(["10 nM", "2 nM", "0.5 nM", "2 nM", "DMSO"]) == [
        "0.5 nM",
        "2 nM",
        "10 nM",
        "DMSO",
    ]
    assert in_natural_order([("b", "2"), ("a", "10"), ("a", "9")]) == [
        ("a", "9"),
        ("a", "10"),
        ("b", "2"),
    ]
    assert in_natural_order([10, 2, "x"]) == [2, 10, "x"]
