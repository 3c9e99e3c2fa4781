"""Nuclei and cells by InstanSeg, a small network of the package ``instanseg-torch`` that takes any stains.

Only what lies between a `Field` and InstanSeg belongs here: its input, its scale and the ids of what it finds.
"""

from __future__ import annotations

import importlib
import os
import threading
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.masks import Masks
from organelle_widgets.core.settings import setting
from organelle_widgets.errors import SegmentationError, WeightsError
from organelle_widgets.segmentation._base import SEGMENTERS, Segmenter
from organelle_widgets.segmentation._pairing import pair_nuclei
from organelle_widgets.segmentation._scale import drop_small, enlarge
from organelle_widgets.segmentation._stains import cytoplasm_stains, stretched, work_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["InstanSeg"]

_MODEL = "fluorescence_nuclei_and_cells"
_RELEASES = "https://github.com/instanseg/instanseg/releases"
_PERCENT = 0.1
"""InstanSeg stretches every channel from its 0.1st to its 99.9th percentile."""

_WORK_UM = 0.5
"""Width of a pixel that the model was trained at, um."""

_COARSEST_UM = 2.0
"""Coarser fields are taken to have pixels of this width, so that enlarging them does not fill the memory."""

_SMALLEST = 64
"""Rows and columns that the network needs: it cuts windows of 64 pixels around what it finds."""

_ONE_AT_A_TIME = threading.Lock()
"""Held while the network is loaded or runs: two at once would need twice the memory."""


@SEGMENTERS.register(
    "instanseg",
    title="InstanSeg",
    requires=("instanseg",),
    install="python -m pip install instanseg-torch",
)
@dataclass(frozen=True)
class InstanSeg(Segmenter):
    """Nuclei and cells together, by InstanSeg's model for fluorescence images.

    The network sees the nuclei with microtubules and ER (with the protein where both are missing), shrunk to 0.5 um
    a pixel. It makes nuclei and cells agree itself and keeps one nucleus in a cell: a further nucleus becomes a cell
    of its own. No cell can be wider than 32 um, the window in which the model looks around its centre.

    Model and code are under the Apache-2.0 licence. InstanSeg fetches the model by itself when it is first used and
    keeps it in the folder that ``INSTANSEG_BIOIMAGEIO_PATH`` names, or beside its code.

    Raises
    ------
    WeightsError
        On use, if the model is not there and can't be fetched, or is damaged.
    SegmentationError
        If the network fails, for instance for want of memory.

    References
    ----------
    Goldsborough et al. 2024, doi:10.48550/arXiv.2408.15954 (InstanSeg), doi:10.1101/2024.09.04.611150 (nuclei and
    cells, any stains). Code and models: https://github.com/instanseg/instanseg.
    """

    min_nucleus_area_um2: float = setting(
        16.0,
        label="Smallest nucleus",
        unit="um2",
        minimum=0,
        maximum=500,
        step=1,
        help="Nuclei smaller than this are dropped; higher removes more debris.",
    )
    min_cell_area_um2: float = setting(
        35.0,
        label="Smallest cell",
        unit="um2",
        minimum=0,
        maximum=5000,
        step=5,
        help="Cells smaller than this are dropped, with their nuclei.",
    )

    def _segment(self, field: Field) -> Masks:
        ratio = work_ratio(field, _WORK_UM)
        stains = ("blue", *cytoplasm_stains(field))
        image = np.stack([stretched(field, key, ratio, _PERCENT) for key in stains])
        if not image.any():
            return Masks(np.zeros(field.shape, np.int32), np.zeros(field.shape, np.int32))
        found = (enlarge(labels, ratio, field.shape) for labels in self._run(image, field, ratio))
        areas = (self.min_nucleus_area_um2, self.min_cell_area_um2)
        nuclei, cells = (
            drop_small(labels, um2 / field.pixel_size_um**2)
            for labels, um2 in zip(found, areas, strict=True)
        )
        return Masks(pair_nuclei(nuclei, cells), cells)

    def _run(
        self, image: NDArray[np.float32], field: Field, ratio: float
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Labels of nuclei and cells for an image of shape (C, Y, X)."""
        rows, cols = image.shape[1:]
        space = [(0, max(0, _SMALLEST - size)) for size in (rows, cols)]
        with _ONE_AT_A_TIME:
            model = _load()
            try:
                labels = model.eval_small_image(
                    np.pad(image, [(0, 0), *space], mode="edge"),
                    pixel_size=min(field.pixel_size_um * ratio, _COARSEST_UM),
                    return_image_tensor=False,
                )
            except (RuntimeError, ValueError, MemoryError) as error:
                message = f"Expected labels from InstanSeg; found an error: {error}"
                raise SegmentationError(message) from error
        nuclei, cells = labels.cpu().numpy()[0].astype(np.int32)[:, :rows, :cols]
        return nuclei, cells

    def provenance(self) -> dict[str, Any]:
        """Name, settings, version of InstanSeg and the model's name."""
        package = f"instanseg-torch {version('instanseg-torch')}"
        return {**super().provenance(), "package": package, "model": _MODEL}


@lru_cache(maxsize=1)
def _load() -> Any:
    """The network with its weights; it is kept."""
    module = importlib.import_module("instanseg")
    try:
        return module.InstanSeg(_MODEL, verbosity=0)
    except (OSError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        folder = os.environ.get("INSTANSEG_BIOIMAGEIO_PATH", "INSTANSEG_BIOIMAGEIO_PATH")
        message = f"Expected InstanSeg's model {_MODEL!r}; found that it can't be fetched or loaded: {error}"
        hint = (
            f"Download {_MODEL}.zip from {_RELEASES} and unpack it to {folder}/{_MODEL}/VERSION/instanseg.pt, "
            "with VERSION as in the release's name."
        )
        raise WeightsError(message, hint=hint) from error
