"""The embedded segmenter: a small U-Net whose weights come with the package.

What it was trained on, and how it scores on fields that it never saw, stands in its model card,
``weights/unet.json``. How it is trained belongs in `organelle_widgets.training`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from organelle_widgets.core.maps import ProbabilityMaps
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.quality import likely_pixel_size_um
from organelle_widgets.core.settings import setting
from organelle_widgets.segmentation._base import SEGMENTERS, MapSegmenter
from organelle_widgets.segmentation._scale import drop_small, enlarge
from organelle_widgets.segmentation._unet_input import (
    WORK_UM,
    has_contrast,
    input_ratio,
    network_input,
)
from organelle_widgets.segmentation._unet_labels import (
    join_lobes,
    join_specks,
    outline_cells,
    outline_nuclei,
)
from organelle_widgets.segmentation._unet_weights import load_network, read_card, run_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["MAP_NAMES", "UNET_WEIGHTS", "UNet"]

UNET_WEIGHTS = Path(__file__).parent / "weights" / "unet.safetensors"
"""The weights of the package; their card has the same name and ends in ``.json``."""

MAP_NAMES = ("nucleus", "nucleus depth", "cell", "cell border")
"""What the network's planes are."""

_USUAL_PX = (
    450.0,
    4500.0,
)  # median area of nuclei that the network knows well, in its pixels: 46 to 460 um2
_TYPICAL_PX = 1200.0
_LEAST_PX = 30


@SEGMENTERS.register("unet", title="Embedded U-Net", requires=("torch", "safetensors"))
@dataclass(frozen=True)
class UNet(MapSegmenter):
    """A small U-Net that sees microtubules, nuclei and ER at 0.32 um/px, and watersheds in its maps.

    1. The network says of every pixel how likely it is nucleus, how deep in the nucleus, how likely cell, and how
       likely border between two cells.
    2. Nuclei: probability above `nucleus_threshold`; touching ones are parted by a watershed on depth. Those whose
       mean probability is less than half-way from the threshold to 1 and those too small are dropped; then touching
       ones are joined again where no border between cells runs between them (lobes of one nucleus).
    3. Cells: probability above `cell_threshold`, grown from the nuclei by a watershed on the borders.

    Where nuclei turn out much smaller or larger than those of the cells that it learnt from, the network runs once
    more at a scale at which they are usual. Microtubules or ER may be missing; where both are, the protein's own
    stain shows the cytoplasm, and every cell gets at least 4 um of it. Where the pixel size is only assumed and
    nuclei can't be right with it, cells are sought at the one that fits
    (`organelle_widgets.core.quality.likely_pixel_size_um`). Changing any setting but `weights` needs no new run of
    the network.

    Parameters
    ----------
    nucleus_threshold : float
        Probability from which a pixel is nucleus.
    cell_threshold : float
        Probability from which a pixel is cell.
    min_nucleus_area_um2 : float
        Smaller nuclei are dropped, um2.
    min_cell_area_um2 : float
        Smaller cells are dropped with their nuclei, um2; not where no stain shows the cytoplasm.
    weights : str
        Path of other weights, written by `organelle_widgets.training.train_segmenter`; the package's by default.

    Raises
    ------
    SettingsError
        If a setting is out of its range.
    WeightsError
        On first use, if the weights are missing or not those of their card.

    References
    ----------
    Ronneberger, Fischer and Brox 2015, doi:10.1007/978-3-319-24574-4_28 (U-Net). Seeds from a network's distance
    map and watersheds: Naylor et al. 2019, doi:10.1109/TMI.2018.2865709.
    """

    map_settings: ClassVar[tuple[str, ...]] = ()

    nucleus_threshold: float = setting(
        0.6,
        label="Nucleus threshold",
        minimum=0.05,
        maximum=0.95,
        step=0.05,
        help="How sure the network must be that a pixel is nucleus; lower finds dimmer and larger nuclei.",
    )
    cell_threshold: float = setting(
        0.6,
        label="Cell threshold",
        minimum=0.05,
        maximum=0.95,
        step=0.05,
        help="How sure the network must be that a pixel is cell; lower makes larger cells.",
    )
    min_nucleus_area_um2: float = setting(
        6.0,
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
    weights: str = ""

    @property
    def path(self) -> Path:
        """Where the weights are."""
        return Path(self.weights) if self.weights else UNET_WEIGHTS

    def provenance(self) -> dict[str, Any]:
        """Name, settings, and version and sha256 of the weights, as their card has them."""
        card = read_card(self.path)
        used = {key: card[key] for key in ("sha256", "version") if key in card}
        return {**super().provenance(), "weights": used}

    def _predict(self, field: Field) -> ProbabilityMaps:
        network = load_network(self.path)
        ratio = input_ratio(likely_pixel_size_um(field), field.shape)
        values = run_network(network, network_input(field, ratio))
        zoom = _zoom(values)
        better = input_ratio(WORK_UM / (ratio * zoom), field.shape)
        if zoom != 1 and better != ratio:
            again = run_network(network, network_input(field, better))
            if abs(math.log(_zoom(again))) < abs(math.log(zoom)):
                ratio, values = better, again
        return ProbabilityMaps(values, MAP_NAMES, field.shape, self.made_by, ratio)

    def _label(self, field: Field, maps: ProbabilityMaps) -> Masks:
        nucleus, depth, cell, border = (maps.probability(name) for name in MAP_NAMES)
        um = likely_pixel_size_um(field) * maps.ratio
        nuclei = outline_nuclei(
            nucleus,
            depth,
            threshold=self.nucleus_threshold,
            smallest=self.min_nucleus_area_um2 / um**2,
        )
        stained = any(has_contrast(field, key) for key in ("red", "yellow", "green"))
        if stained:
            nuclei = join_lobes(nuclei, border)
        else:
            cell, border = np.zeros_like(cell), np.zeros_like(border)
        cells = outline_cells(
            cell, border, nuclei, threshold=self.cell_threshold, um=um, stained=stained
        )
        cells = join_specks(cells, nuclei, border) if stained else cells
        cells = drop_small(cells, self.min_cell_area_um2 / um**2 if stained else 1)
        nuclei = np.where(nuclei > 0, cells, 0)
        nuclei, cells = (enlarge(labels, maps.ratio, field.shape) for labels in (nuclei, cells))
        return Masks(np.where(nuclei == cells, nuclei, 0), cells)


def _zoom(values: NDArray[np.uint8]) -> float:
    """How many times wider the network's pixels should be for nuclei to have their usual area; 1 if they have."""
    nucleus, depth = values[0] * np.float32(1 / 255), values[1] * np.float32(1 / 255)
    nuclei = outline_nuclei(nucleus, depth, threshold=UNet.nucleus_threshold, smallest=_LEAST_PX)
    areas = np.bincount(nuclei.ravel())[1:]
    if not areas.size or _USUAL_PX[0] <= np.median(areas) <= _USUAL_PX[1]:
        return 1.0
    return float(np.sqrt(np.median(areas) / _TYPICAL_PX))
