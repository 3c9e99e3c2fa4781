"""Horizontal bars, one a class: colour, two-letter code, name, bar on a track, value at the end.

Laid out in points on axes of their own, so that type, bars and gaps keep their size whatever the figure's is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "STYLES",
    "Bar",
    "Style",
    "bars_figure",
    "bars_height",
    "fit_text",
    "paint_bars",
    "text_width",
]


@dataclass(frozen=True)
class Style:
    """Colours of a chart's own parts.

    Parameters
    ----------
    paper, ink, muted, track, line : str
        Background, text, secondary text, the empty part of a bar, and the threshold: ``#RRGGBB``.
    """

    paper: str
    ink: str
    muted: str
    track: str
    line: str


STYLES: dict[str, Style] = {
    "light": Style("#FFFFFF", "#1A1F29", "#667085", "#F0F2F5", "#475061"),
    "dark": Style("#14181F", "#E8EBF0", "#98A2B3", "#262C36", "#C3CBD6"),
}


@dataclass(frozen=True)
class Bar:
    """One row.

    Parameters
    ----------
    code, name : str
        The class.
    color : str
        Its display colour, ``#RRGGBB``.
    share : float
        Length of the bar, 0 to 1 of the track.
    value : str
        What stands at the end.
    strong : bool
        Whether name and value are set in full ink, as for a class that was named.
    """

    code: str
    name: str
    color: str
    share: float
    value: str
    strong: bool = True


_ROW, _BAR, _SWATCH, _SIZE, _TITLE, _NOTE = 17.0, 9.0, 7.0, 9.0, 13.0, 8.0
_CODE_AT, _NAME_AT, _GAP, _PAD, _ROUND = 13.0, 34.0, 12.0, 14.0, 2.5


def bars_height(n_bars: int, footer: bool = True) -> float:
    """Height of rows with what stands below them.

    Parameters
    ----------
    n_bars : int
        How many rows.
    footer : bool
        Whether a line of text stands below them.

    Returns
    -------
    float
        Points.
    """
    return max(n_bars, 1) * _ROW + (18.0 if footer else 4.0)


def bars_figure(
    bars: Sequence[Bar],
    attrs: Mapping[Any, Any],
    style: str = "light",
    threshold: float | None = None,
    width_in: float = 4.9,
) -> Figure:
    """A figure of a title, an answer and bars.

    Parameters
    ----------
    bars : sequence of Bar
        The rows from the top.
    attrs : dict
        ``title`` (large), ``detail``, ``subtitle`` and ``footer`` (small), ``empty`` (instead of rows);
        each a text, each may be absent.
    style : {"light", "dark"}
        Colours.
    threshold : float, optional
        Where to draw a dashed line, 0 to 1.
    width_in : float
        Width, inches.

    Returns
    -------
    matplotlib.figure.Figure
        Bound to no window.
    """
    from matplotlib.figure import Figure

    colors = STYLES[style]
    head = _head(attrs, colors)
    body = bars_height(len(bars), threshold is not None or bool(attrs.get("footer")))
    width, height = width_in * 72, 2 * _PAD + sum(line[1] for line in head) + body
    figure = Figure(figsize=(width_in, height / 72), facecolor=colors.paper)
    room = width - 2 * _PAD
    top = height - _PAD
    for text, line_height, looks in head:
        fitted = fit_text(text, looks["fontsize"], room, looks["weight"])
        figure.text(_PAD / width, top / height, fitted, va="top", parse_math=False, **looks)
        top -= line_height
    axes = figure.add_axes((_PAD / width, _PAD / height, room / width, body / height))
    paint_bars(axes, bars, room, body, colors, threshold, attrs)
    return figure


def _head(attrs: Mapping[Any, Any], colors: Style) -> list[tuple[str, float, dict[str, Any]]]:
    """The lines above the bars: text, height in points, looks."""
    lines = [
        (attrs.get("title", ""), 20.0, _TITLE, colors.ink, "bold"),
        (attrs.get("detail", ""), 15.0, _SIZE, colors.ink, "normal"),
        (attrs.get("subtitle", ""), 22.0, _NOTE, colors.muted, "normal"),
    ]
    return [
        (text, height, {"fontsize": size, "color": ink, "weight": weight})
        for text, height, size, ink, weight in lines
        if text
    ]


def paint_bars(
    axes: Axes,
    bars: Sequence[Bar],
    width: float,
    height: float,
    colors: Style,
    threshold: float | None,
    attrs: Mapping[Any, Any],
) -> None:
    """Draw the rows on axes that a figure has already.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes of their own; limits and decoration are set here.
    bars : sequence of Bar
        The rows from the top; without any, the text ``attrs["empty"]``.
    width, height : float
        Size of the axes on the page, points.
    colors : Style
        Colours.
    threshold : float or None
        Where to draw a dashed line, 0 to 1.
    attrs : dict
        ``footer`` and ``empty``, as in `bars_figure`.
    """
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    if not bars:
        axes.text(0, 8, attrs.get("empty", ""), fontsize=_SIZE, color=colors.muted, va="center")
        return
    value_room = max(text_width(bar.value, _SIZE) for bar in bars) + 6
    wanted = max(text_width(bar.name, _SIZE) for bar in bars) + _GAP
    start = _NAME_AT + min(wanted, 0.6 * (width - _NAME_AT - value_room))
    for index, bar in enumerate(bars):
        _paint_row(axes, bar, index * _ROW + _ROW / 2, (start, width - value_room, width), colors)
    end = len(bars) * _ROW
    if threshold is not None:
        at = start + threshold * (width - value_room - start)
        axes.plot([at, at], [0, end], color=colors.line, lw=0.9, ls=(0, (3, 2)), zorder=5)
        axes.text(
            at,
            end + 8,
            f"{threshold:.2f}",
            fontsize=_NOTE,
            color=colors.muted,
            ha="center",
            va="center",
        )
    footer = fit_text(attrs.get("footer", ""), _NOTE, start)
    axes.text(0, end + 8, footer, fontsize=_NOTE, color=colors.muted, va="center")


def _paint_row(
    axes: Axes, bar: Bar, middle: float, at: tuple[float, float, float], colors: Style
) -> None:
    """One row; `at` is where the track starts and ends, and where the value ends."""
    from matplotlib.patches import FancyBboxPatch, Rectangle

    start, stop, end = at
    ink = colors.ink if bar.strong else colors.muted
    text: dict[str, Any] = {"fontsize": _SIZE, "va": "center_baseline"}
    swatch = (0.0, middle - _SWATCH / 2)
    axes.add_patch(
        FancyBboxPatch(swatch, _SWATCH, _SWATCH, "round,pad=0,rounding_size=2", fc=bar.color, lw=0)
    )
    axes.text(_CODE_AT, middle, bar.code, color=ink, weight="bold", **text)
    name = fit_text(bar.name, _SIZE, start - _NAME_AT - 6)
    axes.text(_NAME_AT, middle, name, color=ink, **text)
    shape = f"round,pad=0,rounding_size={_ROUND}"
    place = (start, middle - _BAR / 2)
    track = FancyBboxPatch(place, stop - start, _BAR, shape, fc=colors.track, lw=0)
    axes.add_patch(track)
    length = max(bar.share * (stop - start), 1.2)
    if length > 2 * _ROUND:
        axes.add_patch(FancyBboxPatch(place, length, _BAR, shape, fc=bar.color, lw=0))
    else:  # too short to be rounded at both ends
        short = axes.add_patch(Rectangle(place, length, _BAR, fc=bar.color, lw=0))
        short.set_clip_path(track)
    weight = "bold" if bar.strong else "normal"
    axes.text(end, middle, bar.value, color=ink, ha="right", weight=weight, **text)


@lru_cache(maxsize=512)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of a line in the default font.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Font size, points.
    weight : {"normal", "bold"}
        Weight.

    Returns
    -------
    float
        Points.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    plain = text.replace("$", "S")  # as wide, and no formula
    path = TextPath((0, 0), plain, prop=FontProperties(weight=weight), size=size, usetex=False)
    return float(path.get_extents().x1)


def fit_text(text: str, size: float, room: float, weight: str = "normal") -> str:
    """Cut a line with an ellipsis where it is too wide.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Font size, points.
    room : float
        Width that there is, points.
    weight : {"normal", "bold"}
        Weight.

    Returns
    -------
    str
        The text, or its beginning and ``…``.
    """
    if text_width(text, size, weight) <= room:
        return text
    while text and text_width(f"{text}…", size, weight) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"
