"""From probabilities to an answer in words: which classes, how sure, and when to say "not sure"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core._cell_weights import cell_weights, mostly_unusual
from organelle_widgets.core.labels import CLASS_NAMES, N_CLASSES, NEGATIVE
from organelle_widgets.errors import InputError, SettingsError

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


def check_threshold(threshold: Any) -> None:
    """Refuse what can't be a confidence threshold.

    Parameters
    ----------
    threshold : float
        Probability from which a class counts as predicted.

    Raises
    ------
    SettingsError
        If it is no number from 0 to 1.
    """
    if not (isinstance(threshold, (int, float, np.number)) and 0 <= threshold <= 1):
        message = f"Expected a threshold from 0 to 1; found {threshold!r}."
        raise SettingsError(message)


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
