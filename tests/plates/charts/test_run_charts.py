"""What every chart of a run must do, whatever it draws."""

from __future__ import annotations

import re

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from organelle_widgets.core.settings import describe_settings
from organelle_widgets.errors import ExportError, InputError, SettingsError
from organelle_widgets.plates.charts import RUN_CHARTS
from organelle_widgets.results import open_results

each = pytest.mark.parametrize("name", RUN_CHARTS.names())


def off_page(figure):
    """Texts that reach beyond the figure by more than half a point, drawn as a file would be."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    renderer = canvas.get_renderer()
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    boxes = {text.get_text(): text.get_window_extent(renderer) for text in texts if text.get_text()}
    return [
        t
        for t, b in boxes.items()
        if b.x0 < -1 or b.y0 < -1 or b.x1 > width + 1 or b.y1 > height + 1
    ]


@each
def test_a_table_first_then_a_figure_of_it(name, run24):
    chart = RUN_CHARTS.create(name)
    table = chart.compute(run24)
    assert isinstance(table, pd.DataFrame)
    assert len(table)
    assert table.attrs["title"]
    assert isinstance(chart.draw(table), Figure)


@each
def test_drawing_does_not_change_the_table(name, run24):
    chart = RUN_CHARTS.create(name)
    table = chart.compute(run24)
    before = table.copy(deep=True)
    chart.draw(table)
    pd.testing.assert_frame_equal(table, before)


@each
def test_the_same_run_gives_the_same_table(name, small_run):
    with open_results(small_run) as one, open_results(small_run) as two:
        tables = [RUN_CHARTS.create(name).compute(results) for results in (one, two)]
    pd.testing.assert_frame_equal(*tables)
    assert tables[0].attrs == tables[1].attrs


@each
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_saved_whole(name, suffix, run24, tmp_path):
    path = RUN_CHARTS.create(name).save(run24, tmp_path / f"chart{suffix}", dpi=60)
    assert path.stat().st_size > 1000
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix == ".png":
        assert iio.imread(path).std() > 5


@each
@pytest.mark.parametrize("width_mm", [120.0, 180.0])
def test_as_wide_as_asked_and_nothing_cut(name, width_mm, run24):
    figure = RUN_CHARTS.create(name, width_mm=width_mm).figure(run24)
    assert figure.get_figwidth() * 25.4 == pytest.approx(width_mm)
    assert off_page(figure) == []


@each
def test_both_styles(name, run24):
    light, dark = (
        RUN_CHARTS.create(name, style=style).figure(run24) for style in ("light", "dark")
    )
    assert sum(light.get_facecolor()[:3]) > 2.5 > 0.5 > sum(dark.get_facecolor()[:3])


def words_of(name, path):
    """All that a chart writes, or why there is none."""
    with open_results(path) as results:
        try:
            figure = RUN_CHARTS.create(name).figure(results)
        except InputError as error:
            return f"refused: {error}"
    return " ".join(text.get_text() for text in figure.texts)


@each
def test_no_cells_are_said_in_words(name, empty_run):
    words = words_of(name, empty_run)
    assert "No cells found" in words or re.match(
        "refused: Expected cells to compare; found none", words
    )


@each
def test_a_run_without_columns_is_drawn_or_refused_in_words(name, plain_run):
    words = words_of(name, plain_run)
    assert "24 cells" in words or re.match("refused: Expected a column", words)


@each
def test_settings_are_checked(name):
    with pytest.raises(SettingsError, match="width_mm: expected 120 to 400 mm; found 10"):
        RUN_CHARTS.create(name, width_mm=10.0)
    assert {"width_mm", "style"} <= {
        spec.name for spec in describe_settings(RUN_CHARTS.create(name))
    }


@each
def test_a_folder_that_is_not_there(name, run24, tmp_path):
    with pytest.raises(ExportError, match="the folder does not exist"):
        RUN_CHARTS.create(name).save(run24, tmp_path / "no" / "chart.png")


@each
def test_pyplot_is_left_alone(name, run24):
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    RUN_CHARTS.create(name).figure(run24)
    assert pyplot.get_fignums() == before


def test_off_page_sees_what_is_cut():
    figure = Figure(figsize=(1, 1))
    figure.text(0.5, 0.5, "much too long for an inch of paper")
    assert len(off_page(figure)) == 1
    assert np.isfinite(figure.get_figwidth())
