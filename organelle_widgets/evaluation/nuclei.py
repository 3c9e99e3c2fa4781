"""Scoring a segmenter's nuclei on pictures of nuclei alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.field import PIXEL_SIZES_UM, Field
from organelle_widgets.errors import InputError, attributed_to
from organelle_widgets.evaluation.matching import match_labels
from organelle_widgets.io.nuclei_pictures import read_nuclei_pictures
from organelle_widgets.pipeline import DEFAULT_SEGMENTER
from organelle_widgets.segmentation import SEGMENTERS, Segmenter, make_segmenter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from organelle_widgets.io.nuclei_pictures import NucleiPicture

__all__ = ["NUCLEI_UM", "evaluate_nuclei"]

NUCLEI_UM = 0.65
"""Micrometres per pixel that the pictures of the Data Science Bowl are taken to have; none says its own. With it
the median nucleus has about 90 um2."""


def evaluate_nuclei(
    folder: str | Path,
    *,
    segmenter: str | Segmenter = DEFAULT_SEGMENTER,
    pixel_size_um: float | None = NUCLEI_UM,
    held_out: bool = True,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Segment pictures of nuclei as fields that have the nuclei channel alone, and score the nuclei.

    Parameters
    ----------
    folder : str or Path
        See `organelle_widgets.io.nuclei_pictures.read_nuclei_pictures`.
    segmenter : str or Segmenter
        A registered name or an instance.
    pixel_size_um : float or None
        Micrometres per pixel that all pictures are taken to have; None where the segmenter shall judge by itself.
    held_out : bool
        Only the tenth that is kept aside from training; else all pictures.
    progress : callable, optional
        Called with the share done, 0 to 1, after every picture; may raise to stop.

    Returns
    -------
    dict
        ``segmenter``, its name; ``pixel_size_um``; ``pictures`` and ``nuclei``, how many; ``f1_50``, ``f1_75`` and
        ``mean_iou`` (of pairs with IoU >= 0.5), means over pictures; ``pooled_f1_50``, of all nuclei together;
        ``per_picture``, a list with ``id``, ``nuclei_true``, ``nuclei_found``, ``f1_50``.

    Raises
    ------
    InputError
        If the pixel size is impossible, there is no picture, or a file can't be read.
    SettingsError
        If the segmenter's name is unknown.
    SegmentationError
        If the segmenter fails.
    """
    low, high = PIXEL_SIZES_UM
    if pixel_size_um is not None and not low <= pixel_size_um <= high:
        message = f"Expected a pixel size from {low:g} to {high:g} um; found {pixel_size_um!r}."
        raise InputError(message)
    finder = make_segmenter(segmenter)
    pictures = [p for p in read_nuclei_pictures(folder) if p.held_out or not held_out]
    if not pictures:
        message = "Expected pictures of nuclei; found none in index.csv."
        raise InputError(message, source=str(folder))
    scores = []
    for done, picture in enumerate(pictures, start=1):
        scores.append(_score(picture, finder, pixel_size_um))
        if progress is not None:
            progress(done / len(pictures))
    total = {key: sum(s[key] for s in scores) for key in ("nuclei_true", "nuclei_found", "matched")}
    return {
        "segmenter": SEGMENTERS.name_of(type(finder)),
        "pixel_size_um": pixel_size_um,
        "pictures": len(scores),
        "nuclei": total["nuclei_true"],
        **{key: float(np.mean([s[key] for s in scores])) for key in ("f1_50", "f1_75", "mean_iou")},
        "pooled_f1_50": 2 * total["matched"] / max(1, total["nuclei_true"] + total["nuclei_found"]),
        "per_picture": [
            {key: s[key] for key in ("id", "nuclei_true", "nuclei_found", "f1_50")} for s in scores
        ],
    }


def _score(
    picture: NucleiPicture, finder: Segmenter, pixel_size_um: float | None
) -> dict[str, Any]:
    """The scores of one picture."""
    with attributed_to(source=picture.id, step="evaluation"):
        blue, true = picture.read(), picture.read_labels()
        pixels = np.zeros((4, *blue.shape), blue.dtype)
        pixels[2] = blue
        missing = frozenset({"red", "yellow"})
        if pixel_size_um is None:
            field = Field(pixels, picture.id, missing=missing)
        else:
            field = Field(pixels, picture.id, pixel_size_um, "given", missing)
        found = finder.segment(field).nuclei
        match = match_labels(true, found)
        strict = match.average_precision[0.75]
    return {
        "id": picture.id,
        "nuclei_true": match.n_true,
        "nuclei_found": match.n_found,
        "matched": len(match.pairs),
        "f1_50": match.f1,
        "f1_75": 2 * strict / (1 + strict),
        "mean_iou": match.mean_iou,
    }
