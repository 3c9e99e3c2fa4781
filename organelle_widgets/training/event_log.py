"""TensorBoard's event files, written without TensorBoard: it is needed to look at them only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["log_epoch"]

_VALIDATION = "val_"


def log_epoch(folder: Path, row: Mapping[str, float]) -> None:
    """Write the figures of one epoch for ``tensorboard --logdir FOLDER``.

    As with Keras's own callback there are two runs, ``train`` and ``validation``, so that TensorBoard draws both in
    one chart, and the names start with ``epoch_``. Each epoch has a file of its own; one that is repeated after an
    interruption takes the old file's place.

    Parameters
    ----------
    folder : Path
        The log folder; made if needed.
    row : mapping of str to float
        Figures by name, with ``epoch`` among them; those of the validation start with ``val_``.
    """
    runs: dict[str, dict[str, float]] = {"train": {}, "validation": {}}
    for name, value in row.items():
        if name != "epoch":
            run = "validation" if name.startswith(_VALIDATION) else "train"
            runs[run][f"epoch_{name.removeprefix(_VALIDATION)}"] = value
    for run, figures in runs.items():
        if figures:
            _write(folder / run, int(row["epoch"]), figures)


def _write(folder: Path, epoch: int, figures: Mapping[str, float]) -> None:
    """One event file."""
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    v1, now = tf.compat.v1, time.time()
    values = [v1.Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
    path = folder / f"events.out.tfevents.{epoch:010d}.organelle_widgets"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for event in (
            v1.Event(wall_time=now, file_version="brain.Event:2"),
            v1.Event(wall_time=now, step=epoch, summary=v1.Summary(value=values)),
        ):
            writer.write(event.SerializeToString())
