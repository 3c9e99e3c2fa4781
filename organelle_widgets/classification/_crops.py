"""Cutting cells out of a field for a classifier.

Everything that decides what a network sees of a cell belongs here: which pixels, at which scale, on which
intensity scale. Networks themselves don't. One `CellCutter` a field finds the boxes and the intensity range
once; cells are then cut in any order, and the field is never copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["CellCutter", "CropRule", "channel_ranges", "cut_crops"]

LOW_PERCENTILE = 1.0
HIGH_PERCENTILE = 99.7
LARGEST_GAIN_RATIO = 10.0
"""No channel is stretched more than this many times as much as the field's strongest one."""
_SAMPLES = 1 << 17


@dataclass(frozen=True)
class CropRule:
    """How a classifier wants its cells cut.

    The cell's bounding box is centred, pixels of other cells and of the background are zero, and every crop has
    the same physical scale, so that a speckle stays a speckle whatever the microscope. Only a cell that does not
    fit is shrunk until it does.

    Parameters
    ----------
    size : int
        Side of the square crop, px; at least 8.
    pixel_size_um : float
        Micrometres per pixel of the crop. The default shows 41 um and is the scale of HPA's 512 px images.

    Raises
    ------
    SettingsError
        If the size or the scale can't be those of a crop.
    """

    size: int = 128
    pixel_size_um: float = 0.32

    def __post_init__(self) -> None:
        if self.size < 8:
            message = f"Expected a crop of at least 8 px; found {self.size!r}."
            raise SettingsError(message)
        if not (np.isfinite(self.pixel_size_um) and self.pixel_size_um > 0):
            message = f"Expected a crop's pixel size above 0 um; found {self.pixel_size_um!r}."
            raise SettingsError(message)


def channel_ranges(field: Field, masks: Masks) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Grey values that stand for 0 and 1 in the crops of a field.

    0 is the channel's background, its 1st percentile. 1 is the 99.7th percentile of its pixels in cells. All cells
    of a field share them, so bright and dim cells stay so. A channel is never stretched more than ten times as
    much as the strongest one: a protein signal that hardly differs from background stays near 0 in the crops.
    Being relative to the other channels, the rule holds for 8-bit, 12-bit in 16-bit, and float images alike.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        Its cells.

    Returns
    -------
    low, high : ndarray of float32, shape (4,)
        In the field's own grey values; ``high > low``.

    Notes
    -----
    Percentiles are taken of a regular sample of at least 131,000 pixels, or of all where there are fewer.
    """
    step = max(1, int(np.sqrt(field.pixels[0].size / _SAMPLES)))
    pixels = field.pixels[:, ::step, ::step]
    inside = pixels[:, masks.cells[::step, ::step] > 0]
    flat = pixels.reshape(len(CHANNELS), -1)
    low = np.percentile(flat, LOW_PERCENTILE, axis=1)
    high = np.percentile(inside if inside.size else flat, HIGH_PERCENTILE, axis=1)
    span = np.maximum(high - low, 0)
    smallest = max(float(span.max()) / LARGEST_GAIN_RATIO, 1e-6 * field.full_scale)
    return low.astype(np.float32), (low + np.maximum(span, smallest)).astype(np.float32)


class CellCutter:
    """Cuts the cells of one field.

    Parameters
    ----------
    field : Field
        The field, at any pixel size.
    masks : Masks
        Its cells, of the field's shape.
    rule : CropRule
        How to cut.

    Raises
    ------
    InputError
        If field and masks differ in shape.
    """

    def __init__(self, field: Field, masks: Masks, rule: CropRule) -> None:
        if masks.shape != field.shape:
            message = f"Expected masks of the field's shape {field.shape}; found {masks.shape}."
            raise InputError(message, source=field.name)
        self.rule = rule
        self._field, self._cells = field, masks.cells
        self._boxes: list[Any] = ndimage.find_objects(masks.cells)
        self.low, self.high = channel_ranges(field, masks)

    def cut(self, cell_ids: NDArray[Any] | Sequence[int]) -> NDArray[np.float32]:
        """Cut cells.

        Parameters
        ----------
        cell_ids : array_like of int, shape (n,)
            Ids in the masks.

        Returns
        -------
        ndarray of float32, shape (n, 4, size, size)
            In [0, 1]; zero outside the cell and in missing channels.

        Raises
        ------
        InputError
            If an id is not in the masks.
        """
        size = self.rule.size
        crops = np.zeros((len(cell_ids), len(CHANNELS), size, size), np.float32)
        for crop, cell in zip(crops, cell_ids, strict=True):
            self._cut_into(crop, int(cell))
        return crops

    def _cut_into(self, crop: NDArray[np.float32], cell: int) -> None:
        """Fill one crop: the masked box between two matrices that average rows and columns."""
        box = self._boxes[cell - 1] if 0 < cell <= len(self._boxes) else None
        if box is None:
            message = f"Expected the id of a cell in the masks; found {cell}."
            raise InputError(message, source=self._field.name)
        inside = self._cells[box] == cell
        pixels = self._field.pixels[:, box[0], box[1]].astype(np.float32)
        pixels -= self.low[:, None, None]
        pixels /= (self.high - self.low)[:, None, None]
        np.clip(pixels, 0, 1, out=pixels)
        pixels *= inside
        step = max(
            self.rule.pixel_size_um / self._field.pixel_size_um, max(inside.shape) / self.rule.size
        )
        rows = _resampling(inside.shape[0], self.rule.size, step)
        cols = _resampling(inside.shape[1], self.rule.size, step)
        crop[:] = rows @ pixels @ cols.T


def _resampling(length: int, size: int, step: float) -> NDArray[np.float32]:
    """Matrix (size, length) that puts `length` pixels in the middle of `size`, `step` of them to one.

    Shrinking averages over the area of the new pixel, which is the anti-aliasing; enlarging interpolates linearly.
    Beyond the ends everything counts as zero.
    """
    centres = length // 2 + (np.arange(size) - size // 2) * step
    width = max(step, 1.0)
    distance = np.abs(np.arange(length)[None, :] - centres[:, None])
    overlap = np.clip((width + 1) / 2 - distance, 0, 1)
    return (overlap / width).astype(np.float32)


def cut_crops(
    field: Field, masks: Masks, rule: CropRule, cell_ids: NDArray[Any] | Sequence[int]
) -> NDArray[np.float32]:
    """Cut some cells of a field; see `CellCutter` for many calls on one field.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        Its cells.
    rule : CropRule
        How to cut.
    cell_ids : array_like of int, shape (n,)
        Ids in the masks.

    Returns
    -------
    ndarray of float32, shape (n, 4, size, size)
        In [0, 1]; zero outside the cell and in missing channels.

    Raises
    ------
    InputError
        If field and masks differ in shape, or an id is not in the masks.
    """
    return CellCutter(field, masks, rule).cut(cell_ids)
