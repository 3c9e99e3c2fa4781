"""A result with a known answer for each of the three discs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult

if TYPE_CHECKING:
    from organelle_widgets.core.field import Field


@pytest.fixture(scope="session")
def disc_result(disc_field: Field, disc_masks: Masks) -> FieldResult:
    """Cell 2: Nucleoplasm and Nucleoli; cell 5: not sure; cell 9 (on the border): Negative."""
    probabilities = np.full((3, 19), 0.01, np.float32)
    probabilities[0, [0, 2]] = 0.9, 0.6
    probabilities[1, 7] = 0.4
    probabilities[2, 18] = 0.8
    return FieldResult(disc_field, disc_masks, probabilities, {"segmentation": 1.0})


@pytest.fixture(scope="session")
def empty_result(disc_field: Field) -> FieldResult:
    """The same field without a cell."""
    nothing = np.zeros(disc_field.shape, np.int32)
    return FieldResult(disc_field, Masks(nothing, nothing), np.zeros((0, 19), np.float32))
