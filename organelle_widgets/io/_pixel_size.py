"""Pixel sizes: units to micrometres, and who is believed when a file and a person disagree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.field import ASSUMED_PIXEL_SIZE_UM, PIXEL_SIZES_UM
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.core.field import PixelSizeSource

__all__ = ["check_given", "choose_pixel_size", "to_um"]

_UM_PER_UNIT = {
    "m": 1e6,
    "meter": 1e6,
    "metre": 1e6,
    "cm": 1e4,
    "centimeter": 1e4,
    "mm": 1e3,
    "millimeter": 1e3,
    "millimetre": 1e3,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "nanometre": 1e-3,
    "a": 1e-4,
    "angstrom": 1e-4,
    "pm": 1e-6,
    "picometer": 1e-6,
    "inch": 25400.0,
    "in": 25400.0,
}
_PLAUSIBLE_UM = (0.005, 20.0)  # from super-resolution to a 1x objective
_TOLERANCE = 0.01


def to_um(
    size: tuple[Any, Any], units: tuple[str, str]
) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Turn a pixel size into micrometres.

    Parameters
    ----------
    size : tuple of float
        Along rows and columns.
    units : tuple of str
        Their units as the file spells them.

    Returns
    -------
    size_um : tuple of float or None
        Micrometres per pixel, rows then columns; None where the values can't be trusted.
    notes : tuple of str
        Why not, as a sentence.
    """
    spelled = f"{size[0]} x {size[1]} {units[1] or 'without a unit'}"
    factors = [_UM_PER_UNIT.get(_plain(unit)) for unit in units]
    if None in factors:
        return None, (f"The file's pixel size ({spelled}) has no unit known here and is not used.",)
    try:
        row, col = (float(s) * f for s, f in zip(size, factors, strict=True) if f is not None)
    except (TypeError, ValueError):
        return None, (f"The file's pixel size ({spelled}) is no number and is not used.",)
    low, high = _PLAUSIBLE_UM
    if not (low <= row <= high and low <= col <= high):
        return None, (f"The file's pixel size ({spelled}) is not plausible and is not used.",)
    return (row, col), ()


def check_given(pixel_size_um: float | None) -> None:
    """Refuse a pixel size that can't be one.

    Parameters
    ----------
    pixel_size_um : float or None
        What the person said; None where nothing was said.

    Raises
    ------
    InputError
        If it is no number within `PIXEL_SIZES_UM`.
    """
    if pixel_size_um is None:
        return
    is_number = isinstance(pixel_size_um, (int, float, np.number)) and not isinstance(
        pixel_size_um, bool
    )
    low, high = PIXEL_SIZES_UM
    if not is_number or not low <= pixel_size_um <= high:
        message = (
            f"Expected pixel_size_um as micrometres per pixel, {low:g} to {high:g}; "
            f"found {pixel_size_um!r}."
        )
        raise InputError(message, hint="The confocal fields of HPA have 0.08.")


def choose_pixel_size(
    given: float | None, measured: Mapping[str, tuple[float, float]]
) -> tuple[float, PixelSizeSource, tuple[str, ...]]:
    """Decide on one pixel size: given, else from metadata, else assumed.

    Parameters
    ----------
    given : float or None
        What the person said, um.
    measured : mapping of str to tuple of float
        What each file says: micrometres along rows and columns.

    Returns
    -------
    pixel_size_um : float
        Micrometres per pixel.
    source : {"metadata", "given", "assumed"}
        Where it comes from.
    notes : tuple of str
        A sentence where a file disagrees with what was given, or nobody said anything.

    Raises
    ------
    InputError
        If nothing was given and pixels are not square, or the files disagree by more than 1 %.
    """
    check_given(given)
    sizes = [side for pair in measured.values() for side in pair]
    if given is not None:
        notes = _disagreement(given, measured)
        return float(given), "given", notes
    if not sizes:
        note = f"No pixel size in the file: {ASSUMED_PIXEL_SIZE_UM:g} µm is assumed (HPA's confocal fields)."
        return ASSUMED_PIXEL_SIZE_UM, "assumed", (note,)
    for source, (row, col) in measured.items():
        if not _close(row, col):
            message = f"Expected square pixels; found {col:g} µm wide and {row:g} µm high."
            raise InputError(message, source=source, hint="Resample, or give pixel_size_um.")
    if not _close(min(sizes), max(sizes)):
        found = ", ".join(f"{source}: {pair[1]:g} µm" for source, pair in measured.items())
        message = f"Expected channels of one pixel size; found {found}."
        raise InputError(message, hint="Give pixel_size_um.")
    return sizes[-1], "metadata", ()


def _disagreement(given: float, measured: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
    """A sentence where a file says something else than the person."""
    for row, col in measured.values():
        if not (_close(given, row) and _close(given, col)):
            found = f"{col:g} µm" if _close(row, col) else f"{col:g} x {row:g} µm"
            return (f"The given pixel size {given:g} µm is used; the file says {found}.",)
    return ()


def _close(a: float, b: float) -> bool:
    """Whether two sizes agree within 1 %."""
    return math.isclose(a, b, rel_tol=_TOLERANCE)


def _plain(unit: str) -> str:
    """A unit's spelling in ASCII: both micro signs, ImageJ's escapes, the angstrom sign."""
    text = unit.strip().replace("\\u00B5", "u").replace("\\u00b5", "u")
    text = text.replace("\u00b5", "u").replace("\u03bc", "u").replace("\u00c5", "a")
    return text.lower()
