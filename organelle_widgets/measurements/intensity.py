"""How bright the stains are, where in the cell, and how they compare between its compartments.

Everything is above the field's background. Totals are grey levels times area, so that fields of different pixel size
agree.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from organelle_widgets.core.channels import channel_index
from organelle_widgets.measurements._base import GROUPS, Measurement, MeasurementGroup
from organelle_widgets.measurements._grid import PROTEIN
from organelle_widgets.measurements._levels import BACKGROUND_RULE, FLOOR_RULE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.measurements._crop import CellCrop

__all__ = ["IntensityMeasurements"]

_GREY = "grey levels"
_TOTAL = "grey levels x um2"
_ABOVE = "above background, not below 0"
_LOW = f"NaN where the mean divided by is {FLOOR_RULE}"
_EDGE = (
    "the cytoplasm within 1 um of the cell's outline (the outermost pixels at least); where the field cuts the cell "
    "there is no outline"
)
_RED, _BLUE, _YELLOW = (channel_index(key) for key in ("red", "blue", "yellow"))
_QUANTILES = {"median": 0.5, "p05": 0.05, "p95": 0.95, "p99": 0.99}


@GROUPS.register("intensity", title="Intensity")
class IntensityMeasurements(MeasurementGroup):
    """Means, totals, ratios and spread of the protein, and means of the markers."""

    position: ClassVar[int] = 20
    columns: ClassVar[tuple[Measurement, ...]] = (
        Measurement(
            "protein_background",
            _GREY,
            f"Background of the protein channel, the same for all cells of a field. {BACKGROUND_RULE}",
        ),
        Measurement("protein_mean_cell", _GREY, f"Mean of the protein over the cell, {_ABOVE}."),
        Measurement(
            "protein_mean_cell_of_full_scale",
            "1",
            "Mean of the protein over the cell as a share of the largest grey level that the image can hold.",
        ),
        Measurement(
            "protein_mean_nucleus",
            _GREY,
            f"Mean of the protein over the nucleus, {_ABOVE}. NaN without a nucleus.",
        ),
        Measurement(
            "protein_mean_cytoplasm",
            _GREY,
            f"Mean of the protein over the cell without its nucleus, {_ABOVE}. NaN where nothing is left.",
        ),
        Measurement(
            "protein_mean_edge",
            _GREY,
            f"Mean of the protein over the edge, {_ABOVE}: {_EDGE}. NaN where there is none.",
        ),
        Measurement(
            "protein_total_cell", _TOTAL, "Mean of the protein over the cell times its area."
        ),
        Measurement(
            "protein_total_nucleus",
            _TOTAL,
            "Mean of the protein over the nucleus times its area. NaN without a nucleus.",
        ),
        Measurement(
            "protein_total_cytoplasm",
            _TOTAL,
            "Mean of the protein over the cytoplasm times its area. NaN where nothing is left.",
        ),
        Measurement(
            "protein_total_edge",
            _TOTAL,
            "Mean of the protein over the edge times its area. NaN where there is none.",
        ),
        Measurement(
            "protein_ratio_nucleus_cytoplasm",
            "1",
            f"Mean protein over the nucleus divided by mean over the cytoplasm. {_LOW}; or without a nucleus.",
        ),
        Measurement(
            "protein_ratio_edge_inside",
            "1",
            f"Mean protein over the edge divided by mean over the rest of the cytoplasm. {_LOW}; or where "
            "either is missing.",
        ),
        Measurement(
            "protein_share_nucleus",
            "1",
            f"Total protein in the nucleus over total in the cell, 0 to 1. {_LOW}; or without a nucleus.",
        ),
        Measurement(
            "protein_median",
            _GREY,
            "Median over the cell above background, on a grid of about 0.16 um; may be below 0.",
        ),
        Measurement(
            "protein_p05",
            _GREY,
            "5th percentile over the cell above background, on a grid of about 0.16 um; may be below 0.",
        ),
        Measurement(
            "protein_p95",
            _GREY,
            "95th percentile over the cell above background, on a grid of about 0.16 um.",
        ),
        Measurement(
            "protein_p99",
            _GREY,
            "99th percentile over the cell above background, on a grid of about 0.16 um.",
        ),
        Measurement(
            "protein_cv_cell",
            "1",
            f"Standard deviation over mean of the protein in the cell, on a grid of about 0.16 um. {_LOW}.",
        ),
        Measurement(
            "protein_cv_nucleus",
            "1",
            "Standard deviation over mean of the protein in the nucleus, on a grid of about 0.16 um. "
            f"{_LOW}; or without a nucleus.",
        ),
        Measurement(
            "protein_cv_cytoplasm",
            "1",
            "Standard deviation over mean of the protein in the cytoplasm, on a grid of about 0.16 um. "
            f"{_LOW}; or where nothing is left.",
        ),
        Measurement(
            "protein_half_area_share",
            "1",
            "Smallest share of the cell's area that holds half of its protein, on a grid of about 0.16 um: "
            "0.5 for an even stain, "
            f"near 0 for a few spots. {_LOW}.",
        ),
        Measurement(
            "protein_saturated_share",
            "1",
            "Share of the cell's pixels at the largest grey level that the image can hold. NaN for images of floats.",
        ),
        Measurement(
            "microtubules_mean_cell",
            _GREY,
            f"Mean of the microtubules over the cell, {_ABOVE}. NaN where the channel is missing.",
        ),
        Measurement(
            "nuclei_mean_nucleus",
            _GREY,
            f"Mean of the nuclei channel over the nucleus, {_ABOVE}. NaN without a nucleus.",
        ),
        Measurement(
            "nuclei_total_nucleus",
            _TOTAL,
            "Mean of the nuclei channel over the nucleus times its area: the DNA content, as far as the "
            "stain follows it. NaN without one.",
        ),
        Measurement(
            "er_mean_cell",
            _GREY,
            f"Mean of the ER channel over the cell, {_ABOVE}. NaN where the channel is missing.",
        ),
    )

    def measure(self, cell: CellCrop) -> dict[str, float]:
        """Measure one cell; see `columns`."""
        means = _means(cell)
        area = cell.pixel_size_um**2
        areas = {
            "cell": cell.n_pixels * area,
            "nucleus": cell.n_nucleus_pixels * area,
            "cytoplasm": (cell.n_pixels - cell.n_nucleus_pixels) * area,
            "edge": float(cell.coarse.cover[cell.edge_zone].sum()) * cell.coarse.pixel_size_um**2,
        }
        found = {f"protein_mean_{place}": mean for place, mean in means.items()}
        found |= {f"protein_total_{place}": mean * areas[place] for place, mean in means.items()}
        found["protein_background"] = float(cell.levels.background[PROTEIN])
        found["protein_mean_cell_of_full_scale"] = means["cell"] / cell.full_scale
        if cell.n_saturated >= 0:
            found["protein_saturated_share"] = cell.n_saturated / cell.n_pixels
        return {**found, **_ratios(cell, means), **_spread(cell), **_markers(cell)}


def _mean(total: float, count: float) -> float:
    """A mean not below 0; NaN of nothing."""
    return max(float(total) / float(count), 0.0) if count else math.nan


def _quotient(above: float, below: float, floor: float) -> float:
    """A quotient; NaN where the lower part is below the floor."""
    return above / below if below >= floor else math.nan


def _means(cell: CellCrop) -> dict[str, float]:
    """Mean protein in the four places."""
    whole, nucleus = cell.sums[PROTEIN]
    return {
        "cell": _mean(whole, cell.n_pixels),
        "nucleus": _mean(nucleus, cell.n_nucleus_pixels),
        "cytoplasm": _mean(whole - nucleus, cell.n_pixels - cell.n_nucleus_pixels),
        "edge": _zone_mean(cell, cell.edge_zone),
    }


def _zone_mean(cell: CellCrop, zone: NDArray[np.bool_]) -> float:
    """Mean protein over a zone of the coarse grid."""
    planes = cell.coarse.planes
    return _mean(planes[PROTEIN][zone].sum(), planes[4][zone].sum())


def _ratios(cell: CellCrop, means: dict[str, float]) -> dict[str, float]:
    """How the places compare."""
    floor = float(cell.levels.floor[PROTEIN])
    rest = _zone_mean(cell, cell.coarse.cytoplasm & ~cell.edge_zone)
    share = _quotient(
        means["nucleus"] * cell.n_nucleus_pixels / cell.n_pixels, means["cell"], floor
    )
    return {
        "protein_ratio_nucleus_cytoplasm": _quotient(means["nucleus"], means["cytoplasm"], floor),
        "protein_ratio_edge_inside": _quotient(means["edge"], rest, floor),
        "protein_share_nucleus": min(share, 1.0) if share == share else math.nan,
    }


def _spread(cell: CellCrop) -> dict[str, float]:
    """Percentiles, coefficients of variation and concentration on the fine grid."""
    floor = float(cell.levels.floor[PROTEIN])
    protein, in_nucleus = cell.fine.values[PROTEIN], cell.fine.in_nucleus
    values = np.sort(protein)
    places = {"nucleus": protein[in_nucleus], "cytoplasm": protein[~in_nucleus]}
    found = {
        f"protein_{name}": float(values[round(share * (values.size - 1))])
        for name, share in _QUANTILES.items()
    }
    found |= {f"protein_cv_{name}": _cv(part, floor) for name, part in places.items()}
    found["protein_cv_cell"] = _cv(values, floor)
    if values.mean() >= floor:
        found["protein_half_area_share"] = _half_area(values)
    return found


def _cv(values: NDArray[np.float32], floor: float) -> float:
    """Standard deviation over mean; NaN of nothing or of next to no signal."""
    if not values.size:
        return math.nan
    mean = float(values.mean())
    variance = float(values @ values) / values.size - mean**2
    return _quotient(math.sqrt(max(variance, 0.0)), mean, floor)


def _half_area(ascending: NDArray[np.float32]) -> float:
    """Share of the brightest pixels that together hold half of the signal."""
    gathered = np.cumsum(np.maximum(ascending[::-1], 0), dtype=np.float64)
    half = gathered[-1] / 2
    last = int(np.searchsorted(gathered, half))
    before = gathered[last - 1] if last else 0.0
    return float((last + (half - before) / (gathered[last] - before)) / ascending.size)


def _markers(cell: CellCrop) -> dict[str, float]:
    """Means of the marker channels that were recorded."""
    area = cell.pixel_size_um**2
    dna = _mean(cell.sums[_BLUE, 1], cell.n_nucleus_pixels)
    found = {
        "nuclei_mean_nucleus": dna,
        "nuclei_total_nucleus": dna * cell.n_nucleus_pixels * area,
    }
    for name, channel in (("microtubules_mean_cell", _RED), ("er_mean_cell", _YELLOW)):
        if channel not in cell.missing:
            found[name] = _mean(cell.sums[channel, 0], cell.n_pixels)
    return found
