"""Cutting cells out of a field for a classifier.

Everything that decides what a network sees of a cell belongs here: which pixels, at which scale, on which
intensity scale. Networks themselves don't. One `CellCutter` a field finds the boxes and the intensity range
once, and shrinks a fine field to the scale of the crops; cells are then cut in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification._boxes import find_boxes
from organelle_widgets.classification._shrink import FullView, Grey, ShrunkView
from organelle_widgets.classification._taps import lying, resampled, taps
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

    A field of smaller pixels than the crops' is shrunk to their scale once; a crop is then a piece of it. Its middle
    is that of the cell's box to within half a pixel of the crop. All other fields are cut as they are.

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
        self._name = field.name
        self._ids, self._boxes = find_boxes(masks.cells)
        self.low, self.high = channel_ranges(field, masks)
        grey, step = Grey(self.low, self.high), _rounded(rule.pixel_size_um / field.pixel_size_um)
        self._finest = min(step, 1.0)
        self._view: FullView | ShrunkView
        if step > 1:
            self._view = ShrunkView(field, masks.cells, grey, step, self._boxes)
        else:
            self._view = FullView(field, masks.cells, grey)

    @property
    def nbytes(self) -> int:
        """Bytes that the cutter holds beside field and masks: those of the shrunken field."""
        return self._view.nbytes

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
        """Fill one crop with a piece of the view, or with one resampled if it has another scale or is too large."""
        place = int(np.searchsorted(self._ids, cell))
        if place == len(self._ids) or self._ids[place] != cell:
            message = f"Expected the id of a cell in the masks; found {cell}."
            raise InputError(message, source=self._name)
        top, bottom, left, right = self._boxes[place].tolist()
        longest = max(bottom - top, right - left) / self._view.step
        step = max(self._finest, longest / self.rule.size)
        sides = [
            _Side.of(*ends, length, self._view.step)
            for ends, length in zip(((top, bottom), (left, right)), self._view.shape, strict=True)
        ]
        if step == 1:
            _place(crop, self._view, cell, sides)
        else:
            _resample(crop, self._view, cell, sides, step)


@dataclass(frozen=True)
class _Side:
    """A cell along one axis of a view: where its box lies, and the middle of that, from the beginning of pixel 0."""

    span: tuple[int, int]
    middle: float

    @classmethod
    def of(cls, start: int, stop: int, length: int, step: float) -> _Side:
        """From its box in the field; the middle is that of a pixel."""
        middle = start + (stop - start) // 2 + 0.5
        span = int(start / step), min(length, int(np.ceil(stop / step)))
        return cls(span, middle / step)


def _place(
    crop: NDArray[np.float32], view: FullView | ShrunkView, cell: int, sides: list[_Side]
) -> None:
    """Copy the piece of the view around the pixel that holds the middle of the cell's box."""
    size = crop.shape[-1]
    origins = [int(np.floor(side.middle)) - size // 2 for side in sides]
    rows, cols = (
        (max(side.span[0], origin), min(side.span[1], origin + size))
        for side, origin in zip(sides, origins, strict=True)
    )
    inner = [slice(a - o, b - o) for (a, b), o in zip((rows, cols), origins, strict=True)]
    view.read(cell, rows, cols, crop[:, inner[0], inner[1]])


def _resample(
    crop: NDArray[np.float32],
    view: FullView | ShrunkView,
    cell: int,
    sides: list[_Side],
    step: float,
) -> None:
    """Average or interpolate the cell's box, `step` pixels of the view to one."""
    size = crop.shape[-1]
    image = lying([side.span[1] - side.span[0] for side in sides])
    view.read(cell, sides[0].span, sides[1].span, image)
    rows, cols = (
        taps(length, step, side.middle - side.span[0] - (size // 2 + 0.5) * step, size)
        for length, side in zip(image.shape[1:], sides, strict=True)
    )
    crop[:] = resampled(image, rows, cols)


def _rounded(step: float) -> float:
    """The whole number next to a step that differs from it by less than a thousandth: crops look the same."""
    whole = round(step)
    return float(whole) if whole and abs(step / whole - 1) < 1e-3 else step


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
