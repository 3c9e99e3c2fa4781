"""The score of the Human Protein Atlas competition of 2021: mean average precision of masks with classes.

Reading the tables is in `kaggle_table`. The score ranks objects; it says nothing of whether a confidence is a
probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASS_NAMES, N_CLASSES
from organelle_widgets.errors import SettingsError
from organelle_widgets.evaluation.kaggle_table import read_kaggle_table, refuse_problems
from organelle_widgets.evaluation.metrics import mean_over_present

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.evaluation.kaggle_table import KaggleImage
    from organelle_widgets.io.coco_rle import MaskRuns

__all__ = ["MASK_IOU", "evaluate_kaggle", "interpolated_precision", "mask_ious"]

MASK_IOU = 0.6
"""Overlap from which a mask counts as found in the competition."""


def evaluate_kaggle(
    submission: str | Path, truth: str | Path, *, iou: float = MASK_IOU
) -> dict[str, Any]:
    """Score a submission.

    Parameters
    ----------
    submission : str or Path
        See `organelle_widgets.evaluation.kaggle_table.read_kaggle_table`. Images of the truth may be missing; what
        they hold then counts as not found.
    truth : str or Path
        The same form; its confidences are ignored.
    iou : float
        Intersection over union from which a mask is found, above 0 up to 1.

    Returns
    -------
    dict
        ``map``, the mean over classes that the truth holds; ``iou``; ``n_images``, ``n_objects`` of the truth;
        ``n_predictions``; ``n_images_without_prediction``; ``per_class``: by name ``n_objects``, ``n_predictions``,
        ``n_found``, ``ap`` (NaN where the truth has none).

    Raises
    ------
    InputError
        If a table is damaged, names images that the truth lacks, or gives them another size.
    SettingsError
        If the overlap is out of its range.

    Notes
    -----
    For every class the predictions of all images are taken by falling confidence (equal ones in the order of the
    tables). Each looks at the true object of its class and image that it overlaps most: it is right if their
    intersection over union is at least `iou` and no surer prediction has taken that object; else it is wrong. Average
    precision is the area under precision against recall, where precision counts as the highest at that recall or
    above (all-point interpolation).

    References
    ----------
    OpenImages challenge, instance segmentation: https://storage.googleapis.com/openimages/web/evaluation.html.
    Everingham et al. (2015), doi:10.1007/s11263-014-0733-5 (interpolation). The competition:
    https://www.kaggle.com/competitions/hpa-single-cell-image-classification/overview/evaluation; Le et al. (2022),
    doi:10.1038/s41592-022-01606-z.
    """
    if not 0 < iou <= 1:
        message = f"Expected an overlap above 0 and up to 1; found {iou!r}."
        raise SettingsError(message)
    said, true = read_kaggle_table(submission), read_kaggle_table(truth)
    refuse_problems(_empty_masks(true), str(truth))
    refuse_problems(_disagreements(said, true), str(submission))
    found = [_right(said[key], true[key], iou) for key in true if key in said]
    named = _joined([said[key].classes for key in true if key in said], np.int64)
    sure = _joined([said[key].confidences for key in true if key in said], np.float64)
    right = _joined(found, np.bool_)
    counts = np.bincount(
        _joined([image.classes for image in true.values()], np.int64), minlength=N_CLASSES
    )
    per_class = {
        name: _class_score(right[named == c], sure[named == c], int(counts[c]))
        for c, name in enumerate(CLASS_NAMES)
    }
    return {
        "map": mean_over_present([row["ap"] for row in per_class.values()]),
        "iou": iou,
        "n_images": len(true),
        "n_objects": int(counts.sum()),
        "n_predictions": len(right),
        "n_images_without_prediction": sum(
            key not in said or not len(said[key].classes) for key in true
        ),
        "per_class": per_class,
    }


def interpolated_precision(right: NDArray[Any], confidence: NDArray[Any], n_objects: int) -> float:
    """Average precision of ranked objects with all-point interpolation.

    Parameters
    ----------
    right : ndarray of bool, shape (n_predictions,)
        Which predictions are right; at most one an object.
    confidence : ndarray of float, shape (n_predictions,)
        Higher is surer; equal ones keep their order.
    n_objects : int
        How many objects there are to find.

    Returns
    -------
    float
        0 to 1; NaN where there is nothing to find.
    """
    if not n_objects:
        return float("nan")
    ranked = np.asarray(right, bool)[np.argsort(-np.asarray(confidence, float), kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_from_here[ranked].sum() / n_objects)


def mask_ious(first: Sequence[MaskRuns], second: Sequence[MaskRuns]) -> NDArray[np.float64]:
    """Intersection over union of masks of one image, from their runs alone.

    Parameters
    ----------
    first, second : sequence of MaskRuns
        Masks of one image; those of one sequence may overlap.

    Returns
    -------
    ndarray of float64, shape (n_first, n_second)
        0 where both are empty.
    """
    areas = np.array([mask.area for mask in second], float)
    owner = np.repeat(np.arange(len(second)), [len(mask.starts) for mask in second])
    starts = _joined([mask.starts for mask in second], np.int64)
    stops = _joined([mask.stops for mask in second], np.int64)
    ious = np.zeros((len(first), len(second)))
    for row, mask in zip(ious, first, strict=True):
        if mask.area:
            shared = _pixels_before(mask, stops) - _pixels_before(mask, starts)
            both = np.bincount(owner, weights=shared, minlength=len(second))
            row[:] = both / (mask.area + areas - both)
    return ious


def _pixels_before(mask: MaskRuns, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many pixels of the mask lie before each place; exact, since the numbers are whole and below 2**53."""
    lengths = np.cumsum(mask.stops - mask.starts)
    edges = np.stack([mask.starts, mask.stops], axis=1).ravel()
    counts = np.stack([np.append(0, lengths[:-1]), lengths], axis=1).ravel()
    return np.asarray(np.rint(np.interp(places, edges, counts)))


def _right(said: KaggleImage, true: KaggleImage, iou: float) -> NDArray[np.bool_]:
    """Which predictions of one image are right, in their own order."""
    ious = mask_ious(said.masks, true.masks)
    right = np.zeros(len(said.classes), bool)
    taken = np.zeros(len(true.classes), bool)
    for index in np.argsort(-said.confidences, kind="stable"):
        candidates = np.flatnonzero(true.classes == said.classes[index])
        if candidates.size:
            overlaps = ious[said.mask_of[index], true.mask_of[candidates]]
            best = candidates[np.argmax(overlaps)]
            right[index] = overlaps.max() >= iou and not taken[best]
            taken[best] |= right[index]
    return right


def _class_score(right: NDArray[Any], sure: NDArray[Any], n_objects: int) -> dict[str, Any]:
    """The score of one class."""
    return {
        "n_objects": n_objects,
        "n_predictions": len(right),
        "n_found": int(right.sum()),
        "ap": interpolated_precision(right, sure, n_objects),
    }


def _joined(parts: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    """Arrays one after another; an empty one where there is none."""
    return np.concatenate([np.zeros(0, dtype), *parts])


def _empty_masks(true: Mapping[str, KaggleImage]) -> list[str]:
    """Images of the truth with a mask that nothing can overlap."""
    return [
        f"Image {key} has a mask without a pixel."
        for key, image in true.items()
        if any(not mask.area for mask in image.masks)
    ]


def _disagreements(said: Mapping[str, KaggleImage], true: Mapping[str, KaggleImage]) -> list[str]:
    """Images that the truth lacks, or has in another size."""
    problems = []
    for key, image in said.items():
        if key not in true:
            problems.append(f"Image {key} is not in the truth.")
        elif image.shape != true[key].shape:
            rows, cols = true[key].shape
            problems.append(
                f"Image {key} is {cols} x {rows} pixels in the truth; "
                f"found {image.shape[1]} x {image.shape[0]}."
            )
    return problems
