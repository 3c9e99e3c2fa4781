"""Which fields of a run go into an export, one file a field, and what is said of what was left out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from organelle_widgets.errors import Cancelled, ExportError, OrganelleWidgetsError
from organelle_widgets.export._names import safe_stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.export._base import Exporter
    from organelle_widgets.results import Results

__all__ = [
    "Exported",
    "cells_where",
    "chosen_fields",
    "failed_fields",
    "fields_without_cells",
    "skipping",
    "unique_stems",
    "write_files",
]


@dataclass(frozen=True)
class Exported:
    """What an export of a run wrote.

    Parameters
    ----------
    path : Path
        The file, or the folder of files.
    n_fields, n_cells : int
        How many fields and cells are in it.
    skipped : tuple of str
        What is not in it and why, one sentence a field, which starts with the field's name.
    """

    path: Path
    n_fields: int
    n_cells: int
    skipped: tuple[str, ...] = ()


def chosen_fields(results: Results, where: str | None = None) -> pd.DataFrame:
    """The fields that go into an export.

    Parameters
    ----------
    results : Results
        The run.
    where : str, optional
        SQL condition on the table ``fields``; all fields without it.

    Returns
    -------
    pandas.DataFrame
        ``field`` (name) and ``n_cells``, one row a field in the run's order.

    Raises
    ------
    ExportError
        If there is a condition and no field fits it.
    """
    table = results.fields(where, columns=["field", "n_cells"])
    if where is not None and table.empty:
        message = (
            f"Expected at least one field that fits {where}; found none among {results.n_fields}."
        )
        raise ExportError(message, step="export", hint="Change the condition, or leave it out.")
    return table


def cells_where(where: str | None) -> str | None:
    """The condition on the table ``cells`` that chooses the cells of the chosen fields.

    Parameters
    ----------
    where : str or None
        SQL condition on the table ``fields``.

    Returns
    -------
    str or None
        For `Results.batches` and `Results.cells`; None where all cells are meant.
    """
    return None if where is None else f"field IN (SELECT field FROM fields WHERE {where}\n)"


def fields_without_cells(fields: pd.DataFrame) -> tuple[str, ...]:
    """One sentence for each field that has no row in a table of cells.

    Parameters
    ----------
    fields : pandas.DataFrame
        As `chosen_fields` gives them.

    Returns
    -------
    tuple of str
        For `Exported.skipped`.
    """
    names = fields.loc[fields["n_cells"] == 0, "field"]
    return tuple(f"{name}: no cells were found, so it has no rows." for name in names)


def failed_fields(results: Results) -> tuple[str, ...]:
    """One sentence for each field of the run that has no result."""
    if not results.n_failures:
        return ()
    table = results.failures(columns=["name", "message"])
    rows = zip(table["name"], table["message"], strict=True)
    return tuple(f"{name}: it has no result: {message}" for name, message in rows)


def write_files(
    exporter: Exporter, results: Results, folder: Path, monitor: Monitor, where: str | None
) -> Exported:
    """Write one file, or one folder, a field.

    Parameters
    ----------
    exporter : Exporter
        The format.
    results : Results
        The run.
    folder : Path
        Exists; each field's file in it is named after the field.
    monitor : Monitor
        Learns how many fields are done; may cancel.
    where : str or None
        SQL condition on the table ``fields``.

    Returns
    -------
    Exported
        A field that can't be written, or is not allowed to be empty and is, is skipped.

    Raises
    ------
    ExportError
        If a file can't be written because of the disk, or if there would be no file at all.
    """
    fields = chosen_fields(results, where)
    stems = unique_stems(fields["field"])
    skipped: list[str] = []
    n_fields = n_cells = 0
    for index, (name, stem) in enumerate(zip(fields["field"], stems, strict=True)):
        monitor.report(name, index / len(fields))
        with skipping(name, skipped):
            result = results.result(name, pixels=exporter.needs_pixels)
            exporter.write(result, folder / f"{stem}_{exporter.filename}")
            n_fields, n_cells = n_fields + 1, n_cells + result.n_cells
    if not n_fields:
        raise _nothing(skipped)
    return Exported(folder, n_fields, n_cells, tuple(skipped))


@contextmanager
def skipping(name: str, skipped: list[str]) -> Iterator[None]:
    """Go on with the next field where something is wrong with this one.

    Parameters
    ----------
    name : str
        The field's name.
    skipped : list of str
        Grows by one sentence where the field is left out.

    Raises
    ------
    ExportError
        If the disk refuses, as it would with the next field.
    Cancelled
        If the person asked to stop.
    """
    try:
        yield
    except OrganelleWidgetsError as error:
        if isinstance(error, Cancelled) or _of_the_disk(error):
            raise
        skipped.append(f"{name}: {_without_name(error)}")


def unique_stems(names: Iterable[str]) -> list[str]:
    """Starts of file names that differ, also where case does not count."""
    taken: set[str] = set()
    stems = []
    for name in names:
        first = stem = safe_stem(name)
        number = 1
        while stem.lower() in taken:
            number += 1
            stem = f"{first}-{number}"
        taken.add(stem.lower())
        stems.append(stem)
    return stems


def _of_the_disk(error: OrganelleWidgetsError) -> bool:
    """Whether the next file would fail as well: the disk is full, or may not be written."""
    return isinstance(error, ExportError) and isinstance(error.__cause__, OSError)


def _without_name(error: OrganelleWidgetsError) -> str:
    """An error without the field's name, which stands before it anyway."""
    return f"{error.message} {error.hint}" if error.hint else error.message


def _nothing(skipped: list[str]) -> ExportError:
    """That there would be no file, and the first reasons."""
    reasons = " ".join(skipped[:3]) or "The run has no field with a result."
    message = f"Nothing could be exported: {reasons}"
    return ExportError(message, step="export")
