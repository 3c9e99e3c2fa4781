"""How much each cell counts in what is said of its field: less where it is cut off, or of no kind that is known.

The public names are imported from `organelle_widgets.core.predictions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BORDER_WEIGHT",
    "FRAGMENT_WEIGHT",
    "UNUSUAL_WEIGHT",
    "cell_weights",
    "mostly_unusual",
]

BORDER_WEIGHT = 0.3
"""Weight of a cell that touches the border in its field's prediction; whole and usual cells weigh 1."""
FRAGMENT_WEIGHT = 0.1
"""Weight of a cell of which more than half is probably out of view: HPA's annotators don't judge such cells."""
UNUSUAL_WEIGHT = 0.1
"""Weight of a cell unlike any that the classifier was trained on: what it says of such a cell is a guess."""


def cell_weights(
    touches_border: NDArray[Any],
    is_fragment: NDArray[Any] | None = None,
    unusual: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """How much each cell counts in the answer of its field.

    Parameters
    ----------
    touches_border : ndarray of bool, shape (n_cells,)
        Which cells touch the edge of the field.
    is_fragment : ndarray of bool, shape (n_cells,), optional
        Of which cells more than half is probably out of view.
    unusual : ndarray of bool, shape (n_cells,), optional
        Which cells are unlike any that the classifier was trained on.

    Returns
    -------
    ndarray of float64, shape (n_cells,)
        1 for a whole and usual cell; 0.3 on the border, 0.1 for a fragment, 0.1 for an unusual cell; of several, the
        smallest. Never 0, so that a field of nothing else still gets an answer.

    Raises
    ------
    InputError
        If the arrays differ in length.

    Notes
    -----
    The weights are chosen, not fitted. Small cells on the border counted less in the solutions that did best in the
    Human Protein Atlas competition of 2021; its annotators left out cells of which more than half was out of view.

    References
    ----------
    Le et al. 2022, doi:10.1038/s41592-022-01606-z
    """
    weights = np.where(touches_border, BORDER_WEIGHT, 1.0)
    for which, weight in ((is_fragment, FRAGMENT_WEIGHT), (unusual, UNUSUAL_WEIGHT)):
        if which is None:
            continue
        if np.shape(which) != weights.shape:
            message = f"Expected one value for each of {len(weights)} cells; found shape {np.shape(which)}."
            raise InputError(message)
        weights = np.where(which, np.minimum(weights, weight), weights)
    return weights


def mostly_unusual(
    unusual: NDArray[Any], touches_border: NDArray[Any], is_fragment: NDArray[Any] | None = None
) -> bool:
    """Whether a field as a whole is unlike anything that the classifier was trained on.

    Parameters
    ----------
    unusual : ndarray of bool, shape (n_cells,)
        Which cells are.
    touches_border, is_fragment : ndarray of bool, shape (n_cells,)
        As for `cell_weights`.

    Returns
    -------
    bool
        Whether the unusual cells have more than half of all weight; False without cells.

    Raises
    ------
    InputError
        If the arrays differ in length.
    """
    weights = cell_weights(touches_border, is_fragment)
    if np.shape(unusual) != weights.shape:
        message = (
            f"Expected one value for each of {len(weights)} cells; found shape {np.shape(unusual)}."
        )
        raise InputError(message)
    return bool(weights[np.asarray(unusual, bool)].sum() > weights.sum() / 2)
