"""`FieldSource`: where one field's pixels are, before anything is read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.io._assemble import read_channel_files, read_one_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.core.field import Field

__all__ = ["FieldSource"]


@dataclass(frozen=True)
class FieldSource:
    """The files of one field.

    Parameters
    ----------
    name : str
        The field's name; unique among the fields found together.
    files : mapping of str to Path, or Path
        Channel key to file; or one file (or OME-Zarr folder) that holds all channels.
    channels : mapping of str or int to str, optional
        For one file: its channel names or numbers to ours.
    extra : mapping of str to str
        What else is known of the field and is carried through to the results: well, gene, antibody, treatment.
    pixel_size_um : float, optional
        Micrometres per pixel where a table says so; wins over what the files say.
    """

    name: str
    files: Mapping[str, Path] | Path
    channels: Mapping[str | int, str] | None = None
    extra: Mapping[str, str] = dataclasses.field(default_factory=dict)
    pixel_size_um: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file of the field, in the order of the channels."""
        return (self.files,) if isinstance(self.files, Path) else tuple(self.files.values())

    def read(self, pixel_size_um: float | None = None) -> Field:
        """Read the field.

        Parameters
        ----------
        pixel_size_um : float, optional
            Micrometres per pixel; wins over what the source and the files say.

        Returns
        -------
        Field
            Pixels of uint8, uint16 or float32, shape (4, Y, X), with what is known of them.

        Raises
        ------
        InputError
            If a file can't be read or the channels don't fit together.
        """
        size = self.pixel_size_um if pixel_size_um is None else pixel_size_um
        if isinstance(self.files, Path):
            field = read_one_file(self.name, self.files, self.channels, size)
        else:
            field = read_channel_files(self.name, self.files, size)
        return dataclasses.replace(field, extra=dict(self.extra)) if self.extra else field
