"""Fitting the network: batches of mixed cells, and the loop over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.training.augment import augment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.training.data import Cells

__all__ = ["Mixture", "fit_network"]


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
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
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
        """
        counts = rng.multinomial(size, self.shares)
        crops, truth = [], []
        parts = zip(self.kinds.values(), counts, self.certainties, strict=True)
        for kind, count, certainty in parts:
            chosen = rng.choice(len(kind), count, p=kind.share)
            crops.append(kind.crops[chosen])
            exact = kind.truth[chosen]
            truth.append(exact * certainty + (1 - exact) * (1 - certainty) / (exact.shape[1] - 1))
        scaled = np.concatenate(crops).astype(np.float32) / np.float32(255)
        return augment(scaled, rng), np.concatenate(truth).astype(np.float32)


def fit_network(
    network: Any,
    mixture: Mixture,
    *,
    epochs: int,
    steps: int,
    batch_size: int,
    learning_rate: float,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
) -> list[float]:
    """Fit a network by binary cross-entropy, AdamW and a cosine schedule with a warm-up.

    The weights in the end are a running mean of those of the last few hundred steps.

    Parameters
    ----------
    network : keras.Model
        From crops to probabilities; changed in place.
    mixture : Mixture
        What to learn from.
    epochs, steps : int
        Number of epochs, and of batches in each.
    batch_size : int
        Cells in a batch.
    learning_rate : float
        The highest: reached from a tenth of it within the first twentieth of the steps; it falls to a hundredth.
    rng : numpy.random.Generator
        Draws cells and changes.
    progress : callable, optional
        Called with the share done, 0 to 1, after every batch; may raise to stop.

    Returns
    -------
    list of float
        Mean loss of each epoch.

    References
    ----------
    Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101 (AdamW) and 2017,
    https://arxiv.org/abs/1608.03983 (cosine schedule); Polyak and Juditsky 1992, doi:10.1137/0330046 (averaging).
    """
    from keras import losses, optimizers

    total = epochs * steps
    schedule = optimizers.schedules.CosineDecay(
        0.1 * learning_rate, total, 0.01, warmup_target=learning_rate, warmup_steps=total // 20
    )
    optimizer = optimizers.AdamW(schedule, weight_decay=0.01, use_ema=True, ema_momentum=0.995)
    network.compile(optimizer=optimizer, loss=losses.BinaryCrossentropy())
    history = []
    for epoch in range(epochs):
        losses_seen = []
        for step in range(steps):
            crops, truth = mixture.draw(batch_size, rng)
            network.reset_metrics()  # else Keras answers with a running mean
            losses_seen.append(float(network.train_on_batch(crops, truth)))
            if progress is not None:
                progress((epoch * steps + step + 1) / total)
        history.append(float(np.mean(losses_seen)))
    optimizer.finalize_variable_values(network.trainable_variables)
    return history
