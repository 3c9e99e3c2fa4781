"""The outlines of the cells as GeoJSON that QuPath opens as cells, with their classes and measurements."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import NAMESPACE_OID, uuid5

from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._outlines import outlines
from organelle_widgets.export._simplify import simplified, simplify_setting
from organelle_widgets.render.overlay import cell_colors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.export._outlines import Part

__all__ = ["GeoJsonExporter", "features"]

_MEASUREMENTS = {
    "Cell ID": "cell_id",
    "Cell: Area µm^2": "area_um2",
    "Nucleus: Area µm^2": "nucleus_area_um2",
    "Touches border": "touches_border",
    "Fragment": "is_fragment",
    "Confidence": "confidence",
    "Unusual": "unusual",
    "Strangeness": "strangeness",
    **{
        f"Probability: {name}": column
        for name, column in zip(CLASS_NAMES, PROBABILITY_COLUMNS, strict=True)
    },
}


@EXPORTERS.register("geojson", title="Cells for QuPath (GeoJSON)")
@dataclass(frozen=True)
class GeoJsonExporter(Exporter):
    """One feature a cell, as QuPath 0.4 and later writes and reads cells: see `features`.

    Parameters
    ----------
    simplify_px : float
        How far an outline may leave the edges of the pixels; 0 is exact.

    Notes
    -----
    In QuPath: open the image, drag the file onto it. A field without cells gives a collection without features.
    Coordinates are pixels, as QuPath asks, not degrees as RFC 7946 does.

    References
    ----------
    RFC 7946, The GeoJSON Format: https://www.rfc-editor.org/rfc/rfc7946
    """

    filename: ClassVar[str] = "cells.geojson"
    mimetype: ClassVar[str] = "application/geo+json"

    simplify_px: float = simplify_setting()

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write a line a cell, so that large files can be looked at and compared."""
        with path.open("w", encoding="utf-8", newline="\n") as file:
            name = json.dumps(result.field.name, ensure_ascii=False)
            file.write(f'{{"type": "FeatureCollection", "name": {name}, "features": [')
            for number, feature in enumerate(features(result, self.simplify_px)):
                text = json.dumps(feature, ensure_ascii=False, allow_nan=False)
                file.write(f"{',' if number else ''}\n{text}")
            file.write("\n]}\n")


def features(result: FieldResult, simplify_px: float = 0.0) -> Iterator[dict[str, Any]]:
    """The cells as GeoJSON features of QuPath's kind.

    Parameters
    ----------
    result : FieldResult
        The result; may have no cells.
    simplify_px : float
        How far an outline may leave the edges of the pixels; 0 is exact.

    Yields
    ------
    dict
        By ascending cell id: ``geometry`` (a Polygon, or a MultiPolygon where the cell is in several parts; x, y in
        pixels, 0, 0 at the corner of the first pixel), ``nucleusGeometry`` where the cell has a nucleus, ``id`` (a
        UUID, the same for the same masks in a field of the same name), and ``properties``: ``objectType`` "cell",
        ``name``, ``classification`` (name and colour of the first predicted class, or "Not sure"), ``measurements``
        (areas, confidence, probabilities; yes and no as 1 and 0; what is unknown is left out) and ``metadata`` (the
        field's name and all predicted classes).
    """
    cells, nuclei = outlines(result.masks.cells), outlines(result.masks.nuclei)
    stamp = sha256(result.masks.cells.tobytes() + result.masks.nuclei.tobytes()).hexdigest()
    predictions = result.predictions()
    rows = result.table().to_dict("records")
    for row, prediction, color in zip(rows, predictions, cell_colors(predictions), strict=True):
        cell = int(row["cell_id"])
        feature: dict[str, Any] = {
            "type": "Feature",
            "id": str(uuid5(NAMESPACE_OID, f"{result.field.name} {stamp} {cell}")),
            "geometry": _geometry(simplified(cells[cell], simplify_px)),
        }
        if cell in nuclei:
            feature["nucleusGeometry"] = _geometry(simplified(nuclei[cell], simplify_px))
        feature["properties"] = {
            "objectType": "cell",
            "name": f"Cell {cell}",
            "classification": {"name": prediction.title, "color": color.tolist()},
            "measurements": _measurements(row),
            "metadata": {
                "Field": result.field.name,
                "Predicted classes": row["predicted_classes"],
            },
        }
        yield feature


def _geometry(parts: Sequence[Part]) -> dict[str, Any]:
    """The parts of one cell as a GeoJSON geometry."""
    polygons = [[_closed(ring) for ring in part.rings] for part in parts]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _closed(ring: NDArray[Any]) -> list[list[int]]:
    """The corners, the first again at the end."""
    corners: list[list[int]] = ring.tolist()
    return [*corners, corners[0]]


def _measurements(row: Mapping[Any, Any]) -> dict[str, float]:
    """The numbers that are known of a cell, to six significant digits."""
    values = {name: float(row[column]) for name, column in _MEASUREMENTS.items()}
    return {name: float(f"{value:.6g}") for name, value in values.items() if math.isfinite(value)}
