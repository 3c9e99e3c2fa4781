"""What the command line writes where: JSON and tables to standard output, progress and errors to standard error."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from organelle_widgets.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from organelle_widgets.errors import OrganelleWidgetsError

__all__ = ["progress_line", "say", "say_error", "say_json"]


def say(text: str) -> None:
    """Write a line of the answer to standard output."""
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"Can't write to standard output: {error.strerror or error}."
        raise ExportError(message) from error


def say_json(value: Any) -> None:
    """Write the answer as JSON to standard output; numbers that are not finite become null."""
    text = json.dumps(_finite(value), indent=2, ensure_ascii=False)
    if _spelled(sys.stdout, text) != text:
        text = json.dumps(_finite(value), indent=2)
    say(text)


def say_error(error: OrganelleWidgetsError | str) -> None:
    """Write an error, with what can be done about it, to standard error."""
    _write(sys.stderr, f"organelle-widgets: {error}")


def _write(stream: TextIO | None, text: str) -> None:
    """Write a line; a closed stream, which Python shows as None, takes nothing."""
    if stream is not None:
        stream.write(f"{_spelled(stream, text)}\n")
        stream.flush()


def _spelled(stream: TextIO | None, text: str) -> str:
    """The text with escapes in place of letters that the stream's encoding does not have."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


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
    from rich.markup import escape
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
            task, description=escape(f"{title}: {step}" if step else title), completed=fraction
        )
