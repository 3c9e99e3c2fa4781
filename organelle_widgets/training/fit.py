"""Fitting a network to batches that are drawn as it learns: the loop, its settings and what it leaves behind.

What is drawn, and which network learns, is the caller's; losses are in `organelle_widgets.training.objectives`.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.settings import check_settings, setting
from organelle_widgets.errors import SettingsError, StepError
from organelle_widgets.training.batches import Batches
from organelle_widgets.training.checkpoint import Checkpoint, assign_values, values_of
from organelle_widgets.training.event_log import log_epoch
from organelle_widgets.training.history import FitHistory, write_history
from organelle_widgets.training.objectives import OBJECTIVES, make_metric, make_objective
from organelle_widgets.training.precision import mixed_precision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["FitSettings", "fit_network"]

_WARM_UP, _FIRST, _LAST = 20, 0.1, 0.01
"""One part in so many of the steps warms up; rates of the first and the last step as shares of the highest."""
_NOT_DECAYED = ("bias", "gamma", "beta")


@dataclass(frozen=True)
class FitSettings:
    """How a network is fitted.

    Parameters
    ----------
    epochs, steps, batch_size : int
        Epochs, batches in each, cells in a batch.
    learning_rate : float
        The highest: reached from a tenth of it within the first twentieth of the steps; it falls to a hundredth by a
        cosine.
    weight_decay : float
        Of AdamW; biases and the scales of normalisations are left out.
    objective : str
        One of `organelle_widgets.training.objectives.OBJECTIVES`.
    label_smoothing : float
        How far labels are moved from 0 and 1.
    patience : int
        Stop after so many epochs in which the loss of the validation did not fall, and go back to the best weights;
        0 for no early stopping.
    ema : float
        Memory of the running mean of weights that is kept in the end, 0 for none. Short runs forget faster, so that
        the mean spans at most a tenth of their steps.
    seed : int
        Same seed, same batches.
    mixed_precision : bool
        Compute in bfloat16 behind the first convolution.

    Raises
    ------
    SettingsError
        If a setting is out of its range.
    """

    epochs: int = setting(20, label="Epochs", minimum=1)
    steps: int = setting(100, label="Batches in an epoch", minimum=1)
    batch_size: int = setting(48, label="Cells in a batch", minimum=2)
    learning_rate: float = setting(2e-3, label="Learning rate", minimum=1e-6, maximum=0.1)
    weight_decay: float = setting(0.01, label="Weight decay", minimum=0, maximum=1)
    objective: str = setting("binary", label="Objective", choices=tuple(OBJECTIVES))
    label_smoothing: float = setting(0.0, label="Label smoothing", minimum=0, maximum=0.5)
    patience: int = setting(0, label="Patience", unit="epochs", minimum=0)
    ema: float = setting(0.995, label="Memory of mean weights", minimum=0, maximum=0.9999)
    seed: int = setting(0, label="Seed", minimum=0)
    mixed_precision: bool = setting(False, label="bfloat16")

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def total(self) -> int:
        """Batches of the whole run."""
        return self.epochs * self.steps

    @property
    def memory(self) -> float:
        """Memory of the running mean of weights in this run."""
        return min(self.ema, max(0.0, 1 - 10 / self.total))


def fit_network(
    network: Any,
    draw: Callable[[int, np.random.Generator], tuple[NDArray[np.float32], ...]],
    settings: FitSettings,
    *,
    folder: str | Path | None = None,
    validation: tuple[NDArray[np.float32], ...] | None = None,
    counts: ArrayLike | None = None,
    made_with: Mapping[str, Any] | None = None,
    progress: Callable[[float], None] | None = None,
    on_epoch: Callable[[Mapping[str, float]], None] | None = None,
) -> FitHistory:
    """Fit a network by AdamW with a cosine schedule; go on where a run in the same folder was stopped.

    Parameters
    ----------
    network : keras.Model
        From crops, shape (n, 4, size, size), to sigmoid probabilities, shape (n, n_classes); changed in place. In the
        end it has the running mean of its weights, or with early stopping that of the best epoch.
    draw : callable
        ``draw(size, rng)`` gives a batch: crops, truth, shape (size, n_classes), and weights of cells, shape (size,),
        all float32. Called on another thread, ahead of time.
    settings : FitSettings
        How.
    folder : str or Path, optional
        Gets ``checkpoint/`` after every epoch, ``history.csv``, and ``logs/`` for TensorBoard.
    validation : tuple of ndarray, optional
        Crops, truth and weights that nothing is learnt from; scored after every epoch with the mean weights.
    counts : array_like of float, shape (n_classes,), optional
        Cells of each class, for the objective ``"balanced"``.
    made_with : mapping, optional
        What else must agree for a run to go on, such as the numbers of cells; JSON-serialisable.
    progress : callable, optional
        Called with the share done, 0 to 1, after every batch; may raise to stop. All but the epoch at work is kept.
    on_epoch : callable, optional
        Called with the figures of each epoch, as in `FitHistory`.

    Returns
    -------
    FitHistory
        The figures of all epochs, also of those before an interruption.

    Raises
    ------
    SettingsError
        If early stopping is wanted without a validation, or the objective needs counts.
    InputError
        If the folder holds a checkpoint of another training.
    ExportError
        If the folder can't be written.
    StepError
        If the loss is no longer a number.

    References
    ----------
    Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101 (AdamW) and 2017,
    https://arxiv.org/abs/1608.03983 (cosine schedule); Polyak and Juditsky 1992, doi:10.1137/0330046 (averaging).
    """
    if settings.patience and validation is None:
        message = f"patience: expected 0 without a validation; found {settings.patience}."
        raise SettingsError(message)
    place = Path(folder) if folder is not None else None
    optimizer = _compiled(network, settings, counts)
    keeper = None
    if place is not None:
        keeper = Checkpoint(place / "checkpoint", {**asdict(settings), **(made_with or {})})
    fit = _Fit(network, optimizer, settings, keeper, place, validation)
    fit.take_up()
    shapes = (tuple(network.input_shape[1:]), tuple(network.output_shape[1:]))
    batches = Batches(draw, settings.batch_size, shapes, settings.seed)
    with mixed_precision(network, settings.mixed_precision):
        fit.run(batches, progress, on_epoch)
    fit.finish()
    return FitHistory(tuple(fit.rows), settings.epochs, early_stopping=settings.patience > 0)


def _compiled(network: Any, settings: FitSettings, counts: ArrayLike | None) -> Any:
    """Loss, metric and optimizer; gives the optimizer."""
    from keras import layers, optimizers

    warm = max(1, settings.total // _WARM_UP)
    schedule = optimizers.schedules.CosineDecay(
        _FIRST * settings.learning_rate,
        max(1, settings.total - warm),
        _LAST,
        warmup_target=settings.learning_rate,
        warmup_steps=warm,
    )
    optimizer = optimizers.AdamW(
        schedule,
        weight_decay=settings.weight_decay,
        use_ema=settings.memory > 0,
        ema_momentum=settings.memory,
    )
    optimizer.exclude_from_weight_decay(var_names=_NOT_DECAYED)
    optimizer.build(network.trainable_variables)
    for layer in network.layers:  # in a short run, their means would hang on their start
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = min(layer.momentum, max(0.5, 1 - 10 / settings.total))
    loss = make_objective(
        settings.objective, label_smoothing=settings.label_smoothing, counts=counts
    )
    metric = make_metric(settings.objective)
    network.compile(optimizer=optimizer, loss=loss, weighted_metrics=[metric])
    return optimizer


@dataclass(eq=False)
class _Fit:
    """One fit at work."""

    network: Any
    optimizer: Any
    settings: FitSettings
    keeper: Checkpoint | None
    folder: Path | None
    validation: tuple[NDArray[np.float32], ...] | None
    rows: list[dict[str, float]] = field(default_factory=list)
    best: list[NDArray[Any]] | None = None

    @property
    def variables(self) -> list[Any]:
        """All that changes: weights, states of chance, and what the optimizer remembers."""
        return [*self.network.variables, *self.optimizer.variables]

    def take_up(self) -> None:
        """Go back to the state in the folder, if there is one."""
        if self.keeper is None:
            return
        self.rows = self.keeper.take_up(self.variables)
        if self.rows and self.settings.patience:
            self.best = self.keeper.best()

    @property
    def stopped(self) -> bool:
        """Whether the loss of the validation has not fallen for as long as patience lasts."""
        patience = self.settings.patience
        return 0 < patience <= len(self.rows) - 1 - _best_row(self.rows)

    def run(
        self,
        batches: Batches,
        progress: Callable[[float], None] | None,
        on_epoch: Callable[[Mapping[str, float]], None] | None,
    ) -> None:
        """The epochs that are left."""
        first, steps = len(self.rows), self.settings.steps
        drawn = batches.between(first, self.settings.epochs, steps)
        started = time.perf_counter() - (self.rows[-1]["seconds"] if self.rows else 0.0)
        for epoch in range(first, self.settings.epochs):
            if self.stopped:
                break
            sums: Counter[str] = Counter()
            for step in range(steps):
                self.network.reset_metrics()  # some versions of Keras would answer with a running mean
                sums.update(self.network.train_on_batch(*next(drawn), return_dict=True))
                if progress is not None:
                    progress((epoch * steps + step + 1) / self.settings.total)
            means = {name: total / steps for name, total in sums.items()}
            row = {"epoch": epoch + 1, "loss": means.pop("loss"), **means, **self._validated()}
            row["learning_rate"] = float(self.optimizer.learning_rate)
            self._end_epoch({**row, "seconds": time.perf_counter() - started})
            if on_epoch is not None:
                on_epoch(self.rows[-1])

    def _validated(self) -> dict[str, float]:
        """Figures of the validation; the weights that gave them are kept if they are the best."""
        if self.validation is None:
            return {}
        with self._averaged():
            crops, truth, weights = self.validation
            scores = self.network.evaluate(
                crops, truth, self.settings.batch_size, 0, weights, return_dict=True
            )
            loss = float(scores["loss"])
            if self.settings.patience and loss < min(
                (row["val_loss"] for row in self.rows), default=math.inf
            ):
                self.best = values_of(self.network.variables)
        return {f"val_{name}": float(value) for name, value in scores.items()}

    def _end_epoch(self, row: dict[str, float]) -> None:
        """Note the figures of an epoch, and write all that a run needs to go on."""
        self.rows.append({name: float(value) for name, value in row.items()})
        if not math.isfinite(row["loss"]) or not math.isfinite(row.get("val_loss", 0)):
            message = f"The loss is no longer a number in epoch {len(self.rows)}."
            raise StepError(message, step="training", hint="Give a lower learning rate.")
        if self.keeper is None or self.folder is None:
            return
        if self.best is not None and _best_row(self.rows) == len(self.rows) - 1:
            self.keeper.save_best(self.best)
        self.keeper.save(self.variables, self.rows)
        write_history(self.folder / "history.csv", self.rows)
        log_epoch(self.folder / "logs", self.rows[-1])

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The running mean of the weights in their place."""
        own = values_of(self.network.trainable_variables)
        self.optimizer.finalize_variable_values(self.network.trainable_variables)
        try:
            yield
        finally:
            assign_values(self.network.trainable_variables, own)

    def finish(self) -> None:
        """Give the network the weights that are kept."""
        if self.best is not None:
            assign_values(self.network.variables, self.best)
        else:
            self.optimizer.finalize_variable_values(self.network.trainable_variables)


def _best_row(rows: list[dict[str, float]]) -> int:
    """Which epoch had the lowest loss of the validation, from 0; -1 where there is none."""
    losses = [row.get("val_loss", math.inf) for row in rows]
    return losses.index(min(losses)) if losses else -1
