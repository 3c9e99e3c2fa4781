"""From results to pixels and charts: composites, overlays, thumbnails, figures. No widgets in here."""

from __future__ import annotations

from organelle_widgets.render.charts import CHARTS, Chart
from organelle_widgets.render.composite import (
    composite,
    display_window,
    downscale,
    field_windows,
    stretch,
)
from organelle_widgets.render.overlay import (
    box_table,
    cell_colors,
    draw_boxes,
    draw_outlines,
    outlines,
)
from organelle_widgets.render.thumbnails import cell_channels, cell_thumbnails

__all__ = [
    "CHARTS",
    "Chart",
    "box_table",
    "cell_channels",
    "cell_colors",
    "cell_thumbnails",
    "composite",
    "display_window",
    "downscale",
    "draw_boxes",
    "draw_outlines",
    "field_windows",
    "outlines",
    "stretch",
]
