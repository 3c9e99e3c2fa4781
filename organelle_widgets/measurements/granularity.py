"""Granularity spectrum of the protein: how much of it is in structures of which width."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from organelle_widgets.measurements._base import GROUPS, Measurement, MeasurementGroup
from organelle_widgets.measurements._grid import PROTEIN
from organelle_widgets.measurements._levels import FLOOR_RULE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.measurements._crop import CellCrop

__all__ = ["GranularityMeasurements"]

_WIDTHS_UM = (1, 2, 4, 8)
_FEWEST = 2.0


def _columns() -> tuple[Measurement, ...]:
    """The definitions, which differ in the widths alone."""
    return tuple(
        Measurement(
            f"granularity_{width}um",
            "1",
            f"Share of the cell's protein in bright structures {f'from {finer} to' if finer else 'up to'} "
            f"{width} um wide: what an opening by a square of {width} um takes away"
            f"{f' beyond one of {finer} um' if finer else ''}, over the whole. On a grid of about 0.32 um, sides "
            "rounded to an odd number of its pixels. Noise counts as the finest structure. NaN where the "
            f"protein's mean is {FLOOR_RULE}; or "
            f"{width} um are less than 2 grid pixels.",
        )
        for finer, width in zip((0, *_WIDTHS_UM), _WIDTHS_UM, strict=False)
    )


@GROUPS.register("granularity", title="Granularity")
class GranularityMeasurements(MeasurementGroup):
    """Pattern spectrum by grey openings of growing width.

    Notes
    -----
    After Maragos, "Pattern spectrum and multiscale shape representation", 1989, https://doi.org/10.1109/34.192465.
    Outside the cell stands the cell's own median, so that its outline is no structure.
    """

    position: ClassVar[int] = 60
    columns: ClassVar[tuple[Measurement, ...]] = _columns()

    def measure(self, cell: CellCrop) -> dict[str, float]:
        """Measure one cell; see `columns`."""
        inside = cell.coarse.inside
        protein = np.maximum(cell.coarse.protein, 0)
        values = np.maximum(cell.coarse.values[PROTEIN], 0)
        whole = float(values.sum())
        if not whole >= float(cell.levels.floor[PROTEIN]) * values.size:
            return {}
        filled = np.where(inside, protein, np.median(values))
        return _spectrum(filled, inside, whole, cell.coarse.pixel_size_um)


def _spectrum(
    protein: NDArray[np.float32], inside: NDArray[np.bool_], whole: float, size_um: float
) -> dict[str, float]:
    """What each wider opening takes away beyond the one before, as a share of the whole."""
    found: dict[str, float] = {}
    left = whole
    for width in _WIDTHS_UM:
        if width < _FEWEST * size_um:
            continue
        side = max(3, 2 * round((width / size_um - 1) / 2) + 1)
        remains = min(left, float(_opened(protein, side)[inside].sum()))
        found[f"granularity_{width}um"] = (left - remains) / whole
        left = remains
    return found


def _opened(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """The image without bright structures narrower than a square."""
    return _extreme(_extreme(image, side, np.minimum), side, np.maximum)


def _extreme(image: NDArray[np.float32], side: int, choose: np.ufunc) -> NDArray[np.float32]:
    """Minimum or maximum over a square around each pixel, of the pixels that there are; the side is odd.

    Along each axis windows of 2, 4, 8, ... pixels are made of two of half the width, the last of two that overlap.
    """
    reach = side // 2
    beyond = np.float32(np.inf if choose is np.minimum else -np.inf)
    rows, cols = image.shape
    padded = np.full((rows + 2 * reach, cols + 2 * reach), beyond, np.float32)
    padded[reach : reach + rows, reach : reach + cols] = image
    return _along_rows(_along_rows(padded, side, choose).T, side, choose).T


def _along_rows(image: NDArray[np.float32], side: int, choose: np.ufunc) -> NDArray[np.float32]:
    """Minimum or maximum over `side` rows from each row on, shape (Y - side + 1, X)."""
    wide = 1
    while 2 * wide <= side:
        image = choose(image[:-wide], image[wide:])
        wide *= 2
    rest = side - wide
    return choose(image[:-rest], image[rest:]) if rest else image
