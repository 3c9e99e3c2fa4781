"""How the protein goes along with each marker, pixel by pixel.

Pearson's correlation does not depend on thresholds or brightness; Manders' shares do, and say so. All on the fine
grid: below what a microscope resolves, pixels only differ by noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from organelle_widgets.core.channels import channel_index
from organelle_widgets.measurements._base import GROUPS, Measurement, MeasurementGroup
from organelle_widgets.measurements._grid import PROTEIN
from organelle_widgets.measurements._levels import THRESHOLD_RULE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.measurements._crop import CellCrop

__all__ = ["ColocalisationMeasurements"]

_MARKERS = {"microtubules": "red", "nuclei": "blue", "er": "yellow"}
_WORDS = {"microtubules": "microtubules", "nuclei": "nuclei channel", "er": "ER"}
_INDEX = {marker: channel_index(key) for marker, key in _MARKERS.items()}
_PLACES = {"microtubules": "cytoplasm", "nuclei": "nucleus", "er": "cytoplasm"}
_EVEN = 0.003
"""Below this share of the root mean square a standard deviation is none: float32 rounds."""
_GONE = "the channel is missing"


def _columns() -> tuple[Measurement, ...]:
    """The definitions, which differ in the marker alone."""
    pearson = [
        Measurement(
            f"pearson_{marker}",
            "1",
            f"Pearson's correlation of protein and {word} over the cell's pixels, -1 to 1, on a grid of "
            "about 0.16 um. "
            f"NaN where one of them doesn't vary (standard deviation below 0.3 % of its mean) or {_GONE}.",
        )
        for marker, word in _WORDS.items()
    ]
    placed = [
        Measurement(
            f"pearson_{marker}_{_PLACES[marker]}",
            "1",
            f"Pearson's correlation of protein and {_WORDS[marker]} over the {_PLACES[marker]} alone, else "
            "as over the cell. "
            "NaN also where there is none.",
        )
        for marker in _WORDS
    ]
    manders = [
        column
        for marker, word in _WORDS.items()
        for column in (
            Measurement(
                f"manders_m1_{marker}",
                "1",
                f"Manders' M1: share of the protein in pixels where the {word} is above its threshold, 0 to 1. "
                f"{THRESHOLD_RULE} NaN where there is no protein above background or {_GONE} or does not vary.",
            ),
            Measurement(
                f"manders_m2_{marker}",
                "1",
                f"Manders' M2: share of the {word} in pixels where the protein is above its threshold, 0 to 1. "
                f"{THRESHOLD_RULE} NaN where there is none of the marker above background, {_GONE}, or the protein "
                "does not vary in the field.",
            ),
        )
    ]
    return (*pearson, *placed, *manders)


@GROUPS.register("colocalisation", title="Correlation with the markers")
class ColocalisationMeasurements(MeasurementGroup):
    """Pearson's correlation and Manders' M1 and M2 with microtubules, nuclei and ER.

    Notes
    -----
    After Manders et al., "Measurement of co-localization of objects in dual-colour confocal images", 1993,
    https://doi.org/10.1111/j.1365-2818.1993.tb03313.x. Signals are above background, and not below 0 for M1 and M2.
    """

    position: ClassVar[int] = 30
    columns: ClassVar[tuple[Measurement, ...]] = _columns()

    def measure(self, cell: CellCrop) -> dict[str, float]:
        """Measure one cell; see `columns`."""
        values = cell.fine.values
        pearson = _pearson(values, cell.fine.in_nucleus)
        shares = _shares(values, cell.levels.threshold)
        found: dict[str, float] = {}
        for marker, channel in _INDEX.items():
            if channel in cell.missing:
                continue
            place = _PLACES[marker]
            found[f"pearson_{marker}"] = float(pearson["cell"][channel])
            found[f"pearson_{marker}_{place}"] = float(pearson[place][channel])
            found[f"manders_m1_{marker}"] = float(shares[PROTEIN, channel])
            found[f"manders_m2_{marker}"] = float(shares[channel, PROTEIN])
        return found


def _pearson(
    values: NDArray[np.float32], in_nucleus: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Correlation of the protein with each channel in the cell, its nucleus and its cytoplasm: each shape (4,)."""
    means = values.mean(axis=1, keepdims=True)
    rows = np.ones((len(values) + 1, in_nucleus.size), np.float32)
    np.subtract(values, means, out=rows[:-1])
    nucleus = rows.take(np.flatnonzero(in_nucleus), axis=1)
    whole, part = ((x @ x.T).astype(np.float64) for x in (rows, nucleus))
    moments = {"cell": whole, "nucleus": part, "cytoplasm": whole - part}
    return {place: _correlations(sums, means[:, 0]) for place, sums in moments.items()}


def _correlations(moments: NDArray[np.float64], centre: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pearson's correlation of the protein with every channel, shape (4,); NaN where one of the two doesn't vary.

    From sums of products of the channels, less `centre`, and of ones, shape (5, 5).
    """
    result = np.full(len(moments) - 1, np.nan)
    count = moments[-1, -1]
    if count < 2:
        return result
    means = moments[-1, :-1] / count
    spread = moments[:-1, :-1] / count - np.outer(means, means)
    variance, square = np.diag(spread), np.diag(moments)[:-1] / count + centre.astype(float) ** 2
    varies = variance > _EVEN**2 * square
    if varies[PROTEIN]:
        result[varies] = spread[PROTEIN, varies] / np.sqrt(variance[varies] * variance[PROTEIN])
    return np.asarray(np.clip(result, -1, 1))


def _shares(values: NDArray[np.float32], threshold: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of each channel's signal where each other one is above its threshold, shape (4, 4); NaN where unknown."""
    signal = np.maximum(values, 0)
    above = (values > threshold[:, None]).astype(np.float32)
    total = signal.sum(axis=1)
    held = (signal @ above.T).astype(np.float64)
    held[total <= 0] = np.nan
    held[:, np.isnan(threshold)] = np.nan
    shares: NDArray[np.float64] = np.minimum(held / np.where(total > 0, total, 1)[:, None], 1)
    return shares
