"""How well found labels agree with true ones: which pairs belong together, and the scores made of them.

Pure functions of two label images; nothing here reads files or runs a model. Labels may be cells, nuclei or
any other instances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["IOU_THRESHOLDS", "LabelMatch", "iou_matrix", "match_labels"]

IOU_THRESHOLDS: tuple[float, ...] = (0.5, 0.6, 0.75, 0.9)
"""Overlaps at which average precision is given by default."""


@dataclass(frozen=True, eq=False)
class LabelMatch:
    """What `match_labels` found; the scores are 1 where neither image holds a label.

    Parameters
    ----------
    n_true, n_found : int
        How many labels each image holds.
    pairs : ndarray of int32, shape (n_pairs, 2)
        Ids of the true and the found label of every pair with IoU >= 0.5, by true id.
    ious : ndarray of float64, shape (n_pairs,)
        Their intersection over union, 0.5 to 1.
    average_precision : mapping of float to float
        TP / (TP + FP + FN) by IoU threshold. This is cellpose's "AP" and stardist's "accuracy".
    """

    n_true: int
    n_found: int
    pairs: NDArray[np.int32]
    ious: NDArray[np.float64]
    average_precision: Mapping[float, float]

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN) at IoU 0.5."""
        total = self.n_true + self.n_found
        return 2 * len(self.ious) / total if total else 1.0

    @property
    def mean_iou(self) -> float:
        """Mean IoU of the pairs with IoU >= 0.5; 0 where labels exist but none pair up."""
        if self.ious.size:
            return float(self.ious.mean())
        return 0.0 if self.n_true + self.n_found else 1.0

    @property
    def panoptic_quality(self) -> float:
        """F1 times mean IoU, both at IoU 0.5."""
        return self.f1 * self.mean_iou


def iou_matrix(true: NDArray[Any], found: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of every true with every found label.

    Parameters
    ----------
    true, found : ndarray of integers, shape (Y, X)
        Labels, 0 is background; ids need not be consecutive.

    Returns
    -------
    ndarray of float64, shape (n_true, n_found)
        Rows and columns in ascending order of ids.

    Raises
    ------
    InputError
        If the shapes differ, or labels are not whole numbers from 0 to the number of pixels.
    """
    if true.shape != found.shape:
        message = f"Expected two label images of one shape; found {true.shape} and {found.shape}."
        raise InputError(message)
    rows, cols = _numbers(true), _numbers(found)
    shape = int(rows.max()) + 1, int(cols.max()) + 1
    joint = rows[true.ravel()] * shape[1] + cols[found.ravel()]
    overlap = np.bincount(joint, minlength=shape[0] * shape[1]).reshape(shape)
    union = overlap.sum(axis=1)[:, None] + overlap.sum(axis=0)[None, :] - overlap
    ious: NDArray[np.float64] = overlap[1:, 1:] / union[1:, 1:]
    return ious


def match_labels(
    true: NDArray[Any], found: NDArray[Any], thresholds: Sequence[float] = IOU_THRESHOLDS
) -> LabelMatch:
    """Pair true with found labels one to one and score the pairing.

    At each threshold the pairing has as many pairs of at least that IoU as possible, and among those the
    largest sum of IoU (Hungarian method).

    Parameters
    ----------
    true, found : ndarray of integers, shape (Y, X)
        Labels, 0 is background; ids need not be consecutive.
    thresholds : sequence of float
        Overlaps, above 0 up to 1, at which average precision is wanted.

    Returns
    -------
    LabelMatch
        The pairs at IoU 0.5 and the scores.

    Raises
    ------
    InputError
        If the shapes differ, labels are not whole numbers from 0 to the number of pixels, or a threshold is
        not above 0 and up to 1.

    References
    ----------
    Kuhn 1955, doi:10.1002/nav.3800020109 (Hungarian method); Caicedo et al. 2019, doi:10.1038/s41592-019-0612-7
    (scores of object masks); Kirillov et al. 2019, doi:10.1109/CVPR.2019.00963 (panoptic quality).
    """
    wrong = [value for value in thresholds if not 0 < value <= 1]
    if wrong:
        message = f"Expected IoU thresholds above 0 and up to 1; found {wrong}."
        raise InputError(message)
    ious = iou_matrix(true, found)
    rows, cols = _assign(ious, 0.5)
    pairs = np.stack([_ids(true)[rows], _ids(found)[cols]], axis=1)
    precision = {value: _average_precision(ious, value) for value in thresholds}
    return LabelMatch(ious.shape[0], ious.shape[1], pairs, ious[rows, cols], precision)


def _average_precision(ious: NDArray[np.float64], threshold: float) -> float:
    """TP / (TP + FP + FN) at one threshold; 1 where there is nothing to find and nothing found."""
    hits = len(_assign(ious, threshold)[0])
    total = sum(ious.shape) - hits
    return hits / total if total else 1.0


def _assign(ious: NDArray[np.float64], threshold: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows and columns of the pairs of at least `threshold`: most pairs first, then most IoU."""
    if 0 in ious.shape:
        nothing = np.zeros(0, np.intp)
        return nothing, nothing
    allowed = ious >= threshold
    worth = np.where(allowed, 1 + ious / (2 * min(ious.shape)), 0.0)
    rows, cols = linear_sum_assignment(worth, maximize=True)
    kept = allowed[rows, cols]
    return rows[kept], cols[kept]


def _numbers(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Look-up table from an id to its place among the ids that occur: 0 background, then 1, 2, 3, ..."""
    whole = np.issubdtype(labels.dtype, np.integer)
    if not whole or labels.size == 0 or labels.min() < 0 or labels.max() > labels.size:
        message = (
            f"Expected labels that are whole numbers from 0 to the number of pixels; found {labels.dtype}"
            f" from {labels.min(initial=0)} to {labels.max(initial=0)} in {labels.size} pixels."
        )
        raise InputError(message, hint="Renumber them with organelle_widgets.core.masks.relabel.")
    present = np.bincount(labels.ravel()) > 0
    present[0] = False
    numbers: NDArray[np.int64] = np.where(present, np.cumsum(present), 0)
    return numbers


def _ids(labels: NDArray[Any]) -> NDArray[np.int32]:
    """The ids that occur, ascending, without background."""
    return np.flatnonzero(_numbers(labels)).astype(np.int32)
