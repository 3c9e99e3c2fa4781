"""A field's result from what the results folder keeps of it, its images read again from where they were."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.channels import CHANNEL_KEYS
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.core.quality import FieldQuality
from organelle_widgets.core.results import PROBABILITY_COLUMNS, FieldResult
from organelle_widgets.errors import InputError
from organelle_widgets.io.sources import FieldSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["field_result", "read_masks"]


def field_result(
    folder: Path,
    run: Mapping[str, Any],
    row: Mapping[str, Any],
    cells: pd.DataFrame,
    *,
    pixels: bool,
) -> FieldResult:
    """The result of a field.

    Parameters
    ----------
    folder : Path
        The results folder.
    run : mapping
        What ``run.json`` holds.
    row : mapping
        The field's row.
    cells : pandas.DataFrame
        Its cells in ascending order of id.
    pixels : bool
        Whether to read the images; else all pixels are black.

    Returns
    -------
    FieldResult
        As the pipeline gave it.

    Raises
    ------
    InputError
        If masks or images can't be read.
    """
    field = _field(row, dict.fromkeys(run.get("extra") or ()), pixels=pixels)
    result = FieldResult(
        field=field,
        masks=read_masks(folder / row["masks"]),
        probabilities=cells[list(PROBABILITY_COLUMNS)].to_numpy(np.float32),
        timings=_timings(row),
        provenance=run.get("provenance") or {},
        threshold=_threshold(run),
        quality=_quality(row),
        answers=_answers(cells),
    )
    if result.quality is None:
        return result
    said = tuple(_lines(row["warnings"]))
    kept = said[:-1] if result.mostly_unusual else said  # the result adds that one itself
    return dataclasses.replace(result, quality=dataclasses.replace(result.quality, warnings=kept))


def read_masks(path: Path) -> Masks:
    """Read the file of masks of a field.

    Parameters
    ----------
    path : Path
        An OME-TIFF of two planes, nuclei and cells.

    Returns
    -------
    Masks
        The masks.

    Raises
    ------
    InputError
        If it can't be read.
    """
    import tifffile

    try:
        nuclei, cells = tifffile.imread(path)
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        message = f"Expected the masks of the field, nuclei and cells; found: {error}."
        hint = "The file was removed or damaged; take it from a copy, or do the field again."
        raise InputError(message, source=str(path), hint=hint) from error
    return Masks(nuclei.astype(np.int32), cells.astype(np.int32))


def _field(row: Mapping[str, Any], extra: Mapping[str, Any], *, pixels: bool) -> Field:
    """The field, with its pixels or black."""
    missing = frozenset(str(row["missing_channels"] or "").split("|")) - {""}
    sources = json.loads(row["sources"] or "{}")
    found = _read(row, sources) if pixels else None
    shape = (int(row["rows"]), int(row["cols"]))
    if found is not None and found.shape != shape:
        message = (
            f"Expected images of {shape} pixels, as when they were analysed; found {found.shape}."
        )
        raise InputError(
            message, source=row["field"], hint="The images were changed; do the field again."
        )
    if found is not None and missing - found.missing:
        found = found.without(*(missing - found.missing))
    black = np.zeros((len(CHANNEL_KEYS), *shape), np.uint8)
    values = {name: row[name] for name in extra}
    return Field(
        black if found is None else found.pixels,
        row["field"],
        float(row["pixel_size_um"]),
        row["pixel_size_source"],
        missing,
        sources,
        tuple(_lines(row["notes"])),
        {name: _plain_text(value) for name, value in values.items() if not pd.isna(value)},
    )


def _read(row: Mapping[str, Any], sources: Mapping[str, str]) -> Field:
    """Read the images again from where they were."""
    files = {key: Path(path) for key, path in sources.items()}
    gone = sorted({str(path) for path in files.values() if not path.exists()})
    if gone or not files:
        what = (
            f"missing: {', '.join(gone)}" if gone else "the field came from memory, not from files"
        )
        message = f"Expected the images that were analysed; {what}."
        hint = "Bring them back to where they were, or ask for the result with pixels=False."
        raise InputError(message, source=row["field"], hint=hint)
    one = set(files.values())
    channels = dict(json.loads(row["channels"])) if row["channels"] else None
    source = FieldSource(row["field"], one.pop() if len(one) == 1 else files, channels)
    return source.read(float(row["pixel_size_um"]))


def _answers(cells: pd.DataFrame) -> CellAnswers | None:
    """What the classifier knew beyond the probabilities; None where it was nothing."""
    if cells.empty:
        return None
    embedding, strangeness = cells["embedding"], cells["strangeness"]
    if embedding.isna().any() and strangeness.isna().any():
        return None
    stacked: NDArray[np.float32] | None = None
    if not embedding.isna().any():
        stacked = np.stack([np.asarray(value, np.float32) for value in embedding])
    return CellAnswers(
        cells[list(PROBABILITY_COLUMNS)].to_numpy(np.float32),
        stacked,
        None if strangeness.isna().any() else strangeness.to_numpy(np.float32),
    )


def _quality(row: Mapping[str, Any]) -> FieldQuality | None:
    """The field's quality without its sentences; None where it was not measured."""
    if pd.isna(row["quality_n_cells"]):
        return None
    values: dict[str, Any] = {}
    for item in dataclasses.fields(FieldQuality):
        kind = str(item.type)
        if kind.startswith("Mapping"):
            as_kept = int if kind.endswith("int]") else float
            columns = {key: row[f"quality_{item.name}_{key}"] for key in CHANNEL_KEYS}
            values[item.name] = {k: as_kept(v) for k, v in columns.items() if not pd.isna(v)}
        elif item.name != "warnings":
            value = row[f"quality_{item.name}"]
            values[item.name] = (
                None if pd.isna(value) else int(value) if kind == "int" else float(value)
            )
    return FieldQuality(**values)


def _timings(row: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of each step that the table knows."""
    start = "seconds_"
    steps = {name: value for name, value in row.items() if name.startswith(start)}
    return {name[len(start) :]: float(value) for name, value in steps.items() if not pd.isna(value)}


def _threshold(run: Mapping[str, Any]) -> float:
    """The threshold of the run."""
    for place in ("settings", "provenance"):
        value = (run.get(place) or {}).get("threshold")
        if value is not None:
            return float(value)
    return DEFAULT_THRESHOLD


def _lines(text: Any) -> list[str]:
    """The sentences of a column, one a line."""
    return str(text).split("\n") if isinstance(text, str) and text else []


def _plain_text(value: Any) -> str:
    """A value of an extra column as text."""
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)
