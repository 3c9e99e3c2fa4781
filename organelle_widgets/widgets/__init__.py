"""The page's regions: they show state and report what the person did; they never compute."""

from __future__ import annotations

from organelle_widgets.widgets.cell_panel import CellPanel
from organelle_widgets.widgets.field_views import FieldViews
from organelle_widgets.widgets.film_strip import FilmStrip
from organelle_widgets.widgets.header_bar import HeaderBar
from organelle_widgets.widgets.page import Page, Regions
from organelle_widgets.widgets.run_panel import RunPanel
from organelle_widgets.widgets.sample_panel import SamplePanel

__all__ = [
    "CellPanel",
    "FieldViews",
    "FilmStrip",
    "HeaderBar",
    "Page",
    "Regions",
    "RunPanel",
    "SamplePanel",
]
