"""`ResultsWriter`: the one writer of a results folder.

A commit writes new files first and then replaces ``manifest.json``, which names all files that count: whatever
happens in between, a folder holds either all of a commit or nothing. Several processes never write at the same time.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from organelle_widgets.errors import BatchError, ExportError, InputError, SettingsError
from organelle_widgets.results._folder import (
    MANIFEST_FILE,
    SCHEMA_NAME,
    Manifest,
    Part,
    is_results,
    read_manifest,
    read_run,
    synced,
    write_manifest,
    write_run,
)
from organelle_widgets.results._garbage import remove_files, sweep
from organelle_widgets.results._lock import lock_folder
from organelle_widgets.results._parts import due, merge_parts, read_rows, without_fields, write_part
from organelle_widgets.results._place import (
    PICTURE_FOLDERS,
    file_stem,
    make_folders,
    refuse_full,
    sync_folder,
)
from organelle_widgets.results._rows import cell_rows, extra_values, failure_rows, field_rows
from organelle_widgets.results.schema import (
    NAME_COLUMN,
    RESULTS_SCHEMA_VERSION,
    TABLES,
    TableName,
    arrow_schema,
    check_extra,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from organelle_widgets.results.records import FailureRecord, FieldRecord

__all__ = ["ResultsWriter"]

_SUFFIXES = {"masks": ".ome.tif", "thumbnail": ".jpg"}
_SHOWN = 5


class ResultsWriter:
    """Adds fields to a results folder; made by `create` or `resume`.

    Attributes
    ----------
    path : Path
        The folder.
    run : dict
        What ``run.json`` holds.
    stamps, failed : dict of str to str
        Stamps of the fields that are done, and of those in the table of failures, by name.
    """

    def __init__(self, path: Path, lock: Any) -> None:
        self.path = path
        self._lock = lock
        self.run = read_run(path)
        self._manifest = read_manifest(path)
        self._next_id = self._manifest.next_id
        self._superseded: list[str] = []
        self._fresh: list[str] = []
        self.stamps: dict[str, str]
        self.failed: dict[str, str]
        self._pictures: dict[str, tuple[str, ...]]
        self._read_names()

    @classmethod
    def create(cls, path: str | Path, run: Mapping[str, Any]) -> ResultsWriter:
        """Start a results folder.

        Parameters
        ----------
        path : str or Path
            Made if it does not exist; must not hold other things.
        run : mapping
            What ``run.json`` shall hold; ``extra`` gives the extra columns and their types. JSON-serialisable.

        Returns
        -------
        ResultsWriter
            Holds the folder's lock until it is closed.

        Raises
        ------
        BatchError
            If the folder holds results or other things, or another process writes there.
        SettingsError
            If the extra columns can't be.
        ExportError
            If the folder can't be written; says why.
        """
        folder = Path(path)
        check_extra(run.get("extra") or {})
        refuse_full(folder)
        make_folders(folder, [""])
        lock = lock_folder(folder)
        try:
            refuse_full(folder)
            facts = {
                "schema": SCHEMA_NAME,
                "schema_version": RESULTS_SCHEMA_VERSION,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "extra": {},
            }
            write_run(folder, facts | dict(run))
            make_folders(folder, [*TABLES, *PICTURE_FOLDERS.values()])
            write_manifest(folder, Manifest())
            return cls(folder, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def resume(cls, path: str | Path) -> ResultsWriter:
        """Go on with a results folder.

        Parameters
        ----------
        path : str or Path
            A folder that `create` made. What a writer that was killed left there unfinished is removed.

        Returns
        -------
        ResultsWriter
            Holds the folder's lock until it is closed.

        Raises
        ------
        BatchError
            If the folder holds no results, those of a newer version, or another process writes there.
        ExportError
            If the folder can't be written; says why.
        """
        folder = Path(path)
        if not is_results(folder):
            message = (
                f"Expected a results folder to go on with; found no run.json and {MANIFEST_FILE}."
            )
            hint = "Choose a folder that a run wrote, or start a new run without --resume."
            raise BatchError(message, source=str(folder), hint=hint)
        lock = lock_folder(folder)
        try:
            writer = cls(folder, lock)
            kept = [file for files in writer._pictures.values() for file in files]
            sweep(folder, writer._manifest.files(), set(kept))
        except (InputError, SettingsError) as error:
            lock.release()
            raise BatchError(error.message, source=error.source, hint=error.hint) from error
        except BaseException:
            lock.release()
            raise
        return writer

    @property
    def n_fields(self) -> int:
        """How many fields were analysed."""
        return self._manifest.n_rows("fields")

    @property
    def n_cells(self) -> int:
        """How many cells they have."""
        return self._manifest.n_rows("cells")

    @property
    def n_failures(self) -> int:
        """How many fields could not be analysed."""
        return self._manifest.n_rows("failures")

    def commit(
        self, records: Sequence[FieldRecord], failures: Sequence[FailureRecord] = ()
    ) -> None:
        """Add fields: all of them or none.

        Parameters
        ----------
        records : sequence of FieldRecord
            Fields that were analysed.
        failures : sequence of FailureRecord
            Fields that could not be.

        Raises
        ------
        BatchError
            If a field is there already, or a value does not fit its column.
        ExportError
            If something can't be written; says why. Nothing of the commit is kept then.
        """
        if not records and not failures:
            return
        self._check_open()
        self._check_new([*(r.name for r in records), *(f.name for f in failures)])
        kinds = self._extra
        extras = [extra_values(item.name, item.extra, kinds) for item in records]
        wrong = [extra_values(item.name, item.extra, kinds) for item in failures]
        with self._all_or_nothing():
            pictures = [self._write_pictures(record) for record in records]
            rows = [
                {**record.field, "field": record.name, "stamp": record.stamp, **extra, **files}
                for record, extra, files in zip(records, extras, pictures, strict=True)
            ]
            tables = {
                "cells": cell_rows(records, extras, kinds),
                "fields": field_rows(rows, kinds),
                "failures": failure_rows(failures, wrong, kinds),
            }
            parts = {table: self._added(table, tables[table]) for table in TABLES}
            self._publish(parts, came=True)
        self.stamps |= {record.name: record.stamp for record in records}
        self.failed |= {failure.name: failure.stamp for failure in failures}
        for record, files in zip(records, pictures, strict=True):
            self._pictures[record.name] = tuple(files.values())
        self._merge()

    def forget(self, names: Iterable[str]) -> None:
        """Remove fields with all that belongs to them, so that they can be done again.

        Parameters
        ----------
        names : iterable of str
            Fields that were analysed or failed; unknown ones don't matter.

        Raises
        ------
        ExportError
            If something can't be written; says why. Nothing is removed then.
        """
        self._check_open()
        gone = {name for name in names if name in self.stamps or name in self.failed}
        if not gone:
            return
        with self._all_or_nothing():
            parts = {table: self._without(table, gone) for table in TABLES}
            self._publish(parts, came=True, removed=True)
        for name in gone:
            self.stamps.pop(name, None)
            self.failed.pop(name, None)
            self._superseded += self._pictures.pop(name, ())

    def update_run(self, **values: Any) -> None:
        """Change what ``run.json`` holds.

        Parameters
        ----------
        **values : object
            JSON-serialisable.

        Raises
        ------
        BatchError
            If the extra columns change while there are fields.
        SettingsError
            If the extra columns can't be.
        ExportError
            If the file can't be written; says why.
        """
        self._check_open()
        extra = values.get("extra", self._extra)
        check_extra(extra)
        if dict(extra) != dict(self._extra) and (self.n_fields or self.n_failures):
            message = "Expected the extra columns that the results have; found others."
            raise BatchError(message, source=str(self.path), hint="Start a new results folder.")
        run = {**self.run, **values}
        write_run(self.path, run)
        self.run = run

    def close(self) -> None:
        """Let go of the folder; does nothing the second time."""
        if self._lock is None:
            return
        remove_files(self.path, self._superseded)
        self._superseded = []
        self._lock.release()
        self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _extra(self) -> Mapping[str, str]:
        """The run's extra columns and their types."""
        return self.run.get("extra") or {}

    def _read_names(self) -> None:
        """Which fields are there, with their stamps and pictures."""
        self.stamps, self.failed, self._pictures = {}, {}, {}
        columns = ["field", "stamp", "masks", "thumbnail"]
        for piece in read_rows(self.path, self._manifest.parts["fields"], columns=columns):
            for row in piece.to_pylist():
                self.stamps[row["field"]] = row["stamp"] or ""
                self._pictures[row["field"]] = (row["masks"], row["thumbnail"])
        names = ["name", "stamp"]
        for piece in read_rows(self.path, self._manifest.parts["failures"], columns=names):
            self.failed |= {row["name"]: row["stamp"] or "" for row in piece.to_pylist()}

    def _check_open(self) -> None:
        """Refuse to write after the lock is gone."""
        if self._lock is None:
            message = "Expected a writer that is open; found one that was closed."
            raise BatchError(
                message, source=str(self.path), hint="Open it with ResultsWriter.resume."
            )

    def _check_new(self, names: Sequence[str]) -> None:
        """Refuse names that are there, or that come twice."""
        times = Counter(names)
        known = [
            name for name in times if name in self.stamps or name in self.failed or times[name] > 1
        ]
        if known:
            shown = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
            message = (
                f"Expected fields that the results don't have yet; found {len(known)}: {shown}."
            )
            hint = "Give each field a name of its own; to do a field again, forget it first."
            raise BatchError(message, source=str(self.path), hint=hint)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Remove the new files where a commit did not come to its end; the manifest on the disk decides."""
        self._fresh = []
        try:
            yield
        except BaseException as error:
            with suppress(InputError):  # where it can't be read, leftovers wait for the next start
                found = read_manifest(self.path)
                if found.generation == self._manifest.generation:
                    remove_files(self.path, self._fresh)
                else:  # interrupted after the commit
                    self._manifest = found
                    self._read_names()
            if isinstance(error, OSError):
                message = f"Can't write the results: {error.strerror or error}."
                hint = "Free some space or choose another disk, and go on with --resume."
                raise ExportError(
                    message, source=str(self.path), step="export", hint=hint
                ) from error
            raise

    def _new_id(self) -> int:
        """A number that no file has had."""
        number = self._next_id
        self._next_id += 1
        return number

    def _new_part(self, table: str) -> str:
        """Name of a new part."""
        file = f"{table}/{self._new_id():08d}.parquet"
        self._fresh.append(file)
        return file

    def _write_pictures(self, record: FieldRecord) -> dict[str, str]:
        """Masks and thumbnail of a field; the columns that name them."""
        number, stem = self._new_id(), file_stem(record.name)
        files = {}
        for column, suffix in _SUFFIXES.items():
            files[column] = (
                f"{PICTURE_FOLDERS[column]}/{number // 1000:03d}/{number:08d}_{stem}{suffix}"
            )
            self._fresh.append(files[column])
            path = self.path / files[column]
            make_folders(path.parent, [""])
            with synced(path) as part:
                part.write_bytes(getattr(record, column))
        return files

    def _added(self, table: TableName, rows: Any) -> tuple[Part, ...]:
        """The parts of a table with another one that holds new rows."""
        if not rows.num_rows:
            return self._manifest.parts[table]
        file = self._new_part(table)
        count = write_part(self.path / file, [rows], rows.schema)
        return (*self._manifest.parts[table], Part(file, count))

    def _without(self, table: TableName, names: set[str]) -> tuple[Part, ...]:
        """The parts of a table without some fields."""
        schema, column = arrow_schema(table, self._extra), NAME_COLUMN[table]
        kept = (
            without_fields(self.path, part, column, names, schema, self._new_part(table))
            for part in self._manifest.parts[table]
        )
        return tuple(part for part in kept if part is not None)

    def _merge(self) -> None:
        """Merge parts that add up. What can't be merged now stays as it is: nothing depends on it."""
        for table in TABLES:
            with suppress(ExportError):
                while chosen := due(self._manifest.parts[table]):
                    parts = list(self._manifest.parts[table])
                    with self._all_or_nothing():
                        parts[chosen] = merge_parts(
                            self.path,
                            parts[chosen],
                            arrow_schema(table, self._extra),
                            partial(self._new_part, table),
                        )
                        self._publish({**self._manifest.parts, table: tuple(parts)})

    def _publish(
        self,
        parts: Mapping[TableName, tuple[Part, ...]],
        *,
        came: bool = False,
        removed: bool = False,
    ) -> None:
        """Replace the manifest, and then remove the files that the one before the last superseded."""
        for place in {(self.path / file).parent for file in self._fresh}:
            sync_folder(place)
        old = self._manifest
        generation = old.generation + 1
        new = dataclasses.replace(
            old,
            generation=generation,
            changed=generation if came else old.changed,
            removed=old.removed + removed,
            parts=parts,
            next_id=self._next_id,
        )
        write_manifest(self.path, new)
        self._manifest = new
        sync_folder(self.path)
        if came:
            remove_files(self.path, self._superseded)
            self._superseded = []
        self._superseded += old.files() - new.files()
