"""The model card that goes with trained weights: what they saw, how they score, and what not to expect."""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from organelle_widgets.classification._keras import sha256_of
from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.render.saving import written_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from organelle_widgets.classification import CropRule

__all__ = ["HPA_PROVENANCE", "without_nan", "write_card"]

HPA_PROVENANCE = (
    "Images of the Human Protein Atlas (proteinatlas.org, CC BY-SA), obtained through public repositories and the "
    "Kaggle competitions Human Protein Atlas Image Classification (2018) and Single Cell Classification (2021)."
)
"""What to say of images of the Human Protein Atlas; ``--provenance hpa`` on the command line."""
_GIVEN = "Images given by the user; where they come from was not said."
_VIRTUAL = "None: all cells are virtual, drawn by organelle_widgets.synthetic, with exact labels."
_CELLS = (
    "Labels of fields are weak: they need not hold for each of their cells. Simulated cells are real cells whose "
    "protein channel was drawn, varied ones are real cells changed in shape and exposure; virtual cells are drawn "
    "altogether. Labels of simulated and virtual cells are exact."
)
_SPLIT = (
    "Fields are kept aside by the SHA-256 of their antibody or well, see organelle_widgets.training.split.held_out. "
    "They gave neither labels nor reference channels to the training, and no choice was made on them. Early stopping "
    "and calibration use yet other fields."
)
_UNSCORED = "No field was kept aside, and nothing was scored."
_LIMITS = (
    "A class with few labelled fields, or none, is known from drawn cells alone, and its scores say little. Structures "
    "below 0.6 um are lost in the crops. Not for diagnosis."
)


def write_card(
    weights: Path,
    *,
    rule: CropRule,
    training: Mapping[str, Any],
    scores: Mapping[str, Any],
    provenance: str | None = None,
    output: str = "19 independent probabilities (sigmoid)",
    title: str = "Organelle network trained by a user",
    **more: Any,
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
        card names no images.
    scores : mapping
        Scores on held-out fields by the name of the set; NaN becomes null.
    provenance : str, optional
        Where the images come from, and their licence; ``"hpa"`` stands for `HPA_PROVENANCE`. Without one, the card says
        that nobody told.
    output : str
        What the answers are.
    title : str
        Name of the classifier.
    **more
        Further entries, such as ``started_from``.

    Returns
    -------
    Path
        The card: the weights' path with the ending ``.json``.

    Raises
    ------
    ExportError
        If it can't be written.
    WeightsError
        If the weights can't be read.
    """
    card = {
        "title": title,
        "version": "1",
        "sha256": sha256_of(weights),
        "classes": list(CLASS_NAMES),
        "channels": [f"{channel.key}: {channel.name}" for channel in CHANNELS],
        "crop": {"size_px": rule.size, "pixel_size_um": rule.pixel_size_um},
        "output": output,
        **_origin(provenance, real="real" in training["n_cells"]),
        "split": _SPLIT if scores else _UNSCORED,
        "limits": _LIMITS,
        **more,
        "training": dict(training),
        "scores": without_nan(dict(scores)),
        "software": {name: version(name) for name in ("keras", "tensorflow", "numpy")},
    }
    path = weights.with_suffix(".json")
    with written_whole(path) as part:
        part.write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def _origin(provenance: str | None, *, real: bool) -> dict[str, str]:
    """Where the images come from."""
    if not real:
        return {"images": _VIRTUAL}
    if provenance == "hpa":
        return {"images": HPA_PROVENANCE, "licence": "CC BY-SA", "cells": _CELLS}
    return {"images": provenance or _GIVEN, "cells": _CELLS}


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
