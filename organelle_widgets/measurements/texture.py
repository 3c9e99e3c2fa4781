"""Texture of the protein: how grey levels follow each other at given distances."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from skimage.feature import graycomatrix, graycoprops

from organelle_widgets.measurements._base import GROUPS, Measurement, MeasurementGroup

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.measurements._crop import CellCrop

__all__ = ["TextureMeasurements"]

_LEVELS = 16
_DISTANCES_UM = {"03um": 0.32, "1um": 1.0}
_ANGLES = (0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
_FEATURES = {
    "contrast": "mean squared difference of the two levels, 0 to 225",
    "correlation": "correlation of the two levels, -1 to 1",
    "homogeneity": "mean of 1 / (1 + squared difference), 0 to 1",
    "entropy": "entropy of the pairs of levels, nats; 0 to 5.5",
}


def _columns() -> tuple[Measurement, ...]:
    """The definitions, which differ in feature and distance."""
    return tuple(
        Measurement(
            f"texture_{feature}_{name}",
            "1",
            f"Haralick's {feature} of the protein: {words}, over pairs of the cell's pixels {distance:g} um apart, "
            f"mean of four directions. On a grid of about 0.32 um, in {_LEVELS} levels between the cell's own 1st "
            "and 99th percentile, so that brightness does not count. "
            "NaN where these are equal or no pair lies in the cell.",
        )
        for name, distance in _DISTANCES_UM.items()
        for feature, words in _FEATURES.items()
    )


@GROUPS.register("texture", title="Texture")
class TextureMeasurements(MeasurementGroup):
    """Four features of the grey-level co-occurrence matrix at two distances.

    Notes
    -----
    After Haralick, Shanmugam and Dinstein, "Textural features for image classification", 1973,
    https://doi.org/10.1109/TSMC.1973.4309314, with `skimage.feature.graycomatrix`.
    """

    position: ClassVar[int] = 70
    columns: ClassVar[tuple[Measurement, ...]] = _columns()

    def measure(self, cell: CellCrop) -> dict[str, float]:
        """Measure one cell; see `columns`."""
        grid = cell.coarse
        levels = _levels(grid.protein, grid.inside)
        if levels is None:
            return {}
        steps = [max(1, round(um / grid.pixel_size_um)) for um in _DISTANCES_UM.values()]
        pairs = _pairs(levels, steps)
        values = {feature: graycoprops(pairs, feature).mean(axis=1) for feature in _FEATURES}
        return {
            f"texture_{feature}_{name}": float(values[feature][number])
            for number, name in enumerate(_DISTANCES_UM)
            for feature in _FEATURES
            if pairs[:, :, number].any()
        }


def _levels(protein: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """The protein in levels 1 to 16, 0 outside the cell; None where it doesn't vary."""
    values = np.sort(protein[inside])
    low, high = (float(values[round(share * (values.size - 1))]) for share in (0.01, 0.99))
    if not high > low:
        return None
    share = (protein - np.float32(low)) * np.float32(_LEVELS / (high - low))
    levels: NDArray[np.uint8] = np.clip(share, 0, _LEVELS - 1).astype(np.uint8) + np.uint8(1)
    levels[~inside] = 0
    return levels


def _pairs(levels: NDArray[np.uint8], steps: list[int]) -> NDArray[np.float64]:
    """How often which levels meet, shape (16, 16, distances, directions): symmetric, pairs in the cell only."""
    counts = graycomatrix(levels, steps, _ANGLES, _LEVELS + 1, symmetric=True)[1:, 1:]
    total = counts.sum(axis=(0, 1), keepdims=True)
    pairs: NDArray[np.float64] = counts / np.maximum(total, 1)
    return pairs
