"""Half the bits where a network computes most: faster on processors and devices that know bfloat16."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["mixed_precision"]

_IMAGES = 4  # dimensions


@contextmanager
def mixed_precision(network: Any, wanted: bool = True) -> Iterator[None]:
    """Let a network compute in bfloat16 from its first convolution on; weights stay float32.

    What comes before or beside the convolutions, such as measurements of the crop, and what follows once there are
    no images any more, keep float32: little is computed there, and the answers hang on it.

    Parameters
    ----------
    network : keras.Model
        A functional model; as it was before, once the context ends.
    wanted : bool
        False changes nothing.

    Yields
    ------
    None
        Train within.
    """
    chosen = _convolved(network) if wanted else []
    before = [layer.dtype_policy for layer in chosen]
    try:
        for layer in chosen:
            layer.dtype_policy = "mixed_bfloat16"
        yield
    finally:
        for layer, policy in zip(chosen, before, strict=True):
            layer.dtype_policy = policy


def _convolved(network: Any) -> list[Any]:
    """The layers that are a convolution or see the outcome of one, as long as they make images."""
    from keras import layers, tree

    reached: set[int] = set()
    chosen = []
    for operation in network.operations:
        given, made = (tree.flatten(side) for side in (operation.input, operation.output))
        convolves = isinstance(operation, layers.Conv2D | layers.DepthwiseConv2D)
        seen = convolves or reached & {id(tensor) for tensor in given}
        if seen and all(len(tensor.shape) == _IMAGES for tensor in made):
            reached |= {id(tensor) for tensor in made}
            if isinstance(operation, layers.Layer):
                chosen.append(operation)
    return chosen
