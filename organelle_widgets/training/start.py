"""The network that a training begins with: fresh, the package's, or one of an earlier training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from organelle_widgets.classification._keras import quiet_start, sha256_of
from organelle_widgets.classification.organelle import ORGANELLE_WEIGHTS
from organelle_widgets.errors import WeightsError
from organelle_widgets.training.finish import trainable
from organelle_widgets.training.network import build_network

__all__ = ["EMBEDDED", "SCRATCH", "starting_network"]

SCRATCH, EMBEDDED = "scratch", "embedded"
"""Words for random weights and for those of the package."""


def starting_network(start: str | Path, *, seed: int, size: int) -> tuple[Any, dict[str, str]]:
    """The network to begin with.

    Parameters
    ----------
    start : {"scratch", "embedded"} or path
        Random weights, the package's, or those of a ``.keras`` file that a training wrote.
    seed : int
        Of random weights, and of the layers that drop out at random.
    size : int
        Side of the crops, pixels.

    Returns
    -------
    network : keras.Model
        From crops to probabilities.
    origin : dict of str to str
        ``weights``, their name, and their ``sha256``; empty for random ones.

    Raises
    ------
    WeightsError
        If the weights are missing, damaged, or for other crops.
    """
    with quiet_start():
        import keras

        keras.utils.set_random_seed(seed)
        if start == SCRATCH:
            return build_network(size), {}
        path = ORGANELLE_WEIGHTS if start == EMBEDDED else Path(start)
        network = trainable(path)
    if network.input_shape[-1] != size:
        message = (
            f"Expected weights for crops of {size} px; {path} takes {network.input_shape[-1]}."
        )
        raise WeightsError(message)
    name = EMBEDDED if start == EMBEDDED else path.name
    return network, {"weights": name, "sha256": sha256_of(path)}
