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
    from organelle_widgets.measurements._grid import Grid

__all__ = ["SpotMeasurements"]

_INNER_UM, _OUTER_UM = 0.25, 0.5
_NOISE, _SHARE = 5.0, 0.05
_FILL_UM = 1.0
_TRUNCATE = 2.5
_SAMPLES = 4096
_REACH = 2
_ELONGATED = 3.0
_NEIGHBOURS = sorted(
    (
        (down, right)
        for down in range(-_REACH, _REACH + 1)
        for right in range(-_REACH, _REACH + 1)
        if (down, right) != (0, 0)
    ),
    key=lambda step: abs(step[0]) + abs(step[1]),
)
"""Steps to the pixels that a spot must be brighter than, the nearest first."""
_RULE = (
    f"A spot is a local maximum of the protein smoothed by {_INNER_UM} um less the protein smoothed by {_OUTER_UM} um "
    "(Gaussian standard deviations, on a grid of about 0.16 um), no other within 2 grid "
    f"pixels above it, more than {_NOISE:g} robust standard deviations above that difference's median in the cell and "
    f"above {_SHARE:.0%} of the channel's range in the field, and no ridge (its two curvatures differ less than "
    f"{_ELONGATED:g} times). It answers to blobs of about 0.4 to 1.5 um."
)


@GROUPS.register("spots", title="Spots")
class SpotMeasurements(MeasurementGroup):
    """Bright blobs by a difference of Gaussians.

    Notes
    -----
    The difference of Gaussians stands for the scale-space Laplacian, see Lindeberg, "Feature detection with automatic
    scale selection", 1998, https://doi.org/10.1023/A:1008045108935; ridges, as at a nucleus's outline, are left out as
    by Lowe, "Distinctive image features from scale-invariant keypoints", 2004,
    https://doi.org/10.1023/B:VISI.0000029664.99615.94. Around the cell stands its own protein smoothed
    over 1 um (normalised convolution), so that its outline makes no spots.
    """

    position: ClassVar[int] = 50
    columns: ClassVar[tuple[Measurement, ...]] = (
        Measurement("spot_count", "count", f"Spots in the cell. {_RULE}"),
        Measurement("spot_count_nucleus", "count", "Spots in the nucleus; 0 without one."),
        Measurement("spot_count_cytoplasm", "count", "Spots in the cytoplasm."),
        Measurement("spots_per_100_um2", "1 / 100 um2", "Spots per 100 um2 of the cell."),
        Measurement(
            "spot_area_median_um2",
            "um2",
            "Median area of the connected regions with spots, each down to half of its own highest difference. "
            "Smoothing makes the smallest spots about 0.3 um2. NaN without a spot.",
        ),
        Measurement(
            "spot_area_share",
            "1",
            "Area of the spots' regions over the area of the cell; 0 without a spot.",
        ),
        Measurement(
            "spot_protein_share",
            "1",
            "Share of the cell's protein above background in the spots' regions. NaN without protein above background.",
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
        difference = np.zeros(np.add(grid.inside.shape, 2 * _REACH), np.float32)
        inner = difference[_REACH:-_REACH, _REACH:-_REACH]
        np.subtract(narrow, wide, out=inner)
        some = grid.places[:: max(1, grid.places.size // _SAMPLES)]
        limit = _limit(narrow.take(some) - wide.take(some), float(cell.levels.span[PROTEIN]))
        found = {"spot_count": 0.0, "spot_count_nucleus": 0.0, "spot_count_cytoplasm": 0.0}
        found |= {"spots_per_100_um2": 0.0, "spot_area_share": 0.0}
        protein = np.maximum(grid.planes[PROTEIN], 0)
        total = float(protein.sum())
        if total > 0:
            found["spot_protein_share"] = 0.0
        above = (inner > limit) & grid.inside
        at = _maxima(difference, above)
        if not len(at[0]):
            return found
        sizes, pixels = _regions(inner, above, at)
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

    Around the cell stands its own protein, smoothed over 1 um, so that its outline makes no spots. What is smoothed
    widely is smoothed on the coarse grid.
    """
    fine, coarse, zones = cell.fine, cell.coarse, cell.zones
    around = _enlarged(_around(zones), coarse.inside.shape[0] // zones.inside.shape[0])
    filled = np.where(coarse.inside, coarse.protein, around)
    wide = _enlarged(
        _blurred(filled, _OUTER_UM / coarse.pixel_size_um),
        fine.inside.shape[0] // coarse.inside.shape[0],
    )
    filled = np.where(fine.inside, fine.protein, wide)
    return _blurred(filled, _INNER_UM / fine.pixel_size_um), wide


def _around(grid: Grid) -> NDArray[np.float32]:
    """The cell's protein smoothed over 1 um and carried on beyond the outline, by normalised convolution."""
    protein, cover = (
        _blurred(grid.planes[plane], _FILL_UM / grid.pixel_size_um, mode="constant")
        for plane in (PROTEIN, 4)
    )
    return np.asarray(protein / np.maximum(cover, np.float32(1e-6)))


def _blurred(
    image: NDArray[np.float32], width: float, mode: str = "nearest"
) -> NDArray[np.float32]:
    """Smoothed by a Gaussian; the width is its standard deviation in pixels."""
    blurred: NDArray[np.float32] = ndimage.gaussian_filter(
        image, width, mode=mode, truncate=_TRUNCATE
    )
    return blurred


def _enlarged(image: NDArray[np.float32], times: int) -> NDArray[np.float32]:
    """Several pixels for one along each axis, interpolated linearly."""
    return image if times == 1 else _stretched(_stretched(image, times).T, times).T


def _stretched(image: NDArray[np.float32], times: int) -> NDArray[np.float32]:
    """Several rows for one, interpolated linearly between the rows' middles; the first and last go on."""
    padded = np.concatenate([image[:1], image, image[-1:]])
    steps = np.diff(padded, axis=0)
    stretched = np.empty((times * len(image), image.shape[1]), np.float32)
    for number in range(times):
        offset = np.float32((number + 0.5) / times - 0.5)
        towards = steps[:-1] if offset < 0 else steps[1:]
        stretched[number::times] = image + offset * towards
    return stretched


def _limit(difference: NDArray[np.float32], span: float) -> float:
    """What a spot has to pass."""
    middle = float(np.median(difference))
    noise = 1.4826 * float(np.median(np.abs(difference - middle)))
    return max(middle + _NOISE * noise, _SHARE * span, 1e-9)


def _maxima(
    difference: NDArray[np.float32], above: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the local maxima above the limit; of equal ones within reach the last counts.

    The difference has a margin of `_REACH` pixels on every side, `above` has none.
    """
    rows, cols = np.nonzero(above)
    width, flat = difference.shape[1], difference.ravel()
    places = (rows + _REACH) * width + cols + _REACH
    for down, right in _NEIGHBOURS:
        step = down * width + right
        values, others = flat[places], flat[places + step]
        places = places[(values > others) if step > 0 else (values >= others)]
    places = places[_round(flat, places, width)]
    row, col = np.divmod(places, width)
    return row - _REACH, col - _REACH


def _round(flat: NDArray[np.float32], places: NDArray[np.intp], width: int) -> NDArray[np.bool_]:
    """Which maxima are no ridges: the curvatures along their two axes differ less than `_ELONGATED` times."""
    here = 2 * flat[places]
    down = flat[places - width] + flat[places + width] - here
    across = flat[places - 1] + flat[places + 1] - here
    ahead, behind = flat[places + width + 1], flat[places + width - 1]
    mixed = (ahead + flat[places - width - 1] - behind - flat[places - width + 1]) / 4
    product = down * across - mixed**2
    return np.asarray((down + across) ** 2 * _ELONGATED < (_ELONGATED + 1) ** 2 * product)


def _regions(
    difference: NDArray[np.float32],
    above: NDArray[np.bool_],
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> tuple[NDArray[np.intp], tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Connected regions above the limit, down to half of their highest spot: their sizes, and all their pixels."""
    labels, count = ndimage.label(above)
    highest = np.full(count + 1, np.inf, np.float32)
    highest[labels[at]] = 0
    np.maximum.at(highest, labels[at], difference[at])
    rows, cols = np.nonzero(above)
    found = labels[rows, cols]
    kept = difference[rows, cols] >= 0.5 * highest[found]
    sizes = np.bincount(found[kept])
    return sizes[sizes > 0], (rows[kept], cols[kept])
