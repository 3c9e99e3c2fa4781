"""Which nucleus lies in which cell, where the two were found apart from each other.

Only labels are compared here. Backends that grow cells from nuclei have agreeing ids from the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.core.masks import relabel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pair_nuclei"]


def pair_nuclei(nuclei: NDArray[np.int32], cells: NDArray[np.int32]) -> NDArray[np.int32]:
    """The nuclei with the ids of their cells.

    A nucleus belongs to the cell that holds most of its pixels; several may belong to one cell. What of a nucleus
    lies outside its cell is cut off, and a nucleus that lies mostly on background is dropped.

    Parameters
    ----------
    nuclei, cells : ndarray of int32, shape (Y, X)
        Labels whose ids need not agree; 0 is background.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        Nuclei; wherever not 0 it is the cell's id.
    """
    inside = nuclei > 0
    numbers = relabel(nuclei)[inside]
    width = np.int64(cells.max(initial=0)) + 1
    pairs, pixels = np.unique(numbers * width + cells[inside], return_counts=True)
    fullest_last = np.lexsort((pixels, pairs // width))
    owner = np.zeros(int(numbers.max(initial=0)) + 1, np.int64)
    owner[pairs[fullest_last] // width] = pairs[fullest_last] % width
    paired = np.zeros(nuclei.shape, np.int32)
    paired[inside] = np.where(owner[numbers] == cells[inside], cells[inside], 0)
    return paired
