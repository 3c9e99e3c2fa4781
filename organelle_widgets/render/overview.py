"""The whole result on one page: pictures, the answer in words, the numbers.

What is arranged on the page belongs here; how pictures and bars look is `composite`, `overlay` and `bars`.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.labels import CLASSES
from organelle_widgets.render.bars import STYLES, Bar, bars_height, fit_text, paint_bars
from organelle_widgets.render.charts.field_summary import cells_per_class, count_bars
from organelle_widgets.render.charts.probability import ProbabilityChart, probability_bars
from organelle_widgets.render.composite import (
    REFERENCE_CHANNELS,
    composite,
    downscale,
    field_windows,
)
from organelle_widgets.render.overlay import (
    NOT_SURE_COLOR,
    NOT_SURE_INK,
    box_table,
    cell_colors,
    draw_boxes,
    draw_outlines,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from organelle_widgets.core.results import FieldResult

__all__ = ["overview_figure"]

_SOURCES = {"metadata": "from the file", "given": "as given", "assumed": "assumed"}
_BAR_LENGTHS_UM = (500, 200, 100, 50, 20, 10, 5, 2, 1)

_WIDTH, _MARGIN, _GAP, _SIDE, _HEAD, _FOOT, _NARROW = 12.0, 0.32, 0.1, 3.15, 0.72, 0.3, 5.9
"""Inches: page, margin, gap between pictures, right column, head, foot, least height of the body."""

_STACKED = 0.55
"""Rows per column under which the large pictures stand one above the other."""

_LABELLED, _BOXED = 60, 150
"""Up to so many cells there is room for whole labels, and for boxes with a code."""


def overview_figure(result: FieldResult, dpi: float = 200) -> Figure:
    """Draw the page.

    Parameters
    ----------
    result : FieldResult
        The result; may have no cells.
    dpi : float
        Pixels per inch that the pictures are prepared for.

    Returns
    -------
    matplotlib.figure.Figure
        12 inches wide, bound to no window; its height follows the shape of the field.
    """
    from matplotlib.figure import Figure

    rows, cols = result.field.shape
    aspect = min(max(rows / cols, 0.4), 1.6)
    room = _WIDTH - 3 * _MARGIN - _SIDE
    stacked = aspect < _STACKED
    large, small = room if stacked else (room - _GAP) / 2, (room - 3 * _GAP) / 4
    upper = 2 * large * aspect + _GAP if stacked else large * aspect
    body = max(upper + _GAP + small * aspect, _NARROW)
    height = 2 * _MARGIN + _HEAD + body + _FOOT
    figure = Figure(figsize=(_WIDTH, height), dpi=dpi, facecolor=STYLES["light"].paper)
    page = _Page(figure, result, height, dpi)
    top = _MARGIN + _HEAD
    page.head()
    page.markers(_MARGIN, top, large, aspect)
    second = (_MARGIN, top + large * aspect + _GAP) if stacked else (_MARGIN + large + _GAP, top)
    page.protein(*second, large, aspect)
    page.channels(top + upper + _GAP, small, aspect)
    page.side(top, body)
    page.foot()
    return figure


class _Page:
    """Puts the parts on the page; places are inches from the top left corner."""

    def __init__(self, figure: Figure, result: FieldResult, height: float, dpi: float) -> None:
        self.figure = figure
        self.result = result
        self.height = height
        self.dpi = dpi
        self.style = STYLES["light"]
        self.windows = field_windows(result.field)

    def text(
        self, col: float, row: float, text: str, size: float, room: float, **looks: Any
    ) -> None:
        """One line, cut to `room` inches; `row` is its top."""
        line = fit_text(text, size, room * 72, looks.get("weight", "normal"))
        place = (col / _WIDTH, 1 - row / self.height)
        self.figure.text(
            *place, line, **{"fontsize": size, "va": "top", "parse_math": False, **looks}
        )

    def axes(self, col: float, row: float, width: float, height: float) -> Any:
        """Axes by their place."""
        bottom = self.height - row - height
        place = (col / _WIDTH, bottom / self.height, width / _WIDTH, height / self.height)
        return self.figure.add_axes(place)

    def head(self) -> None:
        """Name and facts."""
        room = _WIDTH - 2 * _MARGIN
        self.text(
            _MARGIN, _MARGIN, self.result.field.name, 17, room, weight="bold", color=self.style.ink
        )
        facts = " · ".join(_facts(self.result))
        self.text(_MARGIN, _MARGIN + 0.36, facts, 9.5, room, color=self.style.muted)

    def markers(self, col: float, row: float, width: float, aspect: float) -> None:
        """The large picture of everything but the protein."""
        field = self.result.field
        keys = [key for key in REFERENCE_CHANNELS if key in field.present]
        title = ", ".join(c.name for key in keys for c in CHANNELS if c.key == key)
        image = composite(field, keys, self.windows)
        self.picture(col, row, width, width * aspect, image, title, 8.5)

    def protein(self, col: float, row: float, width: float, aspect: float) -> None:
        """The large picture of the protein with the cells drawn on it."""
        image = composite(self.result.field, ["green"], self.windows)
        factor, n_cells = self.factor(width), self.result.n_cells
        colors = cell_colors(self.result.predictions())
        drawn = draw_outlines(image, self.result.masks.cells, colors, width=2 * factor)
        axes = self.picture(col, row, width, width * aspect, drawn, "Protein and cells", 8.5)
        if n_cells <= _BOXED:
            column = "text" if n_cells <= _LABELLED else "code"
            draw_boxes(axes, box_table(self.result), factor, 5.2, column)

    def channels(self, row: float, width: float, aspect: float) -> None:
        """The four small pictures, nuclei first."""
        for index, key in enumerate((*REFERENCE_CHANNELS, "green")):
            name = next(c.name for c in CHANNELS if c.key == key)
            there = key in self.result.field.present
            image = composite(self.result.field, [key], self.windows)
            title = name if there else f"{name}: no image"
            self.picture(
                _MARGIN + index * (width + _GAP), row, width, width * aspect, image, title, 7.5
            )

    def factor(self, width: float) -> int:
        """How much smaller a picture may be made and still fill `width` inches."""
        return max(1, int(self.result.field.shape[1] / (width * self.dpi)))

    def picture(
        self,
        col: float,
        row: float,
        width: float,
        height: float,
        image: NDArray[Any],
        title: str,
        size: float,
    ) -> Any:
        """A picture on black with its name and a scale bar."""
        from matplotlib.patheffects import withStroke

        axes = self.axes(col, row, width, height)
        small = downscale(image, self.factor(width))
        axes.imshow(small, aspect="auto")
        rows, cols = small.shape[:2]
        scale = max(cols / width, rows / height)  # pixels per inch; black where the shapes differ
        across, down = scale * width / 2, scale * height / 2
        middle = (cols - 1) / 2, (rows - 1) / 2
        axes.set(xlim=(middle[0] - across, middle[0] + across), xticks=[], facecolor="black")
        axes.set(ylim=(middle[1] + down, middle[1] - down), yticks=[], autoscale_on=False)
        axes.spines[:].set_visible(False)
        rim = [withStroke(linewidth=1.6, foreground="black")]
        looks = {"color": "white", "fontsize": size, "zorder": 10, "transform": axes.transAxes}
        looks["path_effects"] = rim
        axes.text(0.1 / width, 0.1 / height, title, va="bottom", **looks)
        self.scale_bar(axes, width, height, looks)
        return axes

    def scale_bar(self, axes: Any, width: float, height: float, looks: dict[str, Any]) -> None:
        """A white bar of a round length, at most a quarter of the picture, at the bottom right."""
        field = self.result.field
        rows, cols = field.shape
        inch_per_um = min(width / cols, height / rows) / field.pixel_size_um
        lengths = [um for um in _BAR_LENGTHS_UM if um * inch_per_um <= width / 4]
        if not lengths:
            return
        end, low = width - 0.1, 0.1
        start = end - lengths[0] * inch_per_um
        place = ([start / width, end / width], [low / height] * 2)
        axes.plot(*place, color="white", lw=2, transform=axes.transAxes, zorder=10)
        middle = ((start + end) / 2 / width, (low + 0.04) / height)
        axes.text(*middle, f"{lengths[0]} µm", ha="center", va="bottom", **looks)

    def side(self, row: float, body: float) -> None:
        """The right column: the answer, the probabilities, the cells per class."""
        col = _WIDTH - _MARGIN - _SIDE
        row = self.answer(col, row)
        if not self.result.n_cells:
            return
        chart = ProbabilityChart(threshold=self.result.threshold)
        table = chart.compute(self.result)
        row = self.section(col, row, "PROBABILITIES OF THE FIELD")
        row = self.bars(col, row, probability_bars(table), self.result.threshold, table.attrs)
        row = self.section(col, row, "CELLS PER CLASS")
        left = (_MARGIN + _HEAD + body - row) * 72
        counts = cells_per_class(self.result)
        fitting = max(1, int((left - 4) // (bars_height(2, False) - bars_height(1, False))))
        self.bars(col, row, count_bars(counts.head(fitting)), None, {})

    def answer(self, col: float, row: float) -> float:
        """The prediction in words; returns where the next part starts."""
        self.text(col, row, "FIELD", 8, _SIDE, color=self.style.muted, weight="bold")
        if not self.result.n_cells:
            self.text(
                col, row + 0.2, "No cells found", 17, _SIDE, weight="bold", color=self.style.ink
            )
            advice = "There is no cell to classify in this field."
            self.text(col, row + 0.55, advice, 9.5, _SIDE, color=self.style.muted)
            return row + 0.9
        prediction = self.result.predict()
        lines = textwrap.wrap(prediction.title, 24)
        for line in lines:
            row += 0.22 if line == lines[0] else 0.28
            self.text(col, row, line, 17, _SIDE, weight="bold", color=self.style.ink)
        row += 0.33
        for line in textwrap.wrap(prediction.detail, 46):
            self.text(col, row, line, 9.5, _SIDE, color=self.style.muted)
            row += 0.18
        organelle = CLASSES[prediction.top]
        fill = organelle.color if prediction.sure else NOT_SURE_COLOR
        ink = organelle.ink if prediction.sure else NOT_SURE_INK
        shade = {"boxstyle": "round,pad=0.35,rounding_size=0.4", "fc": fill, "ec": "none"}
        label = f"confidence {prediction.confidence:.2f}"
        self.text(col + 0.06, row + 0.1, label, 9, _SIDE, weight="bold", color=ink, bbox=shade)
        return row + 0.5

    def section(self, col: float, row: float, title: str) -> float:
        """A small heading; returns where its content starts."""
        self.text(col, row, title, 8, _SIDE, weight="bold", color=self.style.muted)
        return row + 0.2

    def bars(
        self,
        col: float,
        row: float,
        bars: list[Bar],
        threshold: float | None,
        attrs: Mapping[Any, Any],
    ) -> float:
        """Rows of bars; returns where the next part starts."""
        points = bars_height(len(bars), footer=threshold is not None)
        axes = self.axes(col, row, _SIDE, points / 72)
        paint_bars(axes, bars, _SIDE * 72, points, self.style, threshold, attrs)
        return row + points / 72 + 0.2

    def foot(self) -> None:
        """What a person should know, and what wrote the page."""
        row = self.height - _MARGIN - 0.14
        notes = " ".join((*self.result.warnings, *self.result.field.notes, *self.result.notes))
        room = _WIDTH - 2 * _MARGIN
        self.text(_MARGIN, row, notes, 8, room - 1.6, color=self.style.muted)
        place = (_WIDTH - _MARGIN, row, "organelle_widgets", 8, 1.6)
        self.text(*place, color=self.style.muted, ha="right")


def _facts(result: FieldResult) -> list[str]:
    """Size, pixel size and counts in words."""
    field = result.field
    rows, cols = field.shape
    um = field.pixel_size_um
    cells = f"{result.n_cells} cell{'s' if result.n_cells != 1 else ''}"
    facts = [
        f"{cols} × {rows} px",
        f"{cols * um:.0f} × {rows * um:.0f} µm",
        f"{um:g} µm/px ({_SOURCES[field.pixel_size_source]})",
        cells,
    ]
    return [*facts, f"analysed in {result.seconds:.1f} s"] if result.timings else facts
