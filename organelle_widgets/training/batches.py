"""Batches drawn on another thread while the network learns from the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["Batches"]

_AHEAD = 2


class Batches:
    """Batches of a fit, through ``tf.data``.

    A batch depends on seed, epoch and step alone: a run that goes on from a later epoch sees what it would have seen.

    Parameters
    ----------
    draw : callable
        ``draw(size, rng)`` gives crops, truth and weights, arrays of float32 of `size` rows each.
    size : int
        Cells in a batch.
    shapes : tuple of tuple
        Shapes of one cell's crop and truth.
    seed : int
        Of the whole run.
    """

    def __init__(
        self,
        draw: Callable[[int, np.random.Generator], tuple[NDArray[np.float32], ...]],
        size: int,
        shapes: tuple[tuple[int, ...], tuple[int, ...]],
        seed: int,
    ) -> None:
        self._draw, self._size, self._seed = draw, size, seed
        self._shapes = (*shapes, ())
        self._error: Exception | None = None

    def between(self, first: int, epochs: int, steps: int) -> Iterator[tuple[Any, ...]]:
        """Batches of some epochs.

        Parameters
        ----------
        first, epochs : int
            Epoch to begin with, and number of the run's epochs.
        steps : int
            Batches in each.

        Yields
        ------
        tuple of tensor
            Crops, truth and weights.

        Raises
        ------
        Exception
            Whatever `draw` raises.
        """
        import tensorflow as tf

        signature = tuple(tf.TensorSpec((self._size, *shape), tf.float32) for shape in self._shapes)

        def drawn() -> Iterator[tuple[NDArray[np.float32], ...]]:
            for epoch in range(first, epochs):
                for step in range(steps):
                    yield self._one(epoch, step)

        dataset = tf.data.Dataset.from_generator(drawn, output_signature=signature)
        try:
            yield from dataset.prefetch(_AHEAD)
        except tf.errors.OpError as error:
            raise self._error or error from error

    def _one(self, epoch: int, step: int) -> tuple[NDArray[np.float32], ...]:
        """One batch; TensorFlow would wrap an error, so that it is kept."""
        try:
            return tuple(self._draw(self._size, np.random.default_rng([self._seed, epoch, step])))
        except Exception as error:
            self._error = error
            raise
