"""The result in short as JSON: the answer, the counts, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.labels import CLASSES
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._plain import as_json
from organelle_widgets.render.charts.field_summary import cells_per_class

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.results import FieldResult

__all__ = ["SCHEMA_VERSION", "JsonExporter", "summary"]

SCHEMA_VERSION = 1
"""Rises when a key changes its meaning or goes; new keys don't count."""


def summary(result: FieldResult) -> dict[str, Any]:
    """The result in short, as plain data.

    Parameters
    ----------
    result : FieldResult
        The result; may have no cells.

    Returns
    -------
    dict
        ``schema`` and ``schema_version``, ``summary`` (one sentence), ``field`` (name, size, pixel size and
        where that is from), ``channels``, ``n_cells``, ``n_cells_on_border``, ``n_unusual`` (unlike any cell that the
        classifier was trained on), ``n_fragments``, ``prediction`` (of the field; null without cells),
        ``cells_per_class``, ``warnings`` (what looks wrong), ``quality`` (the numbers behind them, see
        `organelle_widgets.core.quality.FieldQuality`; of all cells that were found, also those left out; null where
        it was not measured), ``notes``, ``timings_s`` and ``provenance``.
    """
    field = result.field
    rows, cols = field.shape
    counts = cells_per_class(result)
    return {
        "schema": "organelle_widgets.field_result",
        "schema_version": SCHEMA_VERSION,
        "summary": _sentence(result),
        "field": {
            "name": field.name,
            "rows": rows,
            "cols": cols,
            "dtype": str(field.pixels.dtype),
            "pixel_size_um": field.pixel_size_um,
            "pixel_size_source": field.pixel_size_source,
            "extra": dict(field.extra),
        },
        "channels": {
            c.key: {
                "name": c.name,
                "present": c.key in field.present,
                "source": field.sources.get(c.key),
            }
            for c in CHANNELS
        },
        "n_cells": result.n_cells,
        "n_cells_on_border": int(result.cells["touches_border"].sum()),
        "n_unusual": int(result.unusual.sum()),
        "n_fragments": int(result.cells["is_fragment"].sum()),
        "prediction": _prediction(result),
        "cells_per_class": dict(zip(counts["name"], counts["n_cells"].tolist(), strict=True)),
        "warnings": list(result.warnings),
        "quality": result.quality.to_dict() if result.quality is not None else None,
        "notes": [*field.notes, *result.notes],
        "timings_s": {step: float(seconds) for step, seconds in result.timings.items()},
        "provenance": dict(result.provenance),
    }


def _sentence(result: FieldResult) -> str:
    """The result in one sentence."""
    if not result.n_cells:
        return "No cells found."
    prediction = result.predict()
    cells = f"{result.n_cells} cell{'s' if result.n_cells != 1 else ''}"
    return f"{cells}; {prediction.text}, confidence {prediction.confidence:.2f}."


def _prediction(result: FieldResult) -> dict[str, Any] | None:
    """The field's answer in words and numbers; None without cells."""
    if not result.n_cells:
        return None
    prediction = result.predict()
    values = result.field_probabilities
    return {
        "threshold": result.threshold,
        "sure": prediction.sure,
        "unusual": prediction.unusual,
        "answer": prediction.text,
        "confidence": round(prediction.confidence, 6),
        "classes": [CLASSES[c].name for c in prediction.classes],
        "candidates": [CLASSES[c].name for c in prediction.candidates],
        "probabilities": {c.name: round(float(values[c.index]), 6) for c in CLASSES},
    }


@EXPORTERS.register("json", title="Summary (JSON)")
@dataclass(frozen=True)
class JsonExporter(Exporter):
    """The answer, the counts, warnings, notes, timings and provenance; see `summary` for the keys."""

    filename: ClassVar[str] = "result.json"
    mimetype: ClassVar[str] = "application/json"
    by_default: ClassVar[bool] = True

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write UTF-8 JSON, two spaces deep."""
        text = as_json(summary(result), indent=2)
        path.write_text(f"{text}\n", encoding="utf-8")
