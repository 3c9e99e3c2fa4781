"""Read one field from whatever a person has: a folder, a file, a list, a mapping."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNEL_KEYS, CHANNELS, channel_index
from organelle_widgets.errors import InputError
from organelle_widgets.io._checks import plain_os_errors
from organelle_widgets.io.discover import discover_fields
from organelle_widgets.io.hpa import IMAGE_SUFFIXES, channel_suffixes, is_mask, split_name, stem_of
from organelle_widgets.io.readers import is_image_folder
from organelle_widgets.io.sources import FieldSource

if TYPE_CHECKING:
    from organelle_widgets.core.field import Field

__all__ = ["find_field", "read_field"]

_PathLike = str | os.PathLike[str]


def read_field(
    source: _PathLike | Sequence[_PathLike] | Mapping[str, _PathLike] | FieldSource,
    *,
    channels: Mapping[str | int, str] | None = None,
    pixel_size_um: float | None = None,
    name: str | None = None,
) -> Field:
    """Read one field.

    Parameters
    ----------
    source : path, sequence of paths, mapping of str to path, or FieldSource
        A folder with exactly one field; one multi-channel file (TIFF, OME-TIFF, ImageJ TIFF, OME-Zarr folder) or
        one colour image; any of the files of a field, whose siblings are found by their suffixes; a list of
        files; channel to file; or what `discover_fields` found.
    channels : mapping of str or int to str, optional
        From a suffix of file names (``"_ch00"``), or a channel's name or number (from 0) in the file, to our
        channel by key, name or alias: ``{"_ch00": "blue"}``, ``{0: "nuclei", "Cy5": "protein"}``.
    pixel_size_um : float, optional
        Micrometres per pixel; wins over what the files say. Without either, 0.08 um is assumed.
    name : str, optional
        The field's name; by default the part of the file names that the channels share.

    Returns
    -------
    Field
        Pixels of uint8, uint16 or float32, shape (4, Y, X), in the order red, green, blue, yellow. Microtubules
        (red) or ER (yellow) may be missing; `notes` says what a person should know.

    Raises
    ------
    InputError
        If nothing there can be read as one field. The message says what was found and what to do.

    Examples
    --------
    >>> field = read_field("plate1/57_F11_1_green.png")  # doctest: +SKIP
    >>> field = read_field("image.ome.tif", channels={0: "nuclei", 1: "protein"})  # doctest: +SKIP
    """
    found = find_field(source, channels=channels)
    if name is not None:
        found = replace(found, name=name)
    return found.read(pixel_size_um)


@plain_os_errors()
def find_field(
    source: _PathLike | Sequence[_PathLike] | Mapping[str, _PathLike] | FieldSource,
    *,
    channels: Mapping[str | int, str] | None = None,
) -> FieldSource:
    """The one field that a source stands for, before any pixel is read.

    Parameters
    ----------
    source : path, sequence of paths, mapping of str to path, or FieldSource
        As for `read_field`.
    channels : mapping of str or int to str, optional
        As for `read_field`.

    Returns
    -------
    FieldSource
        Name and files of the field.

    Raises
    ------
    InputError
        If the source does not stand for exactly one field.
    """
    if isinstance(source, FieldSource):
        return replace(source, channels=channels) if channels else source
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return _only_one(path, channels) if _is_folder(path) else _from_file(path, channels)
    if isinstance(source, Sequence) and all(isinstance(p, (str, os.PathLike)) for p in source):
        return _only_one(source, channels)
    message = f"Expected a path, paths, a mapping of channel to path or a FieldSource; found {type(source).__name__}."
    raise InputError(message, hint="Make a Field from an array with organelle_widgets.Field.")


def _is_folder(path: Path) -> bool:
    """Whether a path is a folder of images."""
    return path.is_dir() and not is_image_folder(path)


def _only_one(
    source: Path | Sequence[_PathLike], channels: Mapping[str | int, str] | None
) -> FieldSource:
    """The only field of a folder or list."""
    found = discover_fields(source, channels=channels)
    if len(found) != 1:
        names = ", ".join(item.name for item in found[:5]) + (", ..." if len(found) > 5 else "")
        message = f"Expected exactly one field; found {len(found)}{f': {names}' if names else ''}."
        shown = str(source) if isinstance(source, Path) else None
        raise InputError(message, source=shown, hint="Use discover_fields to read several.")
    return found[0]


def _from_file(path: Path, channels: Mapping[str | int, str] | None) -> FieldSource:
    """The field that a file belongs to: with its siblings, or alone."""
    if is_mask(path):
        message = "Expected an image of a field; found a mask, going by its name."
        raise InputError(message, source=str(path), hint="Give the image that belongs to it.")
    suffixes = channel_suffixes(channels)
    name, key = split_name(path, suffixes)
    if key is None or not path.is_file():
        return FieldSource(stem_of(path), path, channels)
    siblings = [
        other
        for other in sorted(path.parent.iterdir())
        if other.name.lower().endswith(IMAGE_SUFFIXES)
        and not other.name.startswith(".")
        and not is_mask(other)
        and split_name(other, suffixes)[0] == name
        and split_name(other, suffixes)[1] is not None
    ]
    return _only_one(siblings, channels)


def _from_mapping(source: Mapping[str, _PathLike]) -> FieldSource:
    """The field of a mapping from channel to file."""
    files: dict[str, Path] = {}
    for channel, path in source.items():
        key = CHANNELS[channel_index(channel)].key
        if key in files:
            message = f"Expected one file of the {key} channel; found {files[key]} and {path}."
            raise InputError(message)
        files[key] = Path(path)
    if not files:
        message = "Expected files by channel; found an empty mapping."
        raise InputError(message)
    files = {key: files[key] for key in CHANNEL_KEYS if key in files}
    return FieldSource(_common_name(list(files.values())), files)


def _common_name(paths: Sequence[Path]) -> str:
    """What the names of a field's files share; the folder's name where they share nothing."""
    names = [split_name(path, channel_suffixes())[0] for path in paths]
    same = (len(set(letters)) == 1 for letters in zip(*names, strict=False))
    length = sum(1 for _ in takewhile(bool, same))
    return names[0][:length].rstrip(" _-.") or paths[0].parent.name or "field"
