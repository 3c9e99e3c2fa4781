"""From a fitted network to the file that a classifier opens: calibrated, with embedding and strangeness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification._keras import KerasNetwork
from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.training.calibration import Calibration, fit_calibration
from organelle_widgets.training.finish import finished, fit_neighbourhood
from organelle_widgets.training.network import EVIDENCE, LOGITS
from organelle_widgets.training.objectives import with_softmax

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.training.data import Cells

__all__ = ["FEWEST_FIELDS", "export_network", "seen"]

FEWEST_FIELDS = 5
"""A calibration on fewer fields would say more of these fields than of the network."""
_AT_MOST = 3000
_BATCH = 256


def export_network(
    network: Any, path: Path, *, objective: str, learnt: Cells, tuning: Cells | None, seed: int = 0
) -> dict[str, Any]:
    """Write a fitted network with what a classifier needs around it.

    Parameters
    ----------
    network : keras.Model
        Of `organelle_widgets.training.network.build_network`, fitted.
    path : Path
        The ``.keras`` file; replaced if it exists.
    objective : str
        What it was fitted by: after ``"categorical"`` the answers of a cell are a softmax and sum to 1, and are
        not calibrated; else each is the calibrated sigmoid of its class.
    learnt : Cells
        What it was fitted on; the cells that count as known. At most 3,000 are used, drawn by `seed`.
    tuning : Cells, optional
        Cells of other fields: for the calibration, from 5 fields on, and for the limit of what is known.
    seed : int
        Of all choices.

    Returns
    -------
    dict
        ``output`` in words, and ``calibration``: None, or ``n_cells`` and ``n_fields`` that it was fitted on.

    References
    ----------
    Platt 1999, Probabilistic outputs for support vector machines (calibration).
    """
    rng = np.random.default_rng(seed)
    _, known = seen(network, _some(learnt, rng).crops)
    calibration = Calibration(np.ones(N_CLASSES, np.float32), np.zeros(N_CLASSES, np.float32))
    others = None
    if tuning is not None and len(tuning):
        part = _some(tuning, rng)
        logits, others = seen(network, part.crops)
        if objective != "categorical" and len(np.unique(part.source)) >= FEWEST_FIELDS:
            calibration = fit_calibration(logits, part.truth, part.source)
    whole = finished(network, calibration, fit_neighbourhood(known, others, seed=seed))
    if objective == "categorical":
        whole = with_softmax(whole)
    whole.save(path)
    return {"output": _words(objective), "calibration": _in_short(calibration)}


def _some(cells: Cells, rng: np.random.Generator) -> Cells:
    """At most a few thousand cells, of all fields alike."""
    if len(cells) <= _AT_MOST:
        return cells
    chosen = np.sort(rng.choice(len(cells), _AT_MOST, replace=False, p=cells.share))
    return type(cells)(
        cells.crops[chosen], cells.parts[chosen], cells.truth[chosen], cells.source[chosen]
    )


def seen(network: Any, crops: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Logits of crops, and what they were decided by.

    Parameters
    ----------
    network : keras.Model
        Of `organelle_widgets.training.network.build_network`.
    crops : ndarray of uint8, shape (n, 4, size, size)
        255 stands for 1.

    Returns
    -------
    logits : ndarray of float32, shape (n, 19)
        What the sigmoid is taken of.
    evidence : ndarray of float32, shape (n, n_features)
        All that was seen and measured.
    """
    from keras import Model

    layers = [network.get_layer(name).output for name in (LOGITS, EVIDENCE)]
    inner = KerasNetwork(Model(network.input, layers), {})
    parts = [
        inner.run(crops[start : start + _BATCH].astype(np.float32) / np.float32(255))
        for start in range(0, len(crops), _BATCH)
    ]
    logits, evidence = (np.concatenate(part) for part in zip(*parts, strict=True))
    return logits, evidence


def _words(objective: str) -> str:
    """What the answers are."""
    if objective == "categorical":
        return "19 probabilities of one class a cell (softmax): they sum to 1"
    return "19 independent probabilities (sigmoid)"


def _in_short(calibration: Calibration) -> dict[str, int] | None:
    """What a calibration rests on."""
    if not calibration.n_cells:
        return None
    return {"n_cells": calibration.n_cells, "n_fields": calibration.n_fields}
