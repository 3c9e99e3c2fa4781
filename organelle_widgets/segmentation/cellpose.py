"""Cells and nuclei by Cellpose-SAM, a general network of the package ``cellpose`` (version 4).

Only what lies between a `Field` and Cellpose belongs here: its input, its scale and the ids of what it finds. The
network and its weights are Cellpose's own and are not part of this package.
"""

from __future__ import annotations

import importlib
import os
import pickle
import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.masks import Masks
from organelle_widgets.core.settings import setting
from organelle_widgets.errors import BackendUnavailableError, SegmentationError, WeightsError
from organelle_widgets.segmentation._base import SEGMENTERS, Segmenter
from organelle_widgets.segmentation._checksum import sha256_of
from organelle_widgets.segmentation._pairing import pair_nuclei
from organelle_widgets.segmentation._scale import drop_small, enlarge
from organelle_widgets.segmentation._stains import cytoplasm_stains, stretched, work_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["Cellpose"]

_INSTALL = 'python -m pip install "cellpose>=4.0.5"'
_URL = "https://huggingface.co/mouseland/cellpose-sam/resolve/main"
_PERCENT = 1.0
"""Cellpose stretches every channel from its 1st to its 99th percentile."""

_ONE_AT_A_TIME = threading.Lock()
"""Held while the network is loaded or runs: two at once would need twice the memory."""


@SEGMENTERS.register(
    "cellpose",
    title="Cellpose-SAM (weights not for commercial use)",
    requires=("cellpose",),
    install=_INSTALL,
)
@dataclass(frozen=True)
class Cellpose(Segmenter):
    """Cells from cytoplasm and nuclei, then nuclei from their stain alone, by Cellpose-SAM.

    The network is run twice. Its first run sees the mean of microtubules and ER (the protein where both are
    missing) beside the nuclei, its second the nuclei alone. A nucleus belongs to the cell that holds most of it,
    several may belong to one cell, and a nucleus outside every cell is dropped. A GPU is used where torch finds one;
    on a CPU a field of 2048 x 2048 pixels takes minutes.

    The weights were trained on data under CC-BY-NC: not for commercial use. They are a file of 1.2 GB that a person
    has to fetch. Cellpose could do so itself, but it switches off the check of certificates for the whole process
    meanwhile, so it is not asked to.

    Raises
    ------
    BackendUnavailableError
        On use, if the Cellpose installed is older than version 4.0.5.
    WeightsError
        On use, if the weights are not there or damaged; the message says what to fetch and where to put it.
    SegmentationError
        If the network fails, for instance for want of memory.

    References
    ----------
    Pachitariu, Rariden and Stringer 2025, doi:10.1101/2025.04.28.651001 (Cellpose-SAM).
    Weights: https://huggingface.co/mouseland/cellpose-sam. Code: https://github.com/MouseLand/cellpose.
    """

    weights: str = setting(
        "cpsam_v2",
        label="Weights",
        choices=("cpsam_v2", "cpsam"),
        help="Name of the weight file, for non-commercial use only; cpsam is the first one, of Cellpose 4.0.",
    )
    work_um: float = setting(
        0.4,
        label="Pixel size for the network",
        unit="um",
        minimum=0.2,
        maximum=1.0,
        step=0.05,
        help="The field is shrunk to pixels of this width; smaller ones show more detail and take longer.",
    )
    cell_threshold: float = setting(
        0.0,
        label="Cell threshold",
        minimum=-6,
        maximum=6,
        step=0.5,
        help="How sure the network must be of a pixel; lower finds more and larger cells.",
    )
    flow_threshold: float = setting(
        0.4,
        label="Shape check",
        minimum=0,
        maximum=3,
        step=0.1,
        help="How far an outline may be from what the network expects; higher keeps more cells, 0 keeps all.",
    )
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
        ratio = work_ratio(field, self.work_um)
        nuclei_plane = stretched(field, "blue", ratio, _PERCENT)
        stains = [stretched(field, key, ratio, _PERCENT) for key in cytoplasm_stains(field)]
        cytoplasm: NDArray[np.float32] = np.asarray(np.mean(stains, axis=0, dtype=np.float32))
        cells = self._found((cytoplasm, nuclei_plane), field, ratio, self.min_cell_area_um2)
        nuclei = self._found((nuclei_plane,), field, ratio, self.min_nucleus_area_um2)
        return Masks(pair_nuclei(nuclei, cells), cells)

    def _found(
        self, planes: tuple[NDArray[np.float32], ...], field: Field, ratio: float, um2: float
    ) -> NDArray[np.int32]:
        """Labels of what the network sees in these planes, on the field's pixels, small ones dropped."""
        if not any(plane.any() for plane in planes):
            return np.zeros(field.shape, np.int32)
        image = np.zeros((*planes[0].shape, 3), np.float32)
        for channel, plane in enumerate(planes):
            image[..., channel] = plane
        labels = enlarge(self._run(image), ratio, field.shape)
        return drop_small(labels, um2 / field.pixel_size_um**2)

    def _run(self, image: NDArray[np.float32]) -> NDArray[np.int32]:
        """Labels of the network for an image of shape (Y, X, 3)."""
        with _ONE_AT_A_TIME:
            model = _load(str(_weight_file(self.weights)))
            try:
                labels = model.eval(
                    image,
                    channel_axis=-1,
                    flow_threshold=self.flow_threshold,
                    cellprob_threshold=self.cell_threshold,
                )[0]
            except (RuntimeError, ValueError, MemoryError) as error:
                message = f"Expected labels from Cellpose; found an error: {error}"
                hint = "A larger pixel size for the network needs less memory."
                raise SegmentationError(message, hint=hint) from error
        return np.asarray(labels).astype(np.int32).reshape(image.shape[:2])

    def provenance(self) -> dict[str, Any]:
        """Name, settings, version of Cellpose and, where the weights are there, their sha256."""
        path = _weight_path(self.weights)
        found = {"weights_sha256": sha256_of(path)} if path.is_file() else {}
        return {**super().provenance(), "package": f"cellpose {version('cellpose')}", **found}


def _weight_path(name: str) -> Path:
    """Where Cellpose keeps weights of that name."""
    folder = os.environ.get("CELLPOSE_LOCAL_MODELS_PATH")
    return (Path(folder) if folder else Path.home() / ".cellpose" / "models") / name


def _weight_file(name: str) -> Path:
    """The weight file; an error that says how to get it where it is missing."""
    path = _weight_path(name)
    if path.is_file():
        return path
    message = f"Expected the weights {name!r} of Cellpose-SAM (1.2 GB) at {path}; found no file."
    hint = (
        f"Download {_URL}/{name} (trained on CC-BY-NC data: not for commercial use) and put it there, or set "
        "CELLPOSE_LOCAL_MODELS_PATH to the folder that holds it."
    )
    raise WeightsError(message, hint=hint)


@lru_cache(maxsize=1)
def _load(path: str) -> Any:
    """The network with its weights; one is kept."""
    found = version("cellpose")
    if [int(part) for part in re.findall(r"\d+", found)[:3]] < [4, 0, 5]:
        message = f"Expected Cellpose 4.0.5 or newer; found version {found}."
        raise BackendUnavailableError(message, hint=f"Install it with: {_INSTALL}")
    torch = importlib.import_module("torch")
    gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    try:
        return importlib.import_module("cellpose.models").CellposeModel(
            gpu=gpu, pretrained_model=path, use_bfloat16=gpu
        )
    except (RuntimeError, ValueError, OSError, EOFError, pickle.UnpicklingError) as error:
        message = f"Expected weights of Cellpose-SAM; found that they can't be loaded: {error}"
        raise WeightsError(message, source=path, hint="Download the file again.") from error
