"""Whole virtual fields: four channels, masks and the true classes of every cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import find_objects

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.field import ASSUMED_PIXEL_SIZE_UM, Field
from organelle_widgets.core.labels import N_CLASSES, NEGATIVE
from organelle_widgets.core.masks import Masks
from organelle_widgets.synthetic._arguments import (
    ClassChoice,
    check_arguments,
    class_choices,
    missing_channels,
)
from organelle_widgets.synthetic.geometry import Layout, Style, lay_out
from organelle_widgets.synthetic.landmarks import draw_nucleoli, find_centrosome
from organelle_widgets.synthetic.optics import Exposure, digitise, record
from organelle_widgets.synthetic.proteins import MITOTIC_CLASSES, SPINDLE, paint_protein
from organelle_widgets.synthetic.reference import paint_dna, paint_er, paint_microtubules
from organelle_widgets.synthetic.view import CellView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ClassChoice", "VirtualField", "virtual_field"]

_MARGIN_UM = 3.0


@dataclass(frozen=True, eq=False)
class VirtualField:
    """A field whose truth is known.

    Parameters
    ----------
    field : Field
        The four channels.
    masks : Masks
        The true nuclei and cells.
    labels : dict of int to tuple of int
        True classes, ascending, by cell id.
    """

    field: Field
    masks: Masks
    labels: dict[int, tuple[int, ...]]


def virtual_field(
    shape: tuple[int, int] = (1024, 1024),
    *,
    seed: int = 0,
    classes: ClassChoice = None,
    pixel_size_um: float = ASSUMED_PIXEL_SIZE_UM,
    n_cells: int | None = None,
    missing: Sequence[str] = (),
    name: str | None = None,
    dtype: str = "uint8",
    mitotic_fraction: float = 0.03,
) -> VirtualField:
    """Draw a field of virtual cells.

    The same arguments give the same pixels (on one machine with one set of versions).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns, px.
    seed : int
        Not negative; decides everything that is random.
    classes : int, str or sequence, optional
        None: every cell has classes of its own, mostly one. An index, name or two-letter code: every cell
        has this class. A sequence of those: every cell has them all, as a mixture. A sequence that holds
        sequences: every cell has one of its members. Class 11 (mitotic spindle) makes dividing cells.
    pixel_size_um : float
        Micrometres per pixel, 0.01 to 5.
    n_cells : int, optional
        Cells whose centre lies in the field; by default as many as HPA's fields hold.
    missing : sequence of str
        Channels to leave out: ``red``, ``yellow``.
    name : str, optional
        The field's name; made from the seed by default.
    dtype : {"uint8", "uint16", "float32"}
        Type of the pixels; floats are in [0, 1].
    mitotic_fraction : float
        Share of dividing cells among those whose classes dividing cells can show, 0 to 1.

    Returns
    -------
    VirtualField
        Field, masks and true classes.

    Raises
    ------
    SettingsError
        If an argument is out of its range.
    InputError
        If a class is unknown.

    Examples
    --------
    >>> from organelle_widgets.synthetic import virtual_field
    >>> drawn = virtual_field((256, 256), seed=1, classes="Nucleoli", pixel_size_um=0.16)
    >>> drawn.field.shape
    (256, 256)
    """
    check_arguments(shape, seed, pixel_size_um, n_cells, mitotic_fraction, dtype)
    choices = class_choices(classes)
    gone = missing_channels(missing)
    rng = np.random.default_rng(seed)
    margin = min(round(_MARGIN_UM / pixel_size_um), max(shape))
    canvas = (shape[0] + 2 * margin, shape[1] + 2 * margin)
    style = Style.draw(rng)
    count = _usual_count(shape, pixel_size_um, style) if n_cells is None else n_cells
    drawn = [_draw_classes(rng, choices, mitotic_fraction) for _ in range(count)]
    layout = lay_out(
        rng,
        canvas,
        pixel_size_um,
        dividing=[divides for _, divides in drawn],
        style=style,
        margin_px=margin if n_cells is not None else margin // 2,
    )
    clean = _paint(rng, layout, [own for own, _ in drawn])
    inner = (slice(margin, margin + shape[0]), slice(margin, margin + shape[1]))
    pixels = _record(rng, clean[(slice(None), *inner)], pixel_size_um, np.dtype(dtype), gone)
    masks, labels = _truth(layout, inner, [own for own, _ in drawn], keep_all=n_cells is not None)
    title = name if name is not None else f"virtual-{seed}"
    note = "A drawn field, not a recorded one."
    field = Field(pixels, title, pixel_size_um, "given", missing=gone, notes=(note,))
    return VirtualField(field, masks, labels)


def _usual_count(shape: tuple[int, int], pixel_size_um: float, style: Style) -> int:
    """How many cells of a style cover their share of a field."""
    area_um2 = shape[0] * shape[1] * pixel_size_um**2
    return max(1, round(1.2 * style.cover * area_um2 / (np.pi * style.radius_um**2)))


def _draw_classes(
    rng: np.random.Generator, choices: list[tuple[int, ...]] | None, mitotic_fraction: float
) -> tuple[tuple[int, ...], bool]:
    """The classes of one cell and whether it divides."""
    may_divide = bool(rng.random() < mitotic_fraction)
    if choices is not None:
        own = choices[int(rng.integers(len(choices)))]
        return own, SPINDLE in own or (may_divide and set(own) <= set(MITOTIC_CLASSES))
    if may_divide:
        spindle = rng.random() < 0.6
        return ((SPINDLE,) if spindle else (int(rng.choice(MITOTIC_CLASSES)),)), True
    rest = [index for index in range(N_CLASSES) if index not in (SPINDLE, NEGATIVE)]
    if rng.random() < 0.05:
        return (NEGATIVE,), False
    size = int(rng.choice([1, 2, 3], p=[0.7, 0.25, 0.05]))
    return tuple(sorted(int(i) for i in rng.choice(rest, size, replace=False))), False


def _paint(
    rng: np.random.Generator, layout: Layout, classes: list[tuple[int, ...]]
) -> NDArray[np.float32]:
    """The clean signal of all cells: shape (4, Y, X)."""
    clean = np.zeros((4, *layout.cells.shape), np.float32)
    streams = rng.spawn(len(classes))
    for index, window in enumerate(find_objects(layout.cells, max_label=len(classes)), 1):
        if window is None:
            continue
        own = streams[index - 1]
        levels = own.lognormal(0, [0.2, 0.3, 0.12, 0.22]).astype(np.float32)
        view = _view(own, layout, index, window)
        protein = paint_protein(own, view, classes[index - 1])
        for plane, drawn in enumerate((view.microtubules, protein, view.dna, view.er)):
            if drawn is not None:
                clean[(plane, *window)] += levels[plane] * drawn
    return clean


def _view(
    rng: np.random.Generator, layout: Layout, index: int, window: tuple[slice, slice]
) -> CellView:
    """One cell of a layout with its landmarks and reference channels."""
    crop = layout.cells[window]
    spindle = layout.spindles.get(index)
    if spindle is not None:
        spindle = replace(
            spindle, row=spindle.row - window[0].start, col=spindle.col - window[1].start
        )
    cell, nucleus = crop == index, layout.nuclei[window] == index
    nothing = np.zeros(cell.shape, np.float32)
    view = CellView(
        cell, nucleus, layout.pixel_size_um, (0.0, 0.0), nothing, spindle, (crop > 0) & ~cell
    )
    nucleoli = nothing if spindle else draw_nucleoli(rng, view.inside_um, layout.pixel_size_um)
    view = view.with_landmarks(nucleoli=nucleoli, centrosome=find_centrosome(rng, view))
    return view.with_landmarks(
        microtubules=paint_microtubules(rng, view),
        dna=paint_dna(rng, view),
        er=paint_er(rng, view),
    )


def _record(
    rng: np.random.Generator,
    clean: NDArray[np.float32],
    pixel_size_um: float,
    dtype: np.dtype[Any],
    gone: frozenset[str],
) -> NDArray[Any]:
    """Pixels of all channels; missing ones are black."""
    pixels = np.zeros(clean.shape, dtype)
    for channel, stream in zip(CHANNELS, rng.spawn(4), strict=True):
        exposure = Exposure.draw(stream, (0.35, 0.75))
        if channel.key not in gone:
            level = record(stream, clean[channel.index], exposure, pixel_size_um)
            pixels[channel.index] = digitise(level, dtype)
    return pixels


def _truth(
    layout: Layout,
    inner: tuple[slice, slice],
    classes: list[tuple[int, ...]],
    *,
    keep_all: bool,
) -> tuple[Masks, dict[int, tuple[int, ...]]]:
    """Masks and labels of the cells that are to be seen, numbered 1, 2, 3, ..."""
    cells, nuclei = layout.cells[inner].copy(), layout.nuclei[inner].copy()
    areas = np.bincount(cells.ravel(), minlength=len(classes) + 1)
    least = 1 if keep_all else min(35 / layout.pixel_size_um**2, 0.02 * cells.size)
    seen = areas >= least
    seen[0] = False
    numbers = np.where(seen, np.cumsum(seen), 0).astype(np.int32)
    labels = {int(numbers[i]): classes[i - 1] for i in np.flatnonzero(seen)}
    return Masks(numbers[nuclei], numbers[cells]), labels
