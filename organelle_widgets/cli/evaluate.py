"""``organelle-widgets evaluate``: score a segmenter, a classifier or a submission against known answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.cli._console import progress_line, say, say_json
from organelle_widgets.cli._segmenter import add_segmenter, chosen_segmenter
from organelle_widgets.errors import ExportError, InputError
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

_DRAWS = 2000
_HEADLINES = {
    "field_top1": "fields: hit at 1",
    "field_top3": "fields: hit at 3",
    "field_map": "fields: macro average precision",
    "field_auc": "fields: macro AUC",
    "cell_top1": "cells: hit at 1",
    "cell_top3": "cells: hit at 3",
    "macro_map": "cells: macro average precision",
    "macro_auc": "cells: macro AUC",
    "macro_f1": "cells: macro F1",
    "categorical_accuracy": "cells with one label: accuracy",
    "categorical_crossentropy": "cells with one label: cross-entropy",
    "among_accuracy": "cells: accuracy among classes that occur",
    "among_balanced_accuracy": "cells: balanced accuracy among them",
    "among_field_accuracy": "fields: accuracy among them",
    "among_field_balanced_accuracy": "fields: balanced accuracy among them",
    "ece": "cells: calibration error, all classes",
    "ece_top": "cells: calibration error, top class",
}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its kinds."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a segmenter, a classifier or a submission against known answers",
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
            _add_classification(one)
        one.add_argument("--folders", metavar="A,B", help="only these folders of fields.csv")
        one.add_argument("--limit", type=int, metavar="N", help="only the first N fields")
        one.add_argument("--json", action="store_true", help="print every figure as JSON")
        one.set_defaults(function=function)
    _add_kaggle(kinds)
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


def _add_classification(one: argparse.ArgumentParser) -> None:
    """Arguments that only a classifier's scoring has."""
    one.add_argument(
        "--classifier",
        default=DEFAULT_CLASSIFIER,
        help=f"a name, or several with + between ({DEFAULT_CLASSIFIER})",
    )
    one.add_argument(
        "--ids",
        type=Path,
        metavar="FILE",
        help="only the fields that this text file names, one a line: those kept from training, for instance",
    )
    one.add_argument(
        "--resamples",
        type=int,
        default=_DRAWS,
        metavar="N",
        help=f"draw the fields anew N times for 95 %% intervals ({_DRAWS}); 0 for none",
    )
    one.add_argument("--seed", type=int, default=0, help="of these draws (0)")
    one.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write a page with figures and tables"
    )
    one.add_argument(
        "--predictions", type=Path, metavar="FILE.csv", help="write the probabilities of every cell"
    )


def _add_kaggle(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The kind that scores a submission."""
    one = kinds.add_parser(
        "kaggle",
        help="the competition's score (mAP at mask IoU 0.6) of a submission",
        description=(
            "Both tables: ImageID (or ID), ImageWidth, ImageHeight, PredictionString with triples of class, "
            "confidence and mask. Confidences of the truth are ignored."
        ),
    )
    one.add_argument("submission", type=Path, metavar="SUBMISSION.csv")
    one.add_argument("truth", type=Path, metavar="TRUTH.csv")
    one.add_argument("--iou", type=float, default=0.6, help="overlap of a mask that is found (0.6)")
    one.add_argument("--json", action="store_true", help="print every figure as JSON")
    one.set_defaults(function=kaggle)


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
    from organelle_widgets.classification import make_classifier
    from organelle_widgets.evaluation.classification import answer_fields, score_answers
    from organelle_widgets.evaluation.classification_details import write_predictions
    from organelle_widgets.evaluation.report import write_report
    from organelle_widgets.segmentation import make_segmenter

    _check_places(options.report, options.predictions)
    chosen = {**_selection(options), "ids": _read_ids(options.ids)}
    finder, namer = make_segmenter(chosen.pop("segmenter")), make_classifier(options.classifier)
    with progress_line("Scoring") as progress:
        answered = answer_fields(
            options.folder,
            classifier=namer,
            segmenter=finder,
            progress=lambda done: progress("", done),
            **chosen,
        )
    scores = score_answers(
        answered,
        options.folder,
        namer,
        finder,
        n_resamples=options.resamples,
        seed=options.seed,
        details=True,
    )
    if options.predictions is not None:
        write_predictions(answered, options.predictions)
    if options.report is not None:
        write_report(scores, options.report)
    if options.json:
        say_json(scores)
    else:
        _say_scores(scores)
    return 0


def _check_places(*paths: Path | None) -> None:
    """Refuse a folder that is not there before the long work."""
    for path in paths:
        if path is not None and not path.resolve().parent.is_dir():
            message = f"Can't write {path}: the folder does not exist."
            raise ExportError(message, hint="Make the folder first, or choose another.")


def _read_ids(path: Path | None) -> set[str] | None:
    """The names in a text file; None without a file."""
    if path is None:
        return None
    try:
        names = {line.strip() for line in path.read_text("utf-8-sig").splitlines()} - {""}
    except (OSError, UnicodeDecodeError) as error:
        message = f"Expected a text file with one id a line; found: {error}."
        raise InputError(message, source=str(path)) from error
    return names


def _say_scores(scores: Mapping[str, Any]) -> None:
    """The headlines with their intervals, then a line a class."""
    say(f"{scores['classifier']} on cells found by {scores['segmenter']}")
    say(f"{scores['n_fields']} fields, {scores['n_cells']} cells")
    say(f"classes that occur as the one label: {', '.join(scores['among_classes']) or 'none'}\n")
    for key, title in _HEADLINES.items():
        say(f"{title:<42} {_figure(scores[key], scores.get('intervals', {}).get(key))}".rstrip())
    columns = {
        "n_fields": "fields",
        "n_cells": "cells",
        "ap_field": "AP",
        "auc_field": "AUC",
        "ap_cell": "AP cell",
        "auc_cell": "AUC cell",
        "f1": "F1 cell",
        "ece": "ECE",
    }
    say("\n" + "".join([f"{'class':<42}", *(f"{title:>9}" for title in columns.values())]))
    for name, row in scores["per_class"].items():
        say("".join([f"{name:<42}", *(f"{_short(row[key]):>9}" for key in columns)]))
    if scores["no_evidence"]:
        say(f"\nNo field, so nothing is known: {', '.join(scores['no_evidence'])}.")
    if scores["little_evidence"]:
        say(f"Fewer than 5 fields, so no claim: {', '.join(scores['little_evidence'])}.")


def _figure(value: float, interval: Sequence[float] | None) -> str:
    """A figure, and its interval where there is one."""
    if interval is None or interval[0] != interval[0]:
        return _short(value)
    return f"{value:.3f}  {interval[0]:.3f} to {interval[1]:.3f}"


def _short(value: float) -> str:
    """A count as it is, a share with three digits, a dash for what is not known."""
    if value != value:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def kaggle(options: argparse.Namespace) -> int:
    """Score a submission."""
    from organelle_widgets.evaluation.kaggle import evaluate_kaggle

    scores = evaluate_kaggle(options.submission, options.truth, iou=options.iou)
    if options.json:
        say_json(scores)
        return 0
    say(f"mAP at mask IoU {scores['iou']:g}: {_short(scores['map'])}")
    say(
        f"{scores['n_images']} images, {scores['n_objects']} objects, {scores['n_predictions']} predictions; "
        f"{scores['n_images_without_prediction']} images without a prediction\n"
    )
    columns = {"n_objects": "objects", "n_predictions": "predicted", "n_found": "found", "ap": "AP"}
    say("".join([f"{'class':<42}", *(f"{title:>11}" for title in columns.values())]))
    for name, row in scores["per_class"].items():
        say("".join([f"{name:<42}", *(f"{_short(row[key]):>11}" for key in columns)]))
    return 0
