"""``organelle-widgets train``: train the embedded classifier from scratch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.cli._console import progress_line, say, say_json

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "train",
        help="train the embedded classifier on virtual cells and on labelled fields",
        description=(
            "Train a classifier on virtual cells, on proteins simulated over real reference channels, and on "
            "labelled fields. Writes weights, a model card and the scores on fields held out from training."
        ),
    )
    kinds = parser.add_subparsers(title="what to train", dest="kind", required=True)
    one = kinds.add_parser("classification", help="train the classifier")
    one.add_argument(
        "--data", type=Path, metavar="DIR", help="labelled fields with their fields.csv"
    )
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the run")
    one.add_argument("--epochs", type=int, default=None, help="passes over the training cells")
    one.add_argument(
        "--virtual-fields", type=int, default=None, help="how many virtual fields to draw"
    )
    one.add_argument("--seed", type=int, default=0, help="same seed, same training (0)")
    one.add_argument("--json", action="store_true", help="print history and scores as JSON")
    one.set_defaults(function=train)


def train(options: argparse.Namespace) -> int:
    """Train and say how well it went."""
    from organelle_widgets.training import train_classifier

    asked = {"epochs": options.epochs, "virtual_fields": options.virtual_fields}
    given = {name: value for name, value in asked.items() if value is not None}
    with progress_line("Training") as progress:
        report = train_classifier(
            options.data,
            options.out,
            seed=options.seed,
            progress=lambda done: progress("", done),
            **given,
        )
    if options.json:
        say_json(report)
    else:
        say(f"Weights, model card and scores are in {options.out}")
    return 0
