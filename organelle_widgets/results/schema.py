"""The tables of a results folder: their columns, what these mean, and how they are stored.

`RESULTS_SCHEMA_VERSION` rises when a column changes its meaning or goes; a new column does not count. The types are
pyarrow's, made on demand, so that importing this module costs nothing.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from organelle_widgets.core.cell_columns import CELL_TABLE_COLUMNS, PROBABILITY_MEANINGS
from organelle_widgets.core.channels import CHANNEL_KEYS
from organelle_widgets.core.quality import FieldQuality
from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CELLS",
    "FAILURES",
    "FIELDS",
    "NAME_COLUMN",
    "RESERVED_COLUMNS",
    "RESULTS_SCHEMA_VERSION",
    "TABLES",
    "TableName",
    "arrow_schema",
    "check_extra",
    "columns_of",
]

RESULTS_SCHEMA_VERSION = 1
"""Version of the tables that this package writes, and the newest that it reads."""

TableName = Literal["cells", "fields", "failures"]

TABLES: tuple[TableName, ...] = ("cells", "fields", "failures")
"""Names of the tables."""

Columns = dict[str, tuple[str, str]]

_INTS = ("cell_id", "min_row", "min_col", "max_row", "max_col")
_BOOLS = ("touches_border", "is_fragment", "unusual")
_TEXTS = ("predicted_classes", "top_class")
_DOUBLES = ("centroid_row", "centroid_col", "area_um2", "nucleus_area_um2")
_STEPS = ("read", "segmentation", "quality", "classification", "result", "record")
_QUALITY_COUNTS = ("n_cells", "n_fragments", "n_nuclei_without_cells", "n_cells_without_nucleus")
_EXTRA_TYPES = {"string": "string", "int": "int64", "float": "double"}


def _kind(column: str) -> str:
    """The type of a column of cells."""
    for kind, names in {
        "int32": _INTS,
        "bool": _BOOLS,
        "string": _TEXTS,
        "double": _DOUBLES,
    }.items():
        if column in names:
            return kind
    return "float"


def _quality_columns() -> Columns:
    """The numbers of `FieldQuality`, one column each, those of channels apart."""
    columns: Columns = {}
    for item in dataclasses.fields(FieldQuality):
        text = f"See {item.name} of organelle_widgets.core.quality.FieldQuality"
        if item.name == "warnings":
            continue
        if str(item.type).startswith("Mapping"):
            kind = "int64" if item.name == "grey_levels" else "double"
            columns |= {
                f"quality_{item.name}_{key}": (kind, f"{text}; the {key} channel.")
                for key in CHANNEL_KEYS
            }
        else:
            kind = "int64" if item.name in _QUALITY_COUNTS else "double"
            columns[f"quality_{item.name}"] = (kind, f"{text}.")
    return columns


CELLS: Columns = {
    "field": ("string", "Name of the field that the cell is in."),
    **{name: (_kind(name), meaning) for name, meaning in CELL_TABLE_COLUMNS.items()},
}
"""Columns of the table of cells, one row a cell: type and meaning. Extra columns and the embedding follow."""

FIELDS: Columns = {
    "field": ("string", "Name of the field, unique in the run."),
    "rows": ("int32", "Height of the field, pixels."),
    "cols": ("int32", "Width of the field, pixels."),
    "pixel_size_um": ("double", "Micrometres per pixel."),
    "pixel_size_source": ("string", "Who said so: metadata, given or assumed."),
    "missing_channels": (
        "string",
        "Keys of the channels that were not there, with | between them.",
    ),
    "files": ("string", "Files that the field was read from, one a line."),
    "sources": ("string", "File of each channel, as JSON: key to path."),
    "channels": (
        "string",
        "Planes of a file of several channels where a person said which is which, as JSON: pairs of a plane's name "
        "or number and a channel; else empty.",
    ),
    "n_cells": ("int32", "How many cells the result has."),
    "n_cells_on_border": ("int32", "How many of them touch the edge of the field."),
    "n_fragments": ("int32", "How many of them are probably more than half out of view."),
    "n_unusual": ("int32", "How many of them are unlike any that the classifier was trained on."),
    "predicted_classes": (
        "string",
        "The field's own answer: names of its classes, most probable first, with | between them; empty where not "
        "sure or without cells.",
    ),
    "top_class": (
        "string",
        "Name of the class that the confidence belongs to; empty without cells.",
    ),
    "confidence": ("float", "As for cells, of the field as a whole; null without cells."),
    "unusual": ("bool", "Whether most of the field is unlike what the classifier was trained on."),
    **{
        name: ("float", f"{meaning[:-1]}, of the field as a whole; null without cells.")
        for name, meaning in PROBABILITY_MEANINGS.items()
    },
    **_quality_columns(),
    "warnings": ("string", "What looks wrong, one sentence a line."),
    "notes": ("string", "What a person should know, one sentence a line."),
    "seconds": ("double", "Seconds of all steps together."),
    **{f"seconds_{step}": ("double", f"Seconds of the step {step}.") for step in _STEPS},
    "worker": ("string", "Who analysed the field."),
    "finished": ("string", "When, ISO 8601, UTC."),
    "masks": ("string", "OME-TIFF of nuclei and cells; a path in the results folder."),
    "thumbnail": ("string", "Small picture of the field; a path in the results folder."),
    "stamp": ("string", "What the field's files were like when they were read."),
}
"""Columns of the table of fields, one row a field that was analysed. Extra columns follow."""

FAILURES: Columns = {
    "name": ("string", "Name of the field, unique in the run."),
    "source": ("string", "The file or folder that the message is about."),
    "step": ("string", "The step that failed: read, segmentation, classification, worker."),
    "error": ("string", "Name of the error."),
    "message": ("string", "What was expected and what was found."),
    "hint": ("string", "What to do about it."),
    "known": ("bool", "Whether the package raised the error on purpose; any other is a bug."),
    "traceback": ("string", "Where in the program a bug showed."),
    "stamp": ("string", "What the field's files were like when they were read."),
    "finished": ("string", "When, ISO 8601, UTC."),
}
"""Columns of the table of failures, one row a field that could not be analysed. Extra columns follow."""

_OWN: dict[TableName, Columns] = {"cells": CELLS, "fields": FIELDS, "failures": FAILURES}
_EMBEDDING = (
    "embedding",
    "Where the classifier places the cell among others; null where it does not say.",
)

NAME_COLUMN: dict[TableName, str] = {"cells": "field", "fields": "field", "failures": "name"}
"""The column of each table that holds the name of the field."""

RESERVED_COLUMNS: frozenset[str] = frozenset(
    {*CELLS, *FIELDS, *FAILURES, "embedding", "class", "share", "file_index", "file_row_number"}
)
"""Names that an extra column may not have, in lower case: it gets the prefix ``source_`` when a run is planned."""


def check_extra(extra: Mapping[str, str]) -> None:
    """Refuse extra columns that the tables can't hold.

    Parameters
    ----------
    extra : mapping of str to str
        Column to its type: ``"string"``, ``"int"`` or ``"float"``.

    Raises
    ------
    SettingsError
        If a type is unknown, a name is taken, or two names differ in case only.
    """
    seen: set[str] = set()
    for name, kind in extra.items():
        if kind not in _EXTRA_TYPES:
            message = f"Expected the type of the column {name!r} to be string, int or float; found {kind!r}."
            raise SettingsError(message)
        if not name or name.lower() in RESERVED_COLUMNS or name.lower() in seen:
            message = f"Expected extra columns with names of their own; found {name!r}, which is empty or taken."
            raise SettingsError(
                message, hint="Rename the column; upper and lower case count as one."
            )
        seen.add(name.lower())


def columns_of(table: TableName, extra: Mapping[str, str]) -> dict[str, str]:
    """The columns of a table and their meaning.

    Parameters
    ----------
    table : {"cells", "fields", "failures"}
        The table.
    extra : mapping of str to str
        The run's extra columns.

    Returns
    -------
    dict of str to str
        In the order of the table.
    """
    columns = {name: meaning for name, (_, meaning) in _OWN[table].items()}
    columns |= dict.fromkeys(extra, "From the source of the run.")
    return columns | ({_EMBEDDING[0]: _EMBEDDING[1]} if table == "cells" else {})


def arrow_schema(table: TableName, extra: Mapping[str, str]) -> Any:
    """The types of a table.

    Parameters
    ----------
    table : {"cells", "fields", "failures"}
        The table.
    extra : mapping of str to str
        The run's extra columns.

    Returns
    -------
    pyarrow.Schema
        In the order of `columns_of`.
    """
    import pyarrow as pa

    kinds = {name: kind for name, (kind, _) in _OWN[table].items()}
    kinds |= {name: _EXTRA_TYPES[kind] for name, kind in extra.items()}
    columns = [pa.field(name, pa.type_for_alias(kind)) for name, kind in kinds.items()]
    if table == "cells":
        columns.append(pa.field(_EMBEDDING[0], pa.list_(pa.field("element", pa.float32()))))
    return pa.schema(columns)
