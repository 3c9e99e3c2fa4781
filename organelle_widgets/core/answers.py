"""What a classifier answers of the cells of a field: probabilities, and what it knows besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.predictions import check_probabilities
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["CellAnswers", "join_answers"]


@dataclass(frozen=True, eq=False)
class CellAnswers:
    """Answers for some cells, one row a cell.

    Parameters
    ----------
    probabilities : ndarray of float32, shape (n_cells, 19)
        Of the 19 classes, each in [0, 1]; several may be high.
    embedding : ndarray of float32, shape (n_cells, n_features), optional
        Where the classifier places a cell among others: alike cells lie close together.
    strangeness : ndarray of float32, shape (n_cells,), optional
        How unlike the training cells a cell is: below 1 for nearly all real cells of the kind that the classifier was
        made for; above 1 its answer should not be believed.
    own_probabilities : ndarray of float32, shape (n_cells, n_own), optional
        Of the classifier's own classes, where they are others than the 19.
    own_classes : tuple of str
        Their names.

    Raises
    ------
    InputError
        If the arrays don't belong together or hold anything but finite numbers.
    """

    probabilities: NDArray[np.float32]
    embedding: NDArray[np.float32] | None = None
    strangeness: NDArray[np.float32] | None = None
    own_probabilities: NDArray[np.float32] | None = None
    own_classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "probabilities", check_probabilities(self.probabilities))
        n_cells = len(self.probabilities)
        for name, ndim in (("embedding", 2), ("strangeness", 1), ("own_probabilities", 2)):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _checked(value, name, n_cells, ndim))
        own = 0 if self.own_probabilities is None else self.own_probabilities.shape[1]
        if own != len(self.own_classes):
            message = f"Expected names for the classifier's {own} own classes; found {len(self.own_classes)}."
            raise InputError(message)

    def __len__(self) -> int:
        return len(self.probabilities)

    def rows(self, chosen: NDArray[Any]) -> CellAnswers:
        """Answers for some of the cells.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n_cells,), or of int
            Which rows.

        Returns
        -------
        CellAnswers
            Only these.
        """

        def some(value: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
            return None if value is None else value[chosen]

        return CellAnswers(
            self.probabilities[chosen],
            some(self.embedding),
            some(self.strangeness),
            some(self.own_probabilities),
            self.own_classes,
        )


def _checked(value: Any, name: str, n_cells: int, ndim: int) -> NDArray[np.float32]:
    """One array of a row a cell."""
    array = np.asarray(value, np.float32)
    if array.ndim != ndim or len(array) != n_cells:
        message = (
            f"Expected {name} with {ndim} dimensions and {n_cells} rows; found shape {array.shape}."
        )
        raise InputError(message)
    if not np.isfinite(array).all():
        message = f"Expected {name} of finite numbers; found NaN or infinity."
        raise InputError(message)
    return array


def join_answers(parts: Sequence[CellAnswers]) -> CellAnswers:
    """Answers of several batches as one.

    Parameters
    ----------
    parts : sequence of CellAnswers
        At least one, all by the same classifier.

    Returns
    -------
    CellAnswers
        Their rows in the order given. What is missing in one part is missing in the whole.
    """

    def joined(name: str) -> NDArray[np.float32] | None:
        values = [getattr(part, name) for part in parts]
        return None if any(value is None for value in values) else np.concatenate(values)

    return CellAnswers(
        np.concatenate([part.probabilities for part in parts]),
        joined("embedding"),
        joined("strangeness"),
        joined("own_probabilities"),
        parts[0].own_classes,
    )
