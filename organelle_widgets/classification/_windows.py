"""Cutting cells as published networks and those of other people want them.

`organelle_widgets.classification._crops` holds the one rule of our own networks. Here is what others use: windows of
a fixed extent or boxes that are stretched, other cells shown or not, and four ways of scaling grey values. A window is
cut straight from the field, whatever the field's pixel size, and the field is never copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from organelle_widgets.classification._boxes import find_boxes
from organelle_widgets.classification._crops import channel_ranges
from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["SCALINGS", "Scaling", "WindowCutter", "WindowRule"]

Scaling = Literal["field", "full_scale", "cell", "cell_channel"]
SCALINGS: tuple[Scaling, ...] = ("field", "full_scale", "cell", "cell_channel")
_EPSILON = 1e-6
"""What is added to a range of grey values before dividing by it, as SubCell does."""


@dataclass(frozen=True)
class WindowRule:
    """How a network wants its cells cut.

    Parameters
    ----------
    size : int
        Side of the square crop, px; at least 8.
    extent_um : float, optional
        Side of the window that the crop shows, um, centred on the cell's bounding box; outside of the field it is
        zero. None for the bounding box itself, stretched to the square.
    margin_um : float
        What the bounding box is widened by on each side, um, as far as the field reaches; for boxes only.
    masked : bool
        Whether everything but the cell is zero.
    grow_um : float
        How far the cell is widened before it masks, um.
    channels : tuple of int
        Channels of the crop, by their index in a field, in the network's order.
    scaling : {"field", "full_scale", "cell", "cell_channel"}
        Which grey values become 0 and 1: those of `channel_ranges`, shared by all cells of a field; 0 and the largest
        value that the field's dtype can hold; smallest and largest value in the crop, over all channels together or
        in each channel for itself.

    Raises
    ------
    SettingsError
        If one of them can't be followed.
    """

    size: int = 128
    extent_um: float | None = None
    margin_um: float = 0.0
    masked: bool = True
    grow_um: float = 0.0
    channels: tuple[int, ...] = (0, 1, 2, 3)
    scaling: Scaling = "field"

    def __post_init__(self) -> None:
        lengths = (self.margin_um, self.grow_um, 1.0 if self.extent_um is None else self.extent_um)
        if self.size < 8:
            message = f"Expected a crop of at least 8 px; found {self.size!r}."
        elif not np.isfinite(lengths).all() or min(lengths) < 0 or not lengths[-1]:
            message = f"Expected an extent above 0 um and no margin below; found {lengths}."
        elif not self.channels or not set(self.channels) <= set(range(len(CHANNELS))):
            message = f"Expected channels from 0 to {len(CHANNELS) - 1}; found {self.channels}."
        elif self.scaling not in SCALINGS:
            message = f"Expected a scaling out of {', '.join(SCALINGS)}; found {self.scaling!r}."
        else:
            return
        raise SettingsError(message)


@dataclass(frozen=True)
class _Span:
    """The part of one axis that a crop shows: from `start` on, `length` px, of which the field has `low` to `high`."""

    start: float
    length: float
    low: int
    high: int

    @property
    def slice(self) -> slice:
        """The pixels that the field has."""
        return slice(self.low, self.high)

    def matrix(self, size: int) -> NDArray[np.float32]:
        """Matrix (size, high - low) that resamples the field's pixels; shrinking averages, enlarging interpolates."""
        step = self.length / size
        centres = self.start + (np.arange(size) + 0.5) * step - 0.5
        width = max(step, 1.0)
        distance = np.abs(np.arange(self.low, self.high)[None, :] - centres[:, None])
        overlap = np.clip((width + 1) / 2 - distance, 0, 1)
        overlap /= np.maximum(overlap.sum(axis=1, keepdims=True), _EPSILON)
        inside = (centres >= self.low - 0.5) & (centres <= self.high - 0.5)
        weights: NDArray[np.float32] = (overlap * inside[:, None]).astype(np.float32)
        return weights


class WindowCutter:
    """Cuts the cells of one field by a `WindowRule`.

    Parameters
    ----------
    field : Field
        The field, at any pixel size.
    masks : Masks
        Its cells, of the field's shape.
    rule : WindowRule
        How to cut.

    Raises
    ------
    InputError
        If field and masks differ in shape.
    """

    def __init__(self, field: Field, masks: Masks, rule: WindowRule) -> None:
        if masks.shape != field.shape:
            message = f"Expected masks of the field's shape {field.shape}; found {masks.shape}."
            raise InputError(message, source=field.name)
        self.rule = rule
        self._field, self._cells = field, masks.cells
        ids, boxes = find_boxes(masks.cells)
        self._boxes = dict(zip(ids.tolist(), boxes.tolist(), strict=True))
        self._channels = list(rule.channels)
        self._by_cell = rule.scaling in ("cell", "cell_channel")
        self._low, self._high = self._range(masks)

    def cut(self, cell_ids: NDArray[Any] | Sequence[int]) -> NDArray[np.float32]:
        """Cut cells.

        Parameters
        ----------
        cell_ids : array_like of int, shape (n,)
            Ids in the masks.

        Returns
        -------
        ndarray of float32, shape (n, n_channels, size, size)
            In [0, 1]; zero in missing channels.

        Raises
        ------
        InputError
            If an id is not in the masks.
        """
        size = self.rule.size
        crops = np.zeros((len(cell_ids), len(self._channels), size, size), np.float32)
        for crop, cell in zip(crops, cell_ids, strict=True):
            crop[:] = self._scaled(self._window(int(cell)))
        return crops

    def _range(self, masks: Masks) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Grey values of the field that become 0 and 1 where all cells share them, shape (n_channels, 1, 1)."""
        if self.rule.scaling == "field":
            low, high = channel_ranges(self._field, masks)
        else:
            low = np.zeros(len(CHANNELS), np.float32)
            high = np.full(len(CHANNELS), self._field.full_scale, np.float32)
        return low[self._channels, None, None], high[self._channels, None, None]

    def _window(self, cell: int) -> NDArray[np.float32]:
        """One cell's window, resampled to the crop's size."""
        if cell not in self._boxes:
            message = f"Expected the id of a cell in the masks; found {cell}."
            raise InputError(message, source=self._field.name)
        top, bottom, left, right = self._boxes[cell]
        rows, cols = self._span(top, bottom, axis=0), self._span(left, right, axis=1)
        pixels = self._field.pixels[:, rows.slice, cols.slice][self._channels].astype(np.float32)
        if not self._by_cell:
            pixels -= self._low
            pixels /= self._high - self._low
            np.clip(pixels, 0, 1, out=pixels)
        if self.rule.masked:
            np.multiply(pixels, self._mask(cell, rows, cols), out=pixels)
        size = self.rule.size
        return np.asarray(rows.matrix(size) @ pixels @ cols.matrix(size).T, np.float32)

    def _span(self, first: int, stop: int, axis: int) -> _Span:
        """What a crop shows along one axis of a cell whose bounding box begins and stops there."""
        pixel_um, most = self._field.pixel_size_um, self._field.shape[axis]
        if self.rule.extent_um is None:
            margin = round(self.rule.margin_um / pixel_um)
            low, high = max(first - margin, 0), min(stop + margin, most)
            return _Span(low, high - low, low, high)
        length = self.rule.extent_um / pixel_um
        start = (first + stop) / 2 - length / 2
        low, high = max(int(np.floor(start)), 0), min(int(np.ceil(start + length)), most)
        return _Span(start, length, low, high)

    def _mask(self, cell: int, rows: _Span, cols: _Span) -> NDArray[np.bool_]:
        """Where the cell is in a window, widened."""
        inside: NDArray[np.bool_] = self._cells[rows.slice, cols.slice] == cell
        reach = round(self.rule.grow_um / self._field.pixel_size_um)
        if not reach:
            return inside
        grown: NDArray[np.bool_] = ndimage.maximum_filter(inside, size=2 * reach + 1)
        return grown

    def _scaled(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Grey values of a window from the smallest to the largest of this cell, where the rule asks for that."""
        if not self._by_cell:
            return window
        axes = (0, 1, 2) if self.rule.scaling == "cell" else (1, 2)
        low, high = window.min(axis=axes, keepdims=True), window.max(axis=axes, keepdims=True)
        window -= low
        window /= high - low + np.float32(_EPSILON)
        return window
