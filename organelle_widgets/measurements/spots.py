"""Spots of the protein: how many, how large, and how much of the protein they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import ndimage

from organelle_widgets.measurements._base import GROUPS, Measurement, MeasurementGroup
from organelle_widgets.measurements._grid import PROTEIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.measurements._crop import CellCrop

__all__ = ["SpotMeasurements"]

_INNER_UM, _OUTER_UM = 0.25, 0.5
_NOISE, _SHARE = 5.0, 0.05
_FILL_UM = 1.0
_TRUNCATE = 2.5
_SAMPLES = 8192
_RULE = (
    f"A spot is a local maximum of the protein smoothed by {_INNER_UM} um less the protein smoothed by {_OUTER_UM} um "
    "(Gaussian standard deviations, on a grid of about 0.16 um), no other within 2 grid "
    f"pixels above it, more than {_NOISE:g} robust standard deviations above that difference's median in the cell and "
    f"above {_SHARE:.0%} of the channel's range in the field. It answers to blobs of about 0.4 to 1.5 um."
)


@GROUPS.register("spots", title="Spots")
class SpotMeasurements(MeasurementGroup):
    """Bright blobs by a difference of Gaussians.

    Notes
    -----
    The difference of Gaussians stands for the scale-space Laplacian, see Lindeberg, "Feature detection with automatic
    scale selection", 1998, https://doi.org/10.1023/A:1008045108935. Around the cell stands its own protein smoothed over
    1 um (normalised convolution), so that its outline makes no spots.
    """

    position: ClassVar[int] = 50
    columns: ClassVar[tuple[Measurement, ...]] = (
        Measurement("spot_count", "count", f"Spots in the cell. {_RULE}"),
        Measurement("spot_count_nucleus", "count", "Those in the nucleus; 0 without one."),
        Measurement("spot_count_cytoplasm", "count", "Those in the cytoplasm."),
        Measurement("spots_per_100_um2", "1 / 100 um2", "Spots per 100 um2 of the cell."),
        Measurement(
            "spot_area_median_um2",
            "um2",
            "Median area of the connected regions with spots, each down to half of its own highest difference. Smoothing "
            "makes the smallest spots about 0.3 um2. NaN without a spot.",
        ),
        Measurement(
            "spot_area_share",
            "1",
            "Area of those regions over the area of the cell; 0 without a spot.",
        ),
        Measurement(
            "spot_protein_share",
            "1",
            "Share of the cell's protein above background in those regions. NaN without protein above background.",
        ),
        Measurement(
            "spot_contrast_median",
            "1",
            "Median over the spots of the smoothed protein at the spot over that of its surroundings, the wider "
            "smoothing. NaN without a spot.",
        ),
    )

    def measure(self, cell: CellCrop) -> dict[str, float]:
        """Measure one cell; see `columns`."""
        grid = cell.fine
        narrow, wide = _smoothed(cell)
        difference = np.where(grid.inside, narrow - wide, np.float32(0))
        limit = _limit(difference.ravel()[grid.places], float(cell.levels.span[PROTEIN]))
        found = {"spot_count": 0.0, "spot_count_nucleus": 0.0, "spot_count_cytoplasm": 0.0}
        found |= {"spots_per_100_um2": 0.0, "spot_area_share": 0.0}
        protein = np.maximum(grid.planes[PROTEIN], 0)
        total = float(protein.sum())
        if total > 0:
            found["spot_protein_share"] = 0.0
        at = _maxima(difference, limit)
        if not len(at[0]):
            return found
        sizes, pixels = _regions(difference, limit, at)
        found |= _counts(cell, at)
        found["spot_area_share"] = len(pixels[0]) / grid.places.size
        found["spot_protein_share"] = float(protein[pixels].sum()) / total
        found["spot_area_median_um2"] = float(np.median(sizes)) * grid.pixel_size_um**2
        around = np.maximum(wide[at], cell.levels.floor[PROTEIN])
        found["spot_contrast_median"] = float(np.median(narrow[at] / around))
        return found


def _counts(cell: CellCrop, at: tuple[NDArray[np.intp], NDArray[np.intp]]) -> dict[str, float]:
    """How many spots there are, and where."""
    count, in_nucleus = len(at[0]), int(np.count_nonzero(cell.fine.nucleus[at]))
    return {
        "spot_count": count,
        "spot_count_nucleus": in_nucleus,
        "spot_count_cytoplasm": count - in_nucleus,
        "spots_per_100_um2": 100 * count / (cell.n_pixels * cell.pixel_size_um**2),
    }


def _smoothed(cell: CellCrop) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The protein smoothed narrowly and widely: each (Y, X) of the fine grid.

    Around the cell stands its own protein, smoothed over 1 um, so that its outline makes no spots.
    """
    grid = cell.fine
    filled = np.where(grid.inside, grid.protein, _around(cell))
    narrow, wide = (
        ndimage.gaussian_filter(
            filled, width / grid.pixel_size_um, mode="nearest", truncate=_TRUNCATE
        )
        for width in (_INNER_UM, _OUTER_UM)
    )
    return narrow, wide


def _around(cell: CellCrop) -> NDArray[np.float32]:
    """The cell's protein smoothed over 1 um and carried on beyond the outline, shape (Y, X) of the fine grid."""
    grid = cell.coarse
    protein, cover = (
        ndimage.gaussian_filter(
            grid.planes[plane], _FILL_UM / grid.pixel_size_um, mode="constant", truncate=_TRUNCATE
        )
        for plane in (PROTEIN, 4)
    )
    coarse = protein / np.maximum(cover, np.float32(1e-6))
    times = cell.fine.inside.shape[0] // grid.inside.shape[0]
    filled: NDArray[np.float32] = coarse.repeat(times, axis=0).repeat(times, axis=1)
    return filled


def _limit(difference: NDArray[np.float32], span: float) -> float:
    """What a spot has to pass."""
    some = difference[:: max(1, difference.size // _SAMPLES)]
    middle = float(np.median(some))
    noise = 1.4826 * float(np.median(np.abs(some - middle)))
    return max(middle + _NOISE * noise, _SHARE * span, 1e-9)


def _maxima(
    difference: NDArray[np.float32], limit: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the local maxima above the limit; of equal ones within reach the first counts."""
    padded = np.pad(difference, 2)
    rows, cols = np.nonzero(padded > limit)
    values = padded[rows, cols]
    top = np.ones(len(rows), bool)
    for down in range(-2, 3):
        for right in range(-2, 3):
            other = padded[rows + down, cols + right]
            earlier = (down, right) < (0, 0)
            if (down, right) != (0, 0):
                top &= (values > other) if earlier else (values >= other)
    return rows[top] - 2, cols[top] - 2


def _regions(
    difference: NDArray[np.float32],
    limit: float,
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> tuple[NDArray[np.intp], tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Connected regions above the limit, down to half of their highest spot: their sizes, and all their pixels."""
    labels, count = ndimage.label(difference > limit)
    highest = np.full(count + 1, np.inf, np.float32)
    highest[labels[at]] = 0
    np.maximum.at(highest, labels[at], difference[at])
    rows, cols = np.nonzero(labels)
    found = labels[rows, cols]
    kept = difference[rows, cols] >= 0.5 * highest[found]
    sizes = np.bincount(found[kept])
    return sizes[sizes > 0], (rows[kept], cols[kept])
