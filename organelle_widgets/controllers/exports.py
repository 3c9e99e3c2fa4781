"""Saving what is on the page: tables, masks, pictures and charts, sent to the person's browser."""

from __future__ import annotations

import dataclasses
import io
import logging
import mimetypes
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import OrganelleWidgetsError
from organelle_widgets.export import export_field, safe_stem
from organelle_widgets.render.charts.probability import ProbabilityChart
from organelle_widgets.state import Failure

if TYPE_CHECKING:
    from concurrent.futures import Future

    from organelle_widgets.controllers.page_thread import PageThread
    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.engine import Engine
    from organelle_widgets.state import PageState
    from organelle_widgets.widgets.cell_panel import CellPanel
    from organelle_widgets.widgets.header_bar import HeaderBar

__all__ = ["EXPORTS", "ExportController"]

logger = logging.getLogger(__name__)

EXPORTS: tuple[dict[str, str], ...] = (
    {"key": "table", "title": "Table of cells", "detail": "CSV: geometry, classes, probabilities"},
    {
        "key": "measurements",
        "title": "Measurements of cells",
        "detail": "CSV: shape, intensity, spots and more, with what they mean",
    },
    {"key": "overview", "title": "Overview picture", "detail": "PNG: channels, cells, prediction"},
    {"key": "masks", "title": "Label images", "detail": "TIFF: cells and nuclei"},
    {"key": "summary", "title": "Summary", "detail": "JSON: counts, settings, versions"},
    {"key": "all", "title": "All of the above", "detail": "ZIP of these five"},
    {"key": "report", "title": "Report", "detail": "HTML: one file, opens offline"},
    {
        "key": "figures",
        "title": "Figures",
        "detail": "PDF and PNG: overview and charts, with numbers",
    },
    {"key": "fiji", "title": "ROIs for Fiji", "detail": "ZIP for ImageJ's ROI manager"},
    {"key": "qupath", "title": "Cells for QuPath", "detail": "GeoJSON: cells, nuclei, classes"},
    {"key": "ome_zarr", "title": "Image with labels", "detail": "OME-Zarr, zipped: napari, Fiji"},
    {"key": "anndata", "title": "Cells for scanpy", "detail": "h5ad: probabilities, embedding"},
)
"""What can be saved of a result."""

_FORMATS = {
    "table": ("csv",),
    "measurements": ("measurements_csv", "measurements_columns"),
    "overview": ("overview_png",),
    "masks": ("cells_tiff", "nuclei_tiff"),
    "summary": ("json",),
    "report": ("html_report",),
    "figures": ("overview_pdf", "overview_png", "charts"),
    "fiji": ("imagej_rois",),
    "qupath": ("geojson",),
    "ome_zarr": ("ome_zarr",),
    "anndata": ("h5ad",),
}
"""Formats of `organelle_widgets.export` behind each key; those written by default behind any other."""


class ExportController:
    """Makes the files that a person asks for and hands them to the browser.

    Parameters
    ----------
    state : PageState
        What is on the page.
    engine : Engine
        Where files are made.
    on_page : PageThread
        The way back from there.
    header : HeaderBar
        Asks for exports and receives files.
    panel : CellPanel
        Asks for charts.
    """

    def __init__(
        self,
        state: PageState,
        engine: Engine,
        on_page: PageThread,
        header: HeaderBar,
        panel: CellPanel,
    ) -> None:
        self._state = state
        self._engine = engine
        self._on_page = on_page
        self._header = header
        header.export_requested.connect(self.export)
        panel.chart_requested.connect(self.save_chart)

    def export(self, key: str) -> None:
        """Make one of `EXPORTS` and send it.

        Parameters
        ----------
        key : str
            Which.
        """
        result = self._state.result
        if result is not None:
            self._send(key, make_export, result, key, self._state.threshold)

    def save_chart(self, suffix: str) -> None:
        """Draw the probabilities on the page and send them.

        Parameters
        ----------
        suffix : str
            ``png``, ``svg`` or ``pdf``.
        """
        result = self._state.result
        if result is not None:
            cell = self._state.selected or None
            self._send("chart", make_chart, result, cell, self._state.threshold, suffix)

    def _send(self, key: str, work: Any, *args: Any) -> None:
        """Make a file on the engine, then offer it."""
        self._header.exporting = key
        job = self._engine.submit(work, *args)
        job.future.add_done_callback(lambda future: self._on_page(self._finish, future))

    def _finish(self, future: Future[tuple[str, bytes]]) -> None:
        """Offer the file, or say why there is none."""
        self._header.exporting = ""
        error = None if future.cancelled() else future.exception()
        if error is not None:
            known = isinstance(error, OrganelleWidgetsError)
            if not known:
                logger.error("An export failed that should not.", exc_info=error)
            hint = error.hint if isinstance(error, OrganelleWidgetsError) else ""
            self._state.failure = Failure(
                f"The file could not be made: {error.args[0]}", hint or ""
            )
        elif not future.cancelled():
            name, content = future.result()
            mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._header.offer_file(name, mime, content)


def make_export(
    result: FieldResult, key: str, threshold: float, *, monitor: Monitor
) -> tuple[str, bytes]:
    """One file with what was asked for.

    Parameters
    ----------
    result : FieldResult
        The result on the page.
    key : str
        One of `EXPORTS`.
    threshold : float
        The confidence threshold of now, 0 to 1.
    monitor : Monitor
        May cancel.

    Returns
    -------
    str, bytes
        File name and content.
    """
    monitor.report("Making the file", 0.0)
    shown = dataclasses.replace(result, threshold=threshold)
    stem = safe_stem(result.field.name)
    with tempfile.TemporaryDirectory() as folder:
        wanted = list(export_field(shown, folder, _FORMATS.get(key)).values())
        if len(wanted) == 1 and wanted[0].is_file():
            return f"{stem}_{wanted[0].name}", wanted[0].read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (inner for top in wanted for inner in (top, *sorted(top.rglob("*")))):
                if path.is_file():
                    archive.write(path, f"{stem}/{path.relative_to(folder).as_posix()}")
        return f"{stem}_{key}.zip", packed.getvalue()


def make_chart(
    result: FieldResult, cell_id: int | None, threshold: float, suffix: str, *, monitor: Monitor
) -> tuple[str, bytes]:
    """The probability chart of a cell, or of the field, as a file.

    Parameters
    ----------
    result : FieldResult
        The result on the page.
    cell_id : int or None
        The cell; None for the field.
    threshold : float
        The confidence threshold of now, 0 to 1.
    suffix : str
        ``png``, ``svg`` or ``pdf``.
    monitor : Monitor
        May cancel.

    Returns
    -------
    str, bytes
        File name and content.
    """
    monitor.report("Drawing the chart", 0.0)
    subject = "field" if cell_id is None else f"cell_{cell_id}"
    name = f"{safe_stem(result.field.name)}_{subject}_probabilities.{suffix}"
    with tempfile.TemporaryDirectory() as folder:
        path = ProbabilityChart(threshold=threshold).save(
            result, Path(folder) / f"chart.{suffix}", cell_id=cell_id
        )
        return name, Path(path).read_bytes()
