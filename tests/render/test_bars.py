"""Rows of bars and text that fits."""

from __future__ import annotations

import io

import pytest

from organelle_widgets.render.bars import Bar, bars_figure, bars_height, fit_text, text_width

BARS = [
    Bar("NP", "Nucleoplasm", "#5B8FF9", 0.5, "0.50"),
    Bar("CY", "Cytosol", "#A3ADBA", 0, "0.00"),
]


def test_text_is_measured_in_points():
    assert text_width("", 9) == 0
    assert 0 < text_width("Nucleoli", 9) < text_width("Nucleoli", 9, "bold")
    assert text_width("Nucleoli", 18) == pytest.approx(2 * text_width("Nucleoli", 9), rel=0.02)


def test_text_is_cut_only_where_it_must_be():
    assert fit_text("Nucleoli", 9, 200) == "Nucleoli"
    cut = fit_text("Vesicles and punctate cytosolic patterns", 9, 80)
    assert cut.startswith("Vesicles and")
    assert cut.endswith("…")
    assert text_width(cut, 9) <= 80


def test_dollar_signs_are_no_formulas():
    assert text_width(r"$\wrong$", 9) > 10
    bars_figure(BARS, {"title": r"$\wrong$"}).savefig(io.BytesIO(), format="svg")


def test_every_row_is_drawn_from_the_top():
    (axes,) = bars_figure(BARS, {"title": "T"}, threshold=0.5).axes
    places = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert places["NP"] < places["CY"]
    assert {"Nucleoplasm", "Cytosol", "0.50", "0.00"} <= set(places)


def test_the_threshold_stands_where_a_bar_of_that_length_ends():
    (axes,) = bars_figure(BARS, {}, threshold=0.5).axes
    (line,) = axes.lines
    colored = [
        p
        for p in axes.patches
        if p.get_facecolor()[:3] == pytest.approx((91 / 255, 143 / 255, 249 / 255))
    ]
    ends = [patch.get_x() + patch.get_width() for patch in colored]
    assert line.get_xdata()[0] == pytest.approx(max(ends))


def test_without_rows_it_says_so():
    (axes,) = bars_figure([], {"empty": "Nothing here."}).axes
    assert [text.get_text() for text in axes.texts] == ["Nothing here."]


def test_more_rows_are_taller():
    assert bars_height(19) - bars_height(18) == bars_height(2) - bars_height(1) > 0
    heights = [bars_figure(BARS[:n], {}).get_size_inches()[1] for n in (1, 2)]
    assert heights[0] < heights[1]


def test_dark_paper():
    assert bars_figure(BARS, {}, style="dark").get_facecolor()[0] < 0.2
