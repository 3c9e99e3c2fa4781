"""Records as pyarrow tables: the rows that a commit adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from organelle_widgets.errors import BatchError
from organelle_widgets.results.schema import CELLS, FAILURES, FIELDS, arrow_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from organelle_widgets.results.records import FailureRecord, FieldRecord

__all__ = ["cell_rows", "extra_values", "failure_rows", "field_rows"]

_PARSERS: Mapping[str, Any] = {"string": str, "int": int, "float": float}


def cell_rows(
    records: Sequence[FieldRecord], extras: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]
) -> Any:
    """The cells of some fields.

    Parameters
    ----------
    records : sequence of FieldRecord
        The fields.
    extras : sequence of mapping
        Typed values of the extra columns, one mapping a record.
    kinds : mapping of str to str
        The run's extra columns and their types.

    Returns
    -------
    pyarrow.Table
        One row a cell, in the order of the records; maybe none.
    """
    import pyarrow as pa

    schema = arrow_schema("cells", kinds)
    pairs = [
        (record, extra) for record, extra in zip(records, extras, strict=True) if len(record.cells)
    ]
    if not pairs:
        return schema.empty_table()
    counts = [len(record.cells) for record, _ in pairs]
    together = pd.concat([record.cells for record, _ in pairs], ignore_index=True)
    values: dict[str, Any] = {"field": _repeated([record.name for record, _ in pairs], counts)}
    values |= {name: together[name].to_numpy() for name in CELLS if name != "field"}
    values |= {name: _repeated([extra[name] for _, extra in pairs], counts) for name in kinds}
    values["embedding"] = pa.chunked_array([_embedding(record) for record, _ in pairs])
    return pa.table([_column(values[item.name], item.type) for item in schema], schema=schema)


def field_rows(rows: Iterable[Mapping[str, Any]], kinds: Mapping[str, str]) -> Any:
    """Rows of the table of fields.

    Parameters
    ----------
    rows : iterable of mapping
        Values by column; those of unknown columns are dropped, missing ones are null.
    kinds : mapping of str to str
        The run's extra columns and their types.

    Returns
    -------
    pyarrow.Table
        One row a mapping.
    """
    return _rows(rows, [*FIELDS, *kinds], arrow_schema("fields", kinds))


def failure_rows(
    failures: Sequence[FailureRecord], extras: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]
) -> Any:
    """Rows of the table of failures.

    Parameters
    ----------
    failures : sequence of FailureRecord
        The fields that failed.
    extras : sequence of mapping
        Typed values of the extra columns, one mapping a failure.
    kinds : mapping of str to str
        The run's extra columns and their types.

    Returns
    -------
    pyarrow.Table
        One row a failure.
    """
    rows = [
        {**{name: getattr(failure, name) for name in FAILURES}, **extra}
        for failure, extra in zip(failures, extras, strict=True)
    ]
    return _rows(rows, [*FAILURES, *kinds], arrow_schema("failures", kinds))


def extra_values(name: str, extra: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The extra columns of a field as the values that the tables hold.

    Parameters
    ----------
    name : str
        The field's name, for messages.
    extra : mapping of str to str
        Texts by column.
    kinds : mapping of str to str
        The run's extra columns and their types.

    Returns
    -------
    dict
        A value for each of `kinds`; None where there is no text, and of an empty one that should be a number.

    Raises
    ------
    BatchError
        If there is a column that the run does not know, or a text is no number where one is expected.
    """
    unknown = sorted(set(extra) - set(kinds))
    if unknown:
        message = f"Expected the extra columns of the run ({', '.join(kinds) or 'none'}); found {', '.join(unknown)}."
        raise BatchError(message, source=name)
    return {
        column: _parsed(name, column, extra.get(column), kind) for column, kind in kinds.items()
    }


def _parsed(name: str, column: str, text: str | None, kind: str) -> Any:
    """One text as a value."""
    if text is None or (kind != "string" and not str(text).strip()):
        return None
    try:
        return _PARSERS[kind](text)
    except ValueError as error:
        message = (
            f"Expected a number in the column {column!r}, which is of type {kind}; found {text!r}."
        )
        raise BatchError(message, source=name) from error


def _rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], schema: Any) -> Any:
    """Mappings as a table."""
    import pyarrow as pa

    every = list(rows)
    arrays = [
        _column([row.get(name) for row in every], schema.field(name).type) for name in columns
    ]
    return pa.table(arrays, schema=schema)


def _column(values: Any, kind: Any) -> Any:
    """Values as a column; NaN is null."""
    import pyarrow as pa

    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.cast(kind)
    return pa.array(values, kind, from_pandas=True)


def _repeated(values: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    """Each value as many times as its field has cells."""
    return [value for value, count in zip(values, counts, strict=True) for _ in range(count)]


def _embedding(record: FieldRecord) -> Any:
    """The embedding of a field's cells as lists; null where there is none."""
    import numpy as np
    import pyarrow as pa

    kind = pa.list_(pa.field("element", pa.float32()))
    if record.embedding is None:
        return pa.nulls(len(record.cells), kind)
    values = np.ascontiguousarray(record.embedding, np.float32)
    if values.ndim != 2 or len(values) != len(record.cells):
        message = f"Expected an embedding of {len(record.cells)} rows; found shape {values.shape}."
        raise BatchError(message, source=record.name)
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel())).cast(kind)
