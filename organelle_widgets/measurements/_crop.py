"""One cell cut out of its field for measuring: exact sums over its own pixels, two grids, and distances in it.

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

__all__ = ["CellCrop", "CellCropper", "depth"]


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
        Sums of each channel above background, exact, over the cell and over its nucleus.
    n_saturated : int
        Pixels of the protein channel in the cell that are as bright as the dtype allows; -1 where floats don't tell.
    n_border_sides : int
        Pixel sides of the cell that lie on the edge of the field.
    cut : tuple of bool
        Whether the crop ends at the field's edge: top, bottom, left, right.
    fine, coarse : Grid
        The cell at about 0.16 and 0.32 um per pixel, or at the field's own pixel size where that is coarser.
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
    levels: Levels
    full_scale: float
    missing: frozenset[int]

    @property
    def has_nucleus(self) -> bool:
        """Whether a nucleus was found."""
        return self.n_nucleus_pixels > 0

    @cached_property
    def edge_um(self) -> NDArray[np.float32]:
        """Distance from each coarse pixel's centre to the cell's outline, um, shape (Y, X); 0 outside the cell.

        Where the field cuts the cell there is no outline. Infinite if there is none at all.
        """
        top, bottom, left, right = (0 if side else 1 for side in self.cut)
        padded = np.pad(self.coarse.inside, ((top, bottom), (left, right)))
        distance = depth(padded, self.coarse.pixel_size_um)
        rows, cols = self.coarse.inside.shape
        return distance[top : top + rows, left : left + cols]

    @cached_property
    def nucleus_um(self) -> NDArray[np.float32] | None:
        """Distance from each coarse pixel's centre to the nucleus's outline, um, shape (Y, X); 0 in the nucleus."""
        if not self.has_nucleus:
            return None
        return depth(~self.coarse.nucleus, self.coarse.pixel_size_um)

    @cached_property
    def edge_zone(self) -> NDArray[np.bool_]:
        """Coarse pixels of the cytoplasm within 1 um of the cell's outline, at least the outermost, shape (Y, X)."""
        width = max(1.0, 0.51 * self.coarse.pixel_size_um)
        zone: NDArray[np.bool_] = self.coarse.cytoplasm & (self.edge_um <= width)
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
        fine, coarse = self._grids(rows, cols, inside, nucleus)
        n_nucleus = np.count_nonzero(nucleus)
        height, width = self._field.shape
        return CellCrop(
            cell_id=cell_id,
            pixel_size_um=float(self._field.pixel_size_um),
            n_pixels=np.count_nonzero(inside),
            n_nucleus_pixels=n_nucleus,
            sums=self._sums(rows, cols, (inside, nucleus) if n_nucleus else (inside,)),
            n_saturated=self._saturated(rows, cols, inside),
            n_border_sides=_on_border(inside, rows, cols, self._field.shape),
            cut=(rows.start == 0, rows.stop >= height, cols.start == 0, cols.stop >= width),
            fine=fine,
            coarse=coarse,
            levels=self.levels,
            full_scale=self._full_scale,
            missing=self._missing,
        )

    def _box(self, cell_id: int) -> tuple[slice, slice]:
        """The cell's bounding box, widened to whole blocks of the coarse grid but not beyond the field."""
        box = self._boxes[cell_id - 1] if 0 < cell_id <= len(self._boxes) else None
        if box is None:
            message = f"Expected the id of a cell in the masks; found {cell_id}."
            raise InputError(message, source=self._field.name)
        step = self._factors[1]
        rows, cols = (
            slice(side.start // step * step, min(-(-side.stop // step) * step, length))
            for side, length in zip(box, self._field.shape, strict=True)
        )
        return rows, cols

    def _sums(
        self, rows: slice, cols: slice, regions: tuple[NDArray[np.bool_], ...]
    ) -> NDArray[np.float64]:
        """Sums of the channels above background over the cell and its nucleus, shape (4, 2)."""
        sums = np.zeros((len(CHANNELS), 2))
        for number, region in enumerate(regions):
            top, left = _first(region.any(axis=1)), _first(region.any(axis=0))
            part = region[top[0] : top[1], left[0] : left[1]]
            pixels = self._field.pixels[
                :,
                rows.start + top[0] : rows.start + top[1],
                cols.start + left[0] : cols.start + left[1],
            ]
            sums[:, number] = [plane[part].sum(dtype=np.float64) for plane in pixels]
            sums[:, number] -= self.levels.background.astype(np.float64) * np.count_nonzero(part)
        return sums

    def _grids(
        self,
        rows: slice,
        cols: slice,
        inside: NDArray[np.bool_],
        nucleus: NDArray[np.bool_],
    ) -> tuple[Grid, Grid]:
        """The cell on both grids; a block that the field cuts off is filled up with its last row or column."""
        planes = np.empty((N_PLANES, *inside.shape), self._field.pixels.dtype)
        np.multiply(self._field.pixels[:, rows, cols], inside, out=planes[: len(CHANNELS)])
        planes[4], planes[5] = inside, nucleus
        fine, coarse = self._factors
        short = [-(side.stop - side.start) % coarse for side in (rows, cols)]
        if any(short):
            planes = np.pad(planes, ((0, 0), (0, short[0]), (0, short[1])), mode="edge")
        sums = shrunk(planes, fine)
        sums[: len(CHANNELS)] -= self.levels.background[:, None, None] * sums[4]
        size = self._field.pixel_size_um
        first = Grid(sums, size * fine, fine**2)
        if coarse == fine:
            return first, first
        return first, Grid(shrunk(sums, coarse // fine), size * coarse, coarse**2)

    def _saturated(self, rows: slice, cols: slice, inside: NDArray[np.bool_]) -> int:
        """Pixels of the protein channel at full scale in the cell; -1 for float fields."""
        if self._field.pixels.dtype == np.float32:
            return -1
        protein = self._field.pixels[PROTEIN, rows, cols]
        return int(np.count_nonzero((protein == self._full_scale) & inside))


def _on_border(
    inside: NDArray[np.bool_], rows: slice, cols: slice, shape: tuple[int, int]
) -> int:
    """Pixel sides of a cell on the edge of the field."""
    edges = (
        (rows.start == 0, inside[0]),
        (rows.stop == shape[0], inside[-1]),
        (cols.start == 0, inside[:, 0]),
        (cols.stop == shape[1], inside[:, -1]),
    )
    return sum(int(np.count_nonzero(line)) for touches, line in edges if touches)


def _first(line: NDArray[np.bool_]) -> tuple[int, int]:
    """First true place of a line and one past the last."""
    return int(line.argmax()), line.size - int(line[::-1].argmax())


def depth(region: NDArray[np.bool_], pixel_size_um: float) -> NDArray[np.float32]:
    """Distance from the centre of each pixel of a region to its outline, um; 0 outside, infinite without outline."""
    if region.all():
        return np.full(region.shape, np.inf, np.float32)
    distance: NDArray[np.float64] = ndimage.distance_transform_edt(region)
    depth: NDArray[np.float32] = (np.maximum(distance - 0.5, 0) * pixel_size_um).astype(np.float32)
    return depth
