"""From probabilities to an answer in words: which classes, how sure, and when to say "not sure"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASS_NAMES, N_CLASSES, NEGATIVE
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "DEFAULT_THRESHOLD",
    "Prediction",
    "cell_weights",
    "check_probabilities",
    "field_probabilities",
    "mostly_unusual",
    "predict",
]

DEFAULT_THRESHOLD = 0.5
BORDER_WEIGHT = 0.3
"""Weight of a cell that touches the border in its field's prediction; whole and usual cells weigh 1."""
FRAGMENT_WEIGHT = 0.1
"""Weight of a cell of which more than half is probably out of view: HPA's annotators don't judge such cells."""
UNUSUAL_WEIGHT = 0.1
"""Weight of a cell unlike any that the classifier was trained on: what it says of such a cell is a guess."""


@dataclass(frozen=True)
class Prediction:
    """What the probabilities of one cell, or of one field, say at one threshold.

    Parameters
    ----------
    classes : tuple of int
        Classes at or above the threshold, most probable first; empty where nothing reaches it. `Negative`
        stands alone or not at all: it means the absence of a specific signal.
    candidates : tuple of int
        The three most probable classes, for when the answer is "not sure".
    confidence : float
        Probability of the first of `classes`, or of the first candidate where there is none.
    unusual : bool
        Whether the cell, or most of the field, is unlike anything that the classifier was trained on. Then nothing
        is sure, whatever the probabilities.
    """

    classes: tuple[int, ...]
    candidates: tuple[int, ...]
    confidence: float
    unusual: bool = False

    @property
    def sure(self) -> bool:
        """Whether any class reached the threshold, of a cell of a kind that the classifier knows."""
        return bool(self.classes)

    @property
    def top(self) -> int:
        """The class that the confidence belongs to."""
        return self.classes[0] if self.classes else self.candidates[0]

    @property
    def title(self) -> str:
        """The answer in one or two words: the first class, ``Negative`` or ``Not sure``."""
        return CLASS_NAMES[self.classes[0]] if self.classes else "Not sure"

    @property
    def detail(self) -> str:
        """The rest of the answer, as part of a sentence; may be empty."""
        if not self.classes:
            perhaps = f"perhaps {_join([CLASS_NAMES[c] for c in self.candidates], 'or')}"
            return f"unlike any cell the classifier knows; {perhaps}" if self.unusual else perhaps
        if self.classes == (NEGATIVE,):
            return "no specific protein signal"
        return (
            f"and {_join([CLASS_NAMES[c] for c in self.classes[1:]], 'and')}"
            if self.classes[1:]
            else ""
        )

    @property
    def text(self) -> str:
        """The whole answer, such as ``"Nucleoli and Nucleoplasm"`` or ``"Not sure: perhaps ..."``."""
        if not self.classes:
            return f"Not sure: {self.detail}"
        if self.classes == (NEGATIVE,):
            return f"Negative: {self.detail}"
        return f"{self.title} {self.detail}".strip()


def _join(words: list[str], last: str) -> str:
    """Words as a list in a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def check_probabilities(probabilities: Any, n_cells: int | None = None) -> NDArray[np.float32]:
    """Check an array of probabilities and bring it to float32.

    Parameters
    ----------
    probabilities : array_like, shape (n_cells, 19)
        Each in [0, 1].
    n_cells : int, optional
        The number of rows expected.

    Returns
    -------
    ndarray of float32, shape (n_cells, 19)
        The probabilities, clipped of rounding errors of up to 1e-4.

    Raises
    ------
    InputError
        If shape or values are not those of probabilities.
    """
    array = np.asarray(probabilities, dtype=np.float32)
    rows = "n_cells" if n_cells is None else n_cells
    if (
        array.ndim != 2
        or array.shape[1] != N_CLASSES
        or (n_cells is not None and array.shape[0] != n_cells)
    ):
        message = f"Expected probabilities of shape ({rows}, {N_CLASSES}); found {array.shape}."
        raise InputError(message)
    if array.size and not (
        np.isfinite(array).all() and array.min() >= -1e-4 and array.max() <= 1 + 1e-4
    ):
        message = f"Expected probabilities from 0 to 1; found {array.min()} to {array.max()}."
        raise InputError(message)
    return np.clip(array, 0, 1)


def predict(
    probabilities: NDArray[Any], threshold: float = DEFAULT_THRESHOLD, *, unusual: bool = False
) -> Prediction:
    """Answer for one cell or one field.

    Parameters
    ----------
    probabilities : ndarray, shape (19,)
        Several may be high.
    threshold : float
        From 0 to 1; classes at or above it are named. `Negative` is named only where it is the most
        probable class of all, and then alone: it is the absence of a specific signal, not one pattern among others.
    unusual : bool
        Whether the cell, or most of the field, is unlike anything that the classifier was trained on; then no class
        is named, only candidates.

    Returns
    -------
    Prediction
        The classes, the candidates and the confidence.
    """
    order = np.argsort(-np.asarray(probabilities), kind="stable")
    above = [int(c) for c in order if probabilities[c] >= threshold]
    named = above[:1] if above[:1] == [NEGATIVE] else [c for c in above if c != NEGATIVE]
    classes = () if unusual else tuple(named)
    candidates = tuple(int(c) for c in order[:3])
    confidence = float(probabilities[(classes or candidates)[0]])
    return Prediction(classes, candidates, confidence, bool(unusual))


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


def field_probabilities(
    probabilities: NDArray[Any],
    touches_border: NDArray[Any],
    is_fragment: NDArray[Any] | None = None,
    unusual: NDArray[Any] | None = None,
) -> NDArray[np.float32]:
    """Aggregate the cells of a field: the mean of their probabilities, weighted as `cell_weights` says.

    Parameters
    ----------
    probabilities : ndarray, shape (n_cells, 19)
        Of the cells.
    touches_border : ndarray of bool, shape (n_cells,)
        Which cells touch the edge.
    is_fragment : ndarray of bool, shape (n_cells,), optional
        Of which cells more than half is probably out of view.
    unusual : ndarray of bool, shape (n_cells,), optional
        Which cells are unlike any that the classifier was trained on.

    Returns
    -------
    ndarray of float32, shape (19,)
        All zero for a field without cells.

    Raises
    ------
    InputError
        If the arrays differ in length.
    """
    weights = cell_weights(touches_border, is_fragment, unusual)
    if len(probabilities) != len(weights):
        message = f"Expected probabilities of {len(weights)} cells; found {len(probabilities)}."
        raise InputError(message)
    if not len(probabilities):
        return np.zeros(N_CLASSES, dtype=np.float32)
    mean: NDArray[np.float32] = np.average(probabilities, axis=0, weights=weights).astype(
        np.float32
    )
    return mean


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
