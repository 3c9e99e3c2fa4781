"""Plates drawn as plates: a heat map of one value, well by well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.settings import setting
from organelle_widgets.errors import InputError
from organelle_widgets.plates.charts._base import RUN_CHARTS, RunChart
from organelle_widgets.plates.charts._page import (
    NOTE,
    SMALL,
    Page,
    style_setting,
    width_setting,
)
from organelle_widgets.plates.charts._well_values import well_values
from organelle_widgets.plates.wells import PLATE_FORMATS, PlateFormat, Well, plate_format

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from organelle_widgets.results import Results

__all__ = ["PlateMapChart"]

_MOST_PLATES = 24
_BAR, _LETTERS, _NUMBERS, _GAP, _LARGEST = 62.0, 18.0, 12.0, 16.0, 34.0
_SIZES = ("auto", *(str(plate.n_wells) for plate in PLATE_FORMATS))


@dataclass(frozen=True)
class _Scale:
    """Colours of values: viridis, which colour-blind people and grey prints keep in order."""

    low: float
    high: float

    def colors(self, values: Any) -> NDArray[np.float64]:
        """Red, green, blue, alpha; shape (..., 4)."""
        from matplotlib import colormaps

        part = (np.asarray(values, float) - self.low) / (self.high - self.low)
        return np.asarray(colormaps["viridis"](np.clip(part, 0, 1)))


@RUN_CHARTS.register("plate_map", title="Plate map")
@dataclass(frozen=True)
class PlateMapChart(RunChart):
    """Heat map of one value over the wells of one plate or several.

    Parameters
    ----------
    value : str
        A class by code or name (its share of the cells), ``not_sure``, a column of the table of wells such as
        ``n_cells``, ``nucleus_edge_um`` or ``saturated_share``, or any column of numbers of cells or fields.
    plate : str
        Only this plate; empty for all.
    wells : {"auto", "6", "12", "24", "48", "96", "384", "1536"}
        Size of the plates; ``"auto"``: the smallest that has all wells.
    numbers : bool
        Write the values in wells that are large enough.
    width_mm : float
        Width of the figure.
    style : {"light", "dark"}
        Colours.

    Examples
    --------
    >>> PlateMapChart(value="NO").save(open_results("out"), "nucleoli.pdf")  # doctest: +SKIP
    """

    value: str = setting(
        "n_cells",
        label="Value",
        help="A class, such as NO, or a column, such as n_cells or nucleus_edge_um.",
    )
    plate: str = setting("", label="Plate", help="One plate; empty: all of them.")
    wells: str = setting("auto", label="Wells", choices=_SIZES, help="Size of the plates.")
    numbers: bool = setting(True, label="Write values", help="In wells that are large enough.")
    width_mm: float = width_setting()
    style: str = style_setting()

    def compute(self, results: Results) -> pd.DataFrame:
        """The value of every well.

        Parameters
        ----------
        results : Results
            The run.

        Returns
        -------
        pandas.DataFrame
            ``plate``, ``well``, ``well_row``, ``well_col``, ``n_cells``, ``value`` (percent for shares; NaN where a
            well has none). ``attrs`` holds ``rows`` and ``cols`` of the plates, and ``unit``.

        Raises
        ------
        InputError
            If there is no such value or plate, the run has no wells, or the plates are too small for them.
        """
        table, label, unit = well_values(results, self.value)
        if self.plate:
            table = _one_plate(table, self.plate)
        size = self._format(table)
        plates = table["plate"].nunique()
        if plates > _MOST_PLATES:
            message = f"Expected at most {_MOST_PLATES} plates in one figure; found {plates}."
            raise InputError(message, hint="Set plate to one of them.")
        cells = int(table["n_cells"].sum())
        empty = int(table["value"].isna().sum())
        gone = plates * size.n_wells - len(table)
        marks = (["Hatched: no field."] if gone else []) + (["×: no value."] if empty else [])
        where = f"on {plates} plates of {size.n_wells}" if plates > 1 else f"of {size.n_wells}"
        table.attrs = {
            "title": label if cells else "No cells found",
            "subtitle": f"{len(table):,} wells {where} · {cells:,} cells",
            "notes": (*table.attrs["notes"], " ".join(marks)),
            "rows": size.rows,
            "cols": size.cols,
            "unit": unit,
        }
        return table

    def _format(self, table: pd.DataFrame) -> PlateFormat:
        """The plates' size."""
        used = [Well(*place) for place in table[["well_row", "well_col"]].to_numpy().tolist()]
        least = plate_format(used)
        if self.wells == "auto":
            return least
        size = next(plate for plate in PLATE_FORMATS if str(plate.n_wells) == self.wells)
        beyond = next((well for well in used if well not in size), None)
        if beyond:
            message = f"Expected wells of a plate of {self.wells}; found {beyond.name}."
            raise InputError(message, hint=f"Set wells to auto or {least.n_wells}.")
        return size

    def draw(self, table: pd.DataFrame) -> Figure:
        """Draw the plates.

        Parameters
        ----------
        table : pandas.DataFrame
            What `compute` returned.

        Returns
        -------
        matplotlib.figure.Figure
            As wide as `width_mm`, as tall as it needs.
        """
        size = PlateFormat(table.attrs["rows"], table.attrs["cols"])
        plates = [(str(name), part) for name, part in table.groupby("plate", sort=False)]
        across = 1 if len(plates) == 1 else 2 if len(plates) <= 8 and size.cols > 6 else 3
        room = self.width_mm * 72 / 25.4 - 24 - _BAR
        cell = min((room - across * _LETTERS - (across - 1) * _GAP) / across / size.cols, _LARGEST)
        head = 16.0 if len(plates) > 1 or (plates and plates[0][0]) else 0.0
        tall = head + _NUMBERS + cell * size.rows
        lines = -(-max(len(plates), 1) // across)
        body = lines * tall + (lines - 1) * _GAP
        page = Page.make(self.width_mm, max(body, 60), table.attrs, self.style)
        colors = _scale(table["value"].to_numpy(float), table.attrs["unit"])
        step = _LETTERS + cell * size.cols + _GAP
        for number, (name, part) in enumerate(plates):
            line, column = divmod(number, across)
            left, top = column * step, line * (tall + _GAP)
            if head:
                page.text(left + _LETTERS, top + 5, name or "no plate", weight="bold")
            axes = page.axes(
                left + _LETTERS, top + head + _NUMBERS, cell * size.cols, cell * size.rows
            )
            _paint_plate(axes, part, size, colors, page)
            _paint_names(page, (left, top + head), size, cell)
            if self.numbers and cell >= 20:
                _paint_numbers(axes, part, colors, 7.0 if cell >= 26 else 5.5)
        used = min(across, max(len(plates), 1)) * step - _GAP
        _paint_bar(
            page, (used + 14, head + _NUMBERS), min(body - head - _NUMBERS, 150), colors, table
        )
        return page.figure


def _one_plate(table: pd.DataFrame, plate: str) -> pd.DataFrame:
    """The wells of one plate."""
    found = table[table["plate"] == plate.strip()].reset_index(drop=True)
    if found.empty:
        there = ", ".join(repr(name) for name in table["plate"].drop_duplicates()[:12])
        message = f"Expected one of the plates {there}; found {plate!r}."
        raise InputError(message)
    found.attrs = table.attrs
    return found


def _scale(values: NDArray[np.float64], unit: str) -> _Scale:
    """From 0 for shares; the outer 2 % of many wells share the ends."""
    known = values[np.isfinite(values)]
    if not known.size:
        return _Scale(0.0, 1.0)
    low, high = np.quantile(known, [0.02, 0.98] if known.size > 40 else [0, 1]).tolist()
    low = 0.0 if unit == "%" else low
    return _Scale(low, high if high > low else low + 1)


def _paint_plate(
    axes: Axes, part: pd.DataFrame, size: PlateFormat, colors: _Scale, page: Page
) -> None:
    """One plate: coloured wells, hatched where there is none, a cross where one has no value."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    style = page.colors
    grid = np.full((size.rows, size.cols), np.nan)
    place = part["well_row"].to_numpy(int), part["well_col"].to_numpy(int)
    grid[place] = part["value"].to_numpy(float)
    there = np.zeros(grid.shape, bool)
    there[place] = True
    axes.axis("off")
    axes.set(xlim=(0, size.cols), ylim=(size.rows, 0))
    gone = [Rectangle((col, row), 1, 1) for row, col in np.argwhere(~there).tolist()]
    hatch: dict[str, Any] = {"hatch": "//////", "hatch_linewidth": 0.3, "linewidth": 0}
    axes.add_collection(
        PatchCollection(gone, facecolor=style.track, edgecolor=style.muted, **hatch)
    )
    edges = np.arange(size.cols + 1), np.arange(size.rows + 1)
    shades = colors.colors(np.nan_to_num(grid, nan=colors.low))
    shades[np.isnan(grid), 3] = 0
    axes.pcolormesh(*edges, shades, edgecolor="none")
    rows, cols = np.nonzero(there & np.isnan(grid))
    blank = [
        Rectangle((col, row), 1, 1) for row, col in zip(rows.tolist(), cols.tolist(), strict=True)
    ]
    axes.add_collection(PatchCollection(blank, facecolor=style.track, linewidth=0))
    axes.plot(cols + 0.5, rows + 0.5, "x", color=style.muted, ms=4, mew=0.9)
    lines: dict[str, Any] = {"color": style.paper, "lw": 0.8 if size.cols < 48 else 0.4}
    axes.hlines(edges[1], 0, size.cols, **lines)
    axes.vlines(edges[0], 0, size.rows, **lines)


def _paint_names(page: Page, place: tuple[float, float], size: PlateFormat, cell: float) -> None:
    """Letters of the rows and numbers of the columns; not all of them where there is no room."""
    left, top = place
    every = 1 if cell >= 9.5 else 2 if cell >= 5 else 4
    looks: dict[str, Any] = {"size": SMALL, "color": page.colors.muted, "ha": "center"}
    for row in range(0, size.rows, every):
        at = top + _NUMBERS + cell * (row + 0.5)
        page.text(left + _LETTERS - 7, at, Well(row, 0).row_name, **looks)
    for col in range(0, size.cols, every):
        page.text(left + _LETTERS + cell * (col + 0.5), top + _NUMBERS - 5, str(col + 1), **looks)


def _paint_numbers(axes: Axes, part: pd.DataFrame, colors: _Scale, size: float) -> None:
    """The values, dark on light wells and light on dark ones."""
    for line in part[part["value"].notna()].to_dict("records"):
        red, green, blue, _ = colors.colors(line["value"])
        dark = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.179
        axes.text(
            line["well_col"] + 0.5,
            line["well_row"] + 0.5,
            _short(line["value"]),
            fontsize=size,
            color="#FFFFFF" if dark else "#0B0F14",
            ha="center",
            va="center_baseline",
        )


def _short(value: float) -> str:
    """A number in at most four characters or so."""
    size = abs(value)
    if size >= 10_000:
        return f"{value / 1000:.0f}k"
    return f"{value:.0f}" if size >= 10 or value == int(value) else f"{value:.2g}"


def _paint_bar(
    page: Page,
    place: tuple[float, float],
    height: float,
    colors: _Scale,
    table: pd.DataFrame,
) -> None:
    """The scale of colours, with its unit above."""
    left, top = place
    axes = page.axes(left, top, 9, height)
    values = table["value"].to_numpy(float)
    known = values[np.isfinite(values)]
    low, high = colors.low, colors.high
    steps = np.linspace(low, high, 129)
    shades = colors.colors((steps[1:] + steps[:-1]) / 2)[:, None]
    axes.pcolormesh([0, 1], steps, shades, edgecolors="face", linewidth=0.3)  # no seams
    axes.set_xticks([])
    axes.yaxis.tick_right()
    for spine in axes.spines.values():
        spine.set_visible(False)
    muted = page.colors.muted
    axes.tick_params(axis="y", labelsize=SMALL, labelcolor=muted, color=muted, length=2, width=0.6)
    axes.locator_params(axis="y", nbins=5)
    page.text(left, top - 7, table.attrs["unit"], size=NOTE, color=muted)
    beyond = int((known > high).sum()), int((known < low).sum())
    for count, at, mark in ((beyond[0], -0.5, "above"), (beyond[1], height + 8, "below")):
        if count and at > 0:
            page.text(left, at + top, f"{count} {mark}", size=SMALL, color=muted)
        elif count:
            page.text(left + 14, top - 7, f"{count} {mark}", size=SMALL, color=muted)
