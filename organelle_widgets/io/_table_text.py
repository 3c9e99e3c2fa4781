"""Tables as people save them: which encoding, which separator, which line a row is on."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Row", "read_rows"]

_SEPARATORS = ",;\t"
_HINT = "Save it as CSV in UTF-8, with a header line."
_MAX_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Row:
    """One row: its line in the file (from 1), its values, stripped, by column, and what is wrong with it."""

    line: int
    values: Mapping[str, str]
    problem: str = ""


def read_rows(path: Path) -> tuple[list[str], list[Row]]:
    """Read a table as text.

    Parameters
    ----------
    path : Path
        CSV or TSV.

    Returns
    -------
    columns : list of str
        Names of the columns; those without a name, such as pandas' index, are passed over.
    rows : list of Row
        At least one; short ones are filled up with empty values.

    Raises
    ------
    InputError
        If the file is missing, empty, no text, or has no rows, a column's name twice, or a quote that does not end.
    """
    text = _text(path)
    lines = iter(_records(text, path))
    header_line, header = next(lines, (0, []))
    if not any(header):
        message = "Expected a table with a header line; found an empty file."
        raise InputError(message, source=str(path), hint=_HINT)
    _check_header(header, path)
    rows = [_row(header, record, line) for line, record in lines]
    if not rows:
        message = f"Expected rows below the header line {header_line}; found none."
        raise InputError(message, source=str(path), hint=_HINT)
    return [column for column in header if column], rows


def _text(path: Path) -> str:
    """The file's text, whichever way a spreadsheet wrote it."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            message = f"Expected a table of at most {_MAX_BYTES >> 20} MB; found a larger file."
            raise InputError(message, source=str(path), hint=_HINT)
        content = path.read_bytes()
    except OSError as error:
        message = f"The table can't be read: {error.strerror or error}."
        raise InputError(message, source=str(path), hint="Check the spelling.") from error
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"Expected a table in UTF-8; found another encoding in line {line}."
        raise InputError(message, source=str(path), hint=_HINT) from error
    if "\0" in text:
        message = "Expected a table as text; found a binary file."
        raise InputError(message, source=str(path), hint=_HINT)
    return text


def _records(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line and stripped values of each row that is not blank."""
    first, _, rest = text.partition("\n")
    skipped = 0
    separator = ""
    if first.strip().lower().startswith("sep=") and len(first.strip("\r\n")) == len("sep=") + 1:
        separator, text, skipped = first.strip("\r\n")[-1], rest, 1  # Excel's own first line
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator or _separator(text), strict=True
    )
    before = 0
    try:
        for record in reader:
            line, before = before + 1, reader.line_num
            values = [value.strip() for value in record]
            if any(values):
                yield line + skipped, values
    except csv.Error as error:
        message = f"Expected a table; found from line {before + 1 + skipped} on: {error}."
        raise InputError(message, source=str(path), hint=_HINT) from error


def _separator(text: str) -> str:
    """The separator that makes most columns of the header line."""
    header = next((line for line in text.splitlines() if line.strip()), "")

    def columns(separator: str) -> int:
        return len(next(csv.reader([header], delimiter=separator), []))

    return max(_SEPARATORS, key=columns)


def _check_header(header: Sequence[str], path: Path) -> None:
    """Refuse names that stand there twice; SQL does not tell upper from lower case."""
    counts = Counter(column.casefold() for column in header if column)
    doubled = [column for column, n in counts.items() if n > 1]
    if doubled:
        message = (
            f"Expected each column once; found {', '.join(map(repr, doubled))} more than once."
        )
        raise InputError(message, source=str(path), hint="Rename the columns.")


def _row(header: Sequence[str], record: Sequence[str], line: int) -> Row:
    """A row's values by column; more of them than columns have shifted all that follows."""
    filled = [*record, *[""] * (len(header) - len(record))]
    values = {column: value for column, value in zip(header, filled, strict=False) if column}
    if not any(record[len(header) :]):
        return Row(line, values)
    return Row(line, values, f"Expected {len(header)} values; found {len(record)}.")
