"""Size and form of cell and nucleus.

Areas are counted in the field's own pixels. Outlines are followed on the coarse grid: the length of an outline grows
with the fineness of the pixels, and only at one scale do fields of different pixel size agree.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.spatial import ConvexHull

from organelle_widgets.measurements._base import GROUPS, Measurement, MeasurementGroup
from organelle_widgets.measurements._crop import ends

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.measurements._crop import CellCrop

__all__ = ["ShapeMeasurements"]

_GRID = "Measured at about 0.32 um per pixel, or at the field's own where that is coarser."
_NO_NUCLEUS = "NaN without a nucleus."
_SAME = 1e-6
_CELL_FORM = (
    "perimeter_um",
    "axis_major_um",
    "axis_minor_um",
    "eccentricity",
    "orientation_deg",
    "solidity",
)
_NUCLEUS_FORM = ("perimeter_um", "eccentricity", "solidity")


@GROUPS.register("shape", title="Size and shape")
class ShapeMeasurements(MeasurementGroup):
    """Area, outline, ellipse and convexity of the cell, and the same of its nucleus.

    Notes
    -----
    The perimeter is Crofton's formula in four directions (that of `skimage.measure.perimeter_crofton`), see Legland
    et al., "Computation of Minkowski measures on 2D and 3D binary images", 2007, https://doi.org/10.5566/ias.v26.p83-92.
    The ellipse is that of `skimage.measure.regionprops`. Both are counted here directly, which is faster.
    """

    position: ClassVar[int] = 10
    columns: ClassVar[tuple[Measurement, ...]] = (
        Measurement("area_um2", "um2", "Area of the cell, its nucleus with it."),
        Measurement("perimeter_um", "um", f"Length of the cell's outline. {_GRID}"),
        Measurement(
            "axis_major_um",
            "um",
            f"Long axis of the ellipse with the cell's second moments. {_GRID}",
        ),
        Measurement(
            "axis_minor_um",
            "um",
            f"Short axis of the ellipse with the cell's second moments. {_GRID}",
        ),
        Measurement(
            "eccentricity",
            "1",
            "Of the ellipse with the cell's second moments: 0 for a circle, towards 1 for a line.",
        ),
        Measurement(
            "orientation_deg",
            "degrees",
            "Angle of the ellipse's long axis from the horizontal of the image, counter-clockwise, above -90 up to 90."
            " NaN where both axes are equally long.",
        ),
        Measurement(
            "solidity",
            "1",
            f"Area of the cell over that of its convex hull: 1 has no dents. {_GRID}",
        ),
        Measurement(
            "form_factor",
            "1",
            "4 pi area / perimeter^2: 1 for a circle, less the longer the outline is for its area; can pass 1 slightly "
            "in cells of few pixels.",
        ),
        Measurement(
            "outline_on_border",
            "1",
            "Share of the perimeter that is the field's edge. Above 0 the cell goes on out of view, and its size and "
            "totals are too low.",
        ),
        Measurement(
            "nucleus_area_um2", "um2", "Area of the nucleus in the cell; 0 where none was found."
        ),
        Measurement(
            "nucleus_area_share", "1", "Area of the nucleus over that of the cell; 0 without one."
        ),
        Measurement(
            "nucleus_perimeter_um",
            "um",
            f"Length of the nucleus's outline, as of the cell. {_NO_NUCLEUS}",
        ),
        Measurement(
            "nucleus_eccentricity",
            "1",
            f"Eccentricity of the nucleus, as of the cell. {_NO_NUCLEUS}",
        ),
        Measurement(
            "nucleus_solidity", "1", f"Solidity of the nucleus, as of the cell. {_NO_NUCLEUS}"
        ),
        Measurement(
            "nucleus_offset_um",
            "um",
            f"Distance between the centroids of nucleus and cell. {_GRID} {_NO_NUCLEUS}",
        ),
    )

    def measure(self, cell: CellCrop) -> dict[str, float]:
        """Measure one cell; see `columns`."""
        pixel_area = cell.pixel_size_um**2
        form = _form(cell.coarse.inside, cell.coarse.pixel_size_um)
        round_area = math.pi * (form["perimeter_um"] / (2 * math.pi)) ** 2
        found = {
            **{name: form[name] for name in _CELL_FORM},
            "area_um2": cell.n_pixels * pixel_area,
            "form_factor": form["grid_area_um2"] / round_area,
            "outline_on_border": min(
                1.0, cell.n_border_sides * cell.pixel_size_um / form["perimeter_um"]
            ),
            "nucleus_area_um2": cell.n_nucleus_pixels * pixel_area,
            "nucleus_area_share": cell.n_nucleus_pixels / cell.n_pixels,
        }
        if cell.has_nucleus:
            nucleus = _form(cell.coarse.nucleus, cell.coarse.pixel_size_um)
            found |= {f"nucleus_{name}": nucleus[name] for name in _NUCLEUS_FORM}
            found["nucleus_offset_um"] = math.dist(
                (nucleus["row_um"], nucleus["col_um"]), (form["row_um"], form["col_um"])
            )
        return found


def _form(region: NDArray[np.bool_], size_um: float) -> dict[str, float]:
    """Outline, ellipse, convexity and place of one region of a grid."""
    (top, bottom), (left, right) = (ends(region.any(axis=axis)) for axis in (1, 0))
    part = region[top:bottom, left:right]
    row, col, spread = _moments(part)
    minor, major = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0))
    area = float(np.count_nonzero(part))
    return {
        "grid_area_um2": area * size_um**2,
        "perimeter_um": _perimeter(part) * size_um,
        "axis_major_um": 4 * major * size_um,
        "axis_minor_um": 4 * minor * size_um,
        "eccentricity": math.sqrt(1 - (minor / major) ** 2) if major else 0.0,
        "orientation_deg": _orientation(spread),
        "solidity": area / _hull_area(part),
        "row_um": (top + row) * size_um,
        "col_um": (left + col) * size_um,
    }


def _perimeter(region: NDArray[np.bool_]) -> float:
    """Crofton's perimeter in pixels: half of pi times the mean over four directions of crossings times line spacing."""
    framed = np.zeros((region.shape[0] + 2, region.shape[1] + 2), bool)
    framed[1:-1, 1:-1] = region
    straight = (framed[1:] != framed[:-1], framed[:, 1:] != framed[:, :-1])
    oblique = (framed[1:, 1:] != framed[:-1, :-1], framed[1:, :-1] != framed[:-1, 1:])
    crossed = [sum(int(np.count_nonzero(c)) for c in pair) for pair in (straight, oblique)]
    return math.pi / 8 * (crossed[0] + crossed[1] / math.sqrt(2))


def _moments(region: NDArray[np.bool_]) -> tuple[float, float, NDArray[np.float64]]:
    """Centroid and the covariance of row and column over the pixels' centres, as scikit-image has it."""
    weights = region.astype(np.float32)
    by_row, by_col = (weights.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    rows, cols = np.arange(by_row.size, dtype=float), np.arange(by_col.size, dtype=float)
    area = float(by_row.sum())
    row, col = float(by_row @ rows) / area, float(by_col @ cols) / area
    rows -= row
    cols -= col
    mixed = float(rows @ (weights @ cols.astype(np.float32))) / area
    down, across = float(by_row @ rows**2) / area, float(by_col @ cols**2) / area
    return row, col, np.array([[down, mixed], [mixed, across]])


def _orientation(spread: NDArray[np.float64]) -> float:
    """Angle of the long axis from the horizontal, counter-clockwise, degrees; NaN for a circle's."""
    (down, mixed), (_, across) = spread
    if math.hypot(across - down, 2 * mixed) <= _SAME * (down + across):
        return math.nan
    angle = math.degrees(0.5 * math.atan2(-2 * mixed, across - down))
    return 90.0 if angle <= -90 + 1e-9 else angle


def _hull_area(region: NDArray[np.bool_]) -> float:
    """Area of the convex hull of the pixels' corners, in pixels; the first and the last row are not empty."""
    width = region.shape[1]
    filled = region.any(axis=1)
    first = np.where(filled, region.argmax(axis=1), width)
    last = np.where(filled, width - region[:, ::-1].argmax(axis=1), 0)
    left = np.minimum(np.append(first, width), np.append(width, first))
    right = np.maximum(np.append(last, 0), np.append(0, last))
    sides = [_bulges(left, 1), _bulges(right, -1)]
    return float(ConvexHull(np.concatenate(sides)).volume)


def _bulges(side: NDArray[np.intp], sign: int) -> NDArray[np.float64]:
    """Points of one side of an outline, row and column, that can be corners of its hull: no dents and no straights."""
    bulges = np.ones(side.size, bool)
    bulges[1:-1] = np.diff(side, 2) * sign > 0
    rows = np.flatnonzero(bulges)
    return np.column_stack([rows, side[rows]]).astype(np.float64)
