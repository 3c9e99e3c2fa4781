"""The file names of the Human Protein Atlas: ``{name}_{red|green|blue|yellow}.png``, and masks beside them.

Only names are looked at here; no file is opened.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNEL_KEYS, CHANNELS, channel_index
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["IMAGE_SUFFIXES", "channel_suffixes", "is_mask", "split_name", "stem_of"]

IMAGE_SUFFIXES = (".ome.tiff", ".ome.tif", ".tiff", ".tif", ".png", ".jpeg", ".jpg")
"""Endings of the files that may be images, lower case, longest first."""

_MASK_ENDINGS = ("_cellmask", "_nucleimask", "_nucleusmask", "_mask", "_masks")
_SEPARATORS = " _-."


def channel_suffixes(channels: Mapping[str | int, str] | None = None) -> dict[str, str]:
    """Endings of file names (without ``.png``) and the channel that each stands for.

    Parameters
    ----------
    channels : mapping of str or int to str, optional
        More endings, such as ``{"_ch00": "blue"}``; they win over HPA's. Numbers, which name planes inside
        a file, are left out.

    Returns
    -------
    dict of str to str
        Case-folded ending to channel key, longest first.

    Raises
    ------
    InputError
        If a value is no channel, or a key is neither text nor a whole number from 0.
    """
    table = {f"_{key}": key for key in CHANNEL_KEYS}
    for name, channel in (channels or {}).items():
        key = CHANNELS[channel_index(channel)].key
        is_index = isinstance(name, int) and not isinstance(name, bool) and name >= 0
        is_name = isinstance(name, str) and name.strip(_SEPARATORS) != ""
        if not (is_index or is_name):
            message = f"Expected channels as {{file-name ending, name or number: channel}}; found the key {name!r}."
            raise InputError(message, hint='For instance {"_ch00": "blue", "_ch01": "green"}.')
        if isinstance(name, str):
            table[_folded(name)] = key
    return dict(sorted(table.items(), key=lambda item: -len(item[0])))


def stem_of(path: Path) -> str:
    """A file's name without the endings of image formats.

    Parameters
    ----------
    path : Path
        A file or an OME-Zarr folder.

    Returns
    -------
    str
        For instance ``"a.b"`` for ``a.b.ome.tif``, in Unicode's composed form.
    """
    name = unicodedata.normalize("NFC", path.name)
    for suffix in (*IMAGE_SUFFIXES, ".ome.zarr", ".zarr"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def split_name(path: Path, suffixes: Mapping[str, str]) -> tuple[str, str | None]:
    """Split a file's name into the field's name and the channel.

    Parameters
    ----------
    path : Path
        A file.
    suffixes : mapping of str to str
        What `channel_suffixes` returns.

    Returns
    -------
    name : str
        The part that the files of a field share; the folder's name where nothing is left.
    key : str or None
        The channel; None where the name tells none.
    """
    stem = stem_of(path)
    for suffix, key in suffixes.items():
        if _folded(stem).endswith(suffix):
            return stem[: len(stem) - len(suffix)].rstrip(
                _SEPARATORS
            ) or path.absolute().parent.name, key
    return stem, None


def is_mask(path: Path) -> bool:
    """Whether a file is a mask by its name, such as ``x_cellmask.png``.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    bool
        True for names that end as masks do.
    """
    return _folded(stem_of(path)).endswith(_MASK_ENDINGS)


def _folded(text: str) -> str:
    """Text in which case does not matter, of the same length where possible."""
    return unicodedata.normalize("NFC", text).lower()
