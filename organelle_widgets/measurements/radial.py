"""Where between the nucleus and the cell's edge the protein is, and how far it is off centre."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from organelle_widgets.measurements._base import GROUPS, Measurement, MeasurementGroup
from organelle_widgets.measurements._crop import depth, ends
from organelle_widgets.measurements._grid import PROTEIN
from organelle_widgets.measurements._levels import FLOOR_RULE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.measurements._crop import CellCrop

__all__ = ["RadialMeasurements"]

_BINS = 4
_RATIO = "mean protein there over the mean in the whole cell"
_NAN = (
    f"NaN without a nucleus, where the bin is empty, or where the mean in the cell is {FLOOR_RULE}"
)


def _columns() -> tuple[Measurement, ...]:
    """The definitions of the profile, which differ in the bin alone, and of the distances."""
    nucleus = [
        Measurement(
            f"radial_nucleus_{name}",
            "1",
            f"Radial profile, {words} of the nucleus by distance from its outline: {_RATIO}. {_NAN}.",
        )
        for name, words in (("core", "the inner half"), ("rim", "the outer half"))
    ]
    cytoplasm = [
        Measurement(
            f"radial_cytoplasm_{bin_ + 1}of{_BINS}",
            "1",
            f"Radial profile, cytoplasm from {bin_ / _BINS:.0%} to {(bin_ + 1) / _BINS:.0%} of the way between the "
            f"nucleus's outline (0 %) and the cell's (100 %): {_RATIO}. {_NAN}.",
        )
        for bin_ in range(_BINS)
    ]
    return (
        *nucleus,
        *cytoplasm,
        Measurement(
            "protein_distance_nucleus_um",
            "um",
            "Mean distance of the cytoplasm's protein from the nucleus's outline. "
            "NaN without a nucleus, cytoplasm, or protein in it.",
        ),
        Measurement(
            "protein_distance_nucleus_relative",
            "1",
            "Mean distance of the cytoplasm's protein from the nucleus over that of an even stain: below 1 "
            "the protein gathers around the nucleus, above 1 "
            "towards the edge. NaN as that.",
        ),
        Measurement(
            "protein_offset_um",
            "um",
            "Distance between the protein's centre of mass and the cell's centroid. NaN without protein.",
        ),
    )


@GROUPS.register("radial", title="Radial profile")
class RadialMeasurements(MeasurementGroup):
    """Profile from the nucleus's middle to the cell's edge, on a grid of about 0.64 um.

    Notes
    -----
    In the cytoplasm a pixel's place is a / (a + b), with its Euclidean distances a from the nucleus's outline and b
    from the cell's: the idea of CellProfiler's radial distribution, https://doi.org/10.1186/gb-2006-7-10-r100.
    """

    position: ClassVar[int] = 40
    columns: ClassVar[tuple[Measurement, ...]] = _columns()

    def measure(self, cell: CellCrop) -> dict[str, float]:
        """Measure one cell; see `columns`."""
        protein = np.maximum(cell.zones.planes[PROTEIN], 0)
        found = _offset(cell, protein)
        place, nucleus_um = _places(cell), cell.nucleus_um
        if nucleus_um is not None and place is not None:
            found |= _profile(cell, place)
            found |= _distance(cell, protein, nucleus_um)
        return found


def _places(cell: CellCrop) -> NDArray[np.intp] | None:
    """Number of each coarse pixel's bin: 0 and 1 in the nucleus, then the cytoplasm's; None without a nucleus."""
    nucleus_um = cell.nucleus_um
    if nucleus_um is None:
        return None
    way = nucleus_um / np.maximum(nucleus_um + cell.edge_um, 1e-9)
    place: NDArray[np.intp] = 2 + np.minimum((way * _BINS).astype(np.intp), _BINS - 1)
    place[cell.zones.nucleus] = _rim(cell.zones.nucleus)
    return place


def _rim(nucleus: NDArray[np.bool_]) -> NDArray[np.intp]:
    """1 for each pixel of the nucleus in its outer half, 0 for the inner half."""
    (top, bottom), (left, right) = (ends(nucleus.any(axis=axis)) for axis in (1, 0))
    box = np.pad(nucleus[top:bottom, left:right], 1)
    inner = depth(box, 1.0)[box]
    return np.asarray(inner < 0.5 * inner.max(), np.intp)


def _profile(cell: CellCrop, place: NDArray[np.intp]) -> dict[str, float]:
    """Mean of each bin over that of the cell."""
    inside = cell.zones.inside
    planes = cell.zones.planes[:, inside]
    mean = planes[PROTEIN].sum() / planes[4].sum()
    if not mean >= cell.levels.floor[PROTEIN]:
        return {}
    names = [column.name for column in RadialMeasurements.columns[: 2 + _BINS]]
    bins = place[inside]
    total = np.bincount(bins, planes[PROTEIN], len(names))
    count = np.bincount(bins, planes[4], len(names))
    return {
        name: max(float(total[number] / count[number] / mean), 0.0)
        for number, name in enumerate(names)
        if count[number]
    }


def _distance(
    cell: CellCrop, protein: NDArray[np.float32], nucleus_um: NDArray[np.float32]
) -> dict[str, float]:
    """Mean distance of the protein from the nucleus, and over that of an even stain."""
    zone = cell.zones.cytoplasm
    weights, cover, distance = protein[zone], cell.zones.cover[zone], nucleus_um[zone]
    total = float(weights.sum())
    if not total > 0:
        return {}
    mean = float(weights @ distance) / total
    even = float(cover @ distance) / float(cover.sum())
    return {
        "protein_distance_nucleus_um": mean,
        "protein_distance_nucleus_relative": mean / even,
    }


def _offset(cell: CellCrop, protein: NDArray[np.float32]) -> dict[str, float]:
    """How far the protein's centre of mass is from the cell's centroid."""
    if not float(protein.sum()) > 0:
        return {}
    shift = np.subtract(_centre(protein), _centre(cell.zones.cover))
    return {"protein_offset_um": float(np.hypot(*shift)) * cell.zones.pixel_size_um}


def _centre(weights: NDArray[np.float32]) -> tuple[float, float]:
    """Centre of mass, row and column."""
    by_row, by_col = weights.sum(axis=1), weights.sum(axis=0)
    total = float(by_row.sum())
    row, col = (float(line @ np.arange(line.size)) / total for line in (by_row, by_col))
    return row, col
