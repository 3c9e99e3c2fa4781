"""Cells to learn from: real ones with their field's labels, virtual ones, and simulated proteins on real cells.

Labels of real cells are weak: they belong to the field. Simulated proteins have exact labels but are only as true
as the simulation. How both are mixed and changed belongs in `organelle_widgets.training.fit` and
`organelle_widgets.training.augment`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import affine_transform

from organelle_widgets.classification import CellCutter, CropRule
from organelle_widgets.core.labels import N_CLASSES, NEGATIVE
from organelle_widgets.errors import InputError
from organelle_widgets.synthetic import simulate_protein, virtual_field
from organelle_widgets.synthetic.proteins import SPINDLE
from organelle_widgets.training.exposure import exposed, taken_again

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = [
    "Cells",
    "cut_cells",
    "draw_classes",
    "join_cells",
    "simulated_cells",
    "varied_cells",
    "virtual_cells",
]

_SMALLEST_PX = 100
_COMMON = (0, 2, 4, 5, 7, 13, 14, 16, 17)
"""Classes that often come together with another one."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Crops with their classes.

    Parameters
    ----------
    crops : ndarray of uint8, shape (n, 4, size, size)
        What `cut_crops` gives, times 255.
    parts : ndarray of bool, shape (n, 2, size, size)
        Cell and nucleus.
    truth : ndarray of float32, shape (n, 19)
        1 for the classes that a cell, or its field, has.
    source : ndarray of int32, shape (n,)
        Number of the field that a cell comes from.
    """

    crops: NDArray[np.uint8]
    parts: NDArray[np.bool_]
    truth: NDArray[np.float32]
    source: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def share(self) -> NDArray[np.float64]:
        """Chance of each cell to be drawn such that all fields are drawn equally often, shape (n,)."""
        counts = np.bincount(self.source)
        chance = 1.0 / counts[self.source]
        return np.asarray(chance / chance.sum())

    @cached_property
    def _reach(self) -> NDArray[np.float64]:
        """Sums of the chances, for drawing."""
        return np.cumsum(self.share)

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Choose cells such that all fields are drawn equally often.

        Parameters
        ----------
        count : int
            How many; a cell may come twice.
        rng : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        ndarray of int, shape (count,)
            Rows.
        """
        rows = np.searchsorted(self._reach, rng.random(count), side="right")
        return np.minimum(rows, len(self) - 1)


def join_cells(parts: Sequence[Cells]) -> Cells:
    """Put cells together; their fields are numbered anew.

    Parameters
    ----------
    parts : sequence of Cells
        At least one.

    Returns
    -------
    Cells
        In the order given.
    """
    starts = np.cumsum([0, *(int(p.source.max(initial=-1)) + 1 for p in parts[:-1])])
    return Cells(
        np.concatenate([p.crops for p in parts]),
        np.concatenate([p.parts for p in parts]),
        np.concatenate([p.truth for p in parts]),
        np.concatenate([p.source + start for p, start in zip(parts, starts, strict=True)]).astype(
            np.int32
        ),
    )


def cut_cells(
    field: Field, masks: Masks, labels: dict[int, tuple[int, ...]], rule: CropRule
) -> Cells:
    """Cells of one field with their labels.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        Its cells.
    labels : dict of int to tuple of int
        Classes by cell id; cells that are not named are left out.
    rule : CropRule
        How to cut.

    Returns
    -------
    Cells
        One a label.
    """
    ids = [int(cell) for cell in masks.cell_ids if int(cell) in labels]
    nuclei = np.where(masks.nuclei == masks.cells, masks.cells, 0) > 0
    flags = np.stack([masks.cells > 0, nuclei, nuclei, nuclei]).astype(np.uint8)
    flagged = dataclasses.replace(field, pixels=flags * 255, missing=frozenset())
    crops = CellCutter(field, masks, rule).cut(ids)
    parts = CellCutter(flagged, masks, rule).cut(ids)[:, :2] > 0.5
    truth = np.zeros((len(ids), N_CLASSES), np.float32)
    for row, cell in zip(truth, ids, strict=True):
        row[list(labels[cell])] = 1
    return Cells(_as_bytes(crops), parts, truth, np.zeros(len(ids), np.int32))


def _as_bytes(crops: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Crops in a quarter of the memory."""
    return np.round(crops * 255).astype(np.uint8)


def draw_classes(rng: np.random.Generator) -> tuple[int, ...]:
    """Choose the classes of one simulated cell.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    tuple of int
        Ascending. All 19 come first equally often; two of five get a common class besides, `Negative` never.
    """
    first = int(rng.integers(N_CLASSES))
    if first == NEGATIVE or rng.random() >= 0.4:
        return (first,)
    return tuple(sorted({first, int(rng.choice(_COMMON))}))


def simulated_cells(
    references: Cells,
    n_cells: int,
    rng: np.random.Generator,
    pixel_size_um: float,
    progress: Callable[[float], None] | None = None,
) -> Cells:
    """Real cells whose protein channel is replaced by a simulated one.

    Parameters
    ----------
    references : Cells
        Real cells; all fields are used equally often.
    n_cells : int
        How many to make.
    rng : numpy.random.Generator
        Where chance comes from.
    pixel_size_um : float
        Micrometres per pixel of the crops.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.

    Returns
    -------
    Cells
        With exact labels.

    Raises
    ------
    InputError
        If no cell has at least 100 px of cell and of nucleus.
    """
    usable = references.parts.sum(axis=(2, 3)).min(axis=1) >= _SMALLEST_PX
    chance = references.share * usable
    if not chance.any():
        message = f"Expected cells with a nucleus to draw proteins on; found none among {len(references)} cells."
        raise InputError(message, hint="Train without simulated cells, or on more fields.")
    chosen = rng.choice(len(references), n_cells, p=chance / chance.sum())
    crops = np.empty((n_cells, *references.crops.shape[1:]), np.uint8)
    parts = np.empty((n_cells, *references.parts.shape[1:]), np.bool_)
    truth = np.zeros((n_cells, N_CLASSES), np.float32)
    for i, row in enumerate(truth):
        crop, cell, nucleus = _reshaped(references, int(chosen[i]), rng)
        classes = draw_classes(rng)
        reference = crop[[0, 2, 3]]
        green = simulate_protein(nucleus, cell, reference, classes, pixel_size_um, rng, noisy=False)
        crop[1] = exposed(green, cell, nucleus, reference, rng, faint=classes == (NEGATIVE,))
        crops[i] = np.round(255 * crop)
        parts[i] = cell, nucleus
        row[list(classes)] = 1
        if progress is not None and i % 256 == 0:
            progress(i / n_cells)
    return Cells(crops, parts, truth, np.arange(n_cells, dtype=np.int32))


def varied_cells(cells: Cells, n_cells: int, rng: np.random.Generator) -> Cells:
    """Cells turned, stretched and exposed anew: every one is another picture of the same cell.

    Parameters
    ----------
    cells : Cells
        Real ones; all fields are used equally often.
    n_cells : int
        How many to make.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    Cells
        With the labels and the field's numbers of the cells that they were made of.
    """
    chosen = rng.choice(len(cells), n_cells, p=cells.share)
    crops = np.empty((n_cells, *cells.crops.shape[1:]), np.uint8)
    parts = np.empty((n_cells, *cells.parts.shape[1:]), np.bool_)
    for i, row in enumerate(chosen):
        crop, cell, nucleus = _reshaped(cells, int(row), rng)
        crops[i] = np.round(255 * taken_again(crop, cell, rng))
        parts[i] = cell, nucleus
    return Cells(crops, parts, cells.truth[chosen], cells.source[chosen])


def _reshaped(
    cells: Cells, row: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """One cell turned, stretched a little and shifted: crop in [0, 1], its cell, its nucleus.

    Scales from 0.8 to 1.25 stand for cells of other sizes and for pixel sizes that are not quite right.
    """
    planes = np.concatenate([cells.crops[row], cells.parts[row] * np.uint8(255)]).astype(np.float32)
    angle, (along, across) = rng.uniform(0, 2 * np.pi), np.exp(rng.normal(0, 0.09, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([along, across])
    if rng.random() < 0.5:
        matrix[:, 0] *= -1
    middle = (np.array(planes.shape[1:]) - 1) / 2
    offset = middle - matrix @ (middle + rng.uniform(-6, 6, 2))
    moved = np.stack([affine_transform(plane, matrix, offset, order=1) for plane in planes]) / 255
    cell, nucleus = moved[4] > 0.5, moved[5] > 0.5
    return moved[:4] * cell, cell, nucleus & cell


def virtual_cells(
    n_fields: int,
    rng: np.random.Generator,
    rule: CropRule,
    progress: Callable[[float], None] | None = None,
) -> Cells:
    """Cells of virtual fields, cut by their true masks.

    Parameters
    ----------
    n_fields : int
        How many fields to draw; at least 1.
    rng : numpy.random.Generator
        Where chance comes from.
    rule : CropRule
        How to cut.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.

    Returns
    -------
    Cells
        With exact labels.
    """
    found = []
    for done in range(n_fields):
        classes = draw_classes(rng)
        virtual = virtual_field(
            (512, 512),
            seed=int(rng.integers(2**31)),
            classes=classes,
            pixel_size_um=0.24,
            mitotic_fraction=0.5 if SPINDLE in classes else 0.03,
        )
        found.append(cut_cells(virtual.field, virtual.masks, virtual.labels, rule))
        if progress is not None:
            progress((done + 1) / n_fields)
    return join_cells(found)
