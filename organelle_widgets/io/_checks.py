"""Checks of a field's files before any pixel is decoded, and several problems told as one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNELS, channel_index
from organelle_widgets.errors import InputError
from organelle_widgets.io.readers import READERS, Header, reader_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["MIN_SIDE", "check_files", "check_side", "join_problems", "plain_os_errors"]

MIN_SIDE = 32
"""Smallest number of rows or columns of a field, pixels."""

_SHOWN = 50


def check_files(name: str, files: Mapping[str, Path], *, by_name: bool = False) -> None:
    """Check channels and headers of a field's files without decoding pixels.

    Parameters
    ----------
    name : str
        The field's name.
    files : mapping of str to Path
        Channel key to file.
    by_name : bool
        Whether to look at the choice of files only, and to open none.

    Raises
    ------
    InputError
        Names every file that can't be read, missing channels, and sizes that differ.
    """
    problems = _missing_channels(files)
    if not by_name:
        problems += _same_files(files) + _header_problems(files)
    if problems:
        raise join_problems(problems, name)


def _header_problems(files: Mapping[str, Path]) -> list[InputError]:
    """Files that can't be read, and sizes that don't fit."""
    READERS.names()
    problems: list[InputError] = []
    headers: dict[str, Header] = {}
    for key, path in files.items():
        try:
            headers[key] = reader_for(path).header(path)
        except InputError as error:
            problems.append(error)
    return problems + _size_problems(files, headers)


def _missing_channels(files: Mapping[str, Path]) -> list[InputError]:
    """What is wrong with the choice of files."""
    problems = []
    for key in ("green", "blue"):
        if key not in files:
            what = CHANNELS[channel_index(key)].name.lower()
            message = f"Expected a file of the {key} channel ({what}); found {', '.join(files) or 'none'}."
            problems.append(InputError(message))
    return problems


def _same_files(files: Mapping[str, Path]) -> list[InputError]:
    """Channels that are one file."""
    problems = []
    seen: dict[Path, str] = {}
    for key, path in files.items():
        first = seen.setdefault(path.resolve(), key)
        if first != key:
            message = (
                f"Expected a file of its own for each channel; found {path} for {first} and {key}."
            )
            problems.append(InputError(message))
    return problems


def _size_problems(files: Mapping[str, Path], headers: Mapping[str, Header]) -> list[InputError]:
    """Sizes that differ or are too small."""
    shapes = {header.shape for header in headers.values()}
    if len(shapes) > 1:
        found = ", ".join(
            f"{files[key].name} {header.shape[1]} x {header.shape[0]} px"
            for key, header in headers.items()
        )
        hint = "Export all channels at the same size."
        return [InputError(f"Expected channels of one size; found {found}.", hint=hint)]
    try:
        for shape in shapes:
            check_side(shape)
    except InputError as error:
        return [error]
    return []


def check_side(shape: tuple[int, int]) -> None:
    """Refuse an image that is too small to hold a cell.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.

    Raises
    ------
    InputError
        If a side is below `MIN_SIDE`.
    """
    if min(shape) < MIN_SIDE:
        message = f"Expected at least {MIN_SIDE} x {MIN_SIDE} px; found {shape[1]} x {shape[0]} px."
        raise InputError(message, hint="Give the full-size image, not its thumbnail.")


def join_problems(problems: Sequence[InputError], source: str) -> InputError:
    """One error out of several.

    Parameters
    ----------
    problems : sequence of InputError
        What is wrong; at least one.
    source : str
        The field or folder that they belong to.

    Returns
    -------
    InputError
        The problem itself where there is one only, else all of them in one message, a line each.
    """
    if len(problems) == 1:
        problems[0].source = problems[0].source or source
        return problems[0]
    shown = ["- " + str(problem).replace("\n", "\n  ") for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        shown.append(f"- and {len(problems) - _SHOWN} more")
    message = f"Found {len(problems)} problems:\n" + "\n".join(shown)
    return InputError(message, source=source)


@contextmanager
def plain_os_errors() -> Iterator[None]:
    """Turn what the file system refuses (permission, a name too long) into an error that names the path.

    Raises
    ------
    InputError
        In place of any `OSError`.
    """
    try:
        yield
    except OSError as error:
        message = f"The path can't be read: {error.strerror or error}."
        hint = "Check its spelling and its permissions."
        raise InputError(message, source=str(error.filename or "") or None, hint=hint) from error
