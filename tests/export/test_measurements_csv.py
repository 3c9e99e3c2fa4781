"""The measurements as files."""

from __future__ import annotations

import pandas as pd

from organelle_widgets.export.measurements import MeasurementColumnsExporter, MeasurementsExporter
from organelle_widgets.measurements import MEASUREMENTS, measure_cells


def test_every_number_comes_back(disc_result, tmp_path) -> None:
    table = pd.read_csv(MeasurementsExporter().write(disc_result, tmp_path / "m.csv"))
    expected = measure_cells(disc_result.field, disc_result.masks)
    assert table["cell_id"].tolist() == disc_result.cells["cell_id"].tolist()
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, rtol=1e-5)


def test_no_cells_give_the_header_alone(empty_result, tmp_path) -> None:
    path = MeasurementsExporter().write(empty_result, tmp_path / "m.csv")
    assert path.read_text("utf-8") == ",".join(["cell_id", *MEASUREMENTS]) + "\n"


def test_every_column_is_described(disc_result, tmp_path) -> None:
    columns = pd.read_csv(
        MeasurementColumnsExporter().write(disc_result, tmp_path / "c.csv"), keep_default_na=False
    )
    table = pd.read_csv(MeasurementsExporter().write(disc_result, tmp_path / "m.csv"))
    assert columns["name"].tolist() == table.columns.tolist()
    assert columns.columns.tolist() == ["name", "unit", "definition", "group"]
    assert (columns != "").all(axis=None)
    row = columns.set_index("name").loc["area_um2"]
    assert (row["unit"], row["group"]) == ("um2", "Size and shape")
