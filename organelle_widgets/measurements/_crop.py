"""One cell cut out of its field for measuring: sums over its own pixels, three grids, and distances in it.

A crop holds what several groups need and computes each of it once, when it is first asked for. The field is never
copied; a cell is worked on in its bounding box.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from organelle_widgets.core.channels import CHANNELS, channel_index
from organelle_widgets.errors import InputError
from organelle_widgets.measurements._grid import N_PLANES, PROTEIN, Grid, grid_factors, shrunk
from organelle_widgets.measurements._levels import Levels, field_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["EDGE_UM", "CellCrop", "CellCropper", "depth", "ends"]

EDGE_UM = 1.0
"""How wide the zone at the cell's edge is."""


@dataclass(frozen=True, eq=False)
class CellCrop:
    """One cell, ready to be measured.

    Parameters
    ----------
    cell_id : int
        Its id in the masks.
    pixel_size_um : float
        Of the field.
    n_pixels, n_nucleus_pixels : int
        Pixels of the field in the cell and in its nucleus; 0 where there is none.
    sums : ndarray of float64, shape (4, 2)
        Sums of each channel above background over the cell and over its nucleus.
    n_saturated : int
        Pixels of the protein channel in the cell that are as bright as the dtype allows; -1 where floats don't tell.
    n_border_sides : int
        Pixel sides of the cell that lie on the edge of the field.
    cut : tuple of bool
        Whether the crop ends at the field's edge: top, bottom, left, right.
    fine, coarse, zones : Grid
        The cell at about 0.16, 0.32 and 0.64 um per pixel, or at the field's own pixel size where that is coarser.
    levels : Levels
        Background, range and thresholds of the field.
    full_scale : float
        The largest grey level that the field can hold.
    missing : frozenset of int
        Indices of the channels that were not recorded.
    """

    cell_id: int
    pixel_size_um: float
    n_pixels: int
    n_nucleus_pixels: int
    sums: NDArray[np.float64]
    n_saturated: int
    n_border_sides: int
    cut: tuple[bool, bool, bool, bool]
    fine: Grid
    coarse: Grid
    zones: Grid
    levels: Levels
    full_scale: float
    missing: frozenset[int]

    @property
    def has_nucleus(self) -> bool:
        """Whether a nucleus was found."""
        return self.n_nucleus_pixels > 0

    @cached_property
    def edge_um(self) -> NDArray[np.float32]:
        """Distance from each pixel of `zones` to the cell's outline, um, shape (Y, X); 0 outside the cell.

        Where the field cuts the cell there is no outline. Infinite if there is none at all.
        """
        top, bottom, left, right = (0 if side else 1 for side in self.cut)
        rows, cols = self.zones.inside.shape
        padded = np.zeros((top + rows + bottom, left + cols + right), bool)
        padded[top : top + rows, left : left + cols] = self.zones.inside
        distance = depth(padded, self.zones.pixel_size_um)
        return distance[top : top + rows, left : left + cols]

    @cached_property
    def nucleus_um(self) -> NDArray[np.float32] | None:
        """Distance from each pixel of `zones` to the nucleus's outline, um, shape (Y, X); 0 in the nucleus.

        None without a nucleus.
        """
        return depth(~self.zones.nucleus, self.zones.pixel_size_um) if self.has_nucleus else None

    @cached_property
    def edge_zone(self) -> NDArray[np.bool_]:
        """Pixels of the coarse grid in the cytoplasm within about 1 um of the cell's outline, shape (Y, X).

        As many rings of pixels as make 1 um, at least one. Where the field cuts the cell there is no outline.
        """
        rings = max(1, round(EDGE_UM / self.coarse.pixel_size_um))
        zone: NDArray[np.bool_] = self.coarse.cytoplasm & ~_peeled(
            self.coarse.inside, rings, self.cut
        )
        return zone


class CellCropper:
    """Cuts the cells of one field.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        Its cells, of the field's shape.

    Raises
    ------
    InputError
        If field and masks differ in shape.
    """

    def __init__(self, field: Field, masks: Masks) -> None:
        if masks.shape != field.shape:
            message = f"Expected masks of the field's shape {field.shape}; found {masks.shape}."
            raise InputError(message, source=field.name)
        self._field, self._masks = field, masks
        self._factors = grid_factors(field.pixel_size_um)
        self._boxes: list[Any] = ndimage.find_objects(masks.cells)
        self._missing = frozenset(channel_index(key) for key in field.missing)
        self._full_scale = field.full_scale
        self.levels = field_levels(field, masks, self._factors[0])

    def cut(self, cell_id: int) -> CellCrop:
        """Cut one cell.

        Parameters
        ----------
        cell_id : int
            Its id in the masks.

        Returns
        -------
        CellCrop
            The cell.

        Raises
        ------
        InputError
            If there is no such cell.
        """
        rows, cols = self._box(cell_id)
        inside = self._masks.cells[rows, cols] == cell_id
        nucleus = inside & (self._masks.nuclei[rows, cols] == cell_id)
        planes = self._planes(rows, cols, inside, nucleus)
        counts = int(np.count_nonzero(inside)), int(np.count_nonzero(nucleus))
        n_saturated, in_nucleus = self._saturated(planes[PROTEIN]), self._nucleus_sums(planes)
        (fine, coarse, zones), whole = self._grids(planes)
        background = np.outer(self.levels.background.astype(np.float64), counts)
        height, width = self._field.shape
        return CellCrop(
            cell_id=cell_id,
            pixel_size_um=float(self._field.pixel_size_um),
            n_pixels=counts[0],
            n_nucleus_pixels=counts[1],
            sums=np.column_stack([whole, in_nucleus]) - background,
            n_saturated=n_saturated,
            n_border_sides=_on_border(inside, rows, cols, self._field.shape),
            cut=(rows.start == 0, rows.stop >= height, cols.start == 0, cols.stop >= width),
            fine=fine,
            coarse=coarse,
            zones=zones,
            levels=self.levels,
            full_scale=self._full_scale,
            missing=self._missing,
        )

    def _box(self, cell_id: int) -> tuple[slice, slice]:
        """The cell's bounding box, widened to whole blocks of the zones' grid but not beyond the field."""
        box = self._boxes[cell_id - 1] if 0 < cell_id <= len(self._boxes) else None
        if box is None:
            message = f"Expected the id of a cell in the masks; found {cell_id}."
            raise InputError(message, source=self._field.name)
        step = self._factors[-1]
        rows, cols = (
            slice(side.start // step * step, min(-(-side.stop // step) * step, length))
            for side, length in zip(box, self._field.shape, strict=True)
        )
        return rows, cols

    def _planes(
        self, rows: slice, cols: slice, inside: NDArray[np.bool_], nucleus: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Channels with 0 outside the cell, the cell and its nucleus, in the field's dtype: shape (6, Y, X)."""
        planes = np.empty((N_PLANES, *inside.shape), self._field.pixels.dtype)
        planes[4], planes[5] = inside, nucleus
        np.multiply(self._field.pixels[:, rows, cols], planes[4], out=planes[: len(CHANNELS)])
        return planes

    def _nucleus_sums(self, planes: NDArray[Any]) -> NDArray[np.float64]:
        """Sums of the channels over the nucleus, shape (4,)."""
        nucleus = planes[5]
        if not nucleus.any():
            return np.zeros(len(CHANNELS))
        (top, bottom), (left, right) = (ends(nucleus.any(axis)) for axis in (1, 0))
        part = (slice(top, bottom), slice(left, right))
        return _total(planes[: len(CHANNELS), *part] * nucleus[part])

    def _grids(self, planes: NDArray[Any]) -> tuple[list[Grid], NDArray[np.float64]]:
        """The cell on the three grids, and the sums of the channels over it, shape (4,).

        A block that the field cuts off is filled up with its last row or column, which the sums leave out.
        """
        fine, coarse, zones = self._factors
        size = self._field.pixel_size_um
        short = [-length % zones for length in planes.shape[1:]]
        whole = _total(planes[: len(CHANNELS)]) if any(short) else None
        if any(short):
            planes = np.pad(planes, ((0, 0), (0, short[0]), (0, short[1])), mode="edge")
        planes = shrunk(planes, fine)
        whole = _total(planes[: len(CHANNELS)]) if whole is None else whole
        planes[: len(CHANNELS)] -= self.levels.background[:, None, None] * planes[4]
        grids = [Grid(planes, size * fine, fine**2)]
        for done, factor in ((fine, coarse), (coarse, zones)):
            last = grids[-1]
            smaller = shrunk(last.planes, factor // done)
            grids.append(last if factor == done else Grid(smaller, size * factor, factor**2))
        return grids, whole

    def _saturated(self, protein: NDArray[Any]) -> int:
        """Pixels at full scale; -1 for float fields."""
        if protein.dtype == np.float32:
            return -1
        return int(np.count_nonzero(protein == protein.dtype.type(self._full_scale)))


def _total(planes: NDArray[Any]) -> NDArray[np.float64]:
    """Sums of planes, to float32's seven digits: shape (n,)."""
    rows = [plane.astype(np.float32, copy=False).sum(axis=1) for plane in planes]
    return np.array([row.sum(dtype=np.float64) for row in rows])


def _on_border(inside: NDArray[np.bool_], rows: slice, cols: slice, shape: tuple[int, int]) -> int:
    """Pixel sides of a cell on the edge of the field."""
    edges = (
        (rows.start == 0, inside[0]),
        (rows.stop == shape[0], inside[-1]),
        (cols.start == 0, inside[:, 0]),
        (cols.stop == shape[1], inside[:, -1]),
    )
    return sum(int(np.count_nonzero(line)) for touches, line in edges if touches)


def ends(line: Any) -> tuple[int, int]:
    """First true place of a line of booleans and one past the last."""
    return int(line.argmax()), line.size - int(line[::-1].argmax())


def _peeled(
    region: NDArray[np.bool_], rings: int, keep: tuple[bool, bool, bool, bool]
) -> NDArray[np.bool_]:
    """A region without its outer rings of pixels, by crosses and squares in turn, which makes octagons.

    What lies beyond a side that is kept (top, bottom, left, right) counts as region.
    """
    rows, cols = region.shape
    framed = np.zeros((rows + 2, cols + 2), bool)
    framed[0], framed[-1], framed[:, 0], framed[:, -1] = keep
    framed[1:-1, 1:-1] = region
    for ring in range(rings):
        down = framed[1:-1] & framed[:-2] & framed[2:]
        if ring % 2:
            inner = down[:, 1:-1] & down[:, :-2] & down[:, 2:]
        else:
            inner = down[:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
        framed[1:-1, 1:-1] = inner
    return framed[1:-1, 1:-1]


def depth(region: NDArray[np.bool_], pixel_size_um: float) -> NDArray[np.float32]:
    """Distance from the centre of each pixel of a region to its outline, um; 0 outside, infinite without outline."""
    if region.all():
        return np.full(region.shape, np.inf, np.float32)
    distance: NDArray[np.float64] = ndimage.distance_transform_edt(region)
    depth: NDArray[np.float32] = (np.maximum(distance - 0.5, 0) * pixel_size_um).astype(np.float32)
    return depth
