"""Half the bits where a network computes most: faster on processors and devices that know bfloat16."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["mixed_precision"]


@contextmanager
def mixed_precision(network: Any, wanted: bool = True) -> Iterator[None]:
    """Let a network compute in bfloat16 from its first convolution on; weights stay float32.

    What comes before or beside the convolutions, such as measurements of the crop, and the last layer keep float32.

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
    """The layers that see the outcome of a convolution, or are one, but for those that answer."""
    from keras import layers, tree

    reached: set[int] = set()
    chosen = []
    answers = {id(tensor) for tensor in network.outputs}
    for operation in network.operations:
        given, made = (
            {id(tensor) for tensor in tree.flatten(side)}
            for side in (operation.input, operation.output)
        )
        convolves = isinstance(operation, layers.Conv2D | layers.DepthwiseConv2D)
        if convolves or reached & given:
            reached |= made
            if isinstance(operation, layers.Layer) and not answers & made:
                chosen.append(operation)
    return chosen
