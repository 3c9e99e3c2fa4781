"""Grey levels of a whole field that every cell is measured against: background, range and threshold of each channel.

They are taken once a field, of all its cells, so that the cells of a field can be compared and a cell's numbers don't
depend on which others were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from skimage.filters import threshold_otsu

from organelle_widgets.core.channels import CHANNEL_KEYS, CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["BACKGROUND_RULE", "FLOOR_RULE", "THRESHOLD_RULE", "Levels", "field_levels"]

BACKGROUND_RULE = (
    "Background is one grey level a channel and field: the median of the pixels outside all cells after values more "
    "than 3 robust standard deviations (1.4826 MAD) above it were left out, repeated until nothing changes; where less "
    "than 1 % of the field is outside, the 1st percentile of the field."
)
THRESHOLD_RULE = "A channel's threshold is Otsu's over all cells of the field together, on a grid of about 0.16 um."
FLOOR_RULE = (
    "next to nothing, that is below 0.1 % of the channel's range in the field (background to the 99.9th percentile of "
    "the pixels in cells) or below a tenth of the background's robust standard deviation"
)

_SAMPLES = 1 << 14
_ROUNDS = 10
_FEW_OUTSIDE = 0.01
_FLOOR_OF_SPAN, _FLOOR_OF_NOISE = 0.001, 0.1


@dataclass(frozen=True, eq=False)
class Levels:
    """Grey levels of the four channels of one field.

    Parameters
    ----------
    background : ndarray of float32, shape (4,)
        Grey level of no signal.
    span : ndarray of float32, shape (4,)
        From the background to the 99.9th percentile of the pixels in cells; 0 where there is no signal.
    threshold : ndarray of float32, shape (4,)
        Above the background, what counts as stained; NaN where the channel does not vary or is missing.
    floor : ndarray of float32, shape (4,)
        Means above the background that are too low to divide by; see `FLOOR_RULE`.
    """

    background: NDArray[np.float32]
    span: NDArray[np.float32]
    threshold: NDArray[np.float32]
    floor: NDArray[np.float32]


def field_levels(field: Field, masks: Masks, factor: int) -> Levels:
    """Measure the levels of a field.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        All its cells.
    factor : int
        Side of the blocks of pixels that are averaged first.

    Returns
    -------
    Levels
        Of a regular sample of 16,000 to 65,000 blocks, or of all where there are fewer.

    Notes
    -----
    The threshold is that of Otsu, "A threshold selection method from gray-level histograms", 1979,
    https://doi.org/10.1109/TSMC.1979.4310076.
    """
    samples, inside = _samples(field, masks, factor)
    found = np.array([_background(row, ~inside) for row in samples], np.float32)
    background, noise = found.T
    signal = (samples - background[:, None])[:, inside if inside.any() else slice(None)]
    span = np.maximum(np.percentile(signal, 99.9, axis=1), 0).astype(np.float32)
    threshold = [
        _threshold(row) if key not in field.missing else np.nan
        for key, row in zip(CHANNEL_KEYS, signal, strict=True)
    ]
    floor = np.maximum(_FLOOR_OF_SPAN * span, _FLOOR_OF_NOISE * noise)
    return Levels(
        background,
        span,
        np.array(threshold, np.float32),
        np.maximum(floor, 1e-9).astype(np.float32),
    )


def _samples(
    field: Field, masks: Masks, factor: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Means of blocks of the field, shape (4, n), and which of them lie in a cell."""
    rows, cols = (max(1, length // factor) for length in field.shape)
    factor = min(factor, *field.shape)
    step = factor * max(1, int(np.sqrt(rows * cols / _SAMPLES)))
    ends = [factor * n for n in (rows, cols)]
    total = np.zeros((len(CHANNELS), -(-ends[0] // step), -(-ends[1] // step)), np.float32)
    for row in range(factor):
        for col in range(factor):
            total += field.pixels[:, row : ends[0] : step, col : ends[1] : step]
    inside = masks.cells[: ends[0] : step, : ends[1] : step] > 0
    return (total / np.float32(factor**2)).reshape(len(CHANNELS), -1), inside.ravel()


def _background(values: NDArray[np.float32], outside: NDArray[np.bool_]) -> tuple[float, float]:
    """Background of one channel and its robust standard deviation; see `BACKGROUND_RULE`."""
    if np.count_nonzero(outside) < _FEW_OUTSIDE * outside.size:
        return float(np.percentile(values, 1)), 0.0
    kept = values[outside]
    for _ in range(_ROUNDS):
        middle = float(np.median(kept))
        spread = 1.4826 * float(np.median(np.abs(kept - middle)))
        fewer = kept[kept <= middle + 3 * spread]
        if fewer.size == kept.size:
            break
        kept = fewer
    return middle, spread


def _threshold(signal: NDArray[np.float32]) -> float:
    """Otsu's threshold; NaN where there is nothing to part."""
    if float(signal.max()) <= float(signal.min()):
        return np.nan
    return float(threshold_otsu(signal))
