"""The whole result on one page as vectors: SVG for drawing programs, PDF for print and manuscripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from organelle_widgets.core.settings import setting
from organelle_widgets.export._base import EXPORTERS, Exporter
from organelle_widgets.render.overview import overview_figure
from organelle_widgets.render.saving import figure_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.results import FieldResult

__all__ = ["OverviewPdfExporter", "OverviewSvgExporter"]


@dataclass(frozen=True)
class _OverviewVectors(Exporter):
    """What both have: text and lines are vectors, pictures have the resolution asked for and are not resampled.

    Parameters
    ----------
    dpi : int
        Least pixels per inch of the pictures, as far as the images have them; the page is 12 inches wide.
    """

    needs_pixels: ClassVar[bool] = True

    dpi: int = setting(
        250,
        label="Resolution of pictures",
        unit="px/inch",
        minimum=50,
        maximum=600,
        step=50,
        help="The page is 12 inches wide; printed 180 mm wide, 250 becomes 420.",
    )

    def _write(self, result: FieldResult, path: Path) -> None:
        """Draw the page and write it."""
        figure = overview_figure(result, self.dpi)
        path.write_bytes(figure_bytes(figure, self.suffix[1:], self.dpi))


@EXPORTERS.register("overview_svg", title="Overview (SVG)")
@dataclass(frozen=True)
class OverviewSvgExporter(_OverviewVectors):
    """One page for Illustrator or Inkscape; letters are outlines, so that it looks the same everywhere.

    Parameters
    ----------
    dpi : int
        Least pixels per inch of the pictures, as far as the images have them; the page is 12 inches wide.
    """

    filename: ClassVar[str] = "overview.svg"
    mimetype: ClassVar[str] = "image/svg+xml"


@EXPORTERS.register("overview_pdf", title="Overview (PDF)")
@dataclass(frozen=True)
class OverviewPdfExporter(_OverviewVectors):
    """One page for print; letters stay text in embedded TrueType fonts, as journals ask.

    Parameters
    ----------
    dpi : int
        Least pixels per inch of the pictures, as far as the images have them; the page is 12 inches wide.
    """

    filename: ClassVar[str] = "overview.pdf"
    mimetype: ClassVar[str] = "application/pdf"
