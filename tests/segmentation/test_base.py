"""The checks around every segmenter, and segmenters in two steps."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.maps import ProbabilityMaps
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.settings import setting
from organelle_widgets.errors import SegmentationError, SettingsError, WeightsError
from organelle_widgets.segmentation import MapSegmenter, Segmenter, make_segmenter

RUNS: list[str] = []


@dataclass(frozen=True)
class Bright(MapSegmenter):
    """Half of the brightness is the probability; what is above the threshold is one cell."""

    map_settings: ClassVar[tuple[str, ...]] = ("gain",)
    gain: float = setting(0.5, label="Gain", minimum=0, maximum=1)
    threshold: float = setting(0.2, label="Threshold", minimum=0, maximum=1)

    def _predict(self, field: Field) -> ProbabilityMaps:
        RUNS.append(field.name)
        values = np.uint8(np.round(field.scaled()[2:3] * self.gain * 255))
        return ProbabilityMaps(values, ("nucleus",), field.shape, self.made_by)

    def _label(self, field: Field, maps: ProbabilityMaps) -> Masks:
        cells = (maps.probability("nucleus") > self.threshold).astype(np.int32)
        return Masks(cells, cells)


@dataclass(frozen=True)
class Wrong(Segmenter):
    """Does what a backend must not do."""

    error: str = "shape"

    def _segment(self, field: Field) -> Masks:
        if self.error == "weights":
            message = "Expected weights; found none."
            raise WeightsError(message)
        nothing = np.zeros(field.shape[::-1], np.int32)
        return Masks(nothing, nothing)


@pytest.fixture(autouse=True)
def runs() -> list[str]:
    """Names of the fields that the network has seen."""
    RUNS.clear()
    return RUNS


def test_both_steps_give_what_one_gives_and_the_network_runs_once(
    disc_field: Field, runs: list[str]
) -> None:
    whole = Bright().segment(disc_field)
    assert 0 < np.count_nonzero(whole.cells) < whole.cells.size
    runs.clear()
    maps = Bright().predict(disc_field)
    assert np.array_equal(Bright().label(disc_field, maps).cells, whole.cells)
    smaller = Bright(threshold=0.35).label(disc_field, maps)
    assert np.count_nonzero(smaller.cells) < np.count_nonzero(whole.cells)
    assert runs == ["discs"]


def test_made_by_changes_with_the_settings_of_the_network_only() -> None:
    assert Bright().made_by == Bright(threshold=0.7).made_by
    assert Bright().made_by != Bright(gain=0.6).made_by
    assert Bright().made_by.startswith("Bright ")


def test_made_by_changes_with_the_weights() -> None:
    class Retrained(Bright):
        def provenance(self) -> dict[str, object]:
            return {**super().provenance(), "name": "Bright", "weights_sha256": "0"}

    assert Retrained().made_by != Bright().made_by
    assert Retrained().made_by.startswith("Bright ")


def test_maps_of_another_network_are_refused(disc_field: Field) -> None:
    maps = Bright(gain=0.6).predict(disc_field)
    with pytest.raises(SegmentationError, match=r"made by 'Bright .*Run predict on this field"):
        Bright().label(disc_field, maps)


def test_maps_of_a_field_of_another_shape_are_refused(disc_field: Field) -> None:
    other = dataclasses.replace(disc_field, pixels=disc_field.pixels[:, :100], name="other")
    maps = Bright().predict(other)
    with pytest.raises(
        SegmentationError, match=r"\(160, 240\) made by .*found \(100, 240\)"
    ) as caught:
        Bright().label(disc_field, maps)
    assert (caught.value.source, caught.value.step) == ("discs", "segmentation")


def test_masks_of_a_wrong_shape_are_refused(disc_field: Field) -> None:
    with pytest.raises(
        SegmentationError, match=r"Expected Wrong to return .* \(160, 240\); found \(240, 160\)"
    ):
        Wrong().segment(disc_field)


def test_labels_of_a_wrong_shape_are_refused(disc_field: Field) -> None:
    class Transposed(Bright):
        def _label(self, field: Field, maps: ProbabilityMaps) -> Masks:
            nothing = np.zeros(field.shape[::-1], np.int32)
            return Masks(nothing, nothing)

    for run in (Transposed().segment, lambda f: Transposed().label(f, Transposed().predict(f))):
        with pytest.raises(SegmentationError, match=r"found \(240, 160\)"):
            run(disc_field)


def test_errors_of_a_backend_are_told_with_the_field_and_the_step(disc_field: Field) -> None:
    with pytest.raises(WeightsError, match=r"^discs: Expected weights") as caught:
        Wrong("weights").segment(disc_field)
    assert (caught.value.source, caught.value.step) == ("discs", "segmentation")


def test_settings_are_checked_when_it_is_made() -> None:
    with pytest.raises(SettingsError, match="gain: expected 0 to 1; found 2"):
        Bright(gain=2)


def test_a_segmenter_of_ones_own_is_taken_as_it_is() -> None:
    mine = Bright(gain=0.7)
    assert make_segmenter(mine) is mine
    with pytest.raises(SettingsError, match="settings only with a segmenter's name"):
        make_segmenter(mine, gain=0.2)


def test_maps_and_masks_of_a_travelled_segmenter_fit(disc_field: Field) -> None:
    maps = pickle.loads(pickle.dumps(make_segmenter("watershed").segment(disc_field)))
    assert maps.n_cells == 3
    there = pickle.loads(pickle.dumps(Bright(threshold=0.3).predict(disc_field)))
    assert Bright().label(disc_field, there).n_cells == 1
