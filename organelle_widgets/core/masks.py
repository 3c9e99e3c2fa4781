"""Instance masks of a field: which pixel belongs to which nucleus and which cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Masks", "relabel"]


@dataclass(frozen=True, eq=False, repr=False)
class Masks:
    """Labels of nuclei and cells whose ids agree: nucleus 7 lies in cell 7.

    Parameters
    ----------
    nuclei, cells : ndarray of int32, shape (Y, X)
        0 is background. Ids need not be consecutive. A cell without a nucleus is allowed, a nucleus
        without its cell is not. Both arrays are made read-only.

    Raises
    ------
    InputError
        If shapes differ, values are not whole and non-negative, or a nucleus has no cell.
    """

    nuclei: NDArray[np.int32]
    cells: NDArray[np.int32]

    def __post_init__(self) -> None:
        nuclei, cells = _checked("nuclei", self.nuclei), _checked("cells", self.cells)
        if nuclei.shape != cells.shape:
            message = (
                f"Expected masks of one shape; found nuclei {nuclei.shape} and cells {cells.shape}."
            )
            raise InputError(message)
        orphans = np.setdiff1d(_ids(nuclei), _ids(cells))
        if orphans.size:
            message = f"Expected every nucleus to have a cell of its id; found none for {orphans[:5].tolist()}."
            raise InputError(message)
        object.__setattr__(self, "nuclei", nuclei)
        object.__setattr__(self, "cells", cells)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.cells.shape[0]), int(self.cells.shape[1])

    @property
    def cell_ids(self) -> NDArray[np.int32]:
        """Ids of the cells, ascending: ndarray of int32, shape (n_cells,)."""
        return _ids(self.cells)

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return int(self.cell_ids.size)

    def __repr__(self) -> str:
        rows, cols = self.shape
        return f"Masks({cols} x {rows} px, {self.n_cells} cells)"


def _ids(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """The ids that occur, ascending, without background."""
    return np.flatnonzero(_occurs(labels)).astype(np.int32)


def _checked(name: str, labels: NDArray[Any]) -> NDArray[np.int32]:
    """The labels as read-only int32, or an error that says what is wrong with them."""
    labels = np.asarray(labels)
    if labels.ndim != 2 or 0 in labels.shape:
        message = f"Expected a mask of {name} of shape (Y, X); found {labels.shape}."
        raise InputError(message)
    if labels.dtype == bool or not np.issubdtype(labels.dtype, np.integer):
        message = f"Expected a mask of {name} with whole-number labels; found dtype {labels.dtype}."
        raise InputError(
            message, hint="Label a binary mask first, for instance with skimage.measure.label."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > labels.size:
        message = f"Expected labels of {name} from 0 to the number of pixels ({labels.size}); found {low} to {high}."
        raise InputError(message, hint="Renumber them with organelle_widgets.core.masks.relabel.")
    labels = labels.astype(np.int32, copy=False).view()
    labels.flags.writeable = False
    return labels


def relabel(labels: NDArray[Any]) -> NDArray[np.int32]:
    """Number labels 1, 2, 3, ... in ascending order of their ids.

    Parameters
    ----------
    labels : ndarray of integers, shape (Y, X)
        0 is background.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        The same regions, numbered without gaps.
    """
    labels = np.asarray(labels)
    if labels.min(initial=0) < 0 or labels.max(initial=0) > labels.size:
        values, inverse = np.unique(labels, return_inverse=True)
        return _ranks(values != 0)[inverse].reshape(labels.shape)
    renumbered: NDArray[np.int32] = _ranks(_occurs(labels))[labels]
    return renumbered


def _occurs(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each id from 0 to the largest occurs; False for the background."""
    flat = labels.ravel()
    occurs = np.zeros(int(flat.max(initial=0)) + 1, bool)
    occurs[flat[:1]] = True
    occurs[flat[1:][flat[1:] != flat[:-1]]] = True  # labels come in runs: few are looked at
    occurs[0] = False
    return occurs


def _ranks(wanted: NDArray[np.bool_]) -> NDArray[np.int32]:
    """1, 2, 3, ... for the places that are wanted, 0 for the others."""
    ranks = np.cumsum(wanted).astype(np.int32)
    ranks[~wanted] = 0
    return ranks
