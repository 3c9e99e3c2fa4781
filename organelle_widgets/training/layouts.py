"""Fields composed of real single cells, placed and shaped like the cells of real fields.

A layout is a mask of a real field without its pixels; a donor is a picture of one real cell on black. Each cell of
the layout is filled with a donor that is bent to its shape: kept as it is around the nucleus, stretched to the
cell's outline further out. So the truth is exact, and shapes and contacts are real.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage as ndi
from skimage.filters import threshold_otsu

from organelle_widgets.core.masks import relabel
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.io.readers.masks import read_mask
from organelle_widgets.segmentation._scale import shrink
from organelle_widgets.segmentation._unet_input import normalise
from organelle_widgets.training.scenes import make_scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.training.scenes import Scene

__all__ = ["LAYOUTS", "MOSAICS", "composed_scenes", "read_donors"]

LAYOUTS = "cell_masks"
"""Folder of masks ``<image>_mask.png`` of fields at 0.08 um/px."""
MOSAICS = "cell_mosaics"
"""Folder of fields made of 3 x 3 tiles with one cell on black each."""

_TILES = 3
_ANGLES = 90
_BLACK = 8  # grey level up to which a mosaic's background may stray (lossy format)
_SMALLEST_PX = 400  # of a donor, at a quarter of the mosaic's resolution
_ROUNDNESS = (
    0.4  # a donor's outline comes no nearer to its nucleus than this share of its median distance
)
_SHRINK = 4  # from 0.08 to 0.32 um/px


@dataclass(frozen=True, eq=False)
class Donor:
    """One real cell at 0.16 um/px.

    Parameters
    ----------
    planes : ndarray of float32, shape (3, Y, X)
        Microtubules, nuclei, ER in grey levels.
    nucleus : ndarray of bool, shape (Y, X)
        Its nucleus.
    centre : tuple of float
        Row and column of the nucleus.
    reach : ndarray of float64, shape (90,)
        Distance of the outline from the centre in each direction, pixels.
    """

    planes: NDArray[np.float32]
    nucleus: NDArray[np.bool_]
    centre: tuple[float, float]
    reach: NDArray[np.floating]


def read_donors(data: Path) -> list[Donor]:
    """All usable cells of the mosaics.

    Parameters
    ----------
    data : Path
        Holds ``fields.csv`` and the mosaics.

    Returns
    -------
    list of Donor
        Cells with one clear nucleus.

    Raises
    ------
    InputError
        If a mosaic can't be read.
    """
    found = []
    for row in read_field_table(data, [MOSAICS]):
        found += [donor for tile in _tiles(row.read()) if (donor := _donor(tile)) is not None]
    return found


def _tiles(field: Field) -> Iterator[NDArray[np.float32]]:
    """Red, blue and yellow of each tile at half the resolution."""
    planes = np.stack([shrink(field.channel(key), 2) for key in ("red", "blue", "yellow")])
    rows, cols = (size // _TILES for size in planes.shape[1:])
    for i in range(_TILES):
        for j in range(_TILES):
            yield planes[:, i * rows : (i + 1) * rows, j * cols : (j + 1) * cols]


def _donor(tile: NDArray[np.float32]) -> Donor | None:
    """The cell of a tile; None where there is no cell with a clear nucleus well inside."""
    cell = _largest(ndi.binary_fill_holes(tile.max(axis=0) > _BLACK))
    if cell.sum() < _SMALLEST_PX:
        return None
    blue = ndi.gaussian_filter(tile[1], 3)
    nucleus = _largest(ndi.binary_fill_holes((blue > threshold_otsu(blue[cell])) & cell))
    share = nucleus.sum() / cell.sum()
    if not 0.05 < share < 0.5:
        return None
    row, col = ndi.center_of_mass(nucleus)
    reach = _reach(cell, (row, col))
    if reach.min() < _ROUNDNESS * np.median(reach):
        return None
    return Donor(tile * cell, nucleus, (row, col), reach)


def _largest(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part."""
    labels, count = ndi.label(inside)
    if not count:
        return inside
    largest: NDArray[np.bool_] = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return largest


def _reach(inside: NDArray[np.bool_], centre: tuple[float, float]) -> NDArray[np.floating]:
    """The largest distance of the inside from the centre in each direction."""
    rows, cols = np.nonzero(inside)
    angle, radius = _polar(rows - centre[0], cols - centre[1])
    reach = np.zeros(_ANGLES)
    np.maximum.at(reach, (angle * _ANGLES).astype(int) % _ANGLES, radius)
    gaps = reach == 0
    if gaps.any() and not gaps.all():
        known = np.flatnonzero(~gaps)
        reach[gaps] = np.interp(np.flatnonzero(gaps), known, reach[known], period=_ANGLES)
    smooth: NDArray[np.floating] = ndi.gaussian_filter1d(reach, 1, mode="wrap")
    at_least: NDArray[np.floating] = np.maximum(smooth, 1)
    return at_least


def _polar(
    rows: NDArray[np.floating], cols: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Direction as a share of the full circle, and distance."""
    return (np.arctan2(rows, cols) / (2 * np.pi)) % 1, np.hypot(rows, cols)


def composed_scenes(data: Path, donors: list[Donor], seed: int) -> Iterator[Scene]:
    """One field for every layout, filled with donors.

    Parameters
    ----------
    data : Path
        Holds the folder `LAYOUTS`.
    donors : list of Donor
        See `read_donors`.
    seed : int
        Same seed, same scenes.

    Yields
    ------
    Scene
        At 0.32 um/px.

    Raises
    ------
    InputError
        If a mask can't be read.
    """
    for number, path in enumerate(sorted((data / LAYOUTS).glob("*_mask.png"))):
        rng = np.random.default_rng([seed, 1, number])
        layout = relabel(read_mask(path)[_SHRINK // 2 :: _SHRINK, _SHRINK // 2 :: _SHRINK])
        if layout.any() and donors:
            image, nuclei = _compose(layout, donors, rng)
            yield make_scene(f"composed-{path.stem}", image, nuclei, layout)


def _compose(
    layout: NDArray[np.int32], donors: list[Donor], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The network's input and the nuclei of a layout filled with donors."""
    planes = np.zeros((3, *layout.shape), np.float32)
    nuclei = np.zeros(layout.shape, np.int32)
    kin = rng.choice(len(donors), size=min(len(donors), 12), replace=False)
    for label, box in enumerate(ndi.find_objects(layout), start=1):
        if box is not None:
            donor = donors[int(rng.choice(kin))]
            _fill(planes[:, *box], nuclei[box], layout[box] == label, label, donor, rng)
    haze = np.stack([ndi.gaussian_filter(plane, rng.uniform(6, 16)) for plane in planes])
    planes = np.stack([ndi.gaussian_filter(plane, rng.uniform(0.3, 0.9)) for plane in planes])
    planes += rng.uniform(0, 0.25, (3, 1, 1)) * haze + rng.uniform(0, 6, (3, 1, 1))
    planes += rng.normal(0, 1, planes.shape) * rng.uniform(0.2, 4, (3, 1, 1))
    return np.stack([normalise(plane) for plane in planes.clip(0)]), nuclei


def _fill(
    planes: NDArray[np.float32],
    nuclei: NDArray[np.int32],
    inside: NDArray[np.bool_],
    label: int,
    donor: Donor,
    rng: np.random.Generator,
) -> None:
    """Fill one cell of a layout with a donor, in place."""
    depth = ndi.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    depth *= ndi.gaussian_filter(rng.uniform(0.7, 1.3, depth.shape), 3)
    middle = np.unravel_index(int(np.argmax(depth)), depth.shape)
    centre = (float(middle[0]), float(middle[1]))
    reach = _reach(inside, centre)
    rows, cols = np.nonzero(inside)
    angle, radius = _polar(rows - centre[0], cols - centre[1])
    turned = (rng.choice([-1, 1]) * angle + rng.uniform()) % 1
    own = np.interp(angle * _ANGLES, np.arange(_ANGLES), reach, period=_ANGLES)
    theirs = np.interp(turned * _ANGLES, np.arange(_ANGLES), donor.reach, period=_ANGLES)
    isotropic = np.sqrt(np.mean(donor.reach**2) / np.mean(reach**2))
    out = np.clip(radius / own, 0, 1)
    source = (
        0.97 * theirs * (1 - (1 - out) ** (isotropic * own / theirs))
    )  # starts as it is, ends at the outline
    at = (
        donor.centre[0] + source * np.sin(2 * np.pi * turned),
        donor.centre[1] + source * np.cos(2 * np.pi * turned),
    )
    gains = rng.lognormal(0, (0.3, 0.25, 0.3))
    for plane, image, gain in zip(planes, donor.planes, gains, strict=True):
        plane[rows, cols] = gain * ndi.map_coordinates(image, at, order=1, mode="nearest")
    owned = ndi.map_coordinates(donor.nucleus.astype(np.float32), at, order=1) > 0.5
    nuclei[rows[owned], cols[owned]] = label
