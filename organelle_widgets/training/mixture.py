"""Batches of cells of several kinds, mixed in given shares and changed at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.training.augment import augment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.training.data import Cells

__all__ = ["Mixture"]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Cells of several kinds and how they are mixed.

    Parameters
    ----------
    kinds : mapping of str to Cells
        By name, for instance real, simulated and virtual cells.
    shares : sequence of float
        Share of each kind in a batch; they sum to 1.
    certainties : sequence of float
        How sure labels of each kind are: 1 for exact ones; for weak ones less. A label y becomes
        ``y * certainty + (1 - y) * (1 - certainty) / 18``.
    """

    kinds: Mapping[str, Cells]
    shares: Sequence[float]
    certainties: Sequence[float]

    def draw(
        self, size: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """A batch, changed at random.

        Parameters
        ----------
        size : int
            Number of cells.
        rng : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        crops : ndarray of float32, shape (size, 4, side, side)
            In [0, 1].
        truth : ndarray of float32, shape (size, 19)
            Softened by the certainty.
        weights : ndarray of float32, shape (size,)
            How much each cell counts: 1.
        """
        counts = rng.multinomial(size, self.shares)
        crops, truth = [], []
        parts = zip(self.kinds.values(), counts, self.certainties, strict=True)
        for kind, count, certainty in parts:
            chosen = kind.draw(count, rng)
            crops.append(kind.crops[chosen])
            exact = kind.truth[chosen]
            truth.append(exact * certainty + (1 - exact) * (1 - certainty) / (exact.shape[1] - 1))
        soft = np.concatenate(truth).astype(np.float32)
        return augment(np.concatenate(crops), rng), soft, np.ones(size, np.float32)
