"""Bounding boxes of labels: found once for a field, by whatever cuts its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["find_boxes"]


def find_boxes(labels: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bounding boxes of all labels, from the runs of equal labels along rows.

    Parameters
    ----------
    labels : ndarray of int32, shape (Y, X)
        0 is background.

    Returns
    -------
    ids : ndarray of int64, shape (n,)
        The labels that occur, ascending.
    boxes : ndarray of int64, shape (n, 4)
        First row, one past the last row, first column, one past the last column.
    """
    width, flat = labels.shape[1], labels.ravel()
    begins = np.ones(flat.size, bool)
    np.not_equal(flat[1:], flat[:-1], out=begins[1:])
    begins[::width] = True
    starts = np.flatnonzero(begins)
    stops, found = np.append(starts[1:], flat.size), flat[starts]
    starts, stops, found = starts[found > 0], stops[found > 0], found[found > 0]
    occurs = np.zeros(int(found.max(initial=0)) + 1, bool)
    occurs[found] = True
    ids = np.flatnonzero(occurs)
    place = np.searchsorted(ids, found)
    rows = starts // width
    boxes = np.tile(np.array([labels.shape[0], 0, width, 0]), (len(ids), 1))
    np.minimum.at(boxes[:, 0], place, rows)
    np.maximum.at(boxes[:, 1], place, rows + 1)
    np.minimum.at(boxes[:, 2], place, starts - rows * width)
    np.maximum.at(boxes[:, 3], place, stops - rows * width)
    return ids, boxes
