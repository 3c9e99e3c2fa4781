"""Whether the result of a field can be trusted: numbers that need no ground truth, and what they mean in words.

A segmentation goes wrong in few ways: the pixel size is not what the file says, a channel is dim, blurred, saturated
or empty, channels are swapped, or most cells are cut by the edge. Everything here is measured from the field and its
masks alone, so it holds for every segmenter.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core._channel_check import look_at_channels
from organelle_widgets.core._channel_words import channel_warnings, nuclei_are_doubted
from organelle_widgets.core._nuclei_channel import nucleus_edge_um, nucleus_width_um
from organelle_widgets.core._quality_words import fitting_pixel_size_um, warnings_for
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["BARE_NUCLEUS", "FieldQuality", "likely_pixel_size_um", "measure_quality"]

BARE_NUCLEUS = 1.2
"""A cell of less than so many times its nucleus's area is hardly more than a nucleus."""

_SAMPLE_PX = 512  # channels are judged by every n-th pixel of every n-th row, about so many a side
_AT_MAXIMUM = 0.99


@dataclass(frozen=True)
class FieldQuality:
    """How far the result of a field can be trusted.

    Parameters
    ----------
    n_cells : int
        How many cells were found, before any were left out.
    median_cell_area_um2, median_nucleus_area_um2 : float or None
        Um2; None where there are none.
    border_share : float
        Share of the cells that touch the edge of the field, 0 to 1.
    n_fragments : int
        Cells of which more than half is probably out of view.
    n_nuclei_without_cells : int
        Nuclei whose cell is hardly larger than they are: below 1.2 times their area.
    n_cells_without_nucleus : int
        Cells in which no nucleus was found.
    largest_cell_share : float
        Share of the field that the largest cell covers, 0 to 1.
    nucleus_width_um : float or None
        Width of bright things in the nuclei channel, um, whatever the masks say; None where nothing stands out.
    fitting_pixel_size_um : float or None
        The pixel size with which nuclei would have their usual width, where the field's own can't be right; None
        also where the nuclei channel seems to show something else.
    nucleus_edge_um : float or None
        Blur of the edges of nuclei as sigma of a Gaussian, um; about 0.25 to 0.6 in focus.
    saturated_share : mapping of str to float
        By channel key: share of the pixels in cells (nuclei channel: in nuclei) within 1 % of the channel's
        largest value, 0 to 1.
    grey_levels : mapping of str to int
        By channel key: how far the signal in cells (90th percentile; nuclei channel: median in nuclei) is above the
        background (1st percentile), in steps between neighbouring values; 8-bit images have up to 255.
    nuclei_scores : mapping of str to float
        By channel key: how much the channel looks like this field's nuclei, log odds. Above 0 nuclei; the nuclei
        channel should be above microtubules and ER.
    warnings : tuple of str
        What looks wrong and what to do about it, in whole sentences; most important first.
    """

    n_cells: int
    median_cell_area_um2: float | None
    median_nucleus_area_um2: float | None
    border_share: float
    n_fragments: int
    n_nuclei_without_cells: int
    n_cells_without_nucleus: int
    largest_cell_share: float
    nucleus_width_um: float | None
    fitting_pixel_size_um: float | None
    nucleus_edge_um: float | None
    saturated_share: Mapping[str, float]
    grey_levels: Mapping[str, int]
    nuclei_scores: Mapping[str, float] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The numbers, for JSON; the warnings are written apart.

        Returns
        -------
        dict
            By the names above; fractions to four significant digits.
        """
        names = [item.name for item in dataclasses.fields(self) if item.name != "warnings"]
        return {name: _rounded(getattr(self, name)) for name in names}


def measure_quality(field: Field, masks: Masks, cells: pd.DataFrame) -> FieldQuality:
    """Judge the result of a field.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        Its nuclei and cells, before any cell is left out.
    cells : pandas.DataFrame
        Their table; see `organelle_widgets.core.cells.cell_table`.

    Returns
    -------
    FieldQuality
        Numbers and warnings.

    Raises
    ------
    InputError
        If field, masks and table don't belong together.
    """
    if masks.shape != field.shape:
        message = f"Expected masks of the field's shape {field.shape}; found {masks.shape}."
        raise InputError(message, source=field.name)
    nuclei = field.channel("blue")
    width = nucleus_width_um(nuclei, field.pixel_size_um)
    numbers, looks = _counts(cells), look_at_channels(field)
    levels, saturated = _channels(field, masks)
    quality = FieldQuality(
        **numbers,
        largest_cell_share=_share_of_field(field, cells),
        nucleus_width_um=width,
        fitting_pixel_size_um=None
        if nuclei_are_doubted(looks)
        else fitting_pixel_size_um(field.pixel_size_um, width, numbers["median_nucleus_area_um2"]),
        nucleus_edge_um=nucleus_edge_um(nuclei, masks.nuclei, field.pixel_size_um),
        saturated_share=saturated,
        grey_levels=levels,
        nuclei_scores={key: looks.nuclei_score(key) for key in looks.separation},
    )
    channels = channel_warnings(looks)
    return dataclasses.replace(quality, warnings=warnings_for(quality, field, channels))


def likely_pixel_size_um(field: Field) -> float:
    """The field's pixel size; where nobody stated it and nuclei can't be right with it, the one that they ask for.

    Parameters
    ----------
    field : Field
        The field.

    Returns
    -------
    float
        Micrometres per pixel.
    """
    if field.pixel_size_source != "assumed":
        return field.pixel_size_um
    width = nucleus_width_um(field.channel("blue"), field.pixel_size_um)
    return fitting_pixel_size_um(field.pixel_size_um, width, None) or field.pixel_size_um


def _counts(cells: pd.DataFrame) -> dict[str, Any]:
    """What the table of cells tells."""
    area, nucleus = (cells[f"{what}area_um2"].to_numpy(float) for what in ("", "nucleus_"))
    has_nucleus = nucleus > 0
    return {
        "n_cells": len(cells),
        "median_cell_area_um2": _median(area),
        "median_nucleus_area_um2": _median(nucleus[has_nucleus]),
        "border_share": float(cells["touches_border"].mean()) if len(cells) else 0.0,
        "n_fragments": int(cells["is_fragment"].sum()),
        "n_nuclei_without_cells": int(np.sum(has_nucleus & (area < BARE_NUCLEUS * nucleus))),
        "n_cells_without_nucleus": int(np.sum(~has_nucleus)),
    }


def _median(values: NDArray[np.float64]) -> float | None:
    """The median; None of nothing."""
    return float(np.median(values)) if values.size else None


def _share_of_field(field: Field, cells: pd.DataFrame) -> float:
    """How much of the field its largest cell covers."""
    rows, cols = field.shape
    largest = float(cells["area_um2"].max()) if len(cells) else 0.0
    return largest / (rows * cols * field.pixel_size_um**2)


def _channels(field: Field, masks: Masks) -> tuple[dict[str, int], dict[str, float]]:
    """Grey levels and saturated share of every channel that was recorded."""
    step = math.ceil(max(field.shape) / _SAMPLE_PX)
    some = (slice(None, None, step), slice(None, None, step))
    in_nuclei, in_cells = masks.nuclei[some] > 0, masks.cells[some] > 0
    levels, saturated = {}, {}
    for key in field.present:
        plane, nuclear = field.channel(key)[some], key == "blue"
        inside = plane[in_nuclei if nuclear else in_cells]
        inside = inside if inside.size else plane.ravel()
        low, signal = np.percentile(plane, 1), np.percentile(inside, 50 if nuclear else 90)
        largest = float(plane.max())
        levels[key] = _levels(plane, signal - low)
        saturated[key] = float(np.mean(inside >= _AT_MAXIMUM * largest)) if largest > low else 0.0
    return levels, saturated


def _levels(plane: NDArray[Any], span: float) -> int:
    """How many steps between neighbouring values of the plane a span of values has."""
    steps = np.diff(np.unique(plane).astype(float))
    return round(max(span, 0.0) / float(steps.min())) if steps.size else 0


def _rounded(value: Any) -> Any:
    """Floats to four significant digits, also within a mapping."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
