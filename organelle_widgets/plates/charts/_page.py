"""A figure laid out in points from its top left corner: title above, notes below, the charts' axes between.

Fixed sizes instead of an automatic layout: type, rows and gaps are the same in every chart, whatever it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.settings import setting
from organelle_widgets.render.bars import STYLES, Style, fit_text, text_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "NOTE",
    "SIZE",
    "SMALL",
    "Page",
    "bare_axes",
    "nice_ceiling",
    "style_setting",
    "width_in_points",
    "width_setting",
    "wrapped",
]

TITLE, SIZE, NOTE, SMALL = 12.0, 8.0, 7.0, 6.5
"""Font sizes, points."""
_PAD, _LINE = 12.0, 10.0
_MM = 72 / 25.4


def style_setting() -> Any:
    """The setting of colours that every chart has."""
    return setting("light", label="Style", choices=("light", "dark"), help="Colours.")


def width_setting() -> Any:
    """The setting of width that every chart has."""
    return setting(
        180.0,
        label="Width",
        unit="mm",
        minimum=120,
        maximum=400,
        step=1,
        help="Journals print two columns 170 to 185 mm wide; letters keep their size.",
    )


@dataclass(frozen=True, eq=False)
class Page:
    """A figure with a title and notes, and the room between.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    width, height : float
        All of it, points.
    top : float
        Where the room begins, points from the top.
    colors : Style
        Colours.
    """

    figure: Figure
    width: float
    height: float
    top: float
    colors: Style

    @classmethod
    def make(cls, width_mm: float, body: float, attrs: Mapping[Any, Any], style: str) -> Page:
        """A page with room for a body.

        Parameters
        ----------
        width_mm : float
            Width of the figure, mm.
        body : float
            Height of the room, points.
        attrs : mapping
            ``title``, ``subtitle`` (texts) and ``notes`` (a sequence of sentences); each may be absent.
        style : {"light", "dark"}
            Colours.

        Returns
        -------
        Page
            Title and notes are drawn.
        """
        from matplotlib.figure import Figure

        colors, width = STYLES[style], width_mm * _MM
        room = width - 2 * _PAD
        below = [line for note in attrs.get("notes", ()) for line in wrapped(note, NOTE, room)]
        subtitle = wrapped(attrs.get("subtitle", ""), SIZE, room)
        top = _PAD + 18 + 11 * len(subtitle) + 8
        height = top + body + (6 + _LINE * len(below) if below else 0) + _PAD
        figure = Figure(figsize=(width / 72, height / 72), facecolor=colors.paper)
        page = cls(figure, width, height, top, colors)
        title = fit_text(attrs.get("title", ""), TITLE, room, "bold")
        page.text(0, -top + _PAD, title, size=TITLE, weight="bold", va="top")
        for number, line in enumerate(subtitle):
            page.text(0, -top + _PAD + 19 + 11 * number, line, color=colors.muted, va="top")
        for number, line in enumerate(below):
            at = body + 6 + _LINE * number
            page.text(0, at, line, size=NOTE, color=colors.muted, va="top")
        return page

    @property
    def room(self) -> float:
        """Width between the margins, points."""
        return self.width - 2 * _PAD

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place of the room, points from its top left corner."""
        place = (
            (left + _PAD) / self.width,
            1 - (self.top + top + height) / self.height,
            width / self.width,
            height / self.height,
        )
        return self.figure.add_axes(place)

    def text(self, left: float, top: float, text: str, *, size: float = SIZE, **looks: Any) -> None:
        """A line of text at a place of the room, points from its top left corner; never read as a formula."""
        looks = {"color": self.colors.ink, "va": "center_baseline", **looks}
        x, y = (left + _PAD) / self.width, 1 - (self.top + top) / self.height
        self.figure.text(x, y, text, fontsize=size, parse_math=False, **looks)

    def swatch(self, left: float, top: float, color: str, size: float = 7.0) -> None:
        """A small square of a class's colour, by its left edge and its middle."""
        from matplotlib.patches import FancyBboxPatch

        axes = self.axes(left, top - size / 2, size, size)
        axes.set(xlim=(0, size), ylim=(0, size))
        axes.axis("off")
        box = "round,pad=0,rounding_size=2"
        axes.add_patch(FancyBboxPatch((0, 0), size, size, box, fc=color, lw=0, clip_on=False))


def bare_axes(axes: Axes, colors: Style) -> None:
    """Take the frame away, keep small ticks below, and no ticks at the left.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Any axes.
    colors : Style
        Colours.
    """
    axes.set_facecolor("none")
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=colors.muted, linewidth=0.6)
    axes.tick_params(
        axis="x",
        labelsize=SMALL,
        labelcolor=colors.muted,
        color=colors.muted,
        length=2,
        width=0.6,
        pad=2,
    )
    axes.set_yticks([])


def wrapped(text: str, size: float, room: float) -> list[str]:
    """Lines of a text that fit a width.

    Parameters
    ----------
    text : str
        Any text; words longer than a line are cut with an ellipsis.
    size : float
        Font size, points.
    room : float
        Width, points.

    Returns
    -------
    list of str
        Lines; none for an empty text.
    """
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(fit_text(word, size, room))
    return lines


def nice_ceiling(value: float, steps: Sequence[float] = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)) -> float:
    """The next round number, for the end of an axis.

    Parameters
    ----------
    value : float
        Above 0; else 1 is given.
    steps : sequence of float
        Round numbers from 1 to 10.

    Returns
    -------
    float
        One of the steps times a power of ten.
    """
    import math

    if not value > 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (*steps, 10) if step * power >= value * (1 - 1e-9))


def width_in_points(texts: Sequence[str], size: float, most: float) -> float:
    """Room that a column of texts needs.

    Parameters
    ----------
    texts : sequence of str
        Lines.
    size : float
        Font size, points.
    most : float
        At most so much, points.

    Returns
    -------
    float
        Points.
    """
    return min(max((text_width(text, size) for text in texts), default=0.0), most)
