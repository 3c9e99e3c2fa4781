"""Segmentation by thresholds and seeded watersheds: no weights, no downloads, about a second a field.

Nuclei come first; each seeds one cell, which floods the cytoplasm stains around it. All work happens at about
0.32 um a pixel, where a nucleus is still some 40 px wide; the labels are then enlarged with smooth borders.
Sizes are micrometres throughout, so the settings mean the same at every magnification.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage as ndi
from skimage.filters import threshold_otsu
from skimage.morphology import local_maxima, reconstruction, remove_small_holes
from skimage.segmentation import watershed

from organelle_widgets.core.masks import Masks
from organelle_widgets.core.settings import setting
from organelle_widgets.segmentation._base import SEGMENTERS, Segmenter
from organelle_widgets.segmentation._scale import drop_small, enlarge, shrink

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["Watershed"]

_WORK_UM = 0.32  # micrometres per pixel at which labels are found
_HAZE = 0.65  # surroundings brighter than this share of a nucleus (square root scale) make it haze
_NEIGHBOURHOOD_UM = 16.0  # a nucleus is compared with the brightest one this near
_CYTOPLASM_SMOOTHING_UM = 1.0
_RING_UM = 4.0  # the ring around nuclei that tells how bright cytoplasm is
_HOLE_UM2 = 100.0  # vacuoles and gaps up to this size belong to the cell
_PULL_PER_UM = 0.05  # how much a micrometre from the nucleus counts against brightness (log units)
_REACH_UM = 50.0  # cytoplasm further from a nucleus than this is nobody's
_BLIND_REACH_UM = 20.0  # the same where only the protein's own stain shows the cytoplasm
_BLIND_RIM_UM = 4.0  # every cell's least cytoplasm then
_NOISE_FACTOR = 6.0  # signal is what exceeds the background by this many standard deviations


@SEGMENTERS.register("watershed", title="Watershed")
@dataclass(frozen=True)
class Watershed(Segmenter):
    """Nuclei by a local threshold, cells by a watershed that starts at the nuclei.

    1. Nuclei: smoothing, Otsu's threshold on the square root of intensity (halved) together with a share of
       the brightest intensity nearby; touching nuclei are parted at their waists.
    2. Cytoplasm: microtubules and ER (those that are there), each relative to its median around the nuclei;
       what exceeds `cell_threshold` is foreground. Where both are missing, the protein's stain is used, up to
       20 um around the nuclei.
    3. Cells: a watershed on log brightness and distance from the nuclei, so that borders run along dim lines
       between cells and else half-way.

    A cell has one nucleus or one lobed nucleus; cytoplasm without a visible nucleus, for instance of a cell
    cut by the field's edge, gives no cell. Parts of such cells may be added to their neighbours.

    Parameters
    ----------
    nucleus_smoothing_um : float
        Standard deviation of the Gaussian that smooths nuclei, um.
    nucleus_threshold : float
        Share of the brightest intensity nearby (16 um) that still is nucleus, on the square root scale.
    split_sensitivity : float
        Nuclei are parted where they touch in a waist narrower than this share of the thinner one's width.
    min_nucleus_area_um2 : float
        Smaller nuclei are dropped, um2.
    cell_threshold : float
        Cytoplasm dimmer than this share of the median around the nuclei is background.
    min_cell_area_um2 : float
        Smaller cells are dropped, um2.

    Raises
    ------
    SettingsError
        If a setting is out of its range.

    References
    ----------
    Otsu 1979, doi:10.1109/TSMC.1979.4310076 (threshold); Malpica et al. 1997,
    doi:10.1002/(SICI)1097-0320(19970801)28:4<289::AID-CYTO3>3.0.CO;2-7 (watershed of clustered nuclei);
    Jones, Carpenter and Golland 2005, doi:10.1007/11569541_54 (cells from nuclei by brightness and distance);
    Soille 2003, doi:10.1007/978-3-662-05088-0 (h-maxima). The smallest areas are those of the HPA Cell
    Segmentator, https://github.com/CellProfiling/HPA-Cell-Segmentation.
    """

    nucleus_smoothing_um: float = setting(
        0.8,
        label="Nucleus smoothing",
        unit="um",
        minimum=0.1,
        maximum=5,
        step=0.1,
        help="How much nuclei are blurred before they are outlined; more ignores speckles but loses detail.",
    )
    nucleus_threshold: float = setting(
        0.5,
        label="Nucleus threshold",
        minimum=0.1,
        maximum=0.9,
        step=0.05,
        help="How bright a nucleus must be compared with its brightest neighbour; lower finds dimmer nuclei.",
    )
    split_sensitivity: float = setting(
        0.67,
        label="Nucleus splitting",
        minimum=0.1,
        maximum=0.95,
        step=0.01,
        help="How shallow a waist parts touching nuclei; higher splits more, also lobed nuclei.",
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
    cell_threshold: float = setting(
        0.18,
        label="Cell threshold",
        minimum=0.02,
        maximum=0.9,
        step=0.01,
        help="How bright cytoplasm must be compared with that around the nuclei; lower makes larger cells.",
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
        factor = max(1, round(_WORK_UM / field.pixel_size_um))
        um = field.pixel_size_um * factor
        planes = {key: shrink(field.channel(key), factor) for key in field.present}
        nuclei = self._find_nuclei(planes["blue"], um)
        cells = self._find_cells(planes, nuclei, um)
        nuclei, cells = (enlarge(labels, factor, field.shape) for labels in (nuclei, cells))
        inner = (nuclei > 0) & (nuclei == cells)
        cells = drop_small(cells, self.min_cell_area_um2 / field.pixel_size_um**2)
        return Masks(np.where(inner, cells, 0), cells)

    def _find_nuclei(self, blue: NDArray[np.float32], um: float) -> NDArray[np.int32]:
        """Labels of nuclei."""
        signal = np.sqrt(_signal(blue, self.nucleus_smoothing_um / um))
        if not signal.any():
            return np.zeros(blue.shape, np.int32)
        reach = max(1, round(_NEIGHBOURHOOD_UM / um))
        nearby = ndi.gaussian_filter(ndi.maximum_filter(signal, reach), reach / 4)
        lowest = 0.5 * threshold_otsu(signal)
        inside = signal > np.maximum(lowest, self.nucleus_threshold * nearby)
        inside = ndi.binary_fill_holes(_open(inside, 0.5 / um))
        nuclei = drop_small(self._split(inside, um), self.min_nucleus_area_um2 / um**2)
        return _drop_haze(nuclei, signal, um)

    def _split(self, inside: NDArray[np.bool_], um: float) -> NDArray[np.int32]:
        """Labels of blobs, parted where the log of the distance to the rim dips deep enough between peaks."""
        depth = ndi.gaussian_filter(ndi.distance_transform_edt(inside), 0.5 / um)
        log_depth = np.where(inside, np.log(np.maximum(depth, 0.1)), math.log(0.1))
        filled = reconstruction(log_depth + math.log(self.split_sensitivity), log_depth)
        seeds, _ = ndi.label(local_maxima(filled) & inside, np.ones((3, 3)))
        labels: NDArray[np.int32] = watershed(-log_depth, seeds, mask=inside).astype(np.int32)
        return labels

    def _find_cells(
        self, planes: dict[str, NDArray[np.float32]], nuclei: NDArray[np.int32], um: float
    ) -> NDArray[np.int32]:
        """Labels of cells, with the ids of their nuclei."""
        if not nuclei.any():
            return nuclei
        distance = ndi.distance_transform_edt(nuclei == 0) * um
        brightness, sure = _cytoplasm(planes, distance, um)
        inside = (brightness > self.cell_threshold) & (distance < sure) | (nuclei > 0)
        if sure == _BLIND_REACH_UM:
            inside |= distance < _BLIND_RIM_UM
        inside = remove_small_holes(inside, max_size=int(_HOLE_UM2 / um**2))
        inside = _open(inside, 1.0 / um) | (nuclei > 0)
        relief = _PULL_PER_UM * distance - np.log(brightness + 0.05)
        labels: NDArray[np.int32] = watershed(relief, nuclei, mask=inside, connectivity=2).astype(
            np.int32
        )
        return labels


def _signal(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """The smoothed plane above its background; 0 where it does not stand out of the noise."""
    smooth = ndi.gaussian_filter(plane, sigma)
    above = smooth - np.percentile(smooth, 2)
    rough = plane - smooth
    noise = 1.4826 * np.median(np.abs(rough - np.median(rough)))
    noise *= min(1.0, 1 / (2 * math.sqrt(math.pi) * sigma))  # what smoothing leaves of white noise
    signal: NDArray[np.float32] = np.where(above > _NOISE_FACTOR * noise, above, 0)
    return signal


def _cytoplasm(
    planes: dict[str, NDArray[np.float32]], distance: NDArray[np.float64], um: float
) -> tuple[NDArray[np.float32], float]:
    """Brightness relative to the rings around nuclei, and how far from nuclei it may be trusted, um."""
    ring = (distance > 0) & (distance < max(_RING_UM, 2 * um))
    for keys, reach in ((("red", "yellow"), _REACH_UM), (("green",), _BLIND_REACH_UM)):
        stains = []
        for key in keys:
            signal = _signal(planes[key], _CYTOPLASM_SMOOTHING_UM / um) if key in planes else None
            level = np.median(signal[ring]) if signal is not None and ring.any() else 0
            if signal is not None and level > 0:
                stains.append(signal / level)
        if stains:
            return np.mean(stains, axis=0, dtype=np.float32), reach
    return np.zeros(distance.shape, np.float32), _BLIND_REACH_UM


def _open(inside: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Binary opening: what is thinner than about twice `radius` pixels goes."""
    opened: NDArray[np.bool_] = ndi.binary_opening(inside, iterations=max(1, round(radius)))
    return opened


def _drop_haze(
    nuclei: NDArray[np.int32], signal: NDArray[np.float32], um: float
) -> NDArray[np.int32]:
    """The nuclei that stand out from the ring of 1 to 3 um around them."""
    ids = np.arange(1, int(nuclei.max()) + 1)
    if not ids.size:
        return nuclei
    distance, (rows, cols) = ndi.distance_transform_edt(nuclei == 0, return_indices=True)
    around = np.where((distance * um > 1) & (distance * um < 3), nuclei[rows, cols], 0)
    inner, outer = (np.nan_to_num(ndi.median(signal, labels, ids)) for labels in (nuclei, around))
    hazy = np.concatenate([[False], outer > _HAZE * inner])
    return np.where(hazy[nuclei], 0, nuclei).astype(np.int32)
