"""The network behind the classifier ``cnn``: a small convolutional net beside measured relations.

A convolutional net alone, trained on few cells, is beaten by simple measurements of how the protein relates to
nucleus, microtubules and ER. So the graph computes both from the same crop and decides on them together. It
consists of Keras layers and ``keras.ops`` only: no custom class has to be trusted to load it, and any Keras
backend runs it. Fitting it belongs in `organelle_widgets.training.fit`.
"""

from __future__ import annotations

from typing import Any

from organelle_widgets.core.labels import N_CLASSES

__all__ = ["build_network"]

_FILTERS = (16, 32, 64, 128)
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
    planes = layers.Permute((2, 3, 1))(crops)
    seen = _convolutional_part(_views(planes), filters)
    measured = layers.BatchNormalization(name="measured")(_relations(planes))
    measured = layers.Dense(64, activation="relu")(layers.Dropout(0.1)(measured))
    both = layers.Dropout(0.3)(layers.Concatenate()([seen, measured]))
    hidden = layers.Dropout(0.3)(layers.Dense(160, activation="relu")(both))
    probabilities = layers.Dense(N_CLASSES, activation="sigmoid", name="probabilities")(hidden)
    return Model(crops, probabilities, name="cnn")


def _views(planes: Any) -> Any:
    """What the convolutions see: all channels compressed, and the protein on its own scale."""
    from keras import layers, ops

    protein = planes[..., 1:2]
    smooth = layers.AveragePooling2D(3, 1, "same")(protein)
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


def _relations(planes: Any) -> Any:
    """Measurements of the protein in the cell, its nucleus and their edges, shape (n, 96)."""
    from keras import layers, ops

    cell = ops.cast(ops.max(planes, axis=3, keepdims=True) > 0.004, "float32")
    finest = layers.Concatenate()([planes, cell])
    found = _granularity(finest[..., 1:2], finest[..., 4:5])
    finer = finest
    for level in range(3):
        finer = layers.AveragePooling2D(2)(finer)
        protein, others, parts = _layout(finer)
        if level == 0:
            whole = _mean(protein, parts[..., :1]) + 0.01
            area = _mean(parts, ops.ones_like(protein))
            found += [whole, area, _mean(protein, parts[..., 1:]) / whole]
        found += _granularity(protein, parts)
        found += [_correlation(protein, others, parts[..., p : p + 1]) for p in range(3)]
    return layers.Concatenate()(found)


def _layout(planes: Any) -> tuple[Any, Any, Any]:
    """Protein; what it is compared with; the parts of the cell: cell, nucleus, cytoplasm, edge, rim of the nucleus."""
    from keras import layers, ops

    protein, blue, cell = planes[..., 1:2], planes[..., 2:3], planes[..., 4:5]
    smooth = layers.AveragePooling2D(3, 1, "same")(blue)
    top = ops.max(smooth, axis=(1, 2), keepdims=True)
    nucleus = cell * ops.sigmoid(20 * (smooth / (top + 0.02) - 0.35))
    edge = cell * (1 - layers.AveragePooling2D(5, 1, "same")(cell))
    ends = layers.MaxPooling2D(3, 1, "same")(layers.Concatenate()([nucleus, -nucleus]))
    rim = ends[..., :1] + ends[..., 1:]
    others = layers.Concatenate()([planes[..., 0:1], blue, planes[..., 3:4], edge, rim, nucleus])
    parts = layers.Concatenate()([cell, nucleus, cell * (1 - nucleus), edge, rim])
    return protein, others, parts


def _mean(image: Any, weight: Any) -> Any:
    """Weighted mean over the crop, one value a channel: shape (n, c)."""
    from keras import ops

    total = ops.sum(image * weight, axis=(1, 2))
    return total / (ops.sum(weight, axis=(1, 2)) + 1.0)


def _correlation(one: Any, others: Any, weight: Any) -> Any:
    """Weighted Pearson correlation of one image with each of several: shape (n, c)."""
    from keras import ops

    a, b = _centred(one, weight), _centred(others, weight)
    spread = _mean(a * a, weight) * _mean(b * b, weight)
    return _mean(a * b, weight) / ops.sqrt(spread + 1e-8)


def _centred(image: Any, weight: Any) -> Any:
    """The image less its weighted mean."""
    from keras import ops

    return image - ops.expand_dims(ops.expand_dims(_mean(image, weight), 1), 1)


def _granularity(protein: Any, parts: Any) -> list[Any]:
    """How much the protein varies from pixel to pixel in each part, and how far its peaks stand out."""
    from keras import layers, ops

    band = protein - layers.AveragePooling2D(3, 1, "same")(protein)
    level = _mean(protein, parts) + 0.01
    spread = ops.sqrt(_mean(band * band, parts) + 1e-8)
    return [spread / level, ops.max(band * parts, axis=(1, 2)) / level]
