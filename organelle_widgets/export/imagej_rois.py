"""The outlines of cells and nuclei as ROIs for the ROI manager of ImageJ and Fiji."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from organelle_widgets.core.settings import setting
from organelle_widgets.errors import ExportError
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._outlines import outlines
from organelle_widgets.export._simplify import simplified, simplify_setting
from organelle_widgets.render.overlay import cell_colors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.export._outlines import Part

__all__ = ["ImageJRoisExporter"]

_MASKS = {
    "cells and nuclei": ("cells", "nuclei"),
    "cells": ("cells",),
    "nuclei": ("nuclei",),
}
_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0
_MOST_CORNERS = 65_535  # of a plain polygon; ImageJ saves larger ones as composites, too
_LARGEST = 60_000  # ImageJ takes the 16-bit numbers above 60535 of plain polygons for negative ones

_LAST_LETTER = 0xFFFF  # of those that the format counts as one


@EXPORTERS.register("imagej_rois", title="ROIs for ImageJ and Fiji (ZIP)", requires=("roifile",))
@dataclass(frozen=True)
class ImageJRoisExporter(Exporter):
    """One ROI a cell and one a nucleus, named by id and class: ``0003_Golgi apparatus``, ``..._nucleus``.

    A cell in one part without holes is a plain selection whose corners are corners of pixels, so that ImageJ selects
    the cell's pixels and no others; one with holes or in several parts is a composite selection, as exact. Colours
    are those of the classes, light grey for "Not sure". The ROIs lie on no slice or channel, so they show on all.
    Each has the properties ``cell_id``, ``object``, ``predicted_classes``, ``confidence`` and ``field``.

    Parameters
    ----------
    which : {"cells and nuclei", "cells", "nuclei"}
        What is written.
    simplify_px : float
        How far an outline may leave the edges of the pixels; 0 is exact.

    Notes
    -----
    In Fiji: drag the file onto the window. ImageJ has no ZIP without ROIs, so a result without cells is refused.
    """

    filename: ClassVar[str] = "rois.zip"
    mimetype: ClassVar[str] = "application/zip"
    allows_empty: ClassVar[bool] = False

    which: str = setting(
        "cells and nuclei",
        label="Outlines of",
        choices=tuple(_MASKS),
        help="Whether cells, nuclei or both are written.",
    )
    simplify_px: float = simplify_setting()

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the ZIP, with a fixed date so that the same result gives the same file."""
        if self.which == "nuclei" and not result.masks.nuclei.any():
            message = f"Expected nuclei; found none in {result.n_cells} cells."
            raise ExportError(message, hint="Write the cells: choose which='cells'.")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in self._rois(result):
                file.writestr(_entry(f"{name}.roi"), content)

    def _rois(self, result: FieldResult) -> Iterator[tuple[str, bytes]]:
        """Names and contents, cell by cell."""
        found = {mask: outlines(getattr(result.masks, mask)) for mask in _MASKS[self.which]}
        predictions = result.predictions()
        colors = cell_colors(predictions)
        rows = result.table().to_dict("records")
        digits = max(4, len(str(rows[-1]["cell_id"])))
        for row, prediction, color in zip(rows, predictions, colors, strict=True):
            cell = int(row["cell_id"])
            for mask in (mask for mask, parts in found.items() if cell in parts):
                name = f"{cell:0{digits}d}_{prediction.title}{'_nucleus' * (mask == 'nuclei')}"
                roi = _roi(simplified(found[mask][cell], self.simplify_px))
                roi.name = name
                roi.stroke_color = bytes([255, *color])
                roi.props = _properties(row, mask, result.field.name)
                yield name, roi.tobytes()


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry of the ZIP without a date."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _properties(row: Mapping[Any, Any], mask: str, field: str) -> str:
    """What ImageJ's "Show properties" lists; a line each."""
    values = {
        "cell_id": row["cell_id"],
        "confidence": f"{row['confidence']:.6g}",
        "field": " ".join(field.split()),
        "object": "nucleus" if mask == "nuclei" else "cell",
        "predicted_classes": row["predicted_classes"],
    }
    text = "".join(f"{key}: {value}\n" for key, value in values.items())
    return "".join(letter if ord(letter) <= _LAST_LETTER else "\ufffd" for letter in text)


def _roi(parts: Sequence[Part]) -> Any:
    """A selection: plain where the parts are one ring of a size that ImageJ knows, else composite."""
    from roifile import ROI_TYPE, ImagejRoi

    corners = np.concatenate([part.exterior for part in parts])
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    place = {"left": left, "top": top, "right": right, "bottom": bottom}
    plain = len(parts) == 1 and not parts[0].holes and len(corners) <= _MOST_CORNERS
    if plain and max(right, bottom) <= _LARGEST:
        return ImagejRoi(
            roitype=ROI_TYPE.TRACED,
            n_coordinates=len(corners),
            integer_coordinates=(corners - [left, top]).astype(np.int32),
            **place,
        )
    path = np.concatenate([_path(ring) for part in parts for ring in part.rings])
    return ImagejRoi(
        roitype=ROI_TYPE.RECT, shape_roi_size=path.size, multi_coordinates=path, **place
    )


def _path(ring: Any) -> Any:
    """A closed ring as ImageJ's numbers: a command and its point, again and again."""
    commands = np.full((len(ring), 3), _LINE, np.float32)
    commands[0, 0] = _MOVE
    commands[:, 1:] = ring
    return np.append(commands.ravel(), np.float32(_CLOSE))
