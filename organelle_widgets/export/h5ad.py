"""Cells as AnnData (.h5ad), for scanpy, squidpy and cellxgene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from organelle_widgets.core.labels import CLASS_NAMES, CLASSES, N_CLASSES
from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.export._anndata_file import (
    CategoryColumn,
    GrowingArray,
    WholeNumbers,
    flat,
    start_group,
    start_table,
    started_file,
    write_parts,
)
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._cells import (
    EMBEDDING,
    FIELD,
    CellStream,
    cells_of_result,
    cells_of_run,
)
from organelle_widgets.export._plain import as_json
from organelle_widgets.export._run import Exported, chosen_fields, fields_without_cells

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["SCHEMA_VERSION", "H5adExporter"]

SCHEMA_VERSION = 1
"""Rises when something in the file changes its meaning or goes; new things don't count."""


@EXPORTERS.register(
    "h5ad", title="Annotated data (AnnData h5ad)", requires=("anndata", "h5py", "pyarrow")
)
@dataclass(frozen=True)
class H5adExporter(Exporter):
    """One observation a cell, one variable a class.

    - ``X``: probabilities, float32, (n_cells, 19).
    - ``obs``: every column of the table of cells but probabilities and embedding; texts are categories. Names are
      ``<field>/<cell_id>``, unique. The categories of ``top_class`` are all 19 in their order.
    - ``var``: names of the classes; ``code`` (two letters), ``family``, ``color``.
    - ``obsm["X_embedding"]``: where the classifier places cells, where it does; NaN for cells without.
    - ``obsm["centroid"]`` and, the same, ``obsm["spatial"]`` (where squidpy looks): x and y of the cell's centre in
      um, from the centre of the field's first pixel, y down. Each field has its own: hand squidpy
      ``library_key="field"``.
    - ``uns``: ``schema``, ``schema_version``, ``threshold``, ``provenance`` (JSON text), ``columns`` (meaning of each
      column of ``obs``), ``top_class_colors`` (for scanpy's plots).

    Writing takes the memory of one batch of 32,768 cells and a name a field. Reading all of it takes about
    4 (19 + n_features) bytes a cell and the columns: for more cells than that fits, open the file with
    ``anndata.read_h5ad(path, backed="r")``.
    """

    filename: ClassVar[str] = "cells.h5ad"
    mimetype: ClassVar[str] = "application/x-hdf5"
    one_file: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the cells of a field."""
        _write_cells(cells_of_result(result), path)

    def _write_run(
        self, results: Results, path: Path, monitor: Monitor, where: str | None
    ) -> Exported:
        """Write the cells of a run, a batch at a time."""
        fields = chosen_fields(results, where)
        n_cells = _write_cells(cells_of_run(results, monitor, where), path)
        return Exported(path, len(fields), n_cells, fields_without_cells(fields))


def _write_cells(cells: CellStream, path: Path) -> int:
    """Write all batches; how many cells there were."""
    with started_file(path) as (file, check_disk):
        arrays = _Arrays(file, cells)
        n_cells = 0
        for batch in cells.batches:
            arrays.put(n_cells, batch)
            check_disk()
            n_cells += batch.num_rows
        arrays.end(n_cells)
        write_parts(file, {"var": _classes(), "uns": _about(cells)})
        for name in ("varm", "obsp", "varp", "layers"):
            start_group(file, name)
    return n_cells


class _Arrays:
    """Everything in the file that has a row a cell."""

    def __init__(self, file: Any, cells: CellStream) -> None:
        self._sizes = cells.pixel_sizes_um
        self._columns = [
            column
            for column in cells.schema
            if column.name not in (*PROBABILITY_COLUMNS, EMBEDDING)
        ]
        self._x = GrowingArray(file, "X", np.float32, N_CLASSES)
        table = start_table(file, "obs", [_key(column.name) for column in self._columns])
        self._names = GrowingArray(table, "_index", str)
        self._obs = {column.name: _column(table, column) for column in self._columns}
        self._obsm = start_group(file, "obsm")
        self._places = [
            GrowingArray(self._obsm, name, np.float64, 2) for name in ("centroid", "spatial")
        ]
        self._embedding: GrowingArray | None = None

    def put(self, start: int, batch: pa.RecordBatch) -> None:
        """Write the cells of a batch."""
        self._x.put(start, np.stack([flat(batch[name]) for name in PROBABILITY_COLUMNS], axis=1))
        fields = batch[FIELD].to_pylist()
        ids = batch["cell_id"].to_pylist()
        self._names.put(start, [f"{field}/{cell}" for field, cell in zip(fields, ids, strict=True)])
        for name, column in self._obs.items():
            if isinstance(column, GrowingArray):
                column.put(start, flat(batch[name]))
            else:
                column.put(start, batch[name].to_pylist())
        places = _centroids(batch, self._sizes)
        for array in self._places:
            array.put(start, places)
        self._put_embedding(start, batch)

    def _put_embedding(self, start: int, batch: pa.RecordBatch) -> None:
        """Write the cells that have an embedding; its width is known from the first one."""
        import pyarrow.compute as pc

        lists = batch[EMBEDDING]
        known = flat(pc.is_valid(lists))
        if not known.any():
            return
        vectors = flat(pc.list_flatten(lists)).reshape(known.sum(), -1)
        if self._embedding is None:
            width = vectors.shape[1]
            self._embedding = GrowingArray(self._obsm, "X_embedding", np.float32, width, np.nan)
        rows = np.full((len(known), vectors.shape[1]), np.nan, np.float32)
        rows[known] = vectors
        self._embedding.put(start, rows)

    def end(self, n_cells: int) -> None:
        """Bring every array to its full length."""
        arrays = [self._x, self._names, *self._obs.values(), *self._places, self._embedding]
        for array in arrays:
            if array is not None:
                array.end(n_cells)


def _column(table: Any, column: pa.Field) -> CategoryColumn | WholeNumbers | GrowingArray:
    """A column of ``obs``: texts are categories."""
    import pyarrow as pa

    name = _key(column.name)
    if pa.types.is_string(column.type):
        return CategoryColumn(table, name, CLASS_NAMES if name == "top_class" else ())
    if pa.types.is_int64(column.type):  # only the source's own columns are of this type
        return WholeNumbers(table, name)
    return GrowingArray(table, name, column.type.to_pandas_dtype())


def _key(name: str) -> str:
    """A column's name in the file, where / has a meaning of its own."""
    return name.replace("/", "_")


def _centroids(batch: pa.RecordBatch, sizes: Any) -> NDArray[np.float64]:
    """Place of each cell: x and y, um."""
    size = np.array([sizes[field] for field in batch[FIELD].to_pylist()], float)
    return np.stack([flat(batch[f"centroid_{axis}"]) * size for axis in ("col", "row")], axis=1)


def _classes() -> pd.DataFrame:
    """The table ``var``."""
    rows = [(c.code, c.family, c.color) for c in CLASSES]
    table = pd.DataFrame(rows, columns=["code", "family", "color"], index=list(CLASS_NAMES))
    return table.astype({"family": "category"})


def _about(cells: CellStream) -> dict[str, Any]:
    """What the file says of itself."""
    return {
        "schema": "organelle_widgets.cells",
        "schema_version": SCHEMA_VERSION,
        "threshold": cells.threshold,
        "provenance": as_json(cells.provenance),
        "columns": {_key(c.name): c.metadata[b"description"].decode() for c in cells.schema},
        "top_class_colors": np.array([c.color for c in CLASSES], dtype=object),
    }
