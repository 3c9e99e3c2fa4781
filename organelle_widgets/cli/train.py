"""``organelle-widgets train``: train the embedded classifier or the embedded segmenter from scratch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.cli._console import progress_line, say, say_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "train",
        help="train the embedded classifier or segmenter",
        description=(
            "Train on a folder of known fields, or on virtual fields alone. Writes weights, a model card and the "
            "scores on what was held out from training."
        ),
    )
    kinds = parser.add_subparsers(title="what to train", dest="kind", required=True)
    classifier = _kind(kinds, "classification", "train the classifier", classification)
    classifier.add_argument("--epochs", type=int, help="passes over the training cells")
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


def _kind(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help: str,
    function: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """The command for one kind of model, with the arguments that all have."""
    one = kinds.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    one.add_argument("--data", type=Path, metavar="DIR", help="known fields with their fields.csv")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the run")
    one.add_argument("--virtual-fields", type=int, help="how many virtual fields to draw")
    one.add_argument("--seed", type=int, default=0, help="same seed, same training (0)")
    one.add_argument("--json", action="store_true", help="print history and scores as JSON")
    one.set_defaults(function=function)
    return one


def classification(options: argparse.Namespace) -> int:
    """Train the classifier."""
    from organelle_widgets.training import train_classifier

    return _train(options, train_classifier, ("epochs",))


def segmentation(options: argparse.Namespace) -> int:
    """Train the segmenter."""
    from organelle_widgets.training import train_segmenter

    return _train(options, train_segmenter, ("steps", "tuning_steps", "leave_one_out"))


def _train(
    options: argparse.Namespace, train: Callable[..., dict[str, Any]], own: tuple[str, ...]
) -> int:
    """Train and say how well it went."""
    asked = {name: getattr(options, name) for name in (*own, "virtual_fields")}
    given = {name: value for name, value in asked.items() if value is not None}
    with progress_line("Training") as progress:
        report = train(
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
