"""The official HPA Cell Segmentator: its two networks, its input and its labelling, in code of our own.

The weights are the published ones, which a person downloads into the model store. The networks' layers stand in
`_networks/dpn_unet.py`; this module holds what one calls: the backend, the network, and the labelling.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from organelle_widgets.core.maps import ProbabilityMaps
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.settings import setting
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.segmentation import _hpa_upstream
from organelle_widgets.segmentation._base import SEGMENTERS, MapSegmenter
from organelle_widgets.segmentation._hpa_input import WORK_UM, planes
from organelle_widgets.segmentation._hpa_labels import PUBLISHED_UM, Limits, exact, fast
from organelle_widgets.segmentation._hpa_run import checksums, locate, run
from organelle_widgets.segmentation._hpa_weights import cached_network
from organelle_widgets.segmentation._scale import resample

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["Hpa", "build_network", "label_cells"]

logger = logging.getLogger(__name__)

MAP_NAMES = ("nucleus border", "nucleus", "cell border", "cell")
_WEIGHTS = ("hpa-nuclei", "hpa-cells", "hpa-cells-no-er")


@SEGMENTERS.register(
    "hpa",
    title="HPA Cell Segmentator",
    requires=("torch",),
    install="python -m pip install torch",
)
@dataclass(frozen=True)
class Hpa(MapSegmenter):
    """The Human Protein Atlas's own networks: one for nuclei, one for cells, both at 0.32 um.

    The weights are not part of this package: ``organelle-widgets models download hpa-nuclei`` and ``hpa-cells``
    (``hpa-cells-no-er`` for fields without ER) fetch them; their TorchScript forms do as well.

    Microtubules that are missing were not foreseen by the published networks: the ER takes their place in the
    network for fields without ER, or the protein if that is missing too. Expect less of the cells' outlines then.

    Parameters
    ----------
    labelling : {"fast", "exact"}
        How cells are outlined; see `label_cells`.
    nucleus_threshold : float
        Probability from which a pixel is nucleus.
    cell_threshold : float
        Probability from which a pixel is cell, at least; half of Otsu's threshold where that is more.
    min_nucleus_area_um2, min_cell_area_um2 : float
        Smaller nuclei and cells are dropped, um2.
    engine : {"own", "upstream"}
        ``"upstream"`` runs the original program `hpacellseg`, where it is installed, on the same weights: to compare.
        It has its thresholds and areas fixed, labels at full size, and can't tell more than 255 cells.
    precision : {"float32", "bfloat16"}
        ``"bfloat16"`` takes half of the memory and, on processors with instructions for it (AMX), a third of the
        time; probabilities change by about 0.001.

    Raises
    ------
    SettingsError
        If a setting is out of its range.

    References
    ----------
    https://github.com/CellProfiling/HPA-Cell-Segmentation; weights: doi:10.5281/zenodo.4665863,
    doi:10.5281/zenodo.6200999 and doi:10.5281/zenodo.6200635.
    """

    map_settings: ClassVar[tuple[str, ...]] = ("engine", "precision")

    labelling: Literal["fast", "exact"] = setting(
        "fast",
        label="Labelling",
        choices=("fast", "exact"),
        help="Exact follows the published program pixel by pixel; fast takes a tenth of the time.",
    )
    nucleus_threshold: float = setting(
        0.4,
        label="Nucleus threshold",
        minimum=0.3,
        maximum=0.95,
        step=0.05,
        help="Probability from which a pixel is nucleus; lower makes larger nuclei and more of them.",
    )
    cell_threshold: float = setting(
        0.22,
        label="Cell threshold",
        minimum=0.02,
        maximum=0.95,
        step=0.01,
        help="Probability from which a pixel is cell, at least; higher makes smaller cells.",
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
        35.2,
        label="Smallest cell",
        unit="um2",
        minimum=0,
        maximum=5000,
        step=0.1,
        help="Cells smaller than this are dropped, with their nuclei.",
    )
    engine: Literal["own", "upstream"] = setting(
        "own",
        label="Program",
        choices=("own", "upstream"),
        help="Upstream runs the original hpacellseg, where it is installed, with its fixed thresholds.",
    )
    precision: Literal["float32", "bfloat16"] = setting(
        "float32",
        label="Precision",
        choices=("float32", "bfloat16"),
        help="Half precision (bfloat16) needs half of the memory and is faster on some processors.",
    )

    def provenance(self) -> dict[str, Any]:
        """Name, settings, and the sha256 of the weights that are here."""
        return {**super().provenance(), "weights": checksums(_WEIGHTS)}

    def _predict(self, field: Field) -> ProbabilityMaps:
        if self.engine == "upstream":
            _hpa_upstream.check_installed()
        if "red" in field.missing:
            logger.warning("%s has no microtubules; outlines of cells are rough.", field.name)
        er = not field.missing & {"red", "yellow"}
        paths = [locate("hpa-nuclei"), locate("hpa-cells" if er else "hpa-cells-no-er")]
        seen = planes(field)
        values = self._run(paths, seen, er=er)
        return ProbabilityMaps(
            values, MAP_NAMES, field.shape, self.made_by, WORK_UM / field.pixel_size_um
        )

    def _run(self, paths: list[Path], seen: NDArray[np.float32], *, er: bool) -> NDArray[np.uint8]:
        """The four maps of an image."""
        if self.engine == "upstream":
            nuclei, cells = (cached_network(path) for path in paths)
            return _hpa_upstream.predict(nuclei, cells, seen, er=er)
        images = (seen[[2, 2, 2]], seen)
        maps = [
            run(cached_network(path, self.precision), image)
            for path, image in zip(paths, images, strict=True)
        ]
        return np.concatenate(maps)

    def _label(self, field: Field, maps: ProbabilityMaps) -> Masks:
        limits = Limits(
            self.nucleus_threshold,
            self.cell_threshold,
            self.min_nucleus_area_um2,
            self.min_cell_area_um2,
        )
        if self.engine == "own" and self.labelling == "fast":
            return Masks(*fast(maps.values, field.shape, field.pixel_size_um, limits))
        large = maps.values.repeat(4, 1).repeat(4, 2)
        found = (
            _hpa_upstream.label(large)
            if self.engine == "upstream"
            else exact(large, PUBLISHED_UM, limits)
        )
        return Masks(*(_sampled(labels, field.shape) for labels in found))


def build_network() -> torch.nn.Module:
    """The network of the HPA Cell Segmentator: a U-Net on a DPN-92 encoder, with random weights.

    Returns
    -------
    torch.nn.Module
        In eval mode. Names, order and shapes of its state dict (595 entries, 139,108,867 parameters) are those
        of the published weights. Takes float32, shape (N, 3, Y, X), sides multiples of 32; returns logits of the
        same shape: unused, border, body.

    References
    ----------
    Chen et al. 2017, https://arxiv.org/abs/1707.01629 (dual path networks); Ronneberger, Fischer and Brox 2015,
    doi:10.1007/978-3-319-24574-4_28 (U-Net).
    """
    from organelle_widgets.segmentation._networks.dpn_unet import DpnUnet

    network: torch.nn.Module = DpnUnet().eval()
    return network


def label_cells(
    nuclei_prediction: NDArray[Any],
    cell_prediction: NDArray[Any],
    mode: str = "exact",
    *,
    pixel_size_um: float = PUBLISHED_UM,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Outline nuclei and cells in the two networks' predictions.

    Parameters
    ----------
    nuclei_prediction, cell_prediction : ndarray of uint8 or float, shape (Y, X, 3)
        Probabilities of unused, border and body: 0 to 255, or floats in [0, 1], which are rounded to 8 bits as
        the published program does.
    mode : {"exact", "fast"}
        ``"exact"`` is the published algorithm, pixel by pixel. ``"fast"`` does the same at 0.32 um and enlarges
        the labels with smooth borders: about a tenth of the time, the same cells, outlines within two pixels.
    pixel_size_um : float
        Micrometres per pixel of the predictions. Sizes were published for 0.08 and are kept in um and um2.

    Returns
    -------
    nuclei, cells : ndarray of int32, shape (Y, X)
        0 is background; a nucleus has the id of its cell.

    Raises
    ------
    InputError
        If shapes, dtypes or values are not those of predictions.
    SettingsError
        If `mode` is unknown.

    Notes
    -----
    Nuclei: body over 0.4, parted from seeds without border; cells: a watershed from the nuclei over the cells'
    body, closed by 0.48 um, holes filled, then a second one into the borders; at least 16 and 35.2 um2.

    What the published program gets wrong and this does not: it turns predictions that are not square; sums of
    two borders wrap around at 256; labels kept in 8 bits lose the 256th cell; it needs `numpy.bool`'s and
    scikit-image's former names; it keeps an image's size on the object, which is not safe between threads.

    What it does by accident and is kept, because the published masks depend on it: excluding borders from the
    first watershed has no effect (a bitwise inverse of 0 or 1 is always true), so cells are not cut at borders;
    clipping the body's probability from below has none either, because its upper bound is the image itself.

    References
    ----------
    `label_cell` in https://github.com/CellProfiling/HPA-Cell-Segmentation/blob/7b6dbc6/hpacellseg/utils.py.
    """
    if mode not in ("exact", "fast"):
        message = f"Expected the mode exact or fast; found {mode!r}."
        raise SettingsError(message)
    maps = _maps(nuclei_prediction, cell_prediction)
    if mode == "exact":
        return exact(maps, pixel_size_um, Limits())
    small = np.stack([resample(plane, WORK_UM / pixel_size_um) for plane in maps])
    return fast(np.rint(small).astype(np.uint8), maps.shape[1:], pixel_size_um, Limits())


def _maps(nuclei: NDArray[Any], cells: NDArray[Any]) -> NDArray[np.uint8]:
    """Nucleus border, nucleus, cell border and cell of two predictions: uint8, shape (4, Y, X)."""
    nuclei, cells = _as_bytes("nuclei", nuclei), _as_bytes("cells", cells)
    if nuclei.shape != cells.shape:
        message = (
            f"Expected predictions of one shape; found nuclei {nuclei.shape}, cells {cells.shape}."
        )
        raise InputError(message)
    return np.stack([image[..., index] for image in (nuclei, cells) for index in (1, 2)])


def _as_bytes(name: str, prediction: NDArray[Any]) -> NDArray[np.uint8]:
    """A prediction as uint8, or an error that says what is wrong with it."""
    prediction = np.asarray(prediction)
    if prediction.ndim != 3 or prediction.shape[2] != 3 or 0 in prediction.shape:
        message = f"Expected a prediction of {name} of shape (Y, X, 3); found {prediction.shape}."
        raise InputError(message)
    if prediction.dtype == np.uint8:
        return prediction
    if not np.issubdtype(prediction.dtype, np.floating):
        message = f"Expected a prediction of {name} of uint8 or floats; found {prediction.dtype}."
        raise InputError(message)
    low, high = float(prediction.min()), float(prediction.max())
    if not (low >= 0 and high <= 1):
        message = f"Expected probabilities of {name} in [0, 1]; found {low:g} to {high:g}."
        raise InputError(message)
    scaled: NDArray[np.uint8] = np.rint(prediction * 255).astype(np.uint8)
    return scaled


def _sampled(labels: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    """Labels on a grid of another shape over the same area, by the nearest pixel."""
    if labels.shape == shape:
        return labels
    rows, cols = (
        ((np.arange(fine) + 0.5) * (size / fine)).astype(int)
        for size, fine in zip(labels.shape, shape, strict=True)
    )
    return labels[np.ix_(rows, cols)]
