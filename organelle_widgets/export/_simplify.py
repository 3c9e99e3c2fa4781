"""Outlines with fewer corners that are still valid polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.settings import setting
from organelle_widgets.export._outlines import Part, ring_area

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["simplified", "simplify_setting"]

_TRIES = 3
_LEAST_CORNERS = 3


def simplify_setting() -> Any:
    """The setting ``simplify_px`` of the formats that write outlines."""
    return setting(
        0.0,
        label="Simplify outlines",
        unit="px",
        minimum=0,
        maximum=20,
        step=0.5,
        help="How far an outline may leave the edges of the pixels; 0 is exact, more makes fewer corners.",
    )


def simplified(parts: tuple[Part, ...], tolerance_px: float) -> tuple[Part, ...]:
    """The outline of one cell with fewer corners.

    Parameters
    ----------
    parts : tuple of Part
        The exact outline, see `organelle_widgets.export._outlines.outlines`.
    tolerance_px : float
        No corner left out is farther from the new outline than this; 0 leaves all as it is.

    Returns
    -------
    tuple of Part
        Corners are corners of the exact outline. Valid polygons again: where the new outline would cross or touch
        itself a half and a quarter of the tolerance are tried, then the exact outline stays, as it does where rings
        touch at corners already. Holes that would vanish stay exact. Outlines of neighbours are simplified apart and
        may overlap or leave gaps of that width.

    References
    ----------
    Douglas and Peucker 1973, doi:10.3138/FM57-6770-U75U-7727
    """
    if tolerance_px <= 0 or _touches_itself(parts):
        return parts
    for halvings in range(_TRIES):
        fewer = tuple(_fewer(part, tolerance_px / 2**halvings) for part in parts)
        if _is_valid(fewer):
            return fewer
    return parts


def _touches_itself(parts: Sequence[Part]) -> bool:
    """Whether rings share a corner."""
    corners = np.concatenate([ring for part in parts for ring in part.rings]).astype(np.int64)
    return len(np.unique(corners[:, 0] << 32 | corners[:, 1])) < len(corners)


def _fewer(part: Part, tolerance: float) -> Part:
    """A part with fewer corners."""
    exterior, *holes = (_fewer_corners(ring, tolerance) for ring in part.rings)
    return Part(exterior, tuple(holes))


def _fewer_corners(ring: NDArray[np.int32], tolerance: float) -> NDArray[np.int32]:
    """A ring with fewer corners; as it was where nothing of it, or its reverse, would be left."""
    from skimage.measure import approximate_polygon

    closed = np.concatenate([ring, ring[:1]])
    fewer: NDArray[np.int32] = approximate_polygon(closed, tolerance)[:-1].astype(np.int32)
    keeps = len(fewer) >= _LEAST_CORNERS and ring_area(fewer) * ring_area(ring) > 0
    return fewer if keeps else ring


def _is_valid(parts: Sequence[Part]) -> bool:
    """Whether no ring crosses or touches itself or another, and all holes and parts are where they belong."""
    rings = [ring for part in parts for ring in part.rings]
    return not _touch(rings) and all(map(_holes_fit, parts)) and _lie_apart(parts)


def _touch(rings: Sequence[NDArray[np.int32]]) -> bool:
    """Whether two sides share a point that is not the corner between them."""
    start = np.concatenate(rings).astype(np.int64)
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings]).astype(np.int64)
    after = np.concatenate([np.roll(place, -1) for place in _places(rings)])
    first, second = _near(np.minimum(start, end), np.maximum(start, end))
    neighbours = (after[first] == second) | (after[second] == first)
    return _spike(start, end, after) or _meet(start, end, first[~neighbours], second[~neighbours])


def _near(
    low: NDArray[np.int64], high: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of sides whose boxes meet: of those that follow in the order of their left ends, up to the right end."""
    order = np.argsort(low[:, 0], kind="stable")
    left, right = low[order, 0], high[order, 0]
    here = np.arange(len(order))
    n_after = np.searchsorted(left, right, side="right") - here - 1
    first = np.repeat(here, n_after)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(n_after) - n_after, n_after)
    first, second = order[first], order[second]
    meet = (low[first, 1] <= high[second, 1]) & (low[second, 1] <= high[first, 1])
    return first[meet], second[meet]


def _places(rings: Sequence[NDArray[np.int32]]) -> list[NDArray[np.int64]]:
    """The numbers of each ring's sides among all sides."""
    ends = np.cumsum([len(ring) for ring in rings])
    return np.split(np.arange(ends[-1]), ends[:-1])


def _spike(start: NDArray[np.int64], end: NDArray[np.int64], after: NDArray[np.int64]) -> bool:
    """Whether a side runs back on the one before it."""
    one, two = end - start, (end - start)[after]
    back = (one * two).sum(axis=1) < 0
    return bool((back & (one[:, 0] * two[:, 1] == one[:, 1] * two[:, 0])).any())


def _meet(
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
) -> bool:
    """Whether any of these pairs of sides, whose boxes meet, share a point."""

    def sides(one: NDArray[np.intp], two: NDArray[np.intp]) -> NDArray[np.int64]:
        along = end[one] - start[one]
        to = (start[two] - start[one], end[two] - start[one])
        crosses = [along[:, 0] * t[:, 1] - along[:, 1] * t[:, 0] for t in to]
        signs: NDArray[np.int64] = np.sign(crosses[0]) * np.sign(crosses[1])
        return signs

    return bool(((sides(first, second) <= 0) & (sides(second, first) <= 0)).any())


def _inside(point: NDArray[np.int32], ring: NDArray[np.int32]) -> bool:
    """Whether a point that is not on the ring lies in it."""
    x, y = (ring - point).astype(np.int64).T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    passes = (y > 0) != (next_y > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        right = x - y * (next_x - x) / (next_y - y) > 0
    return bool((passes & right).sum() % 2)


def _holes_fit(part: Part) -> bool:
    """Whether all holes lie in the exterior and none in another."""
    return all(_inside(hole[0], part.exterior) for hole in part.holes) and not any(
        _inside(one[0], other) for one in part.holes for other in part.holes if one is not other
    )


def _lie_apart(parts: Sequence[Part]) -> bool:
    """Whether no part begins within another."""
    return not any(
        sum(_inside(one.exterior[0], ring) for ring in other.rings) % 2
        for one in parts
        for other in parts
        if one is not other
    )
