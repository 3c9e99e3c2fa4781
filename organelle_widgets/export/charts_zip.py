"""All charts of a result, or of a whole run, as figures for a paper and the numbers that they are drawn from."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from organelle_widgets.core.settings import setting
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.export._chosen import fields_of
from organelle_widgets.export._report_charts import Drawn, charts_of_result, charts_of_run
from organelle_widgets.export._run import Exported, chosen_fields
from organelle_widgets.render.saving import figure_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["ChartsExporter"]

_KINDS = ("png", "svg", "pdf")
_DATE = (1980, 1, 1, 0, 0, 0)


@EXPORTERS.register("charts", title="Charts (ZIP of PNG, SVG and PDF)")
@dataclass(frozen=True)
class ChartsExporter(Exporter):
    """Charts as they are printed, 180 mm wide or less, each with its numbers as CSV.

    Of a result: probabilities and cells per class. Of a run: classes by group, two groups compared, plate maps and
    quality of wells, as far as its columns have groups and wells; ``about.txt`` says which are not there and why.
    Letters stay text in embedded fonts in PDF, and are outlines in SVG.

    Parameters
    ----------
    format : {"all", "png", "svg", "pdf"}
        Which kind of file; all three by default.
    by : str
        Column of a run that makes groups, such as ``"treatment"``; empty: the charts choose.
    dpi : int
        Pixels per inch of PNG.
    style : {"light", "dark"}
        Colours.
    """

    filename: ClassVar[str] = "charts.zip"
    mimetype: ClassVar[str] = "application/zip"
    one_file: ClassVar[bool] = True

    format: str = setting(
        "all",
        label="Kind of file",
        choices=("all", *_KINDS),
        help="PNG for slides; SVG and PDF for papers.",
    )
    by: str = setting(
        "",
        label="Group by",
        help="A column of a run, such as treatment; empty: the charts choose one.",
    )
    dpi: int = setting(
        300,
        label="Resolution of PNG",
        unit="px/inch",
        minimum=50,
        maximum=1200,
        step=50,
        help="Journals ask for 300 or more.",
    )
    style: str = setting("light", label="Style", choices=("light", "dark"), help="Colours.")

    def _write(self, result: FieldResult, path: Path) -> None:
        """Write the charts of a field."""
        self._write_zip(charts_of_result(result, self.style), result.field.name, path)

    def _write_run(
        self, results: Results, path: Path, monitor: Monitor, where: str | None
    ) -> Exported:
        """Write the charts of a run."""
        fields = chosen_fields(results, where)
        chosen = fields_of(results, where)
        try:
            charts = charts_of_run(chosen, self.by, self.style, monitor)
            title = f"{len(fields):,} fields of {results.run.get('source') or results.path.name}"
            self._write_zip(charts, title, path)
        finally:
            if chosen is not results:
                chosen.close()
        return Exported(path, len(fields), int(fields["n_cells"].sum()))

    def _write_zip(self, charts: Iterable[Drawn], title: str, path: Path) -> None:
        """Write figures, numbers and what there is."""
        about = [title, ""]
        kinds = _KINDS if self.format == "all" else (self.format,)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for chart in charts:
                if chart.figure is None or chart.table is None:
                    about.append(f"{chart.name}: not drawn. {chart.missing}")
                    continue
                about.append(f"{chart.name}: {chart.title}")
                for kind in kinds:
                    content = figure_bytes(chart.figure, kind, self.dpi)
                    _put(archive, f"{chart.name}.{kind}", content)
                numbers = chart.table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
                _put(archive, f"{chart.name}.csv", numbers)
            _put(archive, "about.txt", "\n".join(about) + "\n")


def _put(archive: zipfile.ZipFile, name: str, content: Any) -> None:
    """A file in the archive; the same content gives the same bytes on any day."""
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)
