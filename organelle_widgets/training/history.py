"""What a fit tells of itself: the figures of its epochs, as a table and as curves."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from organelle_widgets.render.saving import save_figure, written_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FitHistory", "draw_history", "write_history"]

_NOT_DRAWN = ("epoch", "learning_rate", "seconds")
_TITLES = {
    "loss": "Loss",
    "hit_at_1": "Top class is right (share of cells)",
    "categorical_accuracy": "Categorical accuracy",
}
_TRAINED, _VALIDATED = "#5B8FF9", "#FF7A45"


@dataclass(frozen=True)
class FitHistory:
    """The figures of a fit.

    Parameters
    ----------
    rows : tuple of mapping of str to float
        One an epoch: ``epoch`` (from 1), ``loss``, ``hit_at_1`` or ``categorical_accuracy``, the same with ``val_``
        before it for the validation, ``learning_rate``, and ``seconds`` since the start.
    epochs : int
        How many epochs were asked for.
    early_stopping : bool
        Whether the weights are those of the best epoch.
    """

    rows: tuple[Mapping[str, float], ...]
    epochs: int
    early_stopping: bool = False

    @property
    def losses(self) -> list[float]:
        """Mean loss of each epoch."""
        return [row["loss"] for row in self.rows]

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are kept, from 1: the one with the lowest loss of the validation, or the last."""
        if not self.early_stopping:
            return len(self.rows)
        return 1 + min(range(len(self.rows)), key=lambda n: self.rows[n]["val_loss"])

    @property
    def stopped_early(self) -> bool:
        """Whether patience ended the fit."""
        return len(self.rows) < self.epochs

    @property
    def seconds(self) -> float:
        """How long the fit took, without the time that it was stopped."""
        return self.rows[-1]["seconds"]


def write_history(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write the figures of a fit as CSV.

    Parameters
    ----------
    path : Path
        Replaced if it exists.
    rows : sequence of mapping of str to float
        As in `FitHistory`; at least one.

    Raises
    ------
    ExportError
        If the file can't be written.
    """
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)


def draw_history(history: FitHistory, path: Path | None = None) -> Figure:
    """Draw the curves of a fit: the loss, and the metric beside it.

    Parameters
    ----------
    history : FitHistory
        Of at least one epoch.
    path : Path, optional
        Saved there: ``.png``, ``.svg`` or ``.pdf``.

    Returns
    -------
    matplotlib.figure.Figure
        One panel a figure, training and validation in each; a line marks the epoch whose weights are kept.

    Raises
    ------
    ExportError
        If the file can't be written.
    """
    from matplotlib.figure import Figure

    names = [
        name for name in history.rows[0] if name not in _NOT_DRAWN and not name.startswith("val_")
    ]
    figure = Figure(figsize=(4.2 * len(names), 3.2), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        _draw_curve(axes, history, name)
    if path is not None:
        save_figure(figure, path, dpi=150)
    return figure


def _draw_curve(axes: Axes, history: FitHistory, name: str) -> None:
    """One figure over the epochs."""
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in history.rows]
    for key, words, color in (
        (name, "training", _TRAINED),
        (f"val_{name}", "cells for tuning", _VALIDATED),
    ):
        if key in history.rows[0]:
            values = [row[key] for row in history.rows]
            axes.plot(epochs, values, "o-", color=color, markersize=3, label=words)
    if history.early_stopping:
        axes.axvline(history.best_epoch, color="0.6", linestyle=":", label="kept")
    axes.set(title=_TITLES.get(name, name), xlabel="Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
