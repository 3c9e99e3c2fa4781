"""What every export format offers, and writing all of them at once."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from organelle_widgets.core.settings import check_settings
from organelle_widgets.errors import ExportError, attributed_to
from organelle_widgets.registry import Registry
from organelle_widgets.render.saving import written_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from organelle_widgets.core.results import FieldResult

__all__ = ["EXPORTERS", "Exporter", "export_field", "safe_stem"]


class Exporter(ABC):
    """Writes a result in one format.

    A format is a frozen dataclass that derives from this class, registers with
    ``@EXPORTERS.register(name, title=...)``, says in `filename` what its file is called, and implements
    `_write`. A result without cells must give a valid file, too.

    Attributes
    ----------
    filename : str
        Name of the file in a field's own folder, with its suffix: ``"cells.csv"``.
    mimetype : str
        For downloads.

    Raises
    ------
    SettingsError
        On construction, if a setting is out of its range.
    """

    filename: ClassVar[str]
    mimetype: ClassVar[str] = "application/octet-stream"

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def suffix(self) -> str:
        """What file names end in, with the dot."""
        return Path(self.filename).suffix

    @property
    def title(self) -> str:
        """What the page calls the format."""
        name = EXPORTERS.name_of(type(self))
        return EXPORTERS.get(name).title

    def name_for(self, result: FieldResult) -> str:
        """A file name for a folder with many fields in it, such as ``"57_F11_1_cells.csv"``.

        Parameters
        ----------
        result : FieldResult
            The result.

        Returns
        -------
        str
            Safe on every system; no folder in it.
        """
        return f"{safe_stem(result.field.name)}_{self.filename}"

    def write(self, result: FieldResult, path: str | Path) -> Path:
        """Write one file, whole or not at all.

        Parameters
        ----------
        result : FieldResult
            The result; may have no cells.
        path : str or Path
            The file; its folder must exist. A file that is there already is replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ExportError
            If the file can't be written; says why.
        """
        target = Path(path)
        with attributed_to(source=result.field.name, step="export"), written_whole(target) as part:
            self._write(result, part)
        return target

    @abstractmethod
    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the format to `path`, whose suffix says nothing."""


EXPORTERS: Registry[Exporter] = Registry("exporter", "organelle_widgets.export", lambda: Exporter)
"""All export formats by name."""


def safe_stem(name: str) -> str:
    """A field's name as the start of a file name.

    Parameters
    ----------
    name : str
        May hold folders, spaces, anything.

    Returns
    -------
    str
        Letters, digits, ``_``, ``-`` and ``.``, at most 120; never empty.
    """
    return (re.sub(r"[^\w.-]+", "_", name).strip("._") or "field")[:120]


def export_field(
    result: FieldResult, folder: str | Path, formats: Sequence[str] | None = None
) -> dict[str, Path]:
    """Write a result in all formats into one folder.

    Parameters
    ----------
    result : FieldResult
        The result; may have no cells.
    folder : str or Path
        Made if it does not exist. Files of an earlier export are replaced.
    formats : sequence of str, optional
        Names out of `EXPORTERS`; all that are installed by default.

    Returns
    -------
    dict of str to Path
        The files by format: ``cells.csv``, ``cells.tif``, ``nuclei.tif``, ``overview.png``,
        ``result.json``, and those of other packages.

    Raises
    ------
    ExportError
        If the folder can't be made or a file can't be written; says why.
    SettingsError
        If a format is unknown.
    """
    wanted = formats
    if wanted is None:
        wanted = [name for name, entry in EXPORTERS.entries().items() if not entry.missing]
    exporters = {name: EXPORTERS.create(name) for name in wanted}
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"Can't make the folder {target}: {error.strerror or error}."
        raise ExportError(
            message,
            source=result.field.name,
            step="export",
            hint="Choose a folder that you may write to.",
        ) from error
    return {
        name: exporter.write(result, target / exporter.filename)
        for name, exporter in exporters.items()
    }
