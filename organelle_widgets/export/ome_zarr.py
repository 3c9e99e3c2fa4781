"""The field with its masks as OME-Zarr: image, nuclei and cells in one folder, for napari, Fiji and OMERO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.core.settings import setting
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._pyramid import label_pyramid, mean_pyramid, write_pyramid
from organelle_widgets.render.composite import display_window
from organelle_widgets.render.overlay import cell_colors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.results import FieldResult

__all__ = ["OmeZarrExporter"]

_ZARR_FORMATS = {"0.4": 2, "0.5": 3}
_MASKS = ("cells", "nuclei")
_PROPERTIES = (
    "predicted_classes",
    "confidence",
    "unusual",
    "area_um2",
    "nucleus_area_um2",
    "touches_border",
    "is_fragment",
    *PROBABILITY_COLUMNS,
)


@EXPORTERS.register("ome_zarr", title="Image and masks (OME-Zarr)", requires=("zarr",))
@dataclass(frozen=True)
class OmeZarrExporter(Exporter):
    """The channels as they were read, and the labels ``cells`` and ``nuclei``, at several resolutions.

    The image is c, y, x in the field's own type, with names, colours and contrast of its channels and the pixel size
    in micrometres. A channel that is missing in the field is left out, and named in the attribute
    ``organelle_widgets``. Labels have the colours of the classes, and class, confidence, areas and all probabilities
    of every cell as properties. `organelle_widgets.io.read_field` reads the image again as it was.

    Parameters
    ----------
    version : {"0.4", "0.5"}
        Of OME-Zarr. 0.4 (Zarr 2) is what most programs open; 0.5 (Zarr 3) is the newer one.

    References
    ----------
    Moore et al. 2023, doi:10.1007/s00418-023-02209-1; https://ngff.openmicroscopy.org/0.4 and /0.5
    """

    filename: ClassVar[str] = "image.ome.zarr"
    needs_pixels: ClassVar[bool] = True
    is_folder: ClassVar[bool] = True

    version: str = setting(
        "0.4",
        label="Version",
        choices=tuple(_ZARR_FORMATS),
        help="0.4 is opened by most programs, 0.5 by newer ones.",
    )

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write image and labels into the folder."""
        import zarr

        field = result.field
        root = zarr.open_group(str(path), mode="w", zarr_format=_ZARR_FORMATS[self.version])
        image = np.stack([field.channel(key) for key in field.present])
        scales = write_pyramid(root, mean_pyramid(image), "cyx", field.pixel_size_um)
        ome = {**self._multiscales(field.name, "mean", scales), "omero": self._omero(field)}
        self._describe(root, ome, organelle_widgets=_own(result))
        labels = root.create_group("labels")
        self._describe(labels, {"labels": list(_MASKS)})
        properties = _properties(result)
        for mask in _MASKS:
            group = labels.create_group(mask)
            ids = getattr(result.masks, mask)
            scales = write_pyramid(group, label_pyramid(ids), "yx", field.pixel_size_um)
            ome = self._multiscales(mask, "nearest", scales)
            self._describe(group, {**ome, "image-label": self._image_label(ids, properties)})

    def _describe(self, group: Any, ome: Mapping[str, Any], **other: Any) -> None:
        """Write a group's attributes where the version wants them."""
        if self.version == "0.4":
            group.attrs.update({**ome, **other})
        else:
            group.attrs.update({"ome": {"version": self.version, **ome}, **other})

    def _versioned(self, values: dict[str, Any]) -> dict[str, Any]:
        """With the version in it, which 0.5 has in one place only."""
        return {"version": self.version, **values} if self.version == "0.4" else values

    def _multiscales(self, name: str, method: str, scales: dict[str, Any]) -> dict[str, Any]:
        """The list of one image at several resolutions."""
        return {"multiscales": [self._versioned({"name": name, "type": method, **scales})]}

    def _omero(self, field: Field) -> dict[str, Any]:
        """How the channels are shown."""
        channels = [_channel(field, key) for key in field.present]
        values = {"name": field.name, "channels": channels, "rdefs": {"model": "color"}}
        return self._versioned(values)

    def _image_label(
        self, ids: NDArray[np.int32], properties: Mapping[int, dict[str, Any]]
    ) -> dict[str, Any]:
        """Colours and properties of the labels that occur; the lists may not be empty."""
        found = [cell for cell in np.unique(ids).tolist() if cell]
        lists: dict[str, Any] = {"source": {"image": "../../"}}
        if found:
            lists["colors"] = [
                {"label-value": cell, "rgba": properties[cell]["rgba"]} for cell in found
            ]
            lists["properties"] = [
                {"label-value": cell, **properties[cell]["properties"]} for cell in found
            ]
        return self._versioned(lists)


def _channel(field: Field, key: str) -> dict[str, Any]:
    """Name, colour and contrast of a channel."""
    channel = next(c for c in CHANNELS if c.key == key)
    plane = field.channel(key)
    start, end = display_window(plane)
    return {
        "label": channel.name,
        "color": channel.color.removeprefix("#"),
        "active": True,
        "coefficient": 1,
        "family": "linear",
        "inverted": False,
        "window": {"start": start, "end": end, "min": 0.0, "max": max(end, field.full_scale)},
    }


def _properties(result: FieldResult) -> dict[int, dict[str, Any]]:
    """Colour and properties by cell id; plain numbers, words and booleans."""
    predictions = result.predictions()
    table = result.table()
    rows = zip(table["cell_id"], table.to_dict("records"), strict=True)
    return {
        int(cell): {
            "rgba": [*color.tolist(), 255],
            "properties": {
                "class": prediction.title,
                **{name: _plain(row[name]) for name in _PROPERTIES},
            },
        }
        for (cell, row), prediction, color in zip(
            rows, predictions, cell_colors(predictions), strict=True
        )
    }


def _plain(value: Any) -> Any:
    """Fractions to six significant digits; the rest as it is."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _own(result: FieldResult) -> dict[str, Any]:
    """What the format has no place for."""
    field = result.field
    return {
        "field": field.name,
        "missing_channels": sorted(field.missing),
        "pixel_size_source": field.pixel_size_source,
        "n_cells": result.n_cells,
        "threshold": float(result.threshold),
        "notes": [*field.notes, *result.notes],
        "extra": dict(field.extra),
    }
