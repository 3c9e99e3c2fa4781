"""Cells that were outlined elsewhere, read from label images.

Which file belongs to a field, and whether its labels can be cells of that field, is decided here; how label images
are read is `organelle_widgets.io`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage as ndi

from organelle_widgets.core.masks import Masks, relabel
from organelle_widgets.core.settings import setting
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.segmentation._base import SEGMENTERS, Segmenter
from organelle_widgets.segmentation._pairing import pair_nuclei
from organelle_widgets.segmentation.watershed import Watershed

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field

__all__ = ["FromMasks"]

_LARGE_PART = 0.05
"""A part of a lone label counts when it holds this share of it: less may be the crumbs of one cell."""


@SEGMENTERS.register("from_masks", title="Label images from files")
@dataclass(frozen=True)
class FromMasks(Segmenter):
    """Takes the cells from a label image beside the field's files.

    In a label image every pixel holds the id of its cell and 0 where there is none: a grey PNG or TIFF of the
    field's size. Ids are kept. Nuclei come from a second label image; its ids need not agree: a nucleus belongs to
    the cell that holds most of it, what lies outside is cut off, and one outside every cell is dropped. Without such
    an image nuclei are found in their stain, as `Watershed` finds them.

    File names are looked for below the folder of the field's files, or below `folder`, and never outside it: the
    names may come from anyone who uses a served page, the folder only from code or the command line.

    Parameters
    ----------
    cells, nuclei : str
        File names in which ``{name}`` stands for the field's name, such as ``"masks/{name}_cells.tif"``; nuclei may
        be empty.
    folder : str or path-like, optional
        Where to look; the folder of the field's files by default.

    Raises
    ------
    SettingsError
        If a file name is empty, leads out of the folder, or holds braces other than ``{name}``.
    InputError
        On use, if a file is missing, can't be read, is not of the field's size, or holds no labels but an outline
        of everything.

    Examples
    --------
    >>> from organelle_widgets.segmentation import make_segmenter
    >>> make_segmenter("from_masks", cells="{name}_cells.tif", nuclei="{name}_nuclei.tif").nuclei
    '{name}_nuclei.tif'
    """

    cells: str = setting(
        "{name}_cellmask.png",
        label="File of cells",
        help="Label image beside the field's files; {name} stands for the field's name.",
    )
    nuclei: str = setting(
        "",
        label="File of nuclei",
        help="Label image of the nuclei; without one they are found in their stain.",
    )
    folder: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.cells:
            message = "cells: expected the file name of a label image; found an empty text."
            raise SettingsError(message)
        for name, pattern in (("cells", self.cells), ("nuclei", self.nuclei)):
            _check_pattern(name, pattern)

    def _segment(self, field: Field) -> Masks:
        cells = self._read(field, self.cells)
        found = self._read(field, self.nuclei) if self.nuclei else Watershed().segment(field).nuclei
        return Masks(pair_nuclei(found, cells), cells)

    def _read(self, field: Field, pattern: str) -> NDArray[np.int32]:
        """The labels of one file, checked against the field."""
        from organelle_widgets.io import read_mask

        path = self._path(field, pattern)
        if not path.is_file():
            message = f"Expected a label image at {path}; found no file."
            hint = (
                "Set its file name; {name} stands for the field's name, here "
                + f"{_last(field)!r}."
            )
            raise InputError(message, hint=hint)
        labels = read_mask(path)
        if labels.shape != field.shape:
            message = f"Expected labels of the field's shape {field.shape}; found {labels.shape} in {path}."
            raise InputError(message, hint="Labels are not resized: save them at the field's size.")
        _check_labels(labels, path)
        return relabel(labels) if labels.max() > labels.size else labels

    def _path(self, field: Field, pattern: str) -> Path:
        """The file that a pattern stands for."""
        folder = self.folder
        if folder is None:
            if not field.sources:
                message = f"Expected a field that was read from files, with {pattern!r} beside them; found none."
                raise InputError(
                    message, hint="Open it from its folder, or give the folder of the label images."
                )
            folder = Path(next(iter(field.sources.values()))).parent
        name = pattern.replace("{name}", _last(field))
        if _leads_out(name):
            message = f"Expected a file name below the folder {folder}; found {name!r}."
            raise InputError(message)
        return Path(folder) / name

    def provenance(self) -> dict[str, Any]:
        """Name, file names and, where one was given, the folder."""
        folder = {} if self.folder is None else {"folder": str(self.folder)}
        return {**super().provenance(), **folder}


def _last(field: Field) -> str:
    """The field's name without the folders that may lead it, as in ``plate 1/well B2``."""
    return PurePosixPath(field.name).name


def _check_pattern(name: str, pattern: str) -> None:
    """Refuse a file name that leads out of the folder or has other braces than ``{name}``."""
    if _leads_out(pattern):
        message = f"{name}: expected a file name below the folder of the field's files; found {pattern!r}."
        raise SettingsError(message, hint="Give another folder as folder.")
    if re.search(r"[{}]", pattern.replace("{name}", "")):
        message = f"{name}: expected no braces but {{name}}; found {pattern!r}."
        raise SettingsError(message)


def _leads_out(name: str) -> bool:
    """Whether a file name is absolute or climbs up, on any system."""
    paths: tuple[PurePath, ...] = (PurePosixPath(name), PureWindowsPath(name))
    return any(path.anchor or ".." in path.parts for path in paths)


def _check_labels(labels: NDArray[np.int32], path: Path) -> None:
    """Refuse an image that says only where cells are, not which."""
    value = int(labels.max())
    inside = labels > 0
    if not value or (labels[inside] != value).any():
        return
    parts, n_parts = ndi.label(inside)
    areas = np.bincount(parts.ravel(), minlength=n_parts + 1)[1:]
    n_large = int(np.count_nonzero(areas >= _LARGE_PART * areas.sum()))
    if n_large > 1:
        message = (
            f"Expected a number of its own for every cell in {path}; "
            f"found 0 and {value} only, in {n_large} separate parts."
        )
        raise InputError(message, hint="Label them first, for instance with skimage.measure.label.")
