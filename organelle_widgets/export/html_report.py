"""A result, or a whole run, as one page that needs nothing beside itself: to read, to send, to keep, to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from organelle_widgets.core.settings import setting
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._report_field import report_of_field
from organelle_widgets.export._report_run import MOST_FIELDS, report_of_run
from organelle_widgets.export._run import Exported, chosen_fields

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["HtmlReportExporter"]


@EXPORTERS.register("html_report", title="Report (HTML)")
@dataclass(frozen=True)
class HtmlReportExporter(Exporter):
    """One file with pictures, answer, charts, tables, settings and versions; opens offline, light or dark, and prints.

    Of a run it has the charts of `organelle_widgets.plates.charts.RUN_CHARTS` that apply, pictures of the first fields,
    the first 5,000 fields as a table and the failures with their reasons; counts and charts are of all fields. It
    takes about 30 KB a picture and 1 KB a field, and the memory of that.

    Parameters
    ----------
    by : str
        Column of a run that makes groups in charts, such as ``"treatment"``; empty: each chart chooses.
    gallery : int
        Most fields of a run that are shown with a picture.
    """

    filename: ClassVar[str] = "report.html"
    mimetype: ClassVar[str] = "text/html"
    needs_pixels: ClassVar[bool] = True
    one_file: ClassVar[bool] = True

    by: str = setting(
        "",
        label="Group by",
        help="A column of a run, such as treatment; empty: the charts choose one.",
    )
    gallery: int = setting(
        200,
        label="Fields with a picture",
        minimum=0,
        maximum=2000,
        step=50,
        help="About 30 KB each; more make a larger file.",
    )

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the page of a field."""
        path.write_text(report_of_field(result), encoding="utf-8")

    def _write_run(
        self, results: Results, path: Path, monitor: Monitor, where: str | None
    ) -> Exported:
        """Write the page of a run."""
        fields = chosen_fields(results, where)
        page = report_of_run(results, where, monitor, by=self.by, gallery=self.gallery)
        path.write_text(page, encoding="utf-8")
        more = len(fields) - MOST_FIELDS
        skipped = (f"{more:,} fields: not in the table, which has {MOST_FIELDS:,}.",)
        n_cells = int(fields["n_cells"].sum())
        return Exported(path, len(fields), n_cells, skipped if more > 0 else ())
