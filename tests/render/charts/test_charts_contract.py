"""What every chart must do, whatever it draws."""

from __future__ import annotations

import imageio.v3 as iio
import pandas as pd
import pytest
from matplotlib.figure import Figure

from organelle_widgets.errors import ExportError, InputError, SettingsError
from organelle_widgets.render.charts import CHARTS

each = pytest.mark.parametrize("name", CHARTS.names())


@each
def test_a_table_first_then_a_figure_of_it(name, disc_result):
    chart = CHARTS.create(name)
    table = chart.compute(disc_result)
    assert isinstance(table, pd.DataFrame)
    assert len(table)
    assert isinstance(chart.draw(table), Figure)


@each
def test_drawing_does_not_change_the_table(name, disc_result):
    chart = CHARTS.create(name)
    table = chart.compute(disc_result)
    before = table.copy(deep=True)
    chart.draw(table)
    pd.testing.assert_frame_equal(table, before)


@each
def test_no_cells_are_said_in_words(name, empty_result):
    figure = CHARTS.create(name).figure(empty_result)
    assert any("No cells found" in text.get_text() for text in figure.texts)


@each
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_saved_whole(name, suffix, disc_result, tmp_path):
    path = CHARTS.create(name).save(disc_result, tmp_path / f"chart{suffix}", dpi=60)
    assert path.stat().st_size > 1000
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix == ".png":
        assert iio.imread(path).std() > 5


@each
def test_a_cell_that_is_not_there(name, disc_result):
    chart = CHARTS.create(name)
    if not chart.one_cell:
        field = chart.compute(disc_result)
        pd.testing.assert_frame_equal(field, chart.compute(disc_result, 999))
        return
    with pytest.raises(InputError, match="one of the 3 cells; found 999"):
        chart.compute(disc_result, 999)


@each
def test_both_styles(name, disc_result):
    light, dark = (
        CHARTS.create(name, style=style).figure(disc_result) for style in ("light", "dark")
    )
    assert sum(light.get_facecolor()[:3]) > 2.5 > 0.5 > sum(dark.get_facecolor()[:3])


@each
def test_settings_are_checked(name):
    with pytest.raises(SettingsError, match="threshold: expected 0 to 1; found 2"):
        CHARTS.create(name, threshold=2.0)


@each
def test_a_folder_that_is_not_there(name, disc_result, tmp_path):
    with pytest.raises(ExportError, match="the folder does not exist"):
        CHARTS.create(name).save(disc_result, tmp_path / "no" / "chart.png")
