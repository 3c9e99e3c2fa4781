"""A result as the front end gets it: plain lists and dictionaries, positions as x, y.

The only place where a `FieldResult` becomes JSON for the widgets. Pixels go another way (`_pixels`).
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.predictions import cell_weights

if TYPE_CHECKING:
    from organelle_widgets.core.quality import FieldQuality
    from organelle_widgets.core.results import FieldResult

__all__ = ["NOT_SURE", "cell_payload", "field_payload", "own_payload"]

NOT_SURE = -1
"""Stands for "not sure" where a class index is expected."""


def cell_payload(result: FieldResult, threshold: float | None = None) -> list[dict[str, Any]]:
    """Every cell of a result.

    Parameters
    ----------
    result : FieldResult
        The result.
    threshold : float, optional
        Confidence threshold, 0 to 1, instead of the result's own.

    Returns
    -------
    list of dict
        One a cell, ascending in id: ``id``; ``box`` [x0, y0, x1, y1] and ``center`` [x, y] in field pixels from the
        top left corner, x1 and y1 one past the last pixel; ``classes`` at or above the threshold and ``top``, class
        indices; ``confidence``; ``sure``; ``unusual``, whether it is unlike any cell that the classifier knows;
        ``title`` and ``detail``, the answer in words; ``p``, 19 probabilities to three decimals; ``border``, whether it
        touches the field's edge, and ``fragment``, whether more than half of it is probably out of view; ``area_um2``
        and ``nucleus_area_um2``.
    """
    rows = result.cells.to_dict("records")
    rounded = np.round(result.probabilities.astype(float), 3).tolist()
    return [
        {
            "id": int(row["cell_id"]),
            "box": [int(row[name]) for name in ("min_col", "min_row", "max_col", "max_row")],
            "center": [round(row["centroid_col"] + 0.5, 1), round(row["centroid_row"] + 0.5, 1)],
            "classes": list(prediction.classes),
            "top": prediction.top,
            "confidence": round(prediction.confidence, 3),
            "sure": prediction.sure,
            "unusual": prediction.unusual,
            "title": prediction.title,
            "detail": prediction.detail,
            "p": p,
            "border": bool(row["touches_border"]),
            "fragment": bool(row["is_fragment"]),
            "area_um2": round(float(row["area_um2"]), 2),
            "nucleus_area_um2": round(float(row["nucleus_area_um2"]), 2),
        }
        for row, prediction, p in zip(rows, result.predictions(threshold), rounded, strict=True)
    ]


def field_payload(result: FieldResult, threshold: float | None = None) -> dict[str, Any]:
    """The field as a whole.

    Parameters
    ----------
    result : FieldResult
        The result.
    threshold : float, optional
        Confidence threshold, 0 to 1, instead of the result's own.

    Returns
    -------
    dict
        ``title``, ``detail``, ``confidence``, ``sure``, ``unusual`` of the field; ``n_unusual``, how many cells are
        unlike any that the classifier knows; ``p``, 19 probabilities to three decimals; ``counts``, [class index,
        cells] by first class in descending order, with `NOT_SURE` for cells without one; ``n_cells``. Without cells,
        the title says so. ``quality``: ``median_cell_um2``, ``median_nucleus_um2`` (0 where there is none),
        ``border_share``, ``fragments``, ``warnings`` in whole sentences, and ``pixel_size_um`` that would fit where the
        field's own can't be right, else 0; empty where not measured.
    """
    prediction = result.predict(threshold=threshold)
    counts = Counter(p.top if p.sure else NOT_SURE for p in result.predictions(threshold))
    found = result.n_cells > 0
    return {
        "title": prediction.title if found else "No cells",
        "detail": prediction.detail if found else _advice(result),
        "confidence": round(prediction.confidence, 3),
        "sure": prediction.sure and found,
        "unusual": prediction.unusual and found,
        "n_unusual": int(result.unusual.sum()),
        "p": np.round(result.field_probabilities.astype(float), 3).tolist(),
        "counts": [[c, n] for c, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))],
        "n_cells": result.n_cells,
        "quality": _quality(result.quality, result.warnings) if result.quality else {},
    }


def own_payload(result: FieldResult, title: str, cell_id: int | None = None) -> dict[str, Any]:
    """What the classifier says in classes of its own.

    Parameters
    ----------
    result : FieldResult
        The result.
    title : str
        What these classes are called.
    cell_id : int, optional
        The cell; without it, the whole field: its cells, weighted as for the 19 classes.

    Returns
    -------
    dict
        ``title``; ``names`` of the classes; ``p``, their probabilities to three decimals. Empty where the classifier
        has no classes of its own, and for a field without cells.
    """
    answers = result.answers
    if answers is None or answers.own_probabilities is None or not len(answers):
        return {}
    if cell_id is not None:
        p = answers.own_probabilities[result.row_of(cell_id)]
    else:
        border, fragment = (
            result.cells[n].to_numpy(bool) for n in ("touches_border", "is_fragment")
        )
        weights = cell_weights(border, fragment, result.unusual)
        p = np.average(answers.own_probabilities, axis=0, weights=weights)
    rounded = np.round(p.astype(float), 3).tolist()
    return {"title": title, "names": list(answers.own_classes), "p": rounded}


def _quality(quality: FieldQuality, warnings: tuple[str, ...]) -> dict[str, Any]:
    """What the page shows of a field's quality."""
    medians = {"cell": quality.median_cell_area_um2, "nucleus": quality.median_nucleus_area_um2}
    return {
        **{f"median_{name}_um2": round(_or_zero(value), 1) for name, value in medians.items()},
        "border_share": round(_or_zero(quality.border_share), 3),
        "fragments": int(quality.n_fragments),
        "warnings": list(warnings),
        "pixel_size_um": _or_zero(quality.fitting_pixel_size_um),
    }


def _advice(result: FieldResult) -> str:
    """What to try where no cell was found, unless a warning tells."""
    return "" if result.warnings else "Try a lower nucleus threshold."


def _or_zero(value: float | None) -> float:
    """A number that JSON knows."""
    return float(value) if value is not None and math.isfinite(value) else 0.0
