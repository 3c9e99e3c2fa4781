"""The two files that say what a results folder is: ``run.json`` of which run, ``manifest.json`` which parts count.

A part is a Parquet file. Replacing the manifest is the commit: a file that it does not name is garbage.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import InputError
from organelle_widgets.io._grouping import is_results_folder
from organelle_widgets.render.saving import written_whole
from organelle_widgets.results.schema import RESULTS_SCHEMA_VERSION, TABLES, TableName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "MANIFEST_FILE",
    "RUN_FILE",
    "SCHEMA_NAME",
    "Manifest",
    "Part",
    "is_results",
    "read_manifest",
    "read_run",
    "synced",
    "write_manifest",
    "write_run",
]

SCHEMA_NAME = "organelle_widgets.results"
RUN_FILE = "run.json"
MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True)
class Part:
    """One Parquet file of a table.

    Parameters
    ----------
    file : str
        Path in the results folder, with ``/``.
    rows : int
        How many rows it has.
    level : int
        How many times its rows were merged; parts that are large enough have `organelle_widgets.results._parts.FULL`.
    """

    file: str
    rows: int
    level: int = 0


@dataclass(frozen=True)
class Manifest:
    """Which parts count.

    Parameters
    ----------
    generation : int
        Rises with every change of the manifest.
    changed : int
        The generation that last brought or removed rows; merging parts does neither.
    removed : int
        How many times rows were removed. While it stays, rows keep their places: merging does not move any.
    parts : mapping of str to tuple of Part
        By table, in the order of the rows.
    next_id : int
        The first number that no file of a field or part has had.
    """

    generation: int = 0
    changed: int = 0
    removed: int = 0
    parts: Mapping[TableName, tuple[Part, ...]] = field(
        default_factory=lambda: dict.fromkeys(TABLES, ())
    )
    next_id: int = 1

    def n_rows(self, table: TableName) -> int:
        """How many rows a table has."""
        return sum(part.rows for part in self.parts[table])

    def files(self) -> set[str]:
        """Every file that counts."""
        return {part.file for parts in self.parts.values() for part in parts}


def is_results(path: str | Path) -> bool:
    """Whether a folder holds results; looks at names only.

    Parameters
    ----------
    path : str or Path
        Any path.

    Returns
    -------
    bool
        True where ``run.json`` and ``manifest.json`` are there.
    """
    try:
        return is_results_folder(Path(path))
    except OSError:
        return False


def read_run(folder: Path) -> dict[str, Any]:
    """Read ``run.json``.

    Parameters
    ----------
    folder : Path
        The results folder.

    Returns
    -------
    dict
        What is known of the run.

    Raises
    ------
    InputError
        If it can't be read, is of something else, or of a newer version.
    """
    path = folder / RUN_FILE
    run = _read_json(path)
    if run.get("schema") != SCHEMA_NAME:
        message = f"Expected the schema {SCHEMA_NAME}; found {run.get('schema')!r}."
        raise InputError(message, source=str(path), hint="Choose a folder that a batch run wrote.")
    version = run.get("schema_version")
    if not isinstance(version, int) or version > RESULTS_SCHEMA_VERSION:
        message = f"Expected results of schema version {RESULTS_SCHEMA_VERSION} or older; found version {version!r}."
        hint = "A newer organelle_widgets wrote this folder: update organelle_widgets to read it."
        raise InputError(message, source=str(path), hint=hint)
    return run


def write_run(folder: Path, run: Mapping[str, Any]) -> None:
    """Replace ``run.json``, whole or not at all; raises `ExportError`."""
    with synced(folder / RUN_FILE) as part:
        text = json.dumps(dict(run), indent=2, ensure_ascii=False, default=str)
        part.write_text(f"{text}\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json``.

    Parameters
    ----------
    folder : Path
        The results folder.

    Returns
    -------
    Manifest
        Which parts count.

    Raises
    ------
    InputError
        If it can't be read.
    """
    path = folder / MANIFEST_FILE
    values = _read_json(path)
    try:
        parts = {table: tuple(Part(**part) for part in values["parts"][table]) for table in TABLES}
        numbers = {
            name: int(values[name]) for name in ("generation", "changed", "removed", "next_id")
        }
    except (KeyError, TypeError, ValueError) as error:
        message = f"Expected a manifest of parts; found one that lacks or garbles {error}."
        raise InputError(message, source=str(path)) from error
    return Manifest(parts=parts, **numbers)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace ``manifest.json``, which is the commit; raises `ExportError`."""
    values = {
        "generation": manifest.generation,
        "changed": manifest.changed,
        "removed": manifest.removed,
        "parts": {table: [asdict(part) for part in manifest.parts[table]] for table in TABLES},
        **{f"n_{table}": manifest.n_rows(table) for table in TABLES},
        "next_id": manifest.next_id,
    }
    with synced(folder / MANIFEST_FILE) as part:
        part.write_text(f"{json.dumps(values)}\n", encoding="utf-8")


@contextmanager
def synced(path: Path) -> Iterator[Path]:
    """As `written_whole`; what was written is on the disk before the file takes its place.

    Parameters
    ----------
    path : Path
        The file to write.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    ExportError
        If the file can't be written; says why.
    """
    with written_whole(path) as part:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object."""
    try:
        values: Any = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        message = f"Expected a results folder; found no {path.name} in {path.parent}."
        raise InputError(message, hint="Choose a folder that a batch run wrote.") from error
    except (OSError, ValueError) as error:
        message = f"Expected a readable {path.name}; found: {error}."
        raise InputError(message, source=str(path)) from error
    if not isinstance(values, dict):
        message = f"Expected an object in {path.name}; found {type(values).__name__}."
        raise InputError(message, source=str(path))
    return values
