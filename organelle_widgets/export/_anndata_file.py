"""An AnnData file that grows by batches of cells: HDF5 in the layout that `anndata` describes, version 0.1.0.

`anndata` itself writes what is whole in memory; a run may have more cells than that. So the arrays with a row a cell
are written here, a batch at a time, and the small rest with `anndata.io.write_elem`.

References
----------
The layout: https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from io import RawIOBase
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "CategoryColumn",
    "GrowingArray",
    "WholeNumbers",
    "flat",
    "start_group",
    "start_table",
    "started_file",
    "write_parts",
]

_CHUNK_ROWS = 8192


class GrowingArray:
    """A dataset whose first axis grows.

    Parameters
    ----------
    group : h5py.Group
        Where it is made.
    name : str
        Its name there.
    dtype : dtype
        Of its values; `str` for text.
    width : int, optional
        Columns; a plain row of values without it.
    fill : object
        What stands in rows that were never written.
    """

    def __init__(
        self, group: Any, name: str, dtype: Any, width: int | None = None, fill: Any = None
    ) -> None:
        import h5py

        text = dtype is str
        tail = () if width is None else (width,)
        self._data = group.create_dataset(
            name,
            (0, *tail),
            h5py.string_dtype() if text else dtype,
            maxshape=(None, *tail),
            chunks=(_CHUNK_ROWS, *tail) if width != 0 else (_CHUNK_ROWS, 1),
            compression="gzip",
            compression_opts=4,
            fillvalue=fill,
        )
        _mark(self._data, "string-array" if text else "array", "0.2.0")

    def put(self, start: int, values: Any) -> None:
        """Write rows.

        Parameters
        ----------
        start : int
            The first row; rows between the end so far and here get the fill value.
        values : array_like
            The rows.
        """
        stop = start + len(values)
        self._data.resize(max(stop, len(self._data)), axis=0)
        if len(values):
            self._data[start:stop] = values

    def end(self, n_rows: int) -> None:
        """Bring the array to its full length.

        Parameters
        ----------
        n_rows : int
            Rows of the file.
        """
        self._data.resize(n_rows, axis=0)


class CategoryColumn:
    """A column of words, stored as numbers of a list of words that is complete only at the end.

    Parameters
    ----------
    table : h5py.Group
        The table.
    name : str
        The column.
    categories : sequence of str
        Words that stand first in the list, in this order, whether they occur or not.
    """

    def __init__(self, table: Any, name: str, categories: Sequence[str] = ()) -> None:
        self._group = table.create_group(name)
        _mark(self._group, "categorical", "0.2.0")
        self._group.attrs["ordered"] = False
        self._codes = GrowingArray(self._group, "codes", np.int32)
        self._numbers = {word: number for number, word in enumerate(categories)}

    def put(self, start: int, values: Iterable[str | None]) -> None:
        """Write rows; None is a missing value.

        Parameters
        ----------
        start : int
            The first row.
        values : iterable of str or None
            The rows.
        """
        numbers = self._numbers
        codes = [-1 if v is None else numbers.setdefault(v, len(numbers)) for v in values]
        self._codes.put(start, np.array(codes, np.int32))

    def end(self, n_rows: int) -> None:
        """Write the list of words.

        Parameters
        ----------
        n_rows : int
            Rows of the file.
        """
        self._codes.end(n_rows)
        words = GrowingArray(self._group, "categories", str)
        words.put(0, list(self._numbers))


class WholeNumbers:
    """A column of whole numbers, of which some may be missing.

    Parameters
    ----------
    table : h5py.Group
        The table.
    name : str
        The column.
    """

    def __init__(self, table: Any, name: str) -> None:
        self._table, self._name = table, name
        group = table.create_group(name)
        _mark(group, "nullable-integer", "0.1.0")
        self._values = GrowingArray(group, "values", np.int64)
        self._mask = GrowingArray(group, "mask", np.bool_)
        self._any_missing = False

    def put(self, start: int, values: Sequence[int | None]) -> None:
        """Write rows; None is a missing value.

        Parameters
        ----------
        start : int
            The first row.
        values : sequence of int or None
            The rows.
        """
        missing = np.array([value is None for value in values], bool)
        self._any_missing |= bool(missing.any())
        self._mask.put(start, missing)
        self._values.put(start, np.array([value or 0 for value in values], np.int64))

    def end(self, n_rows: int) -> None:
        """Turn into a plain array where nothing is missing.

        Parameters
        ----------
        n_rows : int
            Rows of the file.
        """
        self._values.end(n_rows)
        self._mask.end(n_rows)
        if not self._any_missing:
            self._table.move(f"{self._name}/values", "_values")
            del self._table[self._name]
            self._table.move("_values", self._name)


@contextmanager
def started_file(path: Path) -> Iterator[tuple[Any, Callable[[], None]]]:
    """An empty file of the layout, which is closed in the end.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    h5py.File
        Open for writing, with nothing but its marks.
    callable
        Raises the OSError that writing met so far, if it met one; call it now and then.

    Raises
    ------
    OSError
        If something could not be written.
    """
    import h5py

    with path.open("w+b", buffering=0) as raw:
        disk = _Disk(raw)
        try:
            with h5py.File(disk, "w") as file:
                _mark(file, "anndata", "0.1.0")
                yield file, disk.check
        finally:
            disk.check()


class _Disk:
    """A file for HDF5, which can't stand errors: on a full disk it ends the process.

    So HDF5 never sees an error. The first one is kept, nothing is written from then on, and `check` raises it.
    """

    def __init__(self, file: RawIOBase) -> None:
        self._file = file
        self._place = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the error that there was, if any."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write all of the data, or keep the error."""
        view = memoryview(data).cast("B")
        done = 0
        with self._kept():
            self._file.seek(self._place)
            while self._error is None and done < len(view):
                done += self._file.write(view[done:]) or 0
        self._place += len(view)
        return len(view)

    def readinto(self, buffer: Any) -> int:
        """Read; what was never written is zero."""
        view = memoryview(buffer).cast("B")
        data = b""
        with self._kept():
            self._file.seek(self._place)
            data = self._file.read(len(view)) or b""
        view[:] = data.ljust(len(view), b"\0")
        self._place += len(view)
        return len(view)

    def read(self, size: int) -> bytes:
        """Read a copy; this is also how h5py tells a file from a path."""
        data = bytearray(size)
        self.readinto(data)
        return bytes(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end()}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        """The place."""
        return self._place

    def truncate(self, size: int) -> int:
        """Cut, or make room."""
        with self._kept():
            self._file.truncate(size)
        return size

    def flush(self) -> None:
        """Nothing waits."""

    def _end(self) -> int:
        """Where the file ends."""
        return self._file.seek(0, os.SEEK_END)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep the first error instead of raising it."""
        try:
            yield
        except OSError as error:
            self._error = self._error or error


def start_table(group: Any, name: str, columns: Sequence[str]) -> Any:
    """An empty table of the layout.

    Parameters
    ----------
    group : h5py.Group
        Where it is made.
    name : str
        Its name there.
    columns : sequence of str
        Columns in the order in which they are shown; the index is ``_index``.

    Returns
    -------
    h5py.Group
        The table.
    """
    import h5py

    table = group.create_group(name)
    _mark(table, "dataframe", "0.2.0")
    table.attrs["_index"] = "_index"
    table.attrs["column-order"] = np.array(columns, h5py.string_dtype())
    return table


def write_parts(file: Any, parts: Mapping[str, pd.DataFrame | Mapping[str, Any]]) -> None:
    """Write what is small.

    Parameters
    ----------
    file : h5py.File
        The file.
    parts : mapping
        Tables and mappings by name: ``var``, ``uns``.
    """
    from anndata.io import write_elem

    for name, value in parts.items():
        write_elem(file, name, value)


def start_group(file: Any, name: str) -> Any:
    """An empty mapping of arrays.

    Parameters
    ----------
    file : h5py.File
        The file.
    name : str
        ``obsm`` and the like.

    Returns
    -------
    h5py.Group
        The mapping.
    """
    group = file.create_group(name)
    _mark(group, "dict", "0.1.0")
    return group


def flat(values: Any) -> NDArray[Any]:
    """Values of an Arrow array; NaN where there is none.

    Parameters
    ----------
    values : pyarrow.Array
        Numbers or truth values.

    Returns
    -------
    ndarray
        The same kind of numbers.
    """
    return np.asarray(values.to_numpy(zero_copy_only=False))


def _mark(item: Any, kind: str, version: str) -> None:
    """What the layout calls a thing."""
    item.attrs["encoding-type"] = kind
    item.attrs["encoding-version"] = version
