"""What is put around a fitted network: calibration, and how unlike the cells that it knows a cell is.

All of it becomes layers of the same graph, so that one ``.keras`` file answers everything: probabilities, embedding
and strangeness. Fitting the network belongs in `organelle_widgets.training.fit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.cluster.vq import kmeans2

from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.training.network import EMBEDDING, EVIDENCE, LOGITS, build_network

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.training.calibration import Calibration

__all__ = ["Neighbourhood", "finished", "fit_neighbourhood", "trainable"]

_DIMENSIONS = 64
_CENTRES = 256
_LIMIT_PERCENTILE = 99.0


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Where known cells lie among all that the network sees and measures.

    What a network decides by forgets what it needs not know of cells, so that a picture of anything may look like some
    class there; what it sees does not.

    Parameters
    ----------
    mean : ndarray of float32, shape (n_features,)
        Of all known cells.
    axes : ndarray of float32, shape (n_features, n_axes)
        Principal axes, each divided by the spread along it.
    centres : ndarray of float32, shape (n_centres, n_axes)
        Typical places along these axes.
    limit : float
        Distance to the nearest centre that 99 of 100 known cells don't exceed.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    centres: NDArray[np.float32]
    limit: float

    def strangeness(self, evidence: NDArray[Any]) -> NDArray[np.float32]:
        """Distance to the nearest centre in units of the limit.

        Parameters
        ----------
        evidence : ndarray of float, shape (n, n_features)
            Of cells.

        Returns
        -------
        ndarray of float32, shape (n,)
            Above 1 where a cell is farther away than 99 of 100 known ones.
        """
        placed = (evidence - self.mean) @ self.axes
        apart = np.linalg.norm(placed[:, None] - self.centres[None], axis=2).min(axis=1)
        return np.asarray(apart / self.limit, np.float32)


def fit_neighbourhood(
    evidence: NDArray[Any],
    others: NDArray[Any] | None = None,
    *,
    stretch: float = 1.0,
    seed: int = 0,
) -> Neighbourhood:
    """Describe where known cells lie.

    Parameters
    ----------
    evidence : ndarray of float, shape (n, n_features)
        Output of the layer `EVIDENCE` for known cells.
    others : ndarray of float, shape (n_others, n_features), optional
        Of cells that count as known but were not learnt from; the limit is taken on these.
    stretch : float
        The limit is so many times as far, where no others are at hand but it is known how far they lie.
    seed : int
        Of the choice of centres.

    Returns
    -------
    Neighbourhood
        64 whitened principal axes, 256 centres by k-means; fewer where there are few cells.
    """
    mean = evidence.mean(axis=0)
    _, spread, axes = np.linalg.svd(evidence - mean, full_matrices=False)
    kept = min(_DIMENSIONS, int((spread > 1e-3 * spread[0]).sum()))
    scaled = axes[:kept].T / (spread[:kept] / np.sqrt(len(evidence)))
    placed = (evidence - mean) @ scaled
    centres, _ = kmeans2(placed, min(_CENTRES, len(placed)), minit="++", seed=seed)
    rough = Neighbourhood(
        mean.astype(np.float32), scaled.astype(np.float32), centres.astype(np.float32), 1.0
    )
    apart = rough.strangeness(evidence if others is None else others)
    limit = max(stretch * float(np.percentile(apart, _LIMIT_PERCENTILE)), 1e-6)
    return Neighbourhood(rough.mean, rough.axes, rough.centres, limit)


def finished(network: Any, calibration: Calibration, known: Neighbourhood) -> Any:
    """The network with everything around it.

    Parameters
    ----------
    network : keras.Model
        Of `organelle_widgets.training.network.build_network`, fitted.
    calibration : Calibration
        Of its logits.
    known : Neighbourhood
        Of the output of its layer `EVIDENCE`.

    Returns
    -------
    keras.Model
        From crops, shape (n, 4, size, size), to three outputs: ``probabilities`` (n, 19), ``embedding``
        (n, n_features), ``strangeness`` (n, 1). In float32, without an optimizer.
    """
    from keras import Model, layers, ops

    bare = build_network(int(network.input_shape[-1]))
    bare.set_weights(network.get_weights())
    place, logits = bare.get_layer(EMBEDDING).output, bare.get_layer(LOGITS).output
    scaling = layers.Dense(N_CLASSES, activation="sigmoid", name="calibrated")
    probabilities = scaling(logits)
    scaling.set_weights([np.diag(calibration.slope), calibration.offset])
    along = layers.Dense(known.axes.shape[1], name="axes")
    placed = along(bare.get_layer(EVIDENCE).output)
    along.set_weights([known.axes, -known.mean @ known.axes])
    across = layers.Dense(len(known.centres), name="centres")
    product = across(placed)
    across.set_weights([-2 * known.centres.T, (known.centres**2).sum(axis=1)])
    squared = ops.min(product, axis=1, keepdims=True)
    squared = squared + ops.sum(placed * placed, axis=1, keepdims=True)
    apart = ops.sqrt(ops.maximum(squared, 0.0)) / known.limit
    strangeness = layers.Identity(name="strangeness")(apart)
    for layer in (scaling, along, across):
        layer.trainable = False
    return Model(bare.input, [probabilities, place, strangeness], name="organelle")


def trainable(path: Path) -> Any:
    """The network inside a finished one, ready to be fitted further.

    Parameters
    ----------
    path : Path
        A ``.keras`` file that `finished` wrote, with its card beside it.

    Returns
    -------
    keras.Model
        From crops to probabilities that are not calibrated, in the dtype policy of the moment.

    Raises
    ------
    WeightsError
        If weights or card are missing, don't belong together, or hold another network.
    """
    from keras import Model

    from organelle_widgets.classification._keras import load_network
    from organelle_widgets.errors import WeightsError

    whole = load_network(path).model
    network = build_network(int(whole.input_shape[-1]))
    try:
        inner = Model(whole.input, whole.get_layer(LOGITS).output)
        network.set_weights(inner.get_weights())
    except ValueError as error:
        message = f"Expected weights of the classifier organelle; {path} holds another network."
        hint = "Fine-tune weights that organelle-widgets train classification wrote."
        raise WeightsError(message, hint=hint) from error
    return network
