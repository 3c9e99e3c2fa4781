"""Pictures of nuclei with their labels, as the Data Science Bowl 2018 gave them: nothing is known of cells.

The folder holds ``index.csv`` (column ``id``), ``images/<id>.png`` and ``labels/<id>.png``. Training and evaluation
read it through here, so that both mean the same pictures by *held out*.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import InputError
from organelle_widgets.io.readers import reader_for
from organelle_widgets.io.readers.masks import read_mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NucleiPicture", "read_nuclei_pictures"]

_EVERY = 10


@dataclass(frozen=True)
class NucleiPicture:
    """One picture, unread.

    Parameters
    ----------
    id : str
        Its name.
    folder : Path
        Holds ``images`` and ``labels``.
    held_out : bool
        Whether it is kept aside from training: every tenth id in alphabetical order is.
    """

    id: str
    folder: Path
    held_out: bool

    def read(self) -> NDArray[Any]:
        """The picture.

        Returns
        -------
        ndarray of uint8 or uint16, shape (Y, X)
            Grey levels; the first plane of a coloured file.

        Raises
        ------
        InputError
            If the file is missing or can't be read.
        """
        path = self.folder / "images" / f"{self.id}.png"
        plane: NDArray[Any] = reader_for(path).planes(path, (0,))[0]
        return plane

    def read_labels(self) -> NDArray[np.int32]:
        """Which pixel belongs to which nucleus.

        Returns
        -------
        ndarray of int32, shape (Y, X)
            0 is background.

        Raises
        ------
        InputError
            If the file is missing or can't be read.
        """
        return read_mask(self.folder / "labels" / f"{self.id}.png")


def read_nuclei_pictures(folder: str | Path) -> list[NucleiPicture]:
    """The pictures of a folder, in the order of its index.

    Parameters
    ----------
    folder : str or Path
        Holds ``index.csv``.

    Returns
    -------
    list of NucleiPicture
        Unread.

    Raises
    ------
    InputError
        If there is no index, or it has no column ``id``.
    """
    index = Path(folder) / "index.csv"
    if not index.is_file():
        message = "Expected index.csv, the list of the pictures of nuclei; found none."
        raise InputError(message, source=str(folder))
    with index.open(newline="", encoding="utf-8-sig") as lines:
        records = csv.DictReader(lines)
        if "id" not in (records.fieldnames or ()):
            message = (
                f"Expected a column id; found {', '.join(records.fieldnames or ()) or 'none'}."
            )
            raise InputError(message, source=str(index))
        ids = [row["id"] for row in records]
    aside = set(sorted(ids)[::_EVERY])
    return [NucleiPicture(name, Path(folder), name in aside) for name in ids]
