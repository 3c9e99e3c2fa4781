"""A field's stains as networks of other packages take them: coarse planes of comparable brightness.

Nothing here knows a network; each backend puts its input together from these planes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.segmentation._scale import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["cytoplasm_stains", "stretched", "work_ratio"]

_SPACE = 1e-6
"""A plane whose percentiles are closer than this share of its largest value is flat."""


def work_ratio(field: Field, work_um: float) -> float:
    """How many of the field's pixels go into one of `work_um`; 1 for a field that is coarser."""
    return max(1.0, work_um / field.pixel_size_um)


def cytoplasm_stains(field: Field) -> tuple[str, ...]:
    """Keys of the stains that show whole cells: microtubules and ER, or the protein where both are missing."""
    return tuple(key for key in ("red", "yellow") if key in field.present) or ("green",)


def stretched(field: Field, key: str, ratio: float, percent: float) -> NDArray[np.float32]:
    """One stain on pixels `ratio` times as wide, 0 at its `percent` percentile and 1 at the one as far from the top.

    A flat stain is all zero.
    """
    plane = resample(field.channel(key), ratio)
    low, high = np.percentile(plane, (percent, 100 - percent))
    if high - low <= _SPACE * max(float(plane.max()), _SPACE):
        low, high = float(plane.min()), float(plane.max())
    if high <= low:
        return np.zeros_like(plane)
    scaled: NDArray[Any] = (plane - np.float32(low)) / np.float32(high - low)
    return scaled.astype(np.float32, copy=False)
