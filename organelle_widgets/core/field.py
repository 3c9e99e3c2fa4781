"""One field of view: four channel images, their pixel size and where they came from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from organelle_widgets.core.channels import CHANNEL_KEYS, CHANNELS, channel_index
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["ASSUMED_PIXEL_SIZE_UM", "PIXEL_SIZES_UM", "Field", "PixelSizeSource"]

ASSUMED_PIXEL_SIZE_UM = 0.08
"""Pixel size of HPA's confocal fields, taken where a file says nothing."""

PIXEL_SIZES_UM = (0.001, 100.0)
"""The pixel sizes that a field of cells can have, with room to spare on both sides."""

PixelSizeSource = Literal["metadata", "given", "assumed"]


@dataclass(frozen=True, eq=False)
class Field:
    """One field of view.

    Parameters
    ----------
    pixels : ndarray of uint8, uint16 or float32, shape (4, Y, X)
        Microtubules, protein, nuclei, ER (red, green, blue, yellow). A missing channel is all zero.
        Floats are finite. The array is made read-only.
    name : str
        What people call the field; the common part of its file names.
    pixel_size_um : float
        Micrometres per pixel, the same along both axes; within `PIXEL_SIZES_UM`.
    pixel_size_source : {"metadata", "given", "assumed"}
        Whether a file said so, a person said so, or nobody did.
    missing : frozenset of str
        Keys of the channels that were not there; microtubules (``red``) and ER (``yellow``) may be.
    sources : mapping of str to str
        Where each channel was read from, by key.
    notes : tuple of str
        What a person should know, in whole sentences.
    extra : mapping of str to str
        Columns carried through to the results: well, gene, antibody.

    Raises
    ------
    InputError
        If shape, dtype, pixel size or values can't be those of a field.
    """

    pixels: NDArray[Any]
    name: str = "field"
    pixel_size_um: float = ASSUMED_PIXEL_SIZE_UM
    pixel_size_source: PixelSizeSource = "assumed"
    missing: frozenset[str] = frozenset()
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        if pixels.ndim != 3 or pixels.shape[0] != len(CHANNELS) or 0 in pixels.shape:
            message = f"Expected pixels of shape (4, Y, X); found {pixels.shape}."
            raise InputError(message, source=self.name)
        if pixels.dtype not in (np.uint8, np.uint16, np.float32):
            message = f"Expected pixels of dtype uint8, uint16 or float32; found {pixels.dtype}."
            raise InputError(message, source=self.name)
        if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
            message = "Expected finite pixel values; found NaN or infinity."
            raise InputError(message, source=self.name)
        low, high = PIXEL_SIZES_UM
        is_number = isinstance(self.pixel_size_um, (int, float, np.number))
        if not (is_number and low <= self.pixel_size_um <= high):
            message = (
                f"Expected a pixel size from {low:g} to {high:g} um; found {self.pixel_size_um!r}."
            )
            raise InputError(message, source=self.name)
        unknown = set(self.missing) - {"red", "yellow"}
        if unknown:
            message = (
                "Only microtubules (red) and ER (yellow) may be missing; "
                f"missing here: {', '.join(sorted(unknown))}."
            )
            raise InputError(message, source=self.name)
        filled = [key for key in sorted(self.missing) if pixels[channel_index(key)].any()]
        if filled:
            message = (
                f"Expected a missing channel to be all zero; found pixels in {', '.join(filled)}."
            )
            raise InputError(message, source=self.name)
        pixels = pixels.view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[2])

    @property
    def full_scale(self) -> float:
        """The largest value that the dtype can hold; for floats 1.0, or the field's maximum if that is more."""
        if self.pixels.dtype == np.float32:
            return max(1.0, float(self.pixels.max()))
        return float(np.iinfo(self.pixels.dtype).max)

    @property
    def present(self) -> tuple[str, ...]:
        """Keys of the channels that are there, in order."""
        return tuple(key for key in CHANNEL_KEYS if key not in self.missing)

    def channel(self, name: str | int) -> NDArray[Any]:
        """One channel by key, name or index.

        Parameters
        ----------
        name : str or int
            For instance ``"green"``, ``"Protein"`` or ``1``.

        Returns
        -------
        ndarray, shape (Y, X)
            A view, in the field's dtype; zeros where the channel is missing.

        Raises
        ------
        InputError
            If no channel has that name.
        """
        plane: NDArray[Any] = self.pixels[channel_index(name)]
        return plane

    def without(self, *channels: str) -> Field:
        """The same field as it would be had these channels not been recorded.

        Parameters
        ----------
        *channels : str
            Names of microtubules and ER: ``"red"``, ``"yellow"``.

        Returns
        -------
        Field
            With zeros in their place; a copy.

        Raises
        ------
        InputError
            If a name is unknown, or the channel can't be missing.
        """
        gone = [channel_index(name) for name in channels]
        pixels = self.pixels.copy()
        pixels[gone] = 0
        missing = self.missing | {CHANNEL_KEYS[index] for index in gone}
        return dataclasses.replace(self, pixels=pixels, missing=missing)

    def scaled(self) -> NDArray[np.float32]:
        """The pixels as fractions of full scale.

        Returns
        -------
        ndarray of float32, shape (4, Y, X)
            In [0, 1] for integers; a copy.
        """
        scaled: NDArray[np.float32] = np.multiply(
            self.pixels, np.float32(1.0 / self.full_scale), dtype=np.float32
        )
        return scaled

    def __repr__(self) -> str:
        rows, cols = self.shape
        gone = f", missing {', '.join(sorted(self.missing))}" if self.missing else ""
        return (
            f"Field({self.name!r}, {cols} x {rows} px, {self.pixels.dtype}, "
            f"{self.pixel_size_um:g} um/px {self.pixel_size_source}{gone})"
        )
