"""Backends for tests: cells with maps, cells without weights, a classifier that has doubts and words of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage as ndi
from skimage.segmentation import watershed

from organelle_widgets.classification import CLASSIFIERS, Classifier
from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.field import Field
from organelle_widgets.core.maps import ProbabilityMaps
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.settings import setting
from organelle_widgets.segmentation import SEGMENTERS, MapSegmenter, Segmenter


@SEGMENTERS.register("sketch", title="Sketch")
@dataclass(frozen=True)
class Sketch(MapSegmenter):
    """Thresholds of two smoothed channels, kept as maps."""

    map_settings: ClassVar[tuple[str, ...]] = ("smoothing",)

    nucleus_threshold: float = setting(
        0.3, label="Nucleus threshold", minimum=0.05, maximum=0.95, step=0.05
    )
    cell_threshold: float = setting(
        0.12, label="Cell threshold", minimum=0.02, maximum=0.9, step=0.01
    )
    smoothing: float = setting(2.0, label="Smoothing", minimum=1, maximum=5, step=0.5)

    def _predict(self, field: Field) -> ProbabilityMaps:
        small = field.scaled()[:, ::2, ::2]
        planes = [small[2], np.maximum(small[0], small[3])]
        smooth = [ndi.gaussian_filter(plane, self.smoothing) for plane in planes]
        values = [255 * plane / max(float(plane.max()), 1e-6) for plane in smooth]
        return ProbabilityMaps(
            np.stack(values).astype(np.uint8), ("nucleus", "cell"), field.shape, self.made_by
        )

    def _label(self, field: Field, maps: ProbabilityMaps) -> Masks:
        nucleus, cell = maps.probability("nucleus"), maps.probability("cell")
        seeds, _ = ndi.label(ndi.binary_opening(nucleus > self.nucleus_threshold, iterations=3))
        cells = watershed(-cell, seeds, mask=(cell > self.cell_threshold) | (seeds > 0))
        rows, cols = (np.arange(n) // 2 for n in field.shape)
        nuclei, cells = (labels[np.ix_(rows, cols)].astype(np.int32) for labels in (seeds, cells))
        return Masks(np.where(cells == nuclei, nuclei, 0), cells)


@SEGMENTERS.register("weightless", title="Weightless")
@dataclass(frozen=True)
class Weightless(Segmenter):
    """A network whose weights are not here."""

    def _segment(self, field: Field) -> Masks:
        from organelle_widgets import weights

        weights.locate("hpa-nuclei-torchscript")
        nothing = np.zeros(field.shape, np.int32)
        return Masks(nothing, nothing)


@CLASSIFIERS.register("doubter", title="Doubter")
@dataclass(frozen=True)
class Doubter(Classifier):
    """Nucleoli in every cell, every second of them unlike any it knows; 31 classes of its own."""

    def _answer(self, crops: np.ndarray) -> CellAnswers:
        n_cells = len(crops)
        own = np.linspace(0.95, 0.05, 31, dtype=np.float32) * np.ones((n_cells, 1), np.float32)
        return CellAnswers(
            self._predict(crops),
            strangeness=np.where(np.arange(n_cells) % 2, 3.0, 0.5).astype(np.float32),
            own_probabilities=own,
            own_classes=tuple(f"Compartment {number}" for number in range(1, 32)),
        )

    def _predict(self, crops: np.ndarray) -> np.ndarray:
        probabilities = np.full((len(crops), 19), 0.04, np.float32)
        probabilities[:, [2, 0, 15]] = 0.91, 0.4, 0.2
        return probabilities
