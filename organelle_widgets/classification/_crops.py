"""Cutting cells out of a field for a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["CropRule", "cut_crops"]


@dataclass(frozen=True)
class CropRule:
    """How a classifier wants its cells cut.

    Parameters
    ----------
    size : int
        Side of the square crop, px.
    """

    size: int = 128


def cut_crops(
    field: Field, masks: Masks, rule: CropRule, cell_ids: NDArray[Any]
) -> NDArray[np.float32]:
    """Placeholder until the classifier's folder is written."""
    return np.zeros((len(cell_ids), 4, rule.size, rule.size), np.float32)
