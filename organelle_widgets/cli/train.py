"""``organelle-widgets train``: train a classifier on one's own fields, or the embedded segmenter from scratch."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.cli._console import progress_line, say, say_json
from organelle_widgets.cli._segmenter import add_segmenter, chosen_segmenter
from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

_NUMBERS: dict[str, tuple[type, str]] = {
    "epochs": (int, "passes over the training cells (20)"),
    "steps": (int, "batches in an epoch (100)"),
    "batch_size": (int, "cells in a batch (48)"),
    "learning_rate": (float, "the highest of the run (0.002; 0.0003 with --start)"),
    "weight_decay": (float, "of the optimizer AdamW (0.01)"),
    "label_smoothing": (float, "how far labels are moved from 0 and 1 (0)"),
    "patience": (
        int,
        "stop after so many epochs without getting better on tuning fields; 0: never (0)",
    ),
    "simulated": (int, "real cells that get a simulated protein (4000)"),
    "varied": (int, "real cells that are changed in shape and exposure (4000)"),
    "validation_fraction": (float, "share of antibodies or wells kept aside and scored (0.4)"),
    "tuning_fraction": (
        float,
        "share of the other fields that show when to stop, and calibrate (0.15)",
    ),
}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "train",
        help="train a classifier or the embedded segmenter",
        description=(
            "Train on a folder of known fields, or on virtual fields alone. Writes weights, a model card and the "
            "scores on what was held out from training."
        ),
    )
    kinds = parser.add_subparsers(title="what to train", dest="kind", required=True)
    _add_classification(kinds)
    segmenter = _kind(
        kinds, "segmentation", "train the segmenter; goes on where it was stopped", segmentation
    )
    segmenter.add_argument("--steps", type=int, help="batches of the base")
    segmenter.add_argument(
        "--tuning-steps",
        type=int,
        help="batches of each tuning on the fields whose masks are known",
    )
    segmenter.add_argument(
        "--no-leave-one-out",
        dest="leave_one_out",
        action="store_false",
        default=None,
        help="don't score each field with masks by a network that never saw it",
    )


def _add_classification(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """Add the command for classifiers."""
    one = _kind(
        kinds,
        "classification",
        "train a classifier on labelled fields; goes on where it was stopped",
        classification,
        data="images with fields.csv, with the competition's train.csv, or with --labels",
    )
    one.add_argument("--labels", metavar="CSV", help="table of labels: one row a field or a cell")
    one.add_argument(
        "--start",
        default="scratch",
        metavar="scratch|embedded|FILE.keras",
        help="random weights (default), the package's, or those of an earlier training",
    )
    one.add_argument(
        "--recipe",
        choices=("own", "embedded"),
        default="own",
        help=(
            "own (default): one fit; embedded: all stages that the package's weights went through, hours on two cores. "
            "It takes --data, --out, --seed, --simulated, --virtual-fields and --batch-size"
        ),
    )
    one.add_argument(
        "--objective",
        metavar="NAME",
        help=(
            "several classes a cell: binary (default), focal, or balanced, which makes up for rare classes; exactly "
            "one class a cell: categorical"
        ),
    )
    for name, (kind, text) in _NUMBERS.items():
        one.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar="N", help=text)
    one.add_argument(
        "--mixed-precision", action="store_true", default=None, help="compute in bfloat16: faster"
    )
    one.add_argument("--pixel-size-um", type=float, metavar="UM", help="of images without one")
    one.add_argument(
        "--provenance",
        metavar="TEXT",
        help="where the images come from and their licence, for the model card; hpa for the Human Protein Atlas",
    )
    add_segmenter(one)


def _kind(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help: str,
    function: Callable[[argparse.Namespace], int],
    data: str = "known fields with their fields.csv",
) -> argparse.ArgumentParser:
    """The command for one kind of model, with the arguments that all have."""
    one = kinds.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    one.add_argument("--data", type=Path, metavar="DIR", help=data)
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the run")
    one.add_argument("--virtual-fields", type=int, help="how many virtual fields to draw")
    one.add_argument("--seed", type=int, default=0, help="same seed, same training (0)")
    one.add_argument("--json", action="store_true", help="print history and scores as JSON")
    one.set_defaults(function=function)
    return one


def classification(options: argparse.Namespace) -> int:
    """Train the classifier."""
    if options.recipe == "embedded":
        return _embedded(options)
    from organelle_widgets.training import train_classifier

    names = (*_NUMBERS, "objective", "mixed_precision", "pixel_size_um", "labels", "provenance")
    report = _train(
        options,
        train_classifier,
        names,
        start=options.start,
        segmenter=chosen_segmenter(options),
        on_epoch=None,
    )
    if not options.json:
        say(_scores_in_words(report))
    return 0


def _embedded(options: argparse.Namespace) -> int:
    """Train the classifier as the package's was."""
    if options.data is None:
        message = "Expected --data with the recipe embedded; found none."
        raise SettingsError(message, hint="Give the folder of labelled fields.")
    from organelle_widgets.training import train_embedded

    report = _train(options, train_embedded, ("simulated", "batch_size"), on_epoch=None)
    if not options.json:
        say(_scores_in_words(report))
    return 0


def segmentation(options: argparse.Namespace) -> int:
    """Train the segmenter."""
    from organelle_widgets.training import train_segmenter

    _train(options, train_segmenter, ("steps", "tuning_steps", "leave_one_out"))
    return 0


def _train(
    options: argparse.Namespace,
    train: Callable[..., dict[str, Any]],
    own: tuple[str, ...],
    **more: Any,
) -> dict[str, Any]:
    """Train and say where the outcome is."""
    asked = {name: getattr(options, name) for name in (*own, "virtual_fields")}
    given = {name: value for name, value in asked.items() if value is not None}
    with progress_line("Training") as show:
        words = _Words()
        if "on_epoch" in more:  # a classifier learns in epochs
            more["on_epoch"] = words.end_epoch
        report = train(
            options.data,
            options.out,
            seed=options.seed,
            progress=lambda done: show(words.at(done), done),
            **given,
            **more,
        )
    if options.json:
        say_json(report)
    else:
        say(f"Weights, model card and scores are in {options.out}")
    return report


class _Words:
    """What the progress says: epoch, loss, time left."""

    def __init__(self) -> None:
        self._begun: tuple[float, float] | None = None
        self._epoch = ""

    def end_epoch(self, row: Mapping[str, float]) -> None:
        """Take the figures of an epoch; where there is no bar, they get a line."""
        self._epoch = f"epoch {row['epoch']:.0f}, loss {row['loss']:.4f}"
        if "val_loss" in row:
            self._epoch += f", on tuning fields {row['val_loss']:.4f}"
        if not sys.stderr.isatty():
            sys.stderr.write(f"{self._epoch}\n")

    def at(self, done: float) -> str:
        """The words at a share of the whole."""
        now = time.monotonic()
        self._begun = self._begun or (now, done)
        passed, share = now - self._begun[0], done - self._begun[1]
        parts = [self._epoch] if self._epoch else []
        if passed > 5 and share > 0:
            parts.append(f"{_duration(passed * (1 - done) / share)} left")
        return ", ".join(parts)


def _duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _scores_in_words(report: Mapping[str, Any]) -> str:
    """The scores in a line a kind."""
    lines = [
        f"{kind}: {scores['n_fields']} held out; a true class is the most probable in {scores['field_top1']:.0%}, "
        f"among the first three in {scores['field_top3']:.0%}"
        for kind, scores in report["scores"].items()
    ]
    return "\n".join(lines) or "Nothing was scored: no labelled field was kept aside."
