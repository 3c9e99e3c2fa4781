"""``organelle-widgets batch``: analyse a plate or a folder tree, unattended, into one results folder."""

from __future__ import annotations

import functools
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.cli._analysis_options import add_analysis_options, channel_map
from organelle_widgets.cli._console import progress_line, say, say_error, say_json
from organelle_widgets.cli._segmenter import chosen_segmenter
from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from organelle_widgets.batch.plan import Plan
    from organelle_widgets.batch.status import RunStatus
    from organelle_widgets.batch.work import BatchSettings
    from organelle_widgets.engine import Engine

_SHOWN = 10
_SAY_EVERY_S = 30.0
_MINUTE, _HOUR = 60, 3600


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "batch",
        help="analyse many fields into one results folder; goes on where it was stopped",
        description=(
            "Analyse many fields unattended. A field that fails becomes a row in the table of failures and the others "
            "go on. Each SOURCE is a folder (with all its sub-folders), a pattern in quotes such as "
            "'plate*/*_green.png', a CSV file with a row a field (its other columns are carried through to the "
            "results), or an OME-Zarr plate. OUT is the results folder."
        ),
    )
    parser.add_argument("source", nargs="+", metavar="SOURCE")
    parser.add_argument("out", type=Path, metavar="OUT")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="start N worker processes on this machine (without: this process does the work)",
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="use the workers of a Dask cluster: tcp://host:8786"
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="T",
        help="threads of each worker (default: this machine's cores shared out)",
    )
    add_analysis_options(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in OUT; what is done is not done again",
    )
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="with --resume: do all fields again where settings or weights changed",
    )
    parser.add_argument(
        "--retry-failures", action="store_true", help="with --resume: try failed fields again"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="take only the first N fields")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )
    parser.add_argument("--json", action="store_true", help="print the end of the run as JSON")
    parser.set_defaults(function=batch)


def batch(options: argparse.Namespace) -> int:
    """Plan and run."""
    _check(options)
    from organelle_widgets.batch.plan import plan_batch

    settings = _settings(options)
    plan = plan_batch(
        options.source,
        channels=channel_map(options.channels),
        pixel_size_um=options.pixel_size_um,
        limit=options.limit,
    )
    for problem in plan.problems[:_SHOWN]:
        say_error(problem)
    if len(plan.problems) > _SHOWN:
        say_error(
            f"{len(plan.problems) - _SHOWN} more can't be used; the table of failures has all."
        )
    return _dry_run(plan, options) if options.dry_run else _run(plan, settings, options)


def _check(options: argparse.Namespace) -> None:
    """Refuse options that don't go together."""
    for name in ("rerun", "retry_failures"):
        if getattr(options, name) and not options.resume:
            message = f"Expected --{name.replace('_', '-')} together with --resume."
            raise SettingsError(message)
    if options.limit is not None and options.limit < 1:
        message = f"Expected --limit of 1 or more; found {options.limit}."
        raise SettingsError(message)


def _settings(options: argparse.Namespace) -> BatchSettings:
    """How each field is analysed; a model that can't be had is told before any work."""
    from organelle_widgets.batch.work import BatchSettings
    from organelle_widgets.classification import make_classifier

    classifier = make_classifier(options.classifier)
    classifier.check_ready()
    return BatchSettings(
        segmenter=chosen_segmenter(options),
        classifier=classifier,
        threshold=options.threshold,
        leave_out=options.leave_out,
        pixel_size_um=options.pixel_size_um,
    )


def _dry_run(plan: Plan, options: argparse.Namespace) -> int:
    """Say what would be done."""
    if options.json:
        fields = [
            {"field": f.name, "files": [str(p) for p in f.paths], **f.extra} for f in plan.fields
        ]
        problems = [
            {"source": p.source, "message": p.message, "hint": p.hint} for p in plan.problems
        ]
        say_json({"fields": fields, "problems": problems, "extra": dict(plan.extra)})
        return 1 if plan.problems else 0
    say(
        f"{_fields(len(plan.fields))} to analyse into {options.out}; {len(plan.problems)} can't be used."
    )
    for source in plan.fields[:_SHOWN]:
        known = ", ".join(f"{key} {value}" for key, value in source.extra.items() if value)
        say(f"  {source.name}{f' ({known})' if known else ''}")
    if len(plan.fields) > _SHOWN:
        say(f"  and {len(plan.fields) - _SHOWN} more")
    return 1 if plan.problems else 0


def _run(plan: Plan, settings: BatchSettings, options: argparse.Namespace) -> int:
    """Run, show progress, say how it ended."""
    from organelle_widgets.batch.run import run_batch

    start = time.perf_counter()
    with _stopped_by_terminate(), _engine(settings, options) as engine, _progress() as on_status:
        status = run_batch(
            plan,
            options.out,
            settings,
            engine,
            resume=options.resume,
            rerun=options.rerun,
            retry_failures=options.retry_failures,
            on_status=on_status,
        )
    seconds = time.perf_counter() - start
    if options.json:
        say_json(_summary(status, seconds, options.out))
    else:
        say(_ended(status, seconds, options.out))
    if status.state == "stopped":
        return 130
    return 1 if status.n_failed else 0


@contextmanager
def _engine(settings: BatchSettings, options: argparse.Namespace) -> Iterator[Engine]:
    """Where the work runs."""
    from organelle_widgets.engine import DaskEngine, LocalEngine, hush, warm_up

    if options.workers is None and options.scheduler is None:
        here = LocalEngine()
        try:
            yield here
        finally:
            here.close(wait=True)  # a field that is under way ends before the process does
        return
    hush()
    warm = functools.partial(warm_up, settings.segmenter, settings.classifier)
    engine = DaskEngine(
        options.scheduler,
        workers=1 if options.workers is None else options.workers,
        threads=options.threads,
        warm=warm,
    )
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def _stopped_by_terminate() -> Iterator[None]:
    """SIGTERM, which schedulers of clusters send before the end, stops in order, as Ctrl+C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress() -> Iterator[Callable[[RunStatus], None]]:
    """A bar where standard error is a terminal, else a line now and then."""
    terminal = bool(sys.stderr) and sys.stderr.isatty()
    said = time.monotonic()

    with progress_line("Analysing") as show:

        def tell(status: RunStatus) -> None:
            nonlocal said
            show(_words(status), status.fraction)
            if not terminal and time.monotonic() - said > _SAY_EVERY_S:
                said = time.monotonic()
                say_error(_words(status))

        yield tell


def _words(status: RunStatus) -> str:
    """How far a run is."""
    parts = [f"{status.n_done + status.n_failed:,} of {_fields(status.n_planned)}"]
    if status.n_failed:
        parts.append(f"{status.n_failed:,} failed")
    parts.append(f"{status.n_cells:,} cells")
    if status.fields_per_minute:
        parts.append(f"{status.fields_per_minute:.3g} fields a minute")
    if status.seconds_left is not None:
        parts.append(f"{_duration(status.seconds_left)} left")
    return ", ".join(parts)


def _ended(status: RunStatus, seconds: float, out: Path) -> str:
    """The last line."""
    done = f"{_fields(status.n_done)} with {status.n_cells:,} cells in {_duration(seconds)}: {out}"
    failed = (
        f" {_fields(status.n_failed)} failed; the table of failures says why."
        if status.n_failed
        else ""
    )
    if status.state == "stopped":
        return f"Stopped. {done}.{failed} Go on with --resume."
    return f"{done}.{failed}"


def _summary(status: RunStatus, seconds: float, out: Path) -> dict[str, Any]:
    """The same for programs."""
    return {
        "out": str(out),
        "state": status.state,
        "n_planned": status.n_planned,
        "n_done": status.n_done,
        "n_failed": status.n_failed,
        "n_cells": status.n_cells,
        "seconds": round(seconds, 1),
    }


def _fields(count: int) -> str:
    """A number of fields."""
    return f"{count:,} field{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    """A time in the largest two units."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
