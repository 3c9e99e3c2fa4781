"""``organelle-widgets dashboard``: serve the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.cli._console import say
from organelle_widgets.errors import SettingsError
from organelle_widgets.server import free_port, serve

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "dashboard",
        help="open the interactive page in the browser",
        description="Serve the dashboard with Voila and open it in the browser. Stop it with Ctrl+C.",
    )
    parser.add_argument(
        "--port", type=int, default=8866, help="TCP port (8866; the next free one if taken)"
    )
    parser.add_argument(
        "--ip", default="127.0.0.1", help="address to listen on (this machine only)"
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder that the page's folder picker shows (this folder)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help=(
            "analyse fields in N processes that all visitors share; with several visitors that takes far less "
            "memory (0: each visitor's page does its own work)"
        ),
    )
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser")
    parser.set_defaults(function=dashboard)


def dashboard(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    port = free_port(options.port, options.ip)
    if options.workers < 0:
        message = f"Expected --workers to be 0 or more; found {options.workers}."
        raise SettingsError(message)
    say(f"Organelle Explorer: http://{options.ip}:{port}/   (Ctrl+C stops it)")
    return serve(
        port,
        options.root,
        browser=not options.no_browser,
        ip=options.ip,
        workers=options.workers,
    )
