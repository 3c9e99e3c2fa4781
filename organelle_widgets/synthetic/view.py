"""One cell as the painters see it: masks, distances and landmarks on a crop.

Virtual cells and real ones (whose references were recorded) come as the same `CellView`, so the nineteen patterns are
written once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.synthetic.grids import distance_um, psf_sigma_px, smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CellView", "Spindle"]

_MEASURED = (
    "edge_um",
    "outside_um",
    "inside_um",
    "soft_cell",
    "soft_nucleus",
    "cytoplasm",
    "thickness",
)


@dataclass(frozen=True)
class Spindle:
    """The axis of a dividing cell.

    Parameters
    ----------
    row, col : float
        Middle of the spindle, px.
    angle : float
        Direction from pole to pole, radians from the row axis towards the column axis.
    half_length_um : float
        Middle to pole.
    """

    row: float
    col: float
    angle: float
    half_length_um: float

    def poles(self, pixel_size_um: float) -> NDArray[np.float64]:
        """Where both poles are.

        Parameters
        ----------
        pixel_size_um : float
            Micrometres per pixel.

        Returns
        -------
        ndarray of float64, shape (2, 2)
            Rows and columns, px.
        """
        reach = self.half_length_um / pixel_size_um
        arm = reach * np.array([np.cos(self.angle), np.sin(self.angle)])
        poles: NDArray[np.float64] = np.array([self.row, self.col]) + np.array([arm, -arm])
        return poles


@dataclass(frozen=True, eq=False)
class CellView:
    """A crop around one cell.

    Parameters
    ----------
    cell, nucleus : ndarray of bool, shape (Y, X)
        The cell and its nucleus (the chromosomes, where it divides).
    pixel_size_um : float
        Micrometres per pixel.
    centrosome : tuple of float
        Row and column, px.
    nucleoli : ndarray of float32, shape (Y, X)
        1 in the nucleoli, soft at their rims, 0 elsewhere.
    spindle : Spindle or None
        Set where the cell divides.
    neighbours : ndarray of bool, shape (Y, X), or None
        Other cells.
    microtubules, dna, er : ndarray of float32, shape (Y, X), or None
        Reference channels in [0, 1], drawn or recorded.
    """

    cell: NDArray[np.bool_]
    nucleus: NDArray[np.bool_]
    pixel_size_um: float
    centrosome: tuple[float, float]
    nucleoli: NDArray[np.float32]
    spindle: Spindle | None = None
    neighbours: NDArray[np.bool_] | None = None
    microtubules: NDArray[np.float32] | None = None
    dna: NDArray[np.float32] | None = None
    er: NDArray[np.float32] | None = None

    def with_landmarks(self, **changes: Any) -> CellView:
        """The same cell with other landmarks or channels; distances that are known are kept.

        Parameters
        ----------
        **changes
            Values of fields, but not of the masks or the pixel size.

        Returns
        -------
        CellView
            A new view.
        """
        changed = replace(self, **changes)
        known = {name: self.__dict__[name] for name in _MEASURED if name in self.__dict__}
        changed.__dict__.update(known)
        return changed

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the crop."""
        return int(self.cell.shape[0]), int(self.cell.shape[1])

    @property
    def psf_px(self) -> float:
        """Blur of the optics, px."""
        return psf_sigma_px(self.pixel_size_um)

    @cached_property
    def edge_um(self) -> NDArray[np.float32]:
        """Distance to the cell's edge, um; 0 outside the cell."""
        return distance_um(self.cell, self.pixel_size_um)

    @cached_property
    def outside_um(self) -> NDArray[np.float32]:
        """Distance to the nucleus, um; 0 inside it."""
        return distance_um(~self.nucleus, self.pixel_size_um)

    @cached_property
    def inside_um(self) -> NDArray[np.float32]:
        """Depth in the nucleus, um; 0 outside it."""
        return distance_um(self.nucleus, self.pixel_size_um)

    @cached_property
    def soft_cell(self) -> NDArray[np.float32]:
        """The cell with a soft rim, 0 to 1."""
        soft: NDArray[np.float32] = np.clip(self.edge_um / 0.3, 0, 1) * self.cell
        return soft

    @cached_property
    def soft_nucleus(self) -> NDArray[np.float32]:
        """The nucleus with a soft rim, 0 to 1 and 0.5 on its outline."""
        across = self.inside_um - self.outside_um
        soft: NDArray[np.float32] = np.clip(np.float32(0.5) + across / np.float32(0.4), 0, 1)
        return soft

    @cached_property
    def cytoplasm(self) -> NDArray[np.float32]:
        """The cell without the nucleus, soft, 0 to 1."""
        soft: NDArray[np.float32] = self.soft_cell * (1 - self.soft_nucleus)
        return soft

    @cached_property
    def thickness(self) -> NDArray[np.float32]:
        """How much of a cell lies in the optical section: thin at the rim, 0 to 1."""
        gone = np.float32(0.85) * np.exp(-self.edge_um / 2)
        share: NDArray[np.float32] = (1 - gone) * self.soft_cell
        return share

    def around_nucleus(self, reach_um: float) -> NDArray[np.float32]:
        """A weight that is 1 at the nucleus and fades outwards.

        Parameters
        ----------
        reach_um : float
            Distance over which it falls by a factor e, um.

        Returns
        -------
        ndarray of float32, shape (Y, X)
            0 to 1.
        """
        fade: NDArray[np.float32] = np.exp(-self.outside_um / np.float32(reach_um))
        return fade

    def noise(self, rng: np.random.Generator, scale_um: float) -> NDArray[np.float32]:
        """Smooth noise of the crop's size.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the values.
        scale_um : float
            Typical distance between hills, um.

        Returns
        -------
        ndarray of float32, shape (Y, X)
            Mean about 0, standard deviation about 1.
        """
        return smooth_noise(rng, self.shape, scale_um / self.pixel_size_um)

    def pick(
        self, rng: np.random.Generator, weights: NDArray[Any], count: int
    ) -> NDArray[np.float64]:
        """Random positions, likelier where weights are high.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the choice.
        weights : ndarray, shape (Y, X)
            Not negative.
        count : int
            How many.

        Returns
        -------
        ndarray of float64, shape (count, 2)
            Rows and columns, px; shape (0, 2) where all weights are 0.
        """
        total = np.cumsum(weights, dtype=np.float64)
        if total[-1] <= 0:
            return np.zeros((0, 2))
        index = np.searchsorted(total, rng.random(count) * total[-1], side="right")
        index = np.minimum(index, total.size - 1)
        points = np.stack(np.unravel_index(index, self.shape), axis=1).astype(np.float64)
        points += rng.uniform(-0.5, 0.5, points.shape)
        return points
