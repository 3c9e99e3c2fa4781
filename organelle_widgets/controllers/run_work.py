"""What takes long around a run over many fields, away from the page's thread: counting, looking up, saving.

Plain functions of what they are given; none of them sees state or widgets. All paths that come from a person are
confined to the root.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.batch.plan import plan_batch
from organelle_widgets.batch.status import RunStatus
from organelle_widgets.errors import ExportError, InputError
from organelle_widgets.export import EXPORTERS
from organelle_widgets.results import open_results
from organelle_widgets.state import RunFile

if TYPE_CHECKING:
    from organelle_widgets.batch.status import RunState
    from organelle_widgets.core.monitor import Monitor

__all__ = [
    "count_fields",
    "first_failures",
    "run_formats",
    "save_run",
    "status_of",
]

_EXPORTS = "exports"
_MOST_PROBLEMS = 20


def count_fields(source: Path) -> tuple[int, tuple[str, ...], int]:
    """How many fields are below a folder, and what can't be used there.

    Parameters
    ----------
    source : Path
        The folder.

    Returns
    -------
    int, tuple of str, int
        Fields; the first problems, in sentences; how many problems there are.
    """
    try:
        plan = plan_batch(source)
    except InputError as error:
        return 0, (error.message.replace(f"{source}/", ""),), 1
    told = tuple(_told(problem, source) for problem in plan.problems[:_MOST_PROBLEMS])
    return len(plan.fields), told, len(plan.problems)


def _told(problem: InputError, source: Path) -> str:
    """A problem with the name of what it is about, and no more of the path than a person knows."""
    message = problem.message.replace(f"{source}/", "")
    name = Path(problem.source or "").name
    return message if not name or name in message else f"{name}: {message}"


def first_failures(out: Path, root: Path, limit: int = 5) -> tuple[tuple[str, str], ...]:
    """The first fields that failed, and why.

    Parameters
    ----------
    out : Path
        A results folder.
    root : Path
        Where everything is confined to; paths are shown relative to it.
    limit : int
        How many.

    Returns
    -------
    tuple of (str, str)
        Name and message of each.
    """
    with open_results(out) as results:
        table = results.failures(columns=["name", "message"], limit=limit)
    pairs = zip(table["name"], table["message"], strict=True)
    return tuple((_below(root, name), _below(root, message)) for name, message in pairs)


def _below(root: Path, text: str) -> str:
    """A text without the way to the root, which means nothing on the page."""
    return str(text).replace(f"{root.resolve()}{os.sep}", "")


def status_of(out: Path) -> RunStatus:
    """How far a run is by its results alone.

    Parameters
    ----------
    out : Path
        A results folder.

    Returns
    -------
    RunStatus
        ``"done"`` or ``"stopped"``, with its counts.
    """
    with open_results(out) as results:
        n_done, n_failed, n_cells = results.n_fields, results.n_failures, results.n_cells
        n_planned = max(int(results.run.get("n_planned") or 0), n_done + n_failed)
    state: RunState = "done" if n_done + n_failed == n_planned else "stopped"
    return RunStatus(state, n_planned, n_done, n_failed, n_cells)


def run_formats() -> list[dict[str, str]]:
    """The formats that a run can be saved in.

    Returns
    -------
    list of dict
        ``key``, ``title`` and ``detail`` of each that is installed, those of one file first.
    """
    here = [(name, entry) for name, entry in EXPORTERS.entries().items() if not entry.missing]
    here.sort(key=lambda item: (not item[1].cls.one_file, item[0] != "csv"))
    return [
        {"key": name, "title": entry.title, "detail": _detail(entry.cls)} for name, entry in here
    ]


def _detail(cls: Any) -> str:
    """What comes of a format."""
    if cls.one_file:
        return f"One file: {cls.filename}"
    images = "; reads its images again" if cls.needs_pixels else ""
    kind = "folder" if cls.is_folder else "file"
    return f"A {kind} for each field: …_{cls.filename}{images}"


def save_run(out: Path, root: Path, key: str, *, monitor: Monitor) -> RunFile:
    """Write a run in one format, into the folder ``exports`` of its results.

    Parameters
    ----------
    out : Path
        The results folder.
    root : Path
        Where everything is confined to.
    key : str
        One of `run_formats`.
    monitor : Monitor
        Is told and may cancel.

    Returns
    -------
    RunFile
        What was written; that of an earlier time is replaced.

    Raises
    ------
    ExportError
        If it can't be written; says why.
    """
    monitor.report("Opening the results", 0.0)
    top, exporter = root.resolve(), EXPORTERS.create(key)
    folder = out / _EXPORTS
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        message = f"Can't make the folder {_EXPORTS} in {out.name}: {error.strerror or error}."
        raise ExportError(message, hint="Choose a folder that you may write to.") from error
    if top not in folder.resolve().parents:
        message = f"{_EXPORTS} in {out.name} is a link that leads out of the folder."
        raise ExportError(message, hint="Remove the link.")
    target = folder / (exporter.filename if exporter.one_file else key)
    with open_results(out) as results:
        written = exporter.write_run(results, target, monitor)
    return RunFile(
        written.path.resolve().relative_to(top).as_posix(),
        _size(written.path),
        written.path.is_file(),
        tuple(_below(root, sentence) for sentence in written.skipped),
    )


def _size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())
