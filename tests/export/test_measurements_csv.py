"""The measurements as files."""

from __future__ import annotations

import pandas as pd

from organelle_widgets.export.measurements import MeasurementColumnsExporter, MeasurementsExporter
from organelle_widgets.measurements import MEASUREMENTS, measure_cells
from organelle_widgets.results import open_results


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


def test_a_run_is_one_table(run_folder, disc_result, tmp_path) -> None:
    with open_results(run_folder) as results:
        done = MeasurementsExporter().write_run(results, tmp_path / "m.csv")
    table = pd.read_csv(done.path)
    first = ["field", "well", "dose", "share/%", "cell_id"]
    assert table.columns.tolist() == [*first, *MEASUREMENTS]
    expected = measure_cells(disc_result.field, disc_result.masks)
    for name in ("B2/discs", "B3/discs"):
        found = table[table["field"] == name][expected.columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
    assert len(table) == 6
    said = {sentence.split(":")[0] for sentence in done.skipped}
    assert said == {"B4/discs", "B5/discs", "B6/discs"}
    assert (done.n_fields, done.n_cells) == (3, 6)
