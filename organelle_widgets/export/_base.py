"""What every export format offers, for one field and for a whole run, and writing several of them at once."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.settings import check_settings
from organelle_widgets.errors import ExportError, attributed_to
from organelle_widgets.export._names import safe_stem
from organelle_widgets.export._run import Exported, failed_fields, write_files
from organelle_widgets.registry import Registry
from organelle_widgets.render.saving import folder_written_whole, written_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["EXPORTERS", "Exported", "Exporter", "default_formats", "export_field", "safe_stem"]


class Exporter(ABC):
    """Writes a result, or a run of many, in one format.

    A format is a frozen dataclass that derives from this class, registers with
    ``@EXPORTERS.register(name, title=...)``, says in `filename` what its file is called, and implements
    `_write`. A result without cells must give a valid file, too, or be refused by `allows_empty`. Of a run it
    writes one file a field; a format that joins all fields sets `one_file` and implements `_write_run`.

    Attributes
    ----------
    filename : str
        Name of the file in a field's own folder, with its suffix: ``"cells.csv"``.
    mimetype : str
        For downloads.
    needs_pixels : bool
        Whether the images of the field are needed; if not, a run is exported without reading them.
    allows_empty : bool
        Whether a result without cells makes a file; if not, it is refused, and skipped within a run.
    is_folder : bool
        Whether a result becomes a folder of files.
    one_file : bool
        Whether a run becomes one file.
    by_default : bool
        Whether the format is among those that are written where nobody chose any.

    Raises
    ------
    SettingsError
        On construction, if a setting is out of its range.
    """

    filename: ClassVar[str]
    mimetype: ClassVar[str] = "application/octet-stream"
    needs_pixels: ClassVar[bool] = False
    allows_empty: ClassVar[bool] = True
    is_folder: ClassVar[bool] = False
    one_file: ClassVar[bool] = False
    by_default: ClassVar[bool] = False

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
        """Write one file, or one folder where the format is one, whole or not at all.

        Parameters
        ----------
        result : FieldResult
            The result; may have no cells where `allows_empty`.
        path : str or Path
            The file; its folder must exist. A file, or an earlier export, that is there already is replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ExportError
            If the file can't be written, or there are no cells and the format is nothing without; says why.
        """
        target = Path(path)
        whole = folder_written_whole if self.is_folder else written_whole
        with attributed_to(source=result.field.name, step="export"):
            if not self.allows_empty and not result.n_cells:
                raise self._empty()
            with whole(target) as part:
                self._write(result, part)
        return target

    def write_run(
        self,
        results: Results,
        path: str | Path,
        monitor: Monitor | None = None,
        where: str | None = None,
    ) -> Exported:
        """Write all fields of a run, or some, whole or not at all.

        Memory is bounded by one field, or by one batch of cells, not by the run.

        Parameters
        ----------
        results : Results
            The run.
        path : str or Path
            The file where the format is `one_file`; else a folder with one file a field, named
            ``<field>_<filename>``. The folder around it must exist. What an earlier export wrote is replaced.
        monitor : Monitor, optional
            Learns how far it is; may cancel.
        where : str, optional
            SQL condition on the table ``fields``: ``"well = 'B2'"``. All fields without it.

        Returns
        -------
        Exported
            What was written, and what is not in it and why.

        Raises
        ------
        ExportError
            If nothing fits the condition, nothing could be written, or the disk refuses; says why.
        Cancelled
            If the monitor says so; then nothing is left behind.
        """
        target = Path(path)
        watch = monitor or Monitor()
        watch.report("", 0.0)
        whole = written_whole(target) if self.one_file else folder_written_whole(target, keep=True)
        with attributed_to(step="export"), whole as part:
            done = self._write_run(results, part, watch, where)
            if not self.allows_empty and not done.n_cells:
                raise self._empty()
            watch.report("", 1.0)
        failed = failed_fields(results) if where is None else ()
        return dataclasses.replace(done, path=target, skipped=(*done.skipped, *failed))

    @abstractmethod
    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the format to `path`, whose suffix says nothing; a new folder where `is_folder`."""

    def _write_run(
        self, results: Results, path: Path, monitor: Monitor, where: str | None
    ) -> Exported:
        """Write the run to `path`: a file where `one_file`, else a new folder. Streams; reports to the monitor."""
        return write_files(self, results, path, monitor, where)

    def _empty(self) -> ExportError:
        """That there is nothing to write."""
        message = f"There are no cells, and nothing to write as {self.title} without them."
        return ExportError(message, hint="Choose another format, or results with cells.")


EXPORTERS: Registry[Exporter] = Registry("exporter", "organelle_widgets.export", lambda: Exporter)
"""All export formats by name."""


def default_formats() -> list[str]:
    """The formats that are written where nobody chose any.

    Returns
    -------
    list of str
        Names of those in `EXPORTERS` that are `by_default` and installed.
    """
    entries = EXPORTERS.entries().items()
    return [name for name, entry in entries if entry.cls.by_default and not entry.missing]


def export_field(
    result: FieldResult, folder: str | Path, formats: Sequence[str] | None = None
) -> dict[str, Path]:
    """Write a result in several formats into one folder.

    Parameters
    ----------
    result : FieldResult
        The result; may have no cells.
    folder : str or Path
        Made if it does not exist. Files of an earlier export are replaced.
    formats : sequence of str, optional
        Names out of `EXPORTERS`; those of `default_formats` without it.

    Returns
    -------
    dict of str to Path
        The files by format: ``cells.csv``, ``cells.tif``, ``nuclei.tif``, ``overview.png``, ``result.json``,
        measurements, and those of other packages that are `Exporter.by_default`.

    Raises
    ------
    ExportError
        If the folder can't be made or a file can't be written; says why.
    SettingsError
        If a format is unknown.
    """
    wanted = default_formats() if formats is None else formats
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
