"""What a fit makes small: losses for cells with several classes, and for cells with exactly one.

Each takes rows of truth and of answers and gives one number a row, so that rows can be weighted. Which rows are
drawn, and how a network is fitted, belongs elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "OBJECTIVES",
    "balanced_weights",
    "make_metric",
    "make_objective",
    "with_softmax",
]

OBJECTIVES: dict[str, str] = {
    "binary": "several classes a cell: binary cross-entropy of each class",
    "focal": "several classes a cell: focal loss, which attends to what is still wrong",
    "balanced": "several classes a cell: binary cross-entropy, cells of rare classes count more",
    "categorical": "exactly one class a cell: categorical cross-entropy",
}
"""The objectives and what each is for."""

_FOCUS = 2.0  # gamma of the focal loss, as Lin et al. recommend
_POSITIVE_SHARE = 0.25  # its alpha
_BETA = 0.999  # of the effective number of samples; training folders hold thousands of cells, not millions
_TINY = 1e-6


def make_objective(
    name: str, *, label_smoothing: float = 0.0, counts: ArrayLike | None = None
) -> Callable[[Any, Any], Any]:
    """The loss of that name.

    Parameters
    ----------
    name : str
        One of `OBJECTIVES`.
    label_smoothing : float
        How far labels are moved from 0 and 1: towards 0.5 each, or for ``"categorical"`` towards all classes alike.
    counts : array_like of float, shape (n_classes,), optional
        Cells of each class in the training; ``"balanced"`` needs them.

    Returns
    -------
    callable
        Takes truth and answers, tensors of float32 of shape (n, n_classes), answers being sigmoid probabilities; gives
        the loss of each row, shape (n,).

    Raises
    ------
    SettingsError
        If there is no such objective, or counts are needed and not given.

    Notes
    -----
    ``"categorical"`` takes the logits back out of the sigmoid and puts them through a softmax: the objective of a
    classifier with one class a cell. Truth with several classes is shared out equally among them. A network trained so
    should answer with that softmax too; see `with_softmax`.

    References
    ----------
    Lin et al. 2017, doi:10.1109/ICCV.2017.324 (focal loss); Cui et al. 2019, doi:10.1109/CVPR.2019.00949
    (class-balanced loss by the effective number of samples); Szegedy et al. 2016, doi:10.1109/CVPR.2016.308 (label
    smoothing).
    """
    if name not in OBJECTIVES:
        message = f"objective: expected one of {', '.join(OBJECTIVES)}; found {name!r}."
        raise SettingsError(message)
    if name == "categorical":
        return _categorical(label_smoothing)
    if name != "balanced":
        return _multi_label(label_smoothing, None, focal=name == "focal")
    if counts is None:
        message = "The objective 'balanced' needs the number of cells of each class; found none."
        raise SettingsError(message)
    return _multi_label(label_smoothing, balanced_weights(counts), focal=False)


def balanced_weights(counts: ArrayLike) -> NDArray[np.float32]:
    """Weights of classes by the inverse of their effective number of samples.

    Parameters
    ----------
    counts : array_like of float, shape (n_classes,)
        Cells of each class.

    Returns
    -------
    ndarray of float32, shape (n_classes,)
        Their mean over the classes that occur is 1; a class that does not occur weighs 1.

    References
    ----------
    Cui et al. 2019, doi:10.1109/CVPR.2019.00949: (1 - beta) / (1 - beta**n), here with beta 0.999.
    """
    number = np.asarray(counts, np.float64)
    occurs = number > 0
    weights = np.ones(len(number))
    if occurs.any():
        inverse = (1 - _BETA) / (1 - _BETA ** number[occurs])
        weights[occurs] = inverse / inverse.mean()
    return weights.astype(np.float32)


def _multi_label(
    smoothing: float, weights: NDArray[np.float32] | None, *, focal: bool
) -> Callable[[Any, Any], Any]:
    """Mean over the classes of a row; with weights, times the mean weight of the row's own classes."""

    def loss(truth: Any, said: Any) -> Any:
        from keras import losses, ops

        soft = truth * (1 - smoothing) + smoothing / 2
        if focal:
            rows = losses.binary_focal_crossentropy(
                soft, said, apply_class_balancing=True, alpha=_POSITIVE_SHARE, gamma=_FOCUS
            )
        else:
            rows = losses.binary_crossentropy(soft, said)
        if weights is None:
            return rows
        return rows * ops.sum(truth * weights, -1) / (ops.sum(truth, -1) + _TINY)

    return loss


def _categorical(smoothing: float) -> Callable[[Any, Any], Any]:
    """Cross-entropy of the softmax over the logits behind sigmoid probabilities."""

    def loss(truth: Any, said: Any) -> Any:
        from keras import ops

        shared = truth / (ops.sum(truth, -1, keepdims=True) + _TINY)
        soft = shared * (1 - smoothing) + smoothing / truth.shape[-1]
        return -ops.sum(soft * ops.log_softmax(_logits(said), -1), -1)

    return loss


def _logits(probabilities: Any) -> Any:
    """What the sigmoid was taken of."""
    from keras import ops

    clipped = ops.clip(probabilities, _TINY, 1 - _TINY)
    return ops.log(clipped) - ops.log(1 - clipped)


def make_metric(objective: str) -> Any:
    """The figure that is told beside the loss.

    Parameters
    ----------
    objective : str
        One of `OBJECTIVES`.

    Returns
    -------
    keras.metrics.Metric
        ``categorical_accuracy`` for ``"categorical"``; else ``hit_at_1``, the share of cells whose most probable class
        is one of theirs.
    """
    from keras import metrics, ops

    if objective == "categorical":
        return metrics.CategoricalAccuracy(name="categorical_accuracy")

    def hit(truth: Any, said: Any) -> Any:
        top = ops.one_hot(ops.argmax(said, -1), N_CLASSES)
        return ops.sum(top * ops.cast(truth >= 0.5, top.dtype), -1)

    return metrics.MeanMetricWrapper(hit, name="hit_at_1")


def with_softmax(network: Any) -> Any:
    """The network as it answers after a training with one class a cell.

    Parameters
    ----------
    network : keras.Model
        Its first or only output are sigmoid probabilities.

    Returns
    -------
    keras.Model
        The same weights and outputs, but that the probabilities of a cell are the softmax of its logits, so that they
        sum to 1.
    """
    from keras import Model, ops

    first, *others = network.outputs
    answers = ops.softmax(_logits(first), -1)
    return Model(network.input, [answers, *others] if others else answers, name=network.name)
