"""From the classes of other classifiers to the 19: names that mean one of them, and what becomes of probabilities.

A class of another classifier belongs to one of ours or to none. Where several belong to one of ours, it gets the
largest of their probabilities: the protein is in vesicles if it is in endosomes or in lysosomes, and which of them
is as good as the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.core.labels import CLASS_NAMES, N_CLASSES
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["ALIASES", "ClassMap", "our_class"]

_VESICLES = "Vesicles and punctate cytosolic patterns"
ALIASES: dict[str, str] = {
    "actin": "Actin filaments",
    "centriolar satellite": "Centrosome",
    "cell junctions": "Plasma membrane",
    "cytoplasm": "Cytosol",
    "cytoplasmic bodies": _VESICLES,
    "endosomes": _VESICLES,
    "er": "Endoplasmic reticulum",
    "focal adhesion sites": "Actin filaments",
    "golgi": "Golgi apparatus",
    "lipid droplets": _VESICLES,
    "lysosomes": _VESICLES,
    "microtubule organizing center": "Centrosome",
    "mtoc": "Centrosome",
    "nuclear envelope": "Nuclear membrane",
    "nucleoli rim": "Nucleoli",
    "nucleolus": "Nucleoli",
    "peroxisomes": _VESICLES,
    "unspecific": "Negative",
    "vesicles": _VESICLES,
}
"""Other names, in lower case, and the class of ours that they belong to."""

_BY_NAME = {name.lower(): name for name in CLASS_NAMES} | ALIASES


def our_class(name: str) -> int | None:
    """The class of ours that a name stands for.

    Parameters
    ----------
    name : str
        A name of ours or one of `ALIASES`; case does not matter.

    Returns
    -------
    int or None
        0 to 18; None where the name is unknown.
    """
    found = _BY_NAME.get(name.strip().lower())
    return None if found is None else CLASS_NAMES.index(found)


@dataclass(frozen=True)
class ClassMap:
    """The classes of another classifier and what they are among ours.

    Parameters
    ----------
    own : tuple of str
        Its names, in the order of its outputs.
    ours : tuple of int or None
        For each the index of our class; None where we have no such class.

    Raises
    ------
    InputError
        If names and classes differ in number.
    """

    own: tuple[str, ...]
    ours: tuple[int | None, ...]

    def __post_init__(self) -> None:
        if len(self.own) != len(self.ours):
            message = f"Expected one class of ours a name; found {len(self.own)} names and {len(self.ours)} classes."
            raise InputError(message)

    @classmethod
    def of(cls, own: Sequence[str], others: Mapping[str, str | None] | None = None) -> ClassMap:
        """The map of names that are ours, aliases, or among `others`.

        Parameters
        ----------
        own : sequence of str
            The classifier's names.
        others : mapping of str to str or None, optional
            For names that we don't know: the class of ours, or None to leave it out of the 19.

        Returns
        -------
        ClassMap
            With None for names that nobody knows.
        """
        known = dict(others or {})
        meant = [known.get(name, name) for name in own]
        return cls(tuple(own), tuple(None if name is None else our_class(name) for name in meant))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which of the 19 the classifier can name: ndarray of bool, shape (19,)."""
        found = np.zeros(N_CLASSES, bool)
        found[[index for index in self.ours if index is not None]] = True
        return found

    @property
    def is_ours(self) -> bool:
        """Whether the classifier's classes are the 19 in their order."""
        return self.own == CLASS_NAMES

    def to_ours(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of the 19.

        Parameters
        ----------
        probabilities : ndarray of float32, shape (n, n_own)
            Of the classifier's own classes.

        Returns
        -------
        ndarray of float32, shape (n, 19)
            For each the largest of those that belong to it; zero where none does.
        """
        ours = np.zeros((len(probabilities), N_CLASSES), np.float32)
        for column, index in enumerate(self.ours):
            if index is not None:
                np.maximum(ours[:, index], probabilities[:, column], out=ours[:, index])
        return ours
