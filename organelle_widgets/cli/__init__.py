"""The command line: ``organelle-widgets COMMAND``.

One module per command, each with ``add(subparsers)`` and a function that returns the exit code. Results go to
standard output, progress and errors to standard error. Exit codes: 0 done, 1 something failed, 2 wrong usage,
130 stopped with Ctrl+C.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from typing import TYPE_CHECKING

import organelle_widgets
from organelle_widgets.cli._console import say_error
from organelle_widgets.errors import OrganelleWidgetsError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "make_parser"]

_COMMANDS = (
    "dashboard",
    "run",
    "batch",
    "export",
    "evaluate",
    "train",
    "sample",
    "models",
    "benchmark",
    "doctor",
)


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Returns
    -------
    argparse.ArgumentParser
        With one subparser a command.
    """
    parser = argparse.ArgumentParser(
        prog="organelle-widgets",
        description="Where in the cell is this protein? Segment, classify and explore four-channel fields.",
    )
    parser.add_argument(
        "--version", action="version", version=f"organelle-widgets {organelle_widgets.__version__}"
    )
    parser.add_argument("--debug", action="store_true", help="show the full traceback of an error")
    subparsers = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for name in _COMMANDS:
        importlib.import_module(f"organelle_widgets.cli.{name}").add(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of the process's own.

    Returns
    -------
    int
        The exit code.
    """
    try:
        parser = make_parser()
        options = parser.parse_args(arguments)
        if options.command is None:
            parser.print_help(sys.stderr)
            return 2
        return _run(options)
    except KeyboardInterrupt:
        say_error("Stopped.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(options: argparse.Namespace) -> int:
    """The command; errors made on purpose become a line and an exit code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        return int(options.function(options))
    except OrganelleWidgetsError as error:
        if options.debug:
            raise
        say_error(error)
        return 2 if isinstance(error, SettingsError) else 1
