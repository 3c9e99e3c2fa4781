"""The model card that goes with trained weights: what they saw, how they score, and what not to expect."""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from organelle_widgets.classification._keras import sha256_of
from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.labels import CLASS_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from organelle_widgets.classification import CropRule

__all__ = ["without_nan", "write_card"]

_IMAGES = (
    "Images of the Human Protein Atlas (proteinatlas.org, CC BY-SA), obtained through public repositories and the "
    "Kaggle competitions Human Protein Atlas Image Classification (2018) and Single Cell Classification (2021)."
)
_CELLS = (
    "Real cells were found by the watershed segmenter and carry the labels of their field, which are weak: they need "
    "not hold for each cell. Simulated cells are real cells whose protein channel was drawn; virtual cells are drawn "
    "altogether; both have exact labels."
)
_SPLIT = (
    "Fields are kept aside by the SHA-256 of their antibody, see organelle_widgets.training.split.held_out. Held-out "
    "fields gave neither labels nor reference channels to the training, and no choice was made on them."
)
_REAL = {"images": _IMAGES, "licence": "CC BY-SA", "cells": _CELLS, "split": _SPLIT}
_DRAWN = {
    "images": "None: all cells are virtual, drawn by organelle_widgets.synthetic, with exact labels.",
    "split": "None: no field was kept aside, and nothing was scored.",
}
_LIMITS = (
    "There are few labelled fields, of many classes one or two or none: the scores say little of a single class. "
    "Labels of fields stand for their cells. Structures below 0.6 um are lost in the crops. Not for diagnosis."
)


def write_card(
    weights: Path,
    *,
    rule: CropRule,
    training: Mapping[str, Any],
    scores: Mapping[str, Any],
) -> Path:
    """Write the card beside the weights.

    Parameters
    ----------
    weights : Path
        The ``.keras`` file.
    rule : CropRule
        How its cells are cut.
    training : mapping
        Settings and numbers of the training, with ``n_cells`` by kind; JSON-serialisable. Without real cells the
        card names no images and no licence of theirs.
    scores : mapping
        Scores on held-out fields by the name of the set; NaN becomes null.

    Returns
    -------
    Path
        The card: the weights' path with the ending ``.json``.
    """
    card = {
        "title": "Embedded CNN",
        "version": "1",
        "sha256": sha256_of(weights),
        "classes": list(CLASS_NAMES),
        "channels": [f"{channel.key}: {channel.name}" for channel in CHANNELS],
        "crop": {"size_px": rule.size, "pixel_size_um": rule.pixel_size_um},
        "output": "19 independent probabilities (sigmoid)",
        **(_REAL if "real" in training["n_cells"] else _DRAWN),
        "limits": _LIMITS,
        "training": dict(training),
        "scores": without_nan(dict(scores)),
        "software": {name: version(name) for name in ("keras", "tensorflow", "numpy")},
    }
    path = weights.with_suffix(".json")
    path.write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def without_nan(value: Any) -> Any:
    """What a model card can hold of scores.

    Parameters
    ----------
    value : dict, list, float or other
        May hold NaN, which JSON can't.

    Returns
    -------
    dict, list, float or other
        The same with NaN as None and floats to four digits.
    """
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_nan(part) for part in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value
