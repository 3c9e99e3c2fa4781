"""The masks as label images, for Fiji, QuPath, napari and CellProfiler."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from organelle_widgets.export._base import EXPORTERS, Exporter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.core.results import FieldResult

__all__ = ["CellMaskExporter", "NucleusMaskExporter"]


class _MaskExporter(Exporter):
    """A mask as OME-TIFF: each pixel holds the id of its cell, 0 is background."""

    filename: ClassVar[str]
    mimetype: ClassVar[str] = "image/tiff"
    by_default: ClassVar[bool] = True
    mask: ClassVar[str]

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the labels, with the pixel size both as OME metadata and as TIFF resolution."""
        import tifffile

        labels: NDArray[np.int32] = getattr(result.masks, self.mask)
        n_labels = np.count_nonzero(np.bincount(labels.ravel())[1:])
        size = result.field.pixel_size_um
        name = f"{result.field.name} {self.mask}"
        found = f"{n_labels} {self.mask}" if n_labels else f"No {self.mask} found"
        tifffile.imwrite(
            path,
            labels.astype(np.uint16 if labels.max() <= 65535 else np.uint32),
            ome=True,
            compression="zlib",
            photometric="minisblack",
            resolution=(1e4 / size, 1e4 / size),
            resolutionunit="CENTIMETER",
            software="organelle_widgets",
            metadata={
                "axes": "YX",
                "Name": name,
                "UUID": str(uuid5(NAMESPACE_OID, f"{name} {sha256(labels.tobytes()).hexdigest()}")),
                "Description": f"{found}. Each pixel holds the id of its cell; 0 is background.",
                "PhysicalSizeX": size,
                "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": size,
                "PhysicalSizeYUnit": "µm",
            },
        )


@EXPORTERS.register("cells_tiff", title="Mask of the cells (TIFF)")
@dataclass(frozen=True)
class CellMaskExporter(_MaskExporter):
    """The cells as a label image: uint16, or uint32 where an id is above 65535; zlib, with pixel size."""

    filename: ClassVar[str] = "cells.tif"
    mask: ClassVar[str] = "cells"


@EXPORTERS.register("nuclei_tiff", title="Mask of the nuclei (TIFF)")
@dataclass(frozen=True)
class NucleusMaskExporter(_MaskExporter):
    """The nuclei as a label image whose ids are those of their cells: uint16 or uint32, with pixel size."""

    filename: ClassVar[str] = "nuclei.tif"
    mask: ClassVar[str] = "nuclei"
