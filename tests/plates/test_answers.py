"""Counting the cells of fields and wells."""

from __future__ import annotations

import pandas as pd
import pytest

from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.plates.answers import ANSWER_TABLE, ANSWERS, count_answers, count_units


@pytest.fixture
def cells():
    """Three fields of two wells; one cell of two classes, one not sure."""
    return pd.DataFrame(
        {
            "field": ["f1", "f1", "f1", "f2", "f3"],
            "well": ["A01", "A01", "A01", "A01", "B01"],
            "drug": ["x", "x", "x", "x", None],
            "predicted_classes": [
                "Nucleoli|Cytosol",
                "Nucleoli",
                "",
                "Nucleoli fibrillar center",
                None,
            ],
        }
    )


def test_the_answers_are_the_classes_and_not_sure():
    assert (*CLASS_NAMES, "Not sure") == ANSWERS
    assert ANSWER_TABLE["class_index"].tolist() == [*range(19), -1]


def test_a_cell_counts_for_each_of_its_classes(cells):
    counted = count_answers(cells, ["field"]).set_index("field")
    assert counted["n_cells"].to_dict() == {"f1": 3, "f2": 1, "f3": 1}
    seen = counted.loc["f1", list(ANSWERS)]
    assert seen[seen > 0].to_dict() == {"Nucleoli": 2, "Cytosol": 1, "Not sure": 1}
    assert counted.loc["f2", "Nucleoli"] == 0  # a class whose name begins another's
    assert counted.loc["f3", "Not sure"] == 1


def test_counted_tables_give_the_same(cells):
    words = cells.fillna({"predicted_classes": ""})
    grouped = words.groupby(["field", "predicted_classes"], as_index=False).size()
    counted = count_answers(grouped.rename(columns={"size": "n_cells"}), ["field"])
    pd.testing.assert_frame_equal(counted, count_answers(cells, ["field"]))


def test_no_keys_count_all(cells):
    assert count_answers(cells, [])["n_cells"].tolist() == [5]
    assert count_answers(cells.iloc[:0], ["field"]).empty
    assert count_answers(cells.iloc[:0], []).empty


def test_cells_without_a_value_are_left_out_and_said(cells):
    units = count_units(cells, "drug")
    assert units.table["n_cells"].sum() == 4
    assert "1 of 5 cells have no value in drug, field or well and are left out." in units.notes


def test_wells_are_the_units_where_every_group_has_two(cells):
    assert count_units(cells, ()).noun == "well"
    assert count_units(cells, ()).table["n_cells"].tolist() == [4, 1]
    one_well_each = count_units(cells, "well")
    assert one_well_each.noun == "field"
    assert one_well_each.table["n_cells"].tolist() == [3, 1, 1]
    assert count_units(cells, "drug").noun == "field"
    assert any("share its treatment" in note for note in count_units(cells, "drug").notes)
    assert not any("share its treatment" in note for note in one_well_each.notes)


def test_wells_of_two_plates_are_apart(cells):
    plates = cells.assign(plate=["1", "1", "2", "2", "2"])
    assert len(count_units(plates, (), "well").table) == 3


def test_what_can_not_be_counted(cells):
    with pytest.raises(InputError, match="the column 'gene'; found field, well, drug"):
        count_units(cells, "gene")
    with pytest.raises(InputError, match="the column 'well'; found field"):
        count_units(cells[["field", "predicted_classes"]], (), "well")
    with pytest.raises(SettingsError, match="auto, well, field; found 'cell'"):
        count_units(cells, (), "cell")
    with pytest.raises(InputError, match=r"19 classes with \| between them; found 'Nucleus'"):
        count_answers(cells.assign(predicted_classes="Nucleus"), [])
