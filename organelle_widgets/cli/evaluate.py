"""``organelle-widgets evaluate``: score a segmenter or a classifier on a folder with known answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.cli._console import progress_line, say, say_json
from organelle_widgets.cli._segmenter import add_segmenter, chosen_segmenter
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its kinds."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a segmenter or a classifier on fields with known answers",
        description=(
            "DIR holds fields.csv (id, folder, height, width, pixel_size_um, labels, has_cellmask) "
            "and the folders it names."
        ),
    )
    kinds = parser.add_subparsers(title="what to score", dest="kind", required=True)
    for kind, function in (("segmentation", segmentation), ("classification", classification)):
        one = kinds.add_parser(kind, help=f"score the {kind}")
        one.add_argument("folder", type=Path, metavar="DIR")
        add_segmenter(one)
        if kind == "classification":
            one.add_argument("--classifier", default=DEFAULT_CLASSIFIER)
        one.add_argument("--folders", metavar="A,B", help="only these folders of fields.csv")
        one.add_argument("--limit", type=int, metavar="N", help="only the first N fields")
        one.add_argument("--json", action="store_true", help="print every figure as JSON")
        one.set_defaults(function=function)
    one = kinds.add_parser(
        "nuclei", help="score the segmenter's nuclei on pictures of nuclei alone"
    )
    one.add_argument(
        "folder", type=Path, metavar="DIR", help="holds index.csv, images/ and labels/"
    )
    add_segmenter(one)
    one.add_argument(
        "--pixel-size",
        type=float,
        default=0.65,
        metavar="UM",
        help="um per pixel of all pictures (0.65)",
    )
    one.add_argument("--all", action="store_true", help="not only the tenth that is held out")
    one.add_argument("--json", action="store_true", help="print every figure as JSON")
    one.set_defaults(function=nuclei)


def _selection(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments that both kinds share."""
    folders = [name.strip() for name in (options.folders or "").split(",") if name.strip()]
    return {
        "segmenter": chosen_segmenter(options),
        "folders": folders or None,
        "limit": options.limit,
    }


def segmentation(options: argparse.Namespace) -> int:
    """Score a segmenter."""
    from organelle_widgets.evaluation.segmentation import evaluate_segmentation

    with progress_line("Scoring") as progress:
        scores = evaluate_segmentation(
            options.folder, progress=lambda done: progress("", done), **_selection(options)
        )
    if options.json:
        say_json(scores)
        return 0
    columns = [key for key in scores["mean"] if key != "id"]
    say("  ".join([f"{'field':<40}", *(f"{c:>11}" for c in columns)]))
    for row in [*scores["fields"], {"id": "mean", **scores["mean"]}]:
        say("  ".join([f"{row['id'][:40]:<40}", *(f"{row[c]:>11.3f}" for c in columns)]))
    return 0


def nuclei(options: argparse.Namespace) -> int:
    """Score a segmenter's nuclei."""
    from organelle_widgets.evaluation.nuclei import evaluate_nuclei

    with progress_line("Scoring") as progress:
        scores = evaluate_nuclei(
            options.folder,
            segmenter=chosen_segmenter(options),
            pixel_size_um=options.pixel_size,
            held_out=not options.all,
            progress=lambda done: progress("", done),
        )
    if options.json:
        say_json(scores)
        return 0
    for name, value in scores.items():
        if name != "per_picture":
            say(f"{name:<16} {value:.3f}" if isinstance(value, float) else f"{name:<16} {value}")
    return 0


def classification(options: argparse.Namespace) -> int:
    """Score a classifier."""
    from organelle_widgets.evaluation.classification import evaluate_classification

    with progress_line("Scoring") as progress:
        scores = evaluate_classification(
            options.folder,
            classifier=options.classifier,
            progress=lambda done: progress("", done),
            **_selection(options),
        )
    if options.json:
        say_json(scores)
        return 0
    for name, value in scores.items():
        if name != "per_class":
            say(f"{name:<26} {value:.3f}" if isinstance(value, float) else f"{name:<26} {value}")
    for name, row in scores["per_class"].items():
        figures = "  ".join(
            f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}"
            for key, value in row.items()
        )
        say(f"  {name:<42} {figures}")
    return 0
