"""``organelle-widgets run``: analyse fields and write each one's results into a folder."""

from __future__ import annotations

import time
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from organelle_widgets.classification import make_classifier
from organelle_widgets.cli._analysis_options import add_analysis_options, channel_map
from organelle_widgets.cli._console import progress_line, say, say_error, say_json
from organelle_widgets.cli._segmenter import chosen_segmenter
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import OrganelleWidgetsError
from organelle_widgets.pipeline import analyze_field

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.io import FieldSource

_SHOWN = 20
"""So many problems of one kind of source are listed; a folder of other images may have thousands."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "run",
        help="analyse fields and write cells.csv, label images, an overview and result.json for each",
        description=(
            "Analyse fields. Each SOURCE is a folder, one channel image of a field "
            "(the others are found beside it), or one file with all channels."
        ),
    )
    parser.add_argument("source", nargs="+", type=Path, metavar="SOURCE")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the results"
    )
    add_analysis_options(parser)
    parser.add_argument("--json", action="store_true", help="print a summary as JSON")
    parser.set_defaults(function=run)


def run(options: argparse.Namespace) -> int:
    """Analyse every field; a field that fails is reported and the others go on."""
    chosen_segmenter(options)
    make_classifier(options.classifier).check_ready()
    sources, problems = _discover(options)
    folders = _folders(sources, options.out)
    done: list[dict[str, Any]] = []
    _say_problems(problems)
    with progress_line("Analysing") as progress:
        for index, source in enumerate(sources):
            monitor = Monitor(_watcher(progress, source.name, index, len(sources)))
            try:
                done.append(_one(source, options, folders[index], monitor))
            except OrganelleWidgetsError as error:
                error.source = error.source or source.name
                problems.append(error)
                say_error(error)
                continue
            if not options.json:
                for line in _lines(done[-1]):
                    say(line)
    if options.json:
        failures = [{"source": p.source, "message": p.message, "hint": p.hint} for p in problems]
        say_json({"fields": done, "failures": failures})
    return 1 if problems else 0


def _say_problems(problems: list[OrganelleWidgetsError]) -> None:
    """The first problems of finding fields, and how many more there are."""
    for problem in problems[:_SHOWN]:
        say_error(problem)
    if len(problems) > _SHOWN:
        say_error(f"{len(problems) - _SHOWN} more files or fields can't be used; --json lists all.")


def _watcher(
    progress: Callable[[str, float], None], name: str, index: int, total: int
) -> Callable[[str, float], None]:
    """Progress of one field as progress of all."""
    return lambda step, part: progress(
        f"{name} ({index + 1}/{total}), {step}", (index + part) / total
    )


def _discover(
    options: argparse.Namespace,
) -> tuple[list[FieldSource], list[OrganelleWidgetsError]]:
    """Every field of every source, and what can't be used."""
    from organelle_widgets.io import discover_fields, find_field

    channels = channel_map(options.channels)
    found: list[FieldSource] = []
    problems: list[OrganelleWidgetsError] = []
    for source in options.source:
        try:
            if source.is_file():
                found.append(find_field(source, channels=channels))
            else:
                found += discover_fields(source, channels=channels, on_problem=problems.append)
        except OrganelleWidgetsError as error:
            problems.append(error)
    return list({source.paths: source for source in found}.values()), problems


def _folders(sources: list[FieldSource], out: Path) -> list[Path]:
    """A folder of its own for each field, also where two fields have one name."""
    folders: list[Path] = []
    for source in sources:
        parts = [part for part in PurePosixPath(source.name).parts if part not in ("..", "/")]
        first = out.joinpath(*parts)
        numbered = (first.with_name(f"{first.name}_{n}") for n in count(2))
        folders.append(next(path for path in chain([first], numbered) if path not in folders))
    return folders


def _one(
    source: FieldSource, options: argparse.Namespace, folder: Path, monitor: Monitor
) -> dict[str, Any]:
    """Read, analyse and write one field; its line of the summary."""
    from organelle_widgets.export import export_field

    start = time.perf_counter()
    field = source.read(pixel_size_um=options.pixel_size_um)
    read_s = time.perf_counter() - start
    result = analyze_field(
        field,
        chosen_segmenter(options),
        options.classifier,
        threshold=options.threshold,
        monitor=monitor,
        leave_out=options.leave_out,
    )
    start = time.perf_counter()
    files = export_field(result, folder)
    seconds = {"read": read_s, **result.timings, "write": time.perf_counter() - start}
    return _summary(result, seconds, {key: str(path) for key, path in files.items()})


def _summary(
    result: FieldResult, seconds: dict[str, float], files: dict[str, str]
) -> dict[str, Any]:
    """What the command says of one field."""
    field, prediction = result.field, result.predict()
    return {
        "id": field.name,
        "shape": list(field.shape),
        "pixel_size_um": field.pixel_size_um,
        "pixel_size_source": field.pixel_size_source,
        "missing_channels": sorted(field.missing),
        "cells": result.n_cells,
        "prediction": prediction.text if result.n_cells else "no cells found",
        "confidence": round(prediction.confidence, 4) if result.n_cells else None,
        "warnings": list(result.warnings),
        "quality": result.quality.to_dict() if result.quality is not None else None,
        "notes": [*field.notes, *result.notes],
        "seconds": {step: round(value, 3) for step, value in seconds.items()},
        "files": files,
    }


def _lines(summary: dict[str, Any]) -> list[str]:
    """One field's summary as a line of text, and below it what looks wrong."""
    total = sum(summary["seconds"].values())
    confidence = f" ({summary['confidence']:.2f})" if summary["confidence"] is not None else ""
    count = summary["cells"]
    found = f"{count} cell{'' if count == 1 else 's'}, {summary['prediction']}{confidence}, {total:.1f} s"
    return [f"{summary['id']}: {found}", *(f"  Warning: {text}" for text in summary["warnings"])]
