"""Measuring the selected cell while a person looks, and how its numbers are written."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from organelle_widgets.controllers import MeasuringController, PageThread
from organelle_widgets.controllers.measured_words import ABSENT, measurement_rows
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.engine import Engine, LocalEngine
from organelle_widgets.measurements import measure_cells
from organelle_widgets.state import PageState, Progress, Shown
from organelle_widgets.widgets import Regions


class CountingEngine(LocalEngine):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[int]] = []

    def submit(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.asked.append(args[1])
        return super().submit(work, *args, **kwargs)


@pytest.fixture
def state(disc_result: FieldResult) -> PageState:
    return PageState(shown=Shown(disc_result.field, disc_result, None))


@pytest.fixture
def engine() -> Iterator[CountingEngine]:
    counting = CountingEngine()
    yield counting
    counting.close()


@pytest.fixture
def panel(state: PageState, engine: Engine) -> Iterator[Any]:
    regions = Regions()
    controller = MeasuringController(state, engine, PageThread(), regions.cell)
    yield regions.cell
    del controller  # psygnal holds it weakly: it lives as long as the test


def wait(condition: Callable[[], bool]) -> None:
    """Until something holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def test_a_cell_is_measured_when_somebody_looks(
    state: PageState, engine: CountingEngine, panel: Any, disc_result: FieldResult
) -> None:
    state.selected = 2
    assert engine.asked == []
    panel.measuring_changed.emit(True)
    wait(lambda: state.measurements is not None)
    expected = measure_cells(disc_result.field, disc_result.masks, [2]).iloc[0]
    for name, value in state.measurements.items():
        np.testing.assert_equal(value, expected[name])


def test_each_cell_is_measured_once_and_others_ahead(
    state: PageState, engine: CountingEngine, panel: Any
) -> None:
    state.measuring = True
    state.selected = 5
    wait(lambda: state.measured is not None and len(state.measured.cells) == 3)
    assert engine.asked == [[5], [9, 2]]
    for cell in (2, 0, 9):
        state.selected = cell
        assert (state.measurements is None) == (cell == 0)
    assert len(engine.asked) == 2


def test_nothing_is_measured_ahead_while_other_work_runs(
    state: PageState, engine: CountingEngine, panel: Any
) -> None:
    state.progress = Progress("Finding cells", 0.1)
    state.measuring, state.selected = True, 2
    wait(lambda: state.measurements is not None)
    state.selected = 9
    wait(lambda: state.measurements is not None)
    assert engine.asked == [[2], [9]]


def test_another_result_is_measured_anew(
    state: PageState, engine: CountingEngine, panel: Any, disc_result: FieldResult
) -> None:
    state.measuring, state.selected = True, 2
    wait(lambda: state.measurements is not None)
    other = dataclasses.replace(disc_result)
    state.shown = Shown(other.field, other, None)
    wait(lambda: state.measurements is not None)
    assert engine.asked.count([2]) == 2
    assert state.measured.result is other
    state.shown = None
    assert state.measurements is None


def test_a_cell_that_is_not_there_is_said(
    state: PageState, engine: CountingEngine, panel: Any
) -> None:
    state.measuring = True
    state.selected = 77
    wait(lambda: state.failure is not None)
    assert "77" in state.failure.message
    assert state.measured is None


def told(field: Field, values: dict[str, float] | None) -> dict[str, dict[str, str]]:
    """Figures by title and label."""
    return {
        f"{row['title']} {figure['label']}": figure
        for row in measurement_rows(field, values)
        for figure in row["figures"]
    }


def test_numbers_have_their_units_and_signs(disc_field: Field) -> None:
    values = {
        "protein_mean_nucleus": 12345.6,
        "protein_mean_cytoplasm": 0.01234,
        "protein_mean_edge": 0.0,
        "protein_ratio_nucleus_cytoplasm": 3.456,
        "pearson_nuclei": -0.456,
        "pearson_er": -0.001,
        "spot_count": 7.0,
        "spot_area_median_um2": 0.416,
        "spot_protein_share": 0.126,
    }
    found = {name: figure["value"] for name, figure in told(disc_field, values).items()}
    assert found["Protein Nucleus"] == "12346"
    assert found["Protein Cytoplasm"] == "0.0123"
    assert found["Protein Edge"] == "0"
    assert found["Protein Nuc. / cyt."] == "3.46"
    assert found["Correlation Nuclei"] == "−0.46"
    assert found["Correlation ER"] == "0.00"
    assert found["Spots Number"] == "7"
    assert found["Spots Median size"] == "0.42 µm²"
    assert found["Spots Protein in"] == "13 %"
    assert found["Shape Solidity"] == ABSENT


def test_every_figure_is_a_measurement_with_its_definition(disc_field: Field) -> None:
    figures = told(disc_field, None)
    assert len(figures) == 13
    assert {figure["value"] for figure in figures.values()} == {""}
    assert all(len(figure["tip"]) > 20 for figure in figures.values())
    assert not any("NaN" in figure["tip"] or "um2" in figure["tip"] for figure in figures.values())


def test_a_cell_without_a_nucleus_and_a_missing_channel_say_so(
    disc_field: Field, disc_masks: Masks
) -> None:
    pixels = disc_field.pixels.copy()
    pixels[3] = 0
    field = Field(pixels, "no ER", 0.32, "given", missing=frozenset({"yellow"}))
    masks = Masks(np.where(disc_masks.nuclei == 2, 0, disc_masks.nuclei), disc_masks.cells)
    (values,) = measure_cells(field, masks, [2]).to_dict("records")
    figures = told(field, values)
    assert figures["Protein Nucleus"]["value"] == ABSENT
    assert figures["Protein Nucleus"]["tip"].startswith("This cell has no such value.")
    assert figures["Protein Cytoplasm"]["value"] != ABSENT
    assert figures["Correlation ER"]["value"] == ABSENT
    assert figures["Correlation ER"]["tip"].startswith("The field has no channel of ER.")
