"""Two backends for tests: one that keeps maps, one whose weights are not here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage as ndi
from skimage.segmentation import watershed

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
