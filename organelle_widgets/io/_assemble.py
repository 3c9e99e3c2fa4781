"""From files to one `Field`: read the planes, find out which is which, check them together, stack them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.channels import CHANNEL_KEYS, CHANNELS, channel_index
from organelle_widgets.core.field import Field
from organelle_widgets.errors import InputError, attributed_to
from organelle_widgets.io._assign import assign_planes
from organelle_widgets.io._checks import check_files, check_side, join_problems
from organelle_widgets.io._pixel_size import check_given, choose_pixel_size
from organelle_widgets.io._planes import colored_plane, empty_planes, same_dtype, to_field_dtype
from organelle_widgets.io.readers import reader_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_channel_files", "read_one_file"]


@dataclass(frozen=True)
class _Part:
    """One channel as read: its pixels, where they came from, what its file says of itself."""

    key: str
    pixels: NDArray[Any]
    path: Path
    pixel_size_um: tuple[float, float] | None
    notes: tuple[str, ...]


def read_channel_files(name: str, files: Mapping[str, Path], pixel_size_um: float | None) -> Field:
    """Read a field from one file a channel.

    Parameters
    ----------
    name : str
        The field's name.
    files : mapping of str to Path
        Channel key to file.
    pixel_size_um : float or None
        What the person said, um.

    Returns
    -------
    Field
        The field.

    Raises
    ------
    InputError
        Names every file that can't be read, or says what does not fit.
    """
    check_given(pixel_size_um)
    check_files(name, files)
    with ThreadPoolExecutor(max_workers=len(files)) as pool:
        outcomes = list(pool.map(_try_part, files.items()))
    problems = [outcome for outcome in outcomes if isinstance(outcome, InputError)]
    if problems:
        raise join_problems(problems, name)
    parts = [outcome for outcome in outcomes if isinstance(outcome, _Part)]
    return _field(name, parts, pixel_size_um, ())


def read_one_file(
    name: str, path: Path, channels: Mapping[str | int, str] | None, pixel_size_um: float | None
) -> Field:
    """Read a field from one file of several channels.

    Parameters
    ----------
    name : str
        The field's name.
    path : Path
        A multi-channel TIFF, an OME-Zarr folder, or a colour image.
    channels : mapping of str or int to str, optional
        Channel names or numbers of the file to ours.
    pixel_size_um : float or None
        What the person said, um.

    Returns
    -------
    Field
        The field.

    Raises
    ------
    InputError
        If the file can't be read, or it does not tell which plane is which channel.
    """
    check_given(pixel_size_um)
    reader = reader_for(path)
    header = reader.header(path)
    with attributed_to(source=str(path)):
        check_side(header.shape)
        order, notes = assign_planes(header, channels)
        planes = reader.planes(path, tuple(order.values()))
        pixels = dict(zip(order, planes, strict=True))
        if header.color and len(header.channels) > 3 and 3 not in order.values():
            _check_alpha(reader.planes(path, (3,)))
        if header.color and not channels:
            notes += _drop_empty_colors(pixels)
        parts = [
            _Part(key, to_field_dtype(plane), path, header.pixel_size_um, ())
            for key, plane in pixels.items()
        ]
    return _field(name, parts, pixel_size_um, (*header.notes, *notes))


def _check_alpha(alpha: NDArray[Any]) -> None:
    """Refuse a fourth plane that holds an image: it may be ER or transparency."""
    if alpha.min() != alpha.max():
        message = "Expected three colours; found a fourth plane that is no plain transparency."
        hint = (
            'If it is a channel, say so: channels={0: "red", 1: "green", 2: "blue", 3: "yellow"}, '
            "or --channels 0=red,1=green,2=blue,3=yellow."
        )
        raise InputError(message, hint=hint)


def _drop_empty_colors(pixels: dict[str, NDArray[Any]]) -> tuple[str, ...]:
    """Drop an empty red plane of a composite; refuse empty nuclei or protein."""
    empty = empty_planes(np.stack([pixels[key] for key in ("red", "green", "blue")]))
    for key, is_empty in zip(("red", "green", "blue"), empty, strict=True):
        if is_empty and key in ("green", "blue"):
            what = CHANNELS[channel_index(key)].name.lower()
            message = f"Expected {what} in the {key} plane of the colour image; found it empty."
            raise InputError(message, hint="A field needs nuclei and protein.")
        if is_empty:
            del pixels[key]
    return (
        "A colour image: its red, green and blue were read as microtubules, protein and nuclei.",
    )


def _try_part(item: tuple[str, Path]) -> _Part | InputError:
    """One channel, or what is wrong with its file."""
    try:
        return _part(*item)
    except InputError as error:
        error.source = error.source or str(item[1])
        return error


def _part(key: str, path: Path) -> _Part:
    """Read the file of one channel."""
    reader = reader_for(path)
    header = reader.header(path)
    if not header.color and len(header.channels) > 1:
        message = (
            f"Expected one plane in the file of the {key} channel; found {len(header.channels)}."
        )
        raise InputError(message, hint="Give a multi-channel file alone, with channels=.")
    planes = reader.planes(path, range(min(3, len(header.channels))))
    plane, notes = colored_plane(planes, key) if header.color else (planes[0], ())
    return _Part(key, to_field_dtype(plane), path, header.pixel_size_um, (*header.notes, *notes))


def _field(name: str, parts: Sequence[_Part], given: float | None, notes: tuple[str, ...]) -> Field:
    """Check the channels together and stack them."""
    with attributed_to(source=name):
        planes, dtype_notes = same_dtype([part.pixels for part in parts])
        kept = dict(zip((part.key for part in parts), planes, strict=True))
        blank_notes = _drop_blank(kept)
        measured = {str(part.path): part.pixel_size_um for part in parts if part.pixel_size_um}
        size, size_source, size_notes = choose_pixel_size(given, measured)
    zeros = np.zeros_like(planes[0])
    said = [note for part in parts for note in part.notes]
    gone = [key for key in CHANNEL_KEYS if key not in kept]
    every = [
        *notes,
        *said,
        *dtype_notes,
        *blank_notes,
        *map(_missing_note, gone),
        *_twins(kept),
        *size_notes,
    ]
    return Field(
        np.stack([kept.get(key, zeros) for key in CHANNEL_KEYS]),
        name,
        size,
        size_source,
        frozenset(gone),
        {part.key: str(part.path) for part in parts if part.key in kept},
        tuple(dict.fromkeys(every)),
    )


def _drop_blank(planes: dict[str, NDArray[Any]]) -> list[str]:
    """Handle channels of one constant value: nuclei are refused, protein is noted, the others count as missing."""
    notes = []
    for key, plane in list(planes.items()):
        if plane.min() != plane.max():
            continue
        what = CHANNELS[channel_index(key)].name
        if key == "blue":
            message = (
                f"Expected nuclei in the blue channel; found every pixel to be {plane.flat[0]}."
            )
            raise InputError(message, hint="Without nuclei no cell can be found; check the file.")
        notes.append(f"{what} ({key}): every pixel is {plane.flat[0]}.")
        if key != "green":
            del planes[key]
    return notes


def _missing_note(key: str) -> str:
    """A sentence on a missing channel."""
    verb = {"red": "are", "yellow": "is"}[key]
    what = CHANNELS[channel_index(key)].name
    return (
        f"{what} ({key}) {verb} missing: results rest on the other channels and are less certain."
    )


def _twins(planes: Mapping[str, NDArray[Any]]) -> list[str]:
    """A sentence on channels that hold the same pixels."""
    keys = list(planes)
    return [
        f"The {a} and {b} channels hold the same pixels; was one file saved twice?"
        for i, a in enumerate(keys)
        for b in keys[i + 1 :]
        if np.array_equal(planes[a], planes[b])
    ]
