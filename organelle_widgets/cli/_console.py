"""What the command line writes where: JSON and tables to standard output, progress and errors to standard error."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from organelle_widgets.errors import OrganelleWidgetsError

__all__ = ["progress_line", "say", "say_error", "say_json"]


def say(text: str) -> None:
    """Write a line of the answer to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Write the answer as JSON to standard output; numbers that are not finite become null."""
    say(json.dumps(_finite(value), indent=2, ensure_ascii=False))


def say_error(error: OrganelleWidgetsError | str) -> None:
    """Write an error, with what can be done about it, to standard error."""
    sys.stderr.write(f"organelle-widgets: {error}\n")


def _finite(value: Any) -> Any:
    """A copy in which NaN and infinity are None, because JSON has no word for them."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value


@contextmanager
def progress_line(title: str) -> Iterator[Callable[[str, float], None]]:
    """Show progress on standard error while a command works.

    A bar where standard error is a terminal, nothing otherwise.

    Parameters
    ----------
    title : str
        What is being done.

    Yields
    ------
    callable
        Takes the step in words and the share done, 0 to 1.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
    )
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda step, fraction: bar.update(
            task, description=f"{title}: {step}" if step else title, completed=fraction
        )
