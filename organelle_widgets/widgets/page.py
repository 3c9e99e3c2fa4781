"""The page: five regions in a grid, and a dialog over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ipywidgets

from organelle_widgets.widgets.cell_panel import CellPanel
from organelle_widgets.widgets.field_views import FieldViews
from organelle_widgets.widgets.film_strip import FilmStrip
from organelle_widgets.widgets.header_bar import HeaderBar
from organelle_widgets.widgets.run_panel import RunPanel
from organelle_widgets.widgets.sample_panel import SamplePanel

__all__ = ["Page", "Regions"]


@dataclass(eq=False)
class Regions:
    """The regions of one page.

    Parameters
    ----------
    header : HeaderBar
        What is loaded; export, theme, help.
    sample : SamplePanel
        Choosing and analysing.
    views : FieldViews
        The images.
    cell : CellPanel
        The answer.
    film : FilmStrip
        All cells.
    run : RunPanel
        The dialog of a run over many fields.
    """

    header: HeaderBar = field(default_factory=HeaderBar)
    sample: SamplePanel = field(default_factory=SamplePanel)
    views: FieldViews = field(default_factory=FieldViews)
    cell: CellPanel = field(default_factory=CellPanel)
    film: FilmStrip = field(default_factory=FilmStrip)
    run: RunPanel = field(default_factory=RunPanel)

    def __iter__(self) -> Any:
        return iter((self.header, self.sample, self.views, self.cell, self.film, self.run))


class Page(ipywidgets.Box):
    """The regions, laid out by the rules for ``.ow-page`` in ``theme.css``.

    Parameters
    ----------
    regions : Regions
        The widgets to lay out.
    """

    def __init__(self, regions: Regions) -> None:
        names = ("header", "sample", "views", "cell", "film", "run")
        for name, widget in zip(names, regions, strict=True):
            widget.add_class(f"ow-region-{name}")
        super().__init__(list(regions))
        self.add_class("ow")
        self.add_class("ow-page")
