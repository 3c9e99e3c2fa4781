"""The network behind the classifier ``organelle``: a small convolutional net beside measured relations.

A convolutional net alone, trained on few cells, is beaten by simple measurements of how the protein relates to
nucleus, microtubules and ER. So the graph computes both from the same crop and decides on them together. `Negative`
is the absence of a signal and no texture: its answer comes from the protein's level and contrast alone. The graph
consists of Keras layers and ``keras.ops`` only: no custom class has to be trusted to load it, and any Keras backend
runs it. Fitting it belongs in `organelle_widgets.training.fit`, what is put around a fitted one in
`organelle_widgets.training.finish`.
"""

from __future__ import annotations

from typing import Any

from organelle_widgets.core.labels import N_CLASSES, NEGATIVE

__all__ = ["EMBEDDING", "EVIDENCE", "LOGITS", "build_network"]

EMBEDDING = "embedding"
"""Name of the layer whose output places a cell among others."""
EVIDENCE = "evidence"
"""Name of the layer that holds all that was seen and measured, before anything is decided."""
LOGITS = "logits"
"""Name of the layer before the sigmoid."""

_FILTERS = (24, 48, 96, 160)
_LEVELS = 3
_N_LARGE = 3
"""The first parts, cell, nucleus and cytoplasm, are large enough for correlations."""
_TINY = 1e-4


def build_network(size: int = 128, *, filters: tuple[int, ...] = _FILTERS) -> Any:
    """Build the network with random weights.

    Parameters
    ----------
    size : int
        Side of the crops, px; a multiple of 16.
    filters : tuple of int
        Channels of the four stages of the convolutional part.

    Returns
    -------
    keras.Model
        From crops, shape (n, 4, size, size) in [0, 1] as `organelle_widgets.classification.cut_crops` makes
        them, to probabilities, shape (n, 19).
    """
    from keras import Model, layers

    crops = layers.Input((4, size, size), name="crops")
    planes = layers.Permute((2, 3, 1), dtype="float32")(crops)
    measured, signal = _relations(planes)
    seen = _convolutional_part(_views(planes), filters)
    known = layers.Dense(96, activation="relu")(layers.Dropout(0.1)(_normalised(measured)))
    evidence = layers.Concatenate(name=EVIDENCE)([seen, known])
    place = layers.Dense(192, activation="relu", name=EMBEDDING)(layers.Dropout(0.3)(evidence))
    pattern = layers.Dense(N_CLASSES - 1, dtype="float32", name="patterns")(
        layers.Dropout(0.3)(place)
    )
    absence = layers.Dense(8, activation="relu", dtype="float32")(_normalised(signal))
    absent = layers.Dense(1, dtype="float32", name="absence")(absence)
    both_kinds = [pattern[:, :NEGATIVE], absent, pattern[:, NEGATIVE:]]
    logits = layers.Concatenate(dtype="float32", name=LOGITS)(both_kinds)
    probabilities = layers.Activation("sigmoid", dtype="float32", name="probabilities")(logits)
    return Model(crops, probabilities, name="organelle")


def _normalised(measured: Any) -> Any:
    """Measurements brought to mean 0 and spread 1."""
    from keras import layers

    return layers.BatchNormalization(dtype="float32")(measured)


def _views(planes: Any) -> Any:
    """What the convolutions see: all channels compressed, and the protein on its own scale."""
    from keras import layers, ops

    protein = planes[..., 1:2]
    smooth = layers.AveragePooling2D(3, 1, "same", dtype="float32")(protein)
    peak = ops.max(smooth, axis=(1, 2), keepdims=True)
    own = protein / (peak + 0.02)
    return layers.Concatenate()([ops.sqrt(planes + _TINY), own])


def _convolutional_part(images: Any, filters: tuple[int, ...]) -> Any:
    """Four stages at 1/2, 1/4, 1/8 and 1/16 of the size, then mean and maximum over the crop."""
    from keras import layers

    features = _convolved(images, filters[0], 5, 2)
    for count in filters[1:]:
        features = layers.MaxPooling2D(2)(features)
        first = _convolved(features, count, 3, 1)
        features = layers.Add()([first, _convolved(first, count, 3, 1)])
    pooled = [layers.GlobalAveragePooling2D()(features), layers.GlobalMaxPooling2D()(features)]
    return layers.Concatenate()(pooled)


def _convolved(images: Any, count: int, kernel: int, stride: int) -> Any:
    """Convolution, batch normalisation, ReLU."""
    from keras import layers

    features = layers.Conv2D(count, kernel, stride, "same", use_bias=False)(images)
    return layers.Activation("relu")(layers.BatchNormalization()(features))


def _relations(planes: Any) -> tuple[Any, Any]:
    """Measurements of the protein in the parts of the cell at three scales, and of its level and contrast alone."""
    from keras import layers, ops

    cell = ops.cast(ops.max(planes, axis=3, keepdims=True) > 0.004, "float32")
    finer = layers.Concatenate(dtype="float32")([planes, cell])
    found, signal = [], []
    for _ in range(_LEVELS):
        fine = finer[..., 1:2] * finer[..., 1:2]
        finer = layers.AveragePooling2D(2, dtype="float32")(finer)
        spread = layers.AveragePooling2D(2, dtype="float32")(fine) - finer[..., 1:2] ** 2
        measured, level = _measured(finer, spread)
        found.append(measured)
        signal.append(level)
    return layers.Concatenate(dtype="float32")(found), layers.Concatenate(dtype="float32")(signal)


def _measured(planes: Any, spread: Any) -> tuple[Any, Any]:
    """One scale: area, mean, correlations, spread and peak of the protein in each part; its level and contrast.

    Sums over parts are products of two matrices: weights of the parts, and everything that is summed.
    """
    from keras import layers, ops

    protein, others, parts = _layout(planes)
    band = protein - layers.AveragePooling2D(3, 1, "same", dtype="float32")(protein)
    terms = ops.concatenate(
        [
            *(ops.ones_like(protein), protein, protein**2, band**2, spread),
            *(others, others**2, others * protein),
        ],
        axis=3,
    )
    pixels = planes.shape[1] * planes.shape[2]
    weights = ops.reshape(parts, (-1, pixels, parts.shape[3]))
    sums = ops.matmul(ops.transpose(weights, (0, 2, 1)), ops.reshape(terms, (-1, pixels, 23)))
    means = sums / (sums[..., :1] + 1.0)
    area, mean = sums[..., 0] / pixels, means[..., 1]
    whole = mean[:, :1] + 0.01
    rough = ops.sqrt(means[..., 3] + 1e-8), ops.sqrt(ops.maximum(means[..., 4], 0) + 1e-8)
    peak = ops.max(band * parts, axis=(1, 2))
    large = means[:, :_N_LARGE]
    found = [area, mean / whole, rough[0] / whole, rough[1] / whole, peak / whole, whole]
    found.append(layers.Flatten(dtype="float32")(_correlations(large)))
    top = ops.max(protein, axis=(1, 2))
    signal = [whole, mean[:, 1:3], rough[0][:, :1], rough[1][:, :1], top, rough[0] / whole]
    return ops.concatenate(found, axis=1), ops.concatenate(signal, axis=1)


def _correlations(means: Any) -> Any:
    """Pearson correlation of the protein with each of six other maps, from weighted means: shape (n, parts, 6)."""
    from keras import ops

    protein, other = means[..., 1:2], means[..., 5:11]
    covariance = means[..., 17:23] - protein * other
    one = ops.maximum(means[..., 2:3] - protein**2, 0)
    two = ops.maximum(means[..., 11:17] - other**2, 0)
    return covariance / ops.sqrt(one * two + 1e-7)


def _layout(planes: Any) -> tuple[Any, Any, Any]:
    """Protein; the six maps that it is compared with; the parts.

    Compared with: microtubules, nuclei, ER, the edge, the rim of the nucleus, the nucleus. Parts: cell, nucleus,
    cytoplasm, edge, rim of the nucleus, what lies near the nucleus, what lies far from it.
    """
    from keras import layers, ops

    def pooled(kind: Any, size: int, image: Any) -> Any:
        return kind(size, 1, "same", dtype="float32")(image)

    average, largest = layers.AveragePooling2D, layers.MaxPooling2D
    protein, blue, cell = planes[..., 1:2], planes[..., 2:3], planes[..., 4:5]
    smooth = pooled(average, 3, blue)
    top = ops.max(smooth, axis=(1, 2), keepdims=True)
    nucleus = cell * ops.sigmoid(20 * (smooth / (top + 0.02) - 0.35))
    edge = cell * (1 - pooled(average, 5, cell))
    ends = pooled(largest, 3, ops.concatenate([nucleus, -nucleus], axis=3))
    rim = ends[..., :1] + ends[..., 1:]
    outside = cell * (1 - nucleus)
    near = outside * pooled(largest, 7, nucleus)
    others = ops.concatenate([planes[..., 0:1], blue, planes[..., 3:4], edge, rim, nucleus], axis=3)
    parts = ops.concatenate([cell, nucleus, outside, edge, rim, near, outside - near], axis=3)
    return protein, others, parts
