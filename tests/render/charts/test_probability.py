"""The chart of class probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets import ProbabilityChart
from organelle_widgets.errors import SettingsError
from organelle_widgets.render.charts.probability import probability_bars


def test_the_most_probable_come_first(disc_result):
    table = ProbabilityChart(n_classes=3).compute(disc_result, 2)
    assert table["code"].tolist()[:2] == ["NP", "NO"]
    assert table["shown"].sum() == 3
    assert table["named"].tolist() == [True, True] + [False] * 17
    assert table["probability"].is_monotonic_decreasing


def test_the_competitions_order_on_request(disc_result):
    table = ProbabilityChart(n_classes=2, sort=False).compute(disc_result, 2)
    assert table["class_index"].tolist() == list(range(19))
    assert table.loc[table["shown"], "code"].tolist() == ["NP", "NO"]


def test_the_threshold_decides_what_is_named(disc_result):
    assert ProbabilityChart(threshold=0.7).compute(disc_result, 2)["named"].sum() == 1
    assert ProbabilityChart(threshold=0.95).compute(disc_result, 2)["named"].sum() == 0


def test_the_field_is_shown_without_a_cell(disc_result):
    table = ProbabilityChart().compute(disc_result)
    by_class = table.set_index("class_index")["probability"]
    assert by_class[list(range(19))].to_numpy() == pytest.approx(disc_result.field_probabilities)
    assert table.attrs["subtitle"].startswith("Field · confidence 0.40 · discs")


def test_words_above_and_below(disc_result):
    attrs = ProbabilityChart(n_classes=8).compute(disc_result, 2).attrs
    assert attrs["title"] == "Nucleoplasm"
    assert attrs["detail"] == "and Nucleoli"
    assert attrs["subtitle"] == "Cell 2 · confidence 0.90 · discs"
    assert attrs["footer"] == "11 more, at most 0.01"
    assert ProbabilityChart(n_classes=19).compute(disc_result, 2).attrs["footer"] == ""
    assert ProbabilityChart().compute(disc_result, 5).attrs["title"] == "Not sure"


def test_bars_hold_what_is_shown(disc_result):
    bars = probability_bars(ProbabilityChart(n_classes=2).compute(disc_result, 2))
    assert [(bar.code, bar.value, bar.strong) for bar in bars] == [
        ("NP", "0.90", True),
        ("NO", "0.60", True),
    ]
    assert np.allclose([bar.share for bar in bars], [0.9, 0.6])


@pytest.mark.parametrize("n_classes", [0, 20])
def test_the_number_of_classes_has_a_range(n_classes):
    with pytest.raises(SettingsError, match=f"n_classes: expected 1 to 19; found {n_classes}"):
        ProbabilityChart(n_classes=n_classes)


def test_pyplot_is_left_alone(disc_result):
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    ProbabilityChart().figure(disc_result)
    assert pyplot.get_fignums() == before
