"""The model card of the embedded segmenter: what it saw, how it scores, and what not to expect."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from organelle_widgets.segmentation._unet_input import INPUT_PLANES, WORK_UM
from organelle_widgets.segmentation.unet import MAP_NAMES
from organelle_widgets.training.card import without_nan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["write_segmenter_card"]

_IMAGES = (
    "Fields, cells and masks of the Human Protein Atlas (proteinatlas.org, CC BY-SA), obtained through public "
    "repositories and the Kaggle competitions Human Protein Atlas Image Classification (2018) and Single Cell "
    "Classification (2021); pictures of nuclei of the Data Science Bowl 2018 (CC0) with corrected labels."
)
_KINDS = {
    "masked": "fields with masks of the official HPA Cell Segmentator; nuclei by the watershed segmenter",
    "outlined": "fields without masks, outlined by the watershed segmenter, whose settings were chosen with the "
    "masked fields in view",
    "composed": "real single cells bent into the shapes and layouts of other real fields: exact masks",
    "nuclei": "pictures of nuclei: nuclei alone are learnt",
    "virtual": "drawn by organelle_widgets.synthetic: exact masks",
}
_SPLITS = {
    "cells": "each field with a mask is scored by a network whose base never saw such a field and whose tuning left "
    "that field out; how cells are outlined in the maps (thresholds, joining) was chosen with these fields in view.",
    "nuclei": "every tenth picture in alphabetical order was kept aside, and is scored as a field of nuclei alone "
    "with 0.65 um per pixel.",
}
_LIMITS = (
    "The masks that cells are scored against are another program's, not hand-drawn. Cells without a visible nucleus "
    "are not found. Trained on cultured human cells; tissue was never seen. Not for diagnosis."
)


def write_segmenter_card(
    weights: Path,
    sha256: str,
    widths: Sequence[int],
    training: Mapping[str, Any],
    scores: Mapping[str, Any],
    *,
    real: bool,
) -> Path:
    """Write the card beside the weights.

    Parameters
    ----------
    weights : Path
        The ``.safetensors`` file.
    sha256 : str
        Of that file.
    widths : sequence of int
        Channels of each stage of the network.
    training, scores : mapping
        As `organelle_widgets.training.segmenter.train_segmenter` returns them; NaN becomes null.
    real : bool
        Whether real images were seen; else the card names none.

    Returns
    -------
    Path
        The card: the weights' path with the ending ``.json``.
    """
    seen = [kind for kind, count in training["n_scenes"].items() if count]
    card = {
        "title": "Embedded U-Net",
        "version": "1",
        "sha256": sha256,
        "widths": list(widths),
        "input": f"{', '.join(INPUT_PLANES)} at {WORK_UM} um/px; square root between the 1st and 99.8th percentile",
        "output": list(MAP_NAMES),
        "images": _IMAGES if real else "None: all fields are virtual.",
        "licence": "CC BY-SA" if real else "that of the package",
        "scenes": {kind: _KINDS[kind] for kind in seen},
        "split": _split(scores),
        "limits": _LIMITS,
        "training": dict(training),
        "scores": without_nan(dict(scores)),
        "software": {name: version(name) for name in ("torch", "numpy", "scikit-image")},
    }
    path = weights.with_suffix(".json")
    path.write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def _split(scores: Mapping[str, Any]) -> str:
    """How what was scored was kept from training."""
    parts = [f"{what}: {words}" for what, words in _SPLITS.items() if what in scores]
    return " ".join(parts) or "Nothing was scored."
