"""Cells as Arrow record batches of one schema, from one result or streamed out of a run: what tables are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.cell_columns import CELL_TABLE_COLUMNS
from organelle_widgets.export._run import cells_where, chosen_fields
from organelle_widgets.results.schema import RESERVED_COLUMNS, arrow_schema, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["EMBEDDING", "FIELD", "CellStream", "cells_of_result", "cells_of_run"]

FIELD, EMBEDDING = "field", "embedding"
_ROWS = 32_768
"""Rows of a batch: with an embedding of 512 numbers, 64 MB."""


@dataclass(frozen=True)
class CellStream:
    """Cells, a batch at a time.

    Parameters
    ----------
    schema : pyarrow.Schema
        ``field``, the source's extra columns, those of `CELL_TABLE_COLUMNS`, ``embedding``; each with its meaning as
        metadata ``description``. The same names have the same types in every export.
    batches : iterable of pyarrow.RecordBatch
        In the order of fields, then of ids; of `schema`; can be gone through once.
    pixel_sizes_um : mapping of str to float
        By name of the field.
    provenance : mapping
        How the cells came about.
    """

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    pixel_sizes_um: Mapping[str, float]
    provenance: Mapping[str, Any]

    @property
    def threshold(self) -> float:
        """Probability from which a class counts as predicted; NaN where it is not known."""
        return float(self.provenance.get("threshold", np.nan))


def cells_of_result(result: FieldResult) -> CellStream:
    """The cells of one field.

    Parameters
    ----------
    result : FieldResult
        The result; may have no cells.

    Returns
    -------
    CellStream
        One batch. Extra columns are text; one whose name is taken starts with ``source_``.
    """
    import pyarrow as pa

    field = result.field
    extra = {_free(name): text for name, text in field.extra.items()}
    schema = _schema(dict.fromkeys(extra, "string"))
    table = result.table().assign(**{FIELD: field.name, **extra})
    embedding = result.answers.embedding if result.answers is not None else None
    arrays = [
        _list_array(embedding, len(table), column.type)
        if column.name == EMBEDDING
        else pa.array(table[column.name].tolist(), column.type, from_pandas=True)
        for column in schema
    ]
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    known = {"threshold": result.threshold, **result.provenance}
    return CellStream(schema, [batch], {field.name: field.pixel_size_um}, known)


def cells_of_run(results: Results, monitor: Monitor, where: str | None) -> CellStream:
    """The cells of a run, or of some of its fields.

    Parameters
    ----------
    results : Results
        The run.
    monitor : Monitor
        Learns how many cells have gone by; may cancel.
    where : str or None
        SQL condition on the table ``fields``.

    Returns
    -------
    CellStream
        Batches of at most 32,768 cells, few of them smaller.

    Raises
    ------
    ExportError
        If no field fits the condition.
    """
    total = int(chosen_fields(results, where)["n_cells"].sum())
    schema = _schema(results.run.get("extra", {}))
    sizes = results.fields(where, columns=["field", "pixel_size_um"])
    batches = _of_fields(
        results.batches("cells", columns=schema.names, where=cells_where(where)), sizes["field"]
    )
    run = results.run
    known = {**run.get("settings", {}), **run.get("provenance", {}), "source": run.get("source")}
    return CellStream(
        schema,
        _reported(_evened(batches, schema), total, monitor),
        dict(zip(sizes["field"], sizes["pixel_size_um"], strict=True)),
        known,
    )


def _free(name: str) -> str:
    """The name of an extra column, changed where it is taken."""
    return f"source_{name}" if name.lower() in RESERVED_COLUMNS else name


def _schema(extra: Mapping[str, str]) -> pa.Schema:
    """Names, types and meanings of all columns: first where a cell is from, then what is known of it."""
    import pyarrow as pa

    stored, meanings = arrow_schema("cells", extra), columns_of("cells", extra)
    names = [FIELD, *extra, *CELL_TABLE_COLUMNS, EMBEDDING]
    return pa.schema(
        [stored.field(name).with_metadata({"description": meanings[name]}) for name in names]
    )


def _list_array(embedding: Any, n_rows: int, kind: pa.DataType) -> pa.Array:
    """One list of numbers a row; nulls where there is no embedding."""
    import pyarrow as pa

    if embedding is None:
        return pa.nulls(n_rows, kind)
    offsets = np.arange(n_rows + 1, dtype=np.int32) * embedding.shape[1]
    return pa.ListArray.from_arrays(offsets, np.asarray(embedding, np.float32).ravel(), type=kind)


def _of_fields(batches: Iterable[pa.RecordBatch], names: Iterable[str]) -> Iterator[pa.RecordBatch]:
    """Only the cells of these fields: a run that goes on may have added some since they were listed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.array(names, pa.string())
    for batch in batches:
        yield batch.filter(pc.is_in(batch[FIELD], known))


def _evened(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches of `_ROWS` rows, but for the last, with the schema's types."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        while sum(part.num_rows for part in held) >= _ROWS:
            table = pa.Table.from_batches(held)
            yield _as_batch(table.slice(0, _ROWS), schema)
            held = table.slice(_ROWS).to_batches()
    if any(part.num_rows for part in held):
        yield _as_batch(pa.Table.from_batches(held), schema)


def _as_batch(table: pa.Table, schema: pa.Schema) -> pa.RecordBatch:
    """One batch of the schema's columns and types."""
    typed = table.select(schema.names).cast(schema)
    return typed.combine_chunks().to_batches()[0]


def _reported(
    batches: Iterable[pa.RecordBatch], total: int, monitor: Monitor
) -> Iterator[pa.RecordBatch]:
    """The batches; the monitor hears of each before it is worked on."""
    done = 0
    for batch in batches:
        monitor.report(f"{done} of {total} cells", done / max(total, 1))
        yield batch
        done += batch.num_rows
