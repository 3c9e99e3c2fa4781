"""A run over many fields as a process of its own: its command line, its start, its watching.

The process is nobody's child in spirit: it has a session of its own, writes into files only and goes on when the page
is closed. All that is known of it comes from the status file of its results folder, so that any page can watch it.
"""

from __future__ import annotations

import dataclasses
import os
import re
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from organelle_widgets.batch.status import RunStatus, read_status
from organelle_widgets.errors import BatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "RunProcess",
    "RunWatch",
    "batch_arguments",
    "is_gone",
    "start_run",
]

_OF_THE_KERNEL = frozenset(
    {"CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "JPY_PARENT_PID", "MPLBACKEND"}
)
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONGEST_WORDS = 400
_MOST_LOG_BYTES = 8192
_GONE = "The run’s process ended before the run did."
_GONE_HINT = "“Continue” goes on where it stopped; nothing that was done is lost."


def batch_arguments(
    source: Path,
    out: Path,
    choices: Mapping[str, Any],
    *,
    resume: bool = False,
    retry: bool = False,
    scheduler: str | None = None,
) -> list[str]:
    """What the command ``batch`` is called with.

    Parameters
    ----------
    source : Path
        The folder of the fields.
    out : Path
        The results folder.
    choices : mapping
        ``segmenter``, ``settings``, ``classifier``, ``threshold``, ``leave_out`` and ``pixel_size_um``, by the names
        that `PageState` has for them.
    resume : bool
        Whether to go on with what is in `out`.
    retry : bool
        Whether to try fields again that failed.
    scheduler : str, optional
        Address of the workers that do the work; without it, the run's process does.

    Returns
    -------
    list of str
        The arguments after ``batch``.
    """
    words = [str(source), str(out), "--segmenter", choices["segmenter"]]
    for name, value in choices["settings"].items():
        words += ["--segmenter-setting", f"{name}={_word(value)}"]
    words += ["--classifier", choices["classifier"], "--threshold", _word(choices["threshold"])]
    words += ["--leave-out", choices["leave_out"]]
    if choices["pixel_size_um"] is not None:
        words += ["--pixel-size-um", _word(choices["pixel_size_um"])]
    flags = (("--resume", resume), ("--retry-failures", retry))
    where = ["--scheduler", scheduler] if scheduler else []
    return [*words, *where, *(flag for flag, wanted in flags if wanted)]


def _word(value: Any) -> str:
    """A setting's value as the command line takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class RunProcess:
    """A run's process that this page started.

    Parameters
    ----------
    process : subprocess.Popen
        The process.
    log : Path
        What it writes to standard output and standard error.
    start : int
        Where in the file its words begin.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, start: int) -> None:
        self._process = process
        self._log = log
        self._start = start

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """End it; for a run that is not far enough to be asked to stop."""
        self._process.terminate()

    @property
    def last_words(self) -> str:
        """The last line that it wrote; empty for none."""
        try:
            with self._log.open("rb") as stream:
                end = stream.seek(0, os.SEEK_END)
                stream.seek(max(self._start, end - _MOST_LOG_BYTES))
                text = stream.read().decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in _COLOURS.sub("", text).splitlines() if line.strip()]
        return lines[-1].removeprefix("organelle-widgets: ")[:_LONGEST_WORDS] if lines else ""


def start_run(arguments: Sequence[str], log: Path, command: Sequence[str] = ()) -> RunProcess:
    """Start a run in a session of its own.

    Parameters
    ----------
    arguments : sequence of str
        From `batch_arguments`.
    log : Path
        File that its output is added to; may exist, but not as a link.
    command : sequence of str
        Program to start in place of this package's command ``batch``.

    Returns
    -------
    RunProcess
        The process, which nobody need wait for.

    Raises
    ------
    BatchError
        If the file can't be written or the program can't be started.
    """
    program = command or (sys.executable, "-m", "organelle_widgets", "batch")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(log, flags, 0o644), "ab") as stream:
            start = stream.seek(0, os.SEEK_END)
            process = subprocess.Popen(
                [*program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=_environment(),
                start_new_session=True,
            )
    except OSError as error:
        message = f"The run can't be started: {error.strerror or error} ({log.name})."
        raise BatchError(message, hint="Choose a folder that you may write to.") from error
    return RunProcess(process, log, start)


def _environment() -> dict[str, str]:
    """The environment without what a notebook's kernel puts there for its own output."""
    return {name: value for name, value in os.environ.items() if name not in _OF_THE_KERNEL}


def is_gone(status: RunStatus) -> bool:
    """Whether a run's process is known to have ended without a last word.

    Parameters
    ----------
    status : RunStatus
        What it said last.

    Returns
    -------
    bool
        False also where that can't be known: for a process of another machine.
    """
    named = re.fullmatch(r"(.*\S)[\s:/]+(\d{1,10})", status.process)
    here = named is not None and named[1].rstrip(":") == socket.gethostname()
    if status.ended or named is None or not here or os.name != "posix":
        return False
    try:
        os.kill(int(named[2]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


class RunWatch:
    """Looks at a run's status again and again, on a thread of its own.

    Parameters
    ----------
    out : Path
        The results folder.
    report : callable
        Called as ``report(watch, status, over)`` on that thread whenever there is news: the RunStatus or None, and
        whether nothing more will come.
    process : RunProcess, optional
        The run's process where this page started it.
    before : RunStatus, optional
        The status that was there before that process; it is not the run's.
    every_s : float
        Seconds between two looks.
    """

    def __init__(
        self,
        out: Path,
        report: Callable[[RunWatch, RunStatus | None, bool], None],
        process: RunProcess | None = None,
        before: RunStatus | None = None,
        every_s: float = 1.0,
    ) -> None:
        self.out = out
        self.process = process
        self._report = report
        self._every_s = every_s
        self._before = before
        self._left = threading.Event()

    def begin(self) -> None:
        """Look for the first time, and from then on."""
        threading.Thread(target=self._watch, name="organelle-run", daemon=True).start()

    def leave(self) -> None:
        """Look away; the run goes on."""
        self._left.set()

    def _watch(self) -> None:
        """Tell of news until the run is over."""
        told: tuple[RunStatus | None, bool] | None = None
        while not self._left.is_set():
            news = self._look()
            if news != told:
                told = news
                self._report(self, *news)
            if news[1]:
                return
            self._left.wait(self._every_s)

    def _look(self) -> tuple[RunStatus | None, bool]:
        """The status of now, and whether the run is over."""
        exit_code = self.process.exit_code if self.process is not None else None
        status = read_status(self.out)
        if self.process is None:
            if status is not None and is_gone(status):
                return _failed(status, _GONE, _GONE_HINT), True
            return status, status is None or status.ended
        if status == self._before:
            status = None  # of an earlier start
        if exit_code is not None and (status is None or not status.ended):
            words = self.process.last_words if exit_code > 0 else ""
            words = words.replace(f"{self.out.parent}{os.sep}", "")
            said = status or self._before
            hint = f"All that it said is in {self.out.name}.log, beside the results folder."
            return _failed(said, words or _GONE, hint if words else _GONE_HINT), True
        return status, exit_code is not None


def _failed(status: RunStatus | None, message: str, hint: str) -> RunStatus:
    """The status of a run that could not say itself that it failed."""
    known = status or RunStatus("failed")
    return dataclasses.replace(known, state="failed", message=message, hint=hint)
