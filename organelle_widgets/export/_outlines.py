"""From label images to polygons: the exact outlines of cells and nuclei, along the edges of their pixels.

Coordinates are x, y in pixels of the full image, counted from the top left corner of the top left pixel, so that
pixel (row, col) covers x from col to col + 1 and y from row to row + 1. ImageJ, QuPath and GeoJSON made for them
count alike; `organelle_widgets.core.cells` counts from pixel centres, half a pixel less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Part", "outlines", "ring_area"]

_RIGHT, _DOWN, _LEFT, _UP = range(4)


@dataclass(frozen=True, eq=False)
class Part:
    """A polygon with holes: pixels of one label that hang together by their edges.

    Parameters
    ----------
    exterior : ndarray of int32, shape (n, 2)
        Corners as x, y; the first is not repeated at the end. Runs so that `ring_area` is positive.
    holes : tuple of ndarray of int32, shape (n, 2)
        Alike, the other way round.
    """

    exterior: NDArray[np.int32]
    holes: tuple[NDArray[np.int32], ...] = ()

    @property
    def rings(self) -> tuple[NDArray[np.int32], ...]:
        """The exterior, then the holes."""
        return (self.exterior, *self.holes)

    @property
    def area_px(self) -> float:
        """Area without the holes, in pixels."""
        return float(sum(ring_area(ring) for ring in self.rings))


def ring_area(ring: NDArray[Any]) -> float:
    """Signed area of a ring.

    Parameters
    ----------
    ring : ndarray, shape (n, 2)
        Corners as x, y, the first not repeated.

    Returns
    -------
    float
        Positive for exteriors, which run clockwise on the screen: anticlockwise where y points up, as GeoJSON asks.
    """
    x, y = np.asarray(ring, np.float64).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def outlines(labels: NDArray[np.int32]) -> dict[int, tuple[Part, ...]]:
    """The exact outlines of all labels.

    Parameters
    ----------
    labels : ndarray of int32, shape (Y, X)
        0 is background.

    Returns
    -------
    dict of int to tuple of Part
        By label, ascending; the largest part first. Filling the parts gives the label's pixels and no others. Pixels
        that touch at a corner only are in different parts, and every ring visits a corner once, so that the
        polygons are valid by the rules of the OGC.

    Notes
    -----
    Every side of a pixel where the label changes becomes a directed edge with the label on one hand, and edges are
    chained where they meet. Where two pixels of one part meet at a corner only, the chain turns away from its pixel:
    then it never comes back to a corner, because such a corner separates the two pixels of background beside it.

    References
    ----------
    OGC 06-103r4, Simple feature access, 6.1.11 (valid polygons): https://www.ogc.org/standards/sfa
    """
    from skimage.measure import label

    number = np.asarray(label(labels, background=0, connectivity=1), np.int32)
    owner = np.zeros(int(number.max(initial=0)) + 1, np.int32)
    owner[number.ravel()] = labels.ravel()
    rings: dict[int, list[NDArray[np.int32]]] = {}
    for part, ring in _rings(number):
        rings.setdefault(part, []).append(ring)
    found: dict[int, list[Part]] = {}
    for part, (exterior, *holes) in rings.items():
        found.setdefault(int(owner[part]), []).append(Part(exterior, tuple(holes)))
    return {
        cell: tuple(sorted(found[cell], key=lambda part: -part.area_px)) for cell in sorted(found)
    }


def _rings(number: NDArray[np.int32]) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """The rings of all parts with the part's number; of each part the exterior first."""
    part, start, heading = _edges(number)
    width = number.shape[1] + 1
    following = _following(part, start, heading, (number.shape[0] + 1, width))
    y, x = np.divmod(start, width)
    corners = np.stack([x, y], axis=1).astype(np.int32)
    for chain in _chains(following):
        turns = heading[chain] != heading[np.roll(chain, 1)]
        yield int(part[chain[0]]), corners[chain[turns]]


def _edges(number: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Directed edges around the parts, by part and start: part, start (the corner's number), heading."""
    padded = np.pad(number, 1)
    width = number.shape[1] + 1
    found = []
    for first, second, ahead, back, shift in (
        (padded[:-1, 1:-1], padded[1:, 1:-1], _RIGHT, _LEFT, 1),
        (padded[1:-1, :-1], padded[1:-1, 1:], _UP, _DOWN, width),
    ):
        row, col = np.nonzero(first != second)
        corner = row * width + col
        before, after = first[row, col], second[row, col]
        # Along the top of what is below, and back along the bottom of what is above; sides alike.
        for owner, way in ((after, ahead), (before, back)):
            at = corner + (shift if way in (_LEFT, _UP) else 0)
            inside = owner > 0
            found.append((owner[inside], at[inside], np.full(int(inside.sum()), way)))
    part, start, heading = (np.concatenate(values) for values in zip(*found, strict=True))
    order = np.lexsort((start, part))
    return part[order], start[order], heading[order]


def _following(
    part: NDArray[Any], start: NDArray[Any], heading: NDArray[Any], shape: tuple[int, int]
) -> NDArray[np.intp]:
    """Which edge of the same part begins where each one ends; of two, the one that turns away from the pixel."""
    rows, width = shape
    step = np.array([1, width, -1, -width])
    begins = part.astype(np.int64) * (rows * width) + start
    found: NDArray[np.intp] = np.searchsorted(begins, begins + step[heading])
    wrong = heading[found] != (heading - 1) % 4
    second = np.minimum(found + 1, len(begins) - 1)
    two = (begins[second] == begins[found]) & (second > found)
    return np.where(two & wrong, second, found)


def _chains(following: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """The closed chains, in the order of their first edges."""
    after = following.tolist()
    seen = bytearray(len(after))
    for first in range(len(after)):
        if seen[first]:
            continue
        chain, edge = [], first
        while not seen[edge]:
            seen[edge] = True
            chain.append(edge)
            edge = after[edge]
        yield np.array(chain)
