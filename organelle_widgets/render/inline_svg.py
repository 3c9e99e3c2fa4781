"""A figure as an SVG element of a page, which takes its text and its colours from the page around it.

Charts are drawn in the light style; its colours stand for the page's own (paper, ink, ...), so that one drawing serves
a light and a dark page. Files of their own are `organelle_widgets.render.saving.save_figure`'s.
"""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING

from organelle_widgets.render.bars import STYLES
from organelle_widgets.render.saving import without_font_warnings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ACCENT", "inline_svg"]

ACCENT = "#1769E0"
"""The colour of what a chart wants to be seen first."""

_LOOK = STYLES["light"]
_VARIABLES = {
    _LOOK.ink: "var(--ink)",
    _LOOK.muted: "var(--muted)",
    _LOOK.track: "var(--track)",
    _LOOK.line: "var(--line)",
    _LOOK.paper: "var(--paper)",
    ACCENT: "var(--accent)",
}


def inline_svg(figure: Figure, description: str, *, follow_page: bool = True) -> str:
    """A figure as SVG to put into a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    description : str
        What it shows, for those who do not see it.
    follow_page : bool
        Whether colours of the light style become the page's. Not for a figure that writes on colours of its own.

    Returns
    -------
    str
        An ``<svg>`` element. Where it follows the page, the colours of the light style are the variables ``--ink``,
        ``--muted``, ``--track``, ``--line``, ``--paper``, ``--accent``.
    """
    from matplotlib import rc_context

    text = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": "organelle_widgets"}
    with rc_context(settings), without_font_warnings():
        figure.savefig(text, format="svg", metadata={"Date": None})
    drawing = text.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    for color, variable in _VARIABLES.items() if follow_page else ():
        drawing = drawing.replace(color.lower(), variable)
    drawing = re.sub(r"<(metadata|style)\b.*?</\1>", "", drawing, flags=re.DOTALL)
    used = set(re.findall(r"#([\w-]+)", drawing))
    drawing = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", drawing)
    width, height = (round(96 * side) for side in figure.get_size_inches())
    start = f'<svg role="img" aria-label="{escape(description)}" width="{width}" height="{height}" '
    box = re.search(r'viewBox="[^"]+"', drawing)
    return start + (box[0] if box else "") + drawing[drawing.index(">") :].strip()
