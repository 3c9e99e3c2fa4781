"""Running the HPA Cell Segmentator's networks: which weights, and from an image to probabilities of 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets import weights
from organelle_widgets.segmentation._checksum import sha256_of
from organelle_widgets.segmentation._hpa_input import crop, normalised, pad

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["checksums", "locate", "run"]

_SECOND_CHOICE = {"hpa-nuclei": "hpa-nuclei-torchscript", "hpa-cells": "hpa-cells-torchscript"}


def locate(name: str) -> Path:
    """The verified weight file of that name in the model store, or its TorchScript form where only that is there."""
    other = _SECOND_CHOICE.get(name)
    if other and weights.is_here(other) and not weights.is_here(name):
        return weights.locate(other)
    return weights.locate(name)


def checksums(names: Iterable[str]) -> dict[str, str]:
    """The sha256 of those weights that are in the model store, by name."""
    names = [form for name in names for form in (name, _SECOND_CHOICE.get(name)) if form]
    paths = {name: weights.locate(name) for name in names if weights.is_here(name)}
    return {name: sha256_of(path) for name, path in paths.items()}


def run(network: Any, planes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities of border and body: ndarray of uint8, shape (2, Y', X').

    `planes` are the three that the network sees, as fractions at 0.32 um.
    """
    import torch

    image = torch.from_numpy(pad(normalised(planes)))[None]
    dtype = next((weight.dtype for weight in network.parameters()), torch.float32)
    image = image.to(dtype, memory_format=torch.channels_last)
    with torch.inference_mode():
        out = network(image)
        out = (out[0] if isinstance(out, (tuple, list)) else out).float()
        found = crop(_probabilities(out)[0, 1:].numpy(), planes.shape[1:])
    rounded: NDArray[np.uint8] = np.rint(found * np.float32(255)).astype(np.uint8)
    return rounded


def _probabilities(out: Any) -> Any:
    """The softmax of logits; exported networks may have done it already."""
    done = bool((out >= 0).all()) and bool(((out.sum(1) - 1).abs() < 1e-3).all())
    return out if done else out.softmax(1)
