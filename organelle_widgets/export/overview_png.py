"""The whole result on one page, as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from organelle_widgets.core.settings import setting
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.render.overview import overview_figure
from organelle_widgets.render.saving import without_font_warnings

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.results import FieldResult

__all__ = ["OverviewExporter"]


@EXPORTERS.register("overview_png", title="Overview (PNG)")
@dataclass(frozen=True)
class OverviewExporter(Exporter):
    """One picture for a talk or a lab book: markers, protein with cells, channels, the answer, the numbers.

    Parameters
    ----------
    dpi : int
        Pixels per inch; the page is 12 inches wide, so 200 gives 2400 px.
    """

    filename: ClassVar[str] = "overview.png"
    mimetype: ClassVar[str] = "image/png"
    needs_pixels: ClassVar[bool] = True
    by_default: ClassVar[bool] = True

    dpi: int = setting(
        200,
        label="Resolution",
        unit="px/inch",
        minimum=50,
        maximum=600,
        step=50,
        help="The page is 12 inches wide; more makes a sharper and larger file.",
    )

    def _write(self, result: FieldResult, path: Path) -> None:
        """Draw the page and write it."""
        figure = overview_figure(result, self.dpi)
        with without_font_warnings():
            figure.savefig(
                path, format="png", dpi=self.dpi, metadata={"Software": "organelle_widgets"}
            )
