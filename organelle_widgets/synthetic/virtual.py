"""Whole virtual fields: four channels, masks and the true classes of every cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import find_objects

from organelle_widgets.core.channels import CHANNELS, find_channel
from organelle_widgets.core.field import ASSUMED_PIXEL_SIZE_UM, Field
from organelle_widgets.core.labels import N_CLASSES, class_index
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import SettingsError
from organelle_widgets.synthetic.geometry import Layout, Style, lay_out
from organelle_widgets.synthetic.optics import Exposure, digitise, record
from organelle_widgets.synthetic.proteins import MITOTIC_CLASSES, SPINDLE, paint_protein
from organelle_widgets.synthetic.reference import (
    draw_nucleoli,
    find_centrosome,
    paint_dna,
    paint_er,
    paint_microtubules,
)
from organelle_widgets.synthetic.view import CellView

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ClassChoice", "VirtualField", "virtual_field"]

ClassChoice = int | str | Sequence[int | str | Sequence[int | str]] | None
"""One class, a mixture, several to choose from, or None for any; see `virtual_field`."""

_MARGIN_UM = 3.0
_SMALLEST_CELL_PX = 64


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
    _check(shape, seed, pixel_size_um, n_cells, mitotic_fraction, dtype)
    choices = _choices(classes)
    gone = _missing(missing)
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


def _check(
    shape: tuple[int, int],
    seed: int,
    pixel_size_um: float,
    n_cells: int | None,
    mitotic_fraction: float,
    dtype: str,
) -> None:
    """Refuse arguments that no field can have, all at once."""
    problems = []
    if len(shape) != 2 or not all(isinstance(n, (int, np.integer)) and n >= 8 for n in shape):
        problems.append(f"shape: expected two whole numbers of at least 8 px; found {shape!r}.")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        problems.append(f"seed: expected a whole number, 0 or more; found {seed!r}.")
    if not 0.01 <= pixel_size_um <= 5:
        problems.append(f"pixel_size_um: expected 0.01 to 5 um; found {pixel_size_um!r}.")
    if not 0 <= mitotic_fraction <= 1:
        problems.append(f"mitotic_fraction: expected 0 to 1; found {mitotic_fraction!r}.")
    if dtype not in ("uint8", "uint16", "float32"):
        problems.append(f"dtype: expected uint8, uint16 or float32; found {dtype!r}.")
    if not problems and n_cells is not None:
        most = max(1, shape[0] * shape[1] // _SMALLEST_CELL_PX)
        if not 0 <= n_cells <= most:
            problems.append(f"n_cells: expected 0 to {most} in {shape} px; found {n_cells!r}.")
    if problems:
        raise SettingsError(" ".join(problems))


def _choices(classes: ClassChoice) -> list[tuple[int, ...]] | None:
    """The sets of classes that a cell may have; None for any."""
    if classes is None:
        return None
    if isinstance(classes, (str, int, np.integer)):
        return [(class_index(classes),)]
    if not len(classes):
        message = "classes: expected at least one class, or None for any; found an empty sequence."
        raise SettingsError(message)
    if all(isinstance(part, (str, int, np.integer)) for part in classes):
        return [_class_set(classes)]
    return [_class_set([p] if isinstance(p, (str, int, np.integer)) else p) for p in classes]


def _class_set(parts: Sequence[Any]) -> tuple[int, ...]:
    """Class indices, ascending, each once."""
    found = tuple(sorted({class_index(part) for part in parts}))
    if not found:
        message = "classes: expected at least one class for every cell; found an empty one."
        raise SettingsError(message)
    return found


def _missing(channels: Sequence[str]) -> frozenset[str]:
    """Keys of the channels to leave out."""
    wanted = [channels] if isinstance(channels, str) else list(channels)
    found = {text: find_channel(text) for text in wanted}
    wrong = [
        t for t, channel in found.items() if channel is None or channel.key not in ("red", "yellow")
    ]
    if wrong:
        message = f"missing: expected only red (Microtubules) and yellow (ER); found {wrong}."
        raise SettingsError(message)
    return frozenset(channel.key for channel in found.values() if channel is not None)


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
    rest = [index for index in range(N_CLASSES - 1) if index != SPINDLE]
    if rng.random() < 0.05:
        return (N_CLASSES - 1,), False
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
