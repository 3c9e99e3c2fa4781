"""What a segmentation network saw in a field, kept so that cells can be outlined anew without running it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ProbabilityMaps"]


@dataclass(frozen=True, eq=False, repr=False)
class ProbabilityMaps:
    """Probabilities of a segmentation network over one field, at the pixel size at which it works.

    Parameters
    ----------
    values : ndarray of uint8, shape (n_maps, Y', X')
        Probability times 255, one plane a name. Made read-only.
    names : tuple of str
        What each plane is the probability of, such as ``"nucleus"`` or ``"cell border"``.
    shape : tuple of int
        Rows and columns of the field itself.
    made_by : str
        The backend with everything that its maps depend on; maps of equal `made_by` on the same field are equal.
    ratio : float
        How many of the field's pixels go into one of the maps', along each axis.

    Raises
    ------
    InputError
        If planes and names don't fit.
    """

    values: NDArray[np.uint8]
    names: tuple[str, ...]
    shape: tuple[int, int]
    made_by: str
    ratio: float = 1.0

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.ndim != 3 or values.dtype != np.uint8 or len(values) != len(self.names):
            message = (
                f"Expected {len(self.names)} maps of uint8, shape (n_maps, Y, X); "
                f"found {values.dtype}, shape {values.shape}."
            )
            raise InputError(message)
        values = values.view()
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def probability(self, name: str) -> NDArray[np.float32]:
        """One map as fractions.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        ndarray of float32, shape (Y', X')
            In [0, 1]; a copy.
        """
        plane: NDArray[Any] = self.values[self.names.index(name)]
        scaled: NDArray[np.float32] = plane * np.float32(1 / 255)
        return scaled

    def __repr__(self) -> str:
        _, rows, cols = self.values.shape
        return f"ProbabilityMaps({', '.join(self.names)}; {cols} x {rows} px, {self.made_by})"
