"""The pipeline with quick backends of its own, and once with the real ones."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from organelle_widgets import Monitor, analyze_field
from organelle_widgets.classification import Classifier
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import Cancelled, SegmentationError, SettingsError, WeightsError
from organelle_widgets.pipeline import DEFAULT_SEGMENTER, result_without
from organelle_widgets.segmentation import Segmenter


@dataclass(frozen=True)
class GivenMasks(Segmenter):
    """Returns the masks it was made with."""

    masks: Any = None

    def _segment(self, field: Field) -> Masks:
        return self.masks


@dataclass(frozen=True)
class Ladder(Classifier):
    """Gives cell k of a batch the probability 0.9 for class k."""

    def _predict(self, crops: np.ndarray) -> np.ndarray:
        probabilities = np.full((len(crops), 19), 0.05, np.float32)
        probabilities[np.arange(len(crops)), np.arange(len(crops))] = 0.9
        return probabilities


def test_result_holds_masks_cells_and_answers(disc_field: Field, disc_masks: Masks) -> None:
    result = analyze_field(disc_field, GivenMasks(disc_masks), Ladder())
    assert result.cells["cell_id"].tolist() == [2, 5, 9]
    assert result.cells["touches_border"].tolist() == [False, False, True]
    assert [result.predict(cell).classes for cell in (2, 5, 9)] == [(0,), (1,), (2,)]
    assert result.predict(2).confidence == pytest.approx(0.9)
    area = np.count_nonzero(disc_masks.cells == 2) * 0.32**2
    assert result.cells["area_um2"].iloc[0] == pytest.approx(area)


def test_border_cells_weigh_less_in_the_field(disc_field: Field, disc_masks: Masks) -> None:
    result = analyze_field(disc_field, GivenMasks(disc_masks), Ladder())
    expected = (0.9 + 0.05 + 0.3 * 0.05) / 2.3
    assert result.field_probabilities[0] == pytest.approx(expected, abs=1e-6)
    assert result.field_probabilities[2] < result.field_probabilities[1]


def test_every_step_is_reported_and_timed(disc_field: Field, disc_masks: Masks) -> None:
    seen: list[tuple[str, float]] = []
    monitor = Monitor(lambda step, fraction: seen.append((step, fraction)))
    result = analyze_field(disc_field, GivenMasks(disc_masks), Ladder(), monitor=monitor)
    steps = [step for step, _ in seen]
    assert steps[0] == "Finding cells"
    assert "Classifying 3 cells" in steps
    assert steps[-1] == "Done"
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert set(result.timings) == {"segmentation", "quality", "classification", "result"}


def test_a_cancelled_monitor_stops_between_steps(disc_field: Field, disc_masks: Masks) -> None:
    monitor = Monitor()

    @dataclass(frozen=True)
    class Cancelling(GivenMasks):
        def _segment(self, field: Field) -> Masks:
            monitor.cancel()
            return disc_masks

    with pytest.raises(Cancelled, match="Stopped on request"):
        analyze_field(disc_field, Cancelling(), Ladder(), monitor=monitor)


def test_masks_of_another_size_are_refused(disc_field: Field) -> None:
    small = Masks(np.zeros((4, 5), np.int32), np.zeros((4, 5), np.int32))
    with pytest.raises(SegmentationError, match=r"shape \(160, 240\); found \(4, 5\)") as caught:
        analyze_field(disc_field, GivenMasks(small), Ladder())
    assert caught.value.source == "discs"
    assert caught.value.step == "segmentation"


def test_a_field_without_cells_says_what_to_check(disc_field: Field) -> None:
    empty = np.zeros(disc_field.shape, np.int32)
    result = analyze_field(disc_field, GivenMasks(Masks(empty, empty)), Ladder())
    assert result.n_cells == 0
    assert result.notes == ()
    assert "No cells were found" in result.warnings[0]
    assert result.field_probabilities.tolist() == [0.0] * 19


def test_cells_on_the_border_can_be_left_out(disc_field: Field, disc_masks: Masks) -> None:
    result = analyze_field(disc_field, GivenMasks(disc_masks), Ladder(), leave_out="border")
    assert result.cells["cell_id"].tolist() == [2, 5]
    assert result.masks.cell_ids.tolist() == [2, 5]
    assert len(result.probabilities) == 2
    assert result.provenance["leave_out"] == "border"
    assert result.notes == ("1 of 3 cells is left out: at the edge of the field.",)
    assert result.quality is not None
    assert result.quality.n_cells == 3


def test_fragments_can_be_left_out(disc_field: Field, disc_masks: Masks) -> None:
    kept = analyze_field(disc_field, GivenMasks(disc_masks), Ladder(), leave_out="fragments")
    assert kept.n_cells == 3
    assert kept.notes == ()
    cut = Masks(*(np.roll(m, 18, axis=1) * (np.arange(240) > 17) for m in masks_of(disc_masks)))
    result = analyze_field(disc_field, GivenMasks(cut), Ladder(), leave_out="fragments")
    assert result.cells["cell_id"].tolist() == [2, 5]
    assert result.notes == ("1 of 3 cells is left out: more than half out of view.",)


def masks_of(masks: Masks) -> tuple[np.ndarray, np.ndarray]:
    return masks.nuclei, masks.cells


def test_nothing_is_left_out_by_default(disc_field: Field, disc_masks: Masks) -> None:
    result = analyze_field(disc_field, GivenMasks(disc_masks), Ladder())
    assert result.masks is disc_masks
    assert result.provenance["leave_out"] == "nothing"
    assert result.notes == ()


def test_leaving_out_another_word_is_refused_before_any_work(disc_field: Field) -> None:
    with pytest.raises(SettingsError, match="nothing, fragments, border; found 'edges'"):
        analyze_field(disc_field, GivenMasks(None), Ladder(), leave_out="edges")


def test_the_result_says_what_looks_wrong(disc_field: Field, disc_masks: Masks) -> None:
    assert analyze_field(disc_field, GivenMasks(disc_masks), Ladder()).warnings == ()
    wrong = dataclasses.replace(disc_field, pixel_size_um=0.08, pixel_size_source="assumed")
    result = analyze_field(wrong, GivenMasks(disc_masks), Ladder())
    assert "pixel size of 0.08 µm (assumed) is probably wrong" in result.warnings[0]
    assert result.notes == ()


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), "half", None])
def test_threshold_outside_0_to_1_is_refused(disc_field: Field, threshold: Any) -> None:
    with pytest.raises(SettingsError, match="threshold from 0 to 1"):
        analyze_field(disc_field, threshold=threshold)


def test_unknown_backend_names_the_known_ones(disc_field: Field) -> None:
    with pytest.raises(SettingsError, match=r"segmenter out of .*watershed.*found 'magic'"):
        analyze_field(disc_field, segmenter="magic")
    with pytest.raises(SettingsError, match=r"classifier out of .*organelle.*found 'magic'"):
        analyze_field(disc_field, classifier="magic")


@pytest.mark.tensorflow
def test_the_default_backends_find_the_nuclear_protein(disc_field: Field) -> None:
    result = analyze_field(disc_field)
    assert result.n_cells == 3
    assert np.isfinite(result.probabilities).all()
    provenance = json.loads(json.dumps(dict(result.provenance)))
    assert provenance["segmenter"]["name"] == DEFAULT_SEGMENTER
    assert len(provenance["classifier"]["weights"]["sha256"]) == 64
    assert provenance["packages"]["numpy"] == np.__version__


@pytest.mark.tensorflow
@pytest.mark.parametrize("what", ["fragments", "border"])
def test_cells_can_be_left_out_of_a_result(disc_field: Field, what: Any) -> None:
    whole = analyze_field(disc_field)
    here = result_without(whole, what)
    there = analyze_field(disc_field, leave_out=what)
    assert np.array_equal(here.masks.cells, there.masks.cells)
    assert np.allclose(here.probabilities, there.probabilities, atol=1e-3)
    assert here.provenance["leave_out"] == there.provenance["leave_out"]
    assert here.notes == there.notes
    assert here.quality == there.quality
    assert result_without(whole, "nothing") is whole


def test_a_classifier_that_can_not_answer_is_told_before_cells_are_looked_for(
    disc_field: Field,
) -> None:
    class Absent(Ladder):
        def check_ready(self) -> None:
            message = "The weights are not here."
            raise WeightsError(message)

    class Busy(GivenMasks):
        def _segment(self, field: Field) -> Masks:
            pytest.fail("cells were looked for")

    nothing = np.zeros(disc_field.shape, np.int32)
    with pytest.raises(WeightsError, match="The weights are not here"):
        analyze_field(disc_field, Busy(Masks(nothing, nothing)), Absent())
