"""Pictures to learn segmentation from, each with the nuclei and cells that are in it.

Where a scene comes from belongs here: fields with masks, fields outlined by another segmenter, pictures of nuclei,
virtual fields. Composed fields are in `layouts`; cropping and changing scenes in `scene_batches`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage as ndi

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import relabel
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.io.nuclei_pictures import read_nuclei_pictures
from organelle_widgets.segmentation._scale import resample
from organelle_widgets.segmentation._unet_input import (
    WORK_UM,
    input_ratio,
    network_input,
    normalise,
)
from organelle_widgets.segmentation.watershed import Watershed
from organelle_widgets.synthetic import virtual_field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.core.masks import Masks

__all__ = [
    "NUCLEI",
    "NUCLEI_PX",
    "Scene",
    "make_scene",
    "masked_scenes",
    "nuclei_scenes",
    "outlined_scenes",
    "virtual_scenes",
]

NUCLEI = "nuclei_dsb2018"
"""Folder of the pictures of nuclei; see `organelle_widgets.io.nuclei_pictures`."""

NUCLEI_PX = (90.0, 2200.0)
"""Areas of their median nucleus between which they are shrunk and enlarged, pixels."""


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture with its truth, at `WORK_UM` where the pixel size is known.

    Parameters
    ----------
    name : str
        For messages.
    image : ndarray of uint8, shape (3, Y, X)
        The network's input times 160.
    nuclei : ndarray of int32, shape (Y, X)
        Labels of nuclei.
    centre : ndarray of uint8, shape (Y, X)
        Depth inside each nucleus as a share of its greatest depth, times 255.
    cells : ndarray of int32, shape (Y, X), or None
        Labels of cells; None where only nuclei are known.
    zoom : tuple of float
        How much the scene may be shrunk and enlarged.
    """

    name: str
    image: NDArray[np.uint8]
    nuclei: NDArray[np.int32]
    centre: NDArray[np.uint8]
    cells: NDArray[np.int32] | None
    zoom: tuple[float, float] = (0.65, 1.5)


def make_scene(
    name: str,
    image: NDArray[np.float32],
    nuclei: NDArray[Any],
    cells: NDArray[Any] | None,
    zoom: tuple[float, float] = (0.65, 1.5),
) -> Scene:
    """A scene from the network's input and labels of the same size.

    Parameters
    ----------
    name : str
        For messages.
    image : ndarray of float32, shape (3, Y, X)
        See `organelle_widgets.segmentation._unet_input.network_input`.
    nuclei : ndarray of integers, shape (Y, X)
        Labels of nuclei.
    cells : ndarray of integers, shape (Y, X), or None
        Labels of cells; None where they are not known.
    zoom : tuple of float
        How much the scene may be shrunk and enlarged.

    Returns
    -------
    Scene
        Packed, with the depth in its nuclei.
    """
    labels = relabel(nuclei)
    packed = (image * 160).round().clip(0, 255).astype(np.uint8)
    return Scene(
        name, packed, labels, _centres(labels), None if cells is None else relabel(cells), zoom
    )


def _centres(nuclei: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Depth inside each nucleus, 255 at its deepest place."""
    out = np.zeros(nuclei.shape, np.uint8)
    for label, box in enumerate(ndi.find_objects(nuclei), start=1):
        if box is not None:
            depth = ndi.distance_transform_edt(np.pad(nuclei[box] == label, 1))[1:-1, 1:-1]
            out[box] = np.maximum(out[box], (255 * depth / depth.max()).astype(np.uint8))
    return out


def masked_scenes(data: Path, without: Collection[str]) -> Iterator[Scene]:
    """Fields of ``fields.csv`` whose cells are known; their nuclei are found by the watershed segmenter.

    Parameters
    ----------
    data : Path
        Holds ``fields.csv``.
    without : collection of str
        Ids of fields to leave out.

    Yields
    ------
    Scene
        One a field.

    Raises
    ------
    InputError
        If a field or a mask can't be read.
    """
    for row in read_field_table(data):
        if row.has_cellmask and row.id not in without:
            field = row.read()
            nuclei = Watershed().segment(field).nuclei
            cells = row.read_cell_mask()
            owned = np.where(cells > 0, nuclei, 0)
            yield make_scene(
                row.id, network_input(field), _small(owned, field), _small(cells, field)
            )


def outlined_scenes(
    data: Path, outline: Callable[[Field], Masks], without: Collection[str]
) -> Iterator[Scene]:
    """Whole fields of ``fields.csv`` whose cells are not known, outlined by another segmenter.

    Parameters
    ----------
    data : Path
        Holds ``fields.csv``.
    outline : callable
        From field to masks.
    without : collection of str
        Ids of fields, and names of folders, to leave out.

    Yields
    ------
    Scene
        One a field in which cells were found.

    Raises
    ------
    InputError
        If a field can't be read.
    """
    for row in read_field_table(data):
        if row.has_cellmask or {row.id, row.folder} & set(without):
            continue
        field = row.read()
        masks = outline(field)
        if masks.n_cells:
            nuclei, cells = (_small(labels, field) for labels in (masks.nuclei, masks.cells))
            yield make_scene(row.id, network_input(field), nuclei, cells)


def _small(labels: NDArray[Any], field: Field) -> NDArray[np.int32]:
    """Labels at the size of the network's input."""
    size = resample(
        np.zeros(labels.shape, np.uint8), input_ratio(field.pixel_size_um, field.shape)
    ).shape
    rows, cols = (
        np.minimum(((np.arange(n) + 0.5) * m / n).astype(int), m - 1)
        for n, m in zip(size, labels.shape, strict=True)
    )
    return np.asarray(labels[np.ix_(rows, cols)], np.int32)


def nuclei_scenes(data: Path, areas: tuple[float, float] = NUCLEI_PX) -> Iterator[Scene]:
    """Pictures of nuclei with their labels; nothing is known of the cells, and a tenth is kept aside.

    Parameters
    ----------
    data : Path
        Holds the folder `NUCLEI`; without it there is no scene.
    areas : tuple of float
        Areas, in pixels, between which the median nucleus may be shrunk and enlarged.

    Yields
    ------
    Scene
        One a picture with nuclei in it, at its own pixels.

    Raises
    ------
    InputError
        If the index or a picture can't be read.
    """
    if not (data / NUCLEI).is_dir():
        return
    for picture in read_nuclei_pictures(data / NUCLEI):
        labels = relabel(picture.read_labels())
        if not picture.held_out and labels.any():
            blue = normalise(picture.read())
            image = np.stack([np.zeros_like(blue), blue, np.zeros_like(blue)])
            median = float(np.median(np.bincount(labels.ravel())[1:]))
            low, high = (float(np.clip(np.sqrt(area / median), 0.5, 4)) for area in areas)
            yield make_scene(picture.id, image, labels, None, (min(low, 1.0), max(high, 1.0)))


def virtual_scenes(count: int, seed: int) -> Iterator[Scene]:
    """Virtual fields of all classes, whose truth is exact.

    Parameters
    ----------
    count : int
        How many.
    seed : int
        Same seed, same scenes.

    Yields
    ------
    Scene
        512 x 512 px, cells of various sizes.
    """
    rng = np.random.default_rng([seed, 2])
    for number in range(count):
        um = float(rng.uniform(0.24, 0.42))
        drawn = virtual_field((512, 512), seed=int(rng.integers(2**31)), pixel_size_um=um)
        field = Field(drawn.field.pixels, pixel_size_um=WORK_UM)
        yield make_scene(
            f"virtual-{number}", network_input(field), drawn.masks.nuclei, drawn.masks.cells
        )
