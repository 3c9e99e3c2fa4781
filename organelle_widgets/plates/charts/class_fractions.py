"""The share of cells that show each class, group by group: dots with their intervals, one panel a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import class_index
from organelle_widgets.core.settings import setting
from organelle_widgets.errors import InputError
from organelle_widgets.plates.answers import UNITS
from organelle_widgets.plates.charts._base import RUN_CHARTS, RunChart
from organelle_widgets.plates.charts._columns import (
    columns_named,
    counted_cells,
    grouping_column,
)
from organelle_widgets.plates.charts._page import (
    SIZE,
    SMALL,
    Page,
    bare_axes,
    nice_ceiling,
    style_setting,
    width_in_points,
    width_setting,
)
from organelle_widgets.plates.fractions import class_fractions
from organelle_widgets.render.bars import fit_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from organelle_widgets.results import Results

__all__ = ["ClassFractionsChart"]

_MOST_GROUPS = 48
_HEAD, _FOOT, _GAP, _NARROWEST = 17.0, 13.0, 14.0, 84.0


@RUN_CHARTS.register("class_fractions", title="Classes by group")
@dataclass(frozen=True)
class ClassFractionsChart(RunChart):
    """Share of cells that show each class, by group, with bootstrap intervals.

    Parameters
    ----------
    by : str
        Column that makes groups, or several with commas between; empty: the first of the source with 2 to 24 values.
    classes : str
        Classes to show, by code or name with commas between; empty: those that reach `least`.
    least : float
        Classes that no group shows in this share of its cells are left out, 0 to 1.
    unit : {"auto", "well", "field"}
        What is drawn for the intervals.
    confidence : float
        What the intervals should cover.
    shared_axis : bool
        One scale for all classes; else each has its own.
    width_mm : float
        Width of the figure.
    style : {"light", "dark"}
        Colours.

    Examples
    --------
    >>> chart = ClassFractionsChart(by="treatment", least=0.05)
    >>> chart.save(open_results("out"), "fractions.pdf")  # doctest: +SKIP
    """

    by: str = setting("", label="Group by", help="A column; empty: the first with 2 to 24 values.")
    classes: str = setting(
        "", label="Classes", help="Codes, such as NP, NO; empty: all that occur."
    )
    least: float = setting(
        0.02,
        label="Smallest share",
        minimum=0,
        maximum=1,
        step=0.01,
        help="Classes below it in every group are left out; a larger value shows fewer.",
    )
    unit: str = setting(
        "auto", label="Independent unit", choices=UNITS, help="What is drawn for the intervals."
    )
    confidence: float = setting(
        0.95,
        label="Confidence",
        minimum=0.51,
        maximum=0.999,
        step=0.01,
        help="A larger value makes wider intervals.",
    )
    shared_axis: bool = setting(
        True, label="One scale for all", help="Else each class has a scale of its own."
    )
    width_mm: float = width_setting()
    style: str = style_setting()

    def compute(self, results: Results) -> pd.DataFrame:
        """Shares and intervals.

        Parameters
        ----------
        results : Results
            The run.

        Returns
        -------
        pandas.DataFrame
            See `organelle_widgets.plates.fractions.class_fractions`; also ``group`` (text) and ``shown``.

        Raises
        ------
        InputError
            If a column or class does not exist, or there are more than 48 groups.
        """
        chosen = self.by or grouping_column(results)
        by = columns_named(results, chosen) if chosen else ()
        counted = counted_cells(results, by)
        unit: Any = self.unit
        table = class_fractions(counted, by, confidence=self.confidence, unit=unit)
        attrs = table.attrs
        rows = table[list(by)].astype(str).agg(" · ".join, axis=1) if by else "All cells"
        table["group"] = rows if len(table) else ""
        groups = int(table["group"].nunique())
        if groups > _MOST_GROUPS:
            message = (
                f"Expected at most {_MOST_GROUPS} groups; found {groups} values of {', '.join(by)}."
            )
            raise InputError(message, hint="The chart plate_map shows many wells at once.")
        table["shown"] = table["name"].isin(self._shown(table))
        table.attrs = attrs | self._texts(table, attrs)
        return table

    def _shown(self, table: pd.DataFrame) -> list[str]:
        """Names of the classes that are drawn."""
        if self.classes.strip():
            wanted = [part for part in self.classes.split(",") if part.strip()]
            indices = {
                -1 if p.strip().lower() in ("?", "not sure") else class_index(p) for p in wanted
            }
            return list(table.loc[table["class_index"].isin(indices), "name"])
        largest = table.groupby("name", sort=False)["fraction"].max()
        return [str(n) for n, share in largest.items() if share > 0 and share >= self.least]

    def _texts(self, table: pd.DataFrame, attrs: dict[Any, Any]) -> dict[Any, Any]:
        """Title, subtitle and notes."""
        cells = int(table.groupby("group")["n_cells"].first().sum())
        by = " and ".join(attrs["by"])
        hidden = table.loc[~table["shown"], "code"].drop_duplicates().tolist()
        drawn = f"{attrs['unit']}s drawn anew {attrs['n_draws']:,} times"
        several = "A cell may count for several classes. " if _several(table) else ""
        listed = f"Not shown: {', '.join(hidden)}." if hidden else ""
        return {
            "title": (f"Classes by {by}" if by else "Classes of all cells")
            if cells
            else "No cells found",
            "subtitle": f"Share of cells, with {attrs['confidence']:.0%} intervals ({drawn}) · {cells:,} cells",
            "notes": (*attrs["notes"], f"{several}{listed}".strip()),
        }

    def draw(self, table: pd.DataFrame) -> Figure:
        """Draw the panels.

        Parameters
        ----------
        table : pandas.DataFrame
            What `compute` returned.

        Returns
        -------
        matplotlib.figure.Figure
            As wide as `width_mm`, as tall as it needs.
        """
        shown = table[table["shown"]]
        panels = [part for _, part in shown.groupby("name", sort=False)]
        groups = shown["group"].drop_duplicates().tolist()
        row = 12.0 if len(groups) <= 12 else 9.5
        labels = width_in_points(groups, _label_size(row), 110) + 44
        room = self.width_mm * 72 / 25.4 - 24 - labels
        across = max(1, min(len(panels), int((room + _GAP) // (_NARROWEST + _GAP)), 5))
        across = -(-len(panels) // -(-len(panels) // across)) if panels else 1
        tall = _HEAD + row * len(groups) + _FOOT
        body = -(-len(panels) // across) * (tall + 10) if panels else 12
        page = Page.make(self.width_mm, body, table.attrs, self.style)
        if not panels:
            page.text(0, 4, "There is nothing to show.", color=page.colors.muted)
        width = min((page.room - labels - _GAP * (across - 1)) / across, 260)
        for number, panel in enumerate(panels):
            line, column = divmod(number, across)
            top = line * (tall + 10)
            if column == 0:
                _paint_labels(page, panel, top, row, labels, table.attrs["unit"])
            left = labels + column * (width + _GAP)
            axes = _panel(page, panel, (left, top, width), row)
            highest = shown if self.shared_axis else panel
            _paint_scale(axes, float(np.nanmax(highest[["fraction", "high"]].to_numpy())))
        return page.figure


def _several(table: pd.DataFrame) -> bool:
    """Whether a cell shows several classes."""
    sums = table.groupby("group")[["n_showing"]].sum()["n_showing"]
    return bool((sums > table.groupby("group")["n_cells"].first()).any())


def _label_size(row: float) -> float:
    """Font size of the groups' names."""
    return SIZE if row > 10 else 7.0


def _paint_labels(
    page: Page, panel: pd.DataFrame, top: float, row: float, room: float, unit: str
) -> None:
    """Names of the groups and how many units each has."""
    size = _label_size(row)
    muted: dict[str, Any] = {"size": SMALL, "color": page.colors.muted, "ha": "right"}
    page.text(room - 8, top + _HEAD / 2 - 2, f"{unit}s", **muted)
    for number, line in enumerate(panel.to_dict("records")):
        middle = top + _HEAD + row * (number + 0.5)
        page.text(0, middle, fit_text(line["group"], size, room - 40), size=size)
        page.text(room - 8, middle, f"{line['n_units']:,}", **muted)


def _panel(page: Page, panel: pd.DataFrame, place: tuple[float, float, float], row: float) -> Axes:
    """One class: its name, and a dot with an interval for every group."""
    left, top, width = place
    first, colors = panel.iloc[0], page.colors
    page.swatch(left, top + _HEAD / 2 - 2, first["color"])
    page.text(left + 11, top + _HEAD / 2 - 2, first["code"], weight="bold")
    page.text(left + 30, top + _HEAD / 2 - 2, fit_text(first["name"], SIZE, width - 30))
    axes = page.axes(left, top + _HEAD, width, row * len(panel))
    bare_axes(axes, colors)
    axes.set_ylim(len(panel), 0)
    at = np.arange(len(panel)) + 0.5
    low, high, share = (panel[name].to_numpy(float) for name in ("low", "high", "fraction"))
    axes.hlines(
        at, 0, 1, transform=axes.get_yaxis_transform(), color=colors.track, lw=0.8, zorder=0
    )
    axes.hlines(at, low, high, color=colors.line, lw=1.3, zorder=2)
    known = ~np.isnan(low)
    looks: dict[str, Any] = {
        "s": 16,
        "lw": 0.8,
        "edgecolors": colors.ink,
        "zorder": 3,
        "clip_on": False,
    }
    axes.scatter(share[known], at[known], color=first["color"], **looks)
    axes.scatter(share[~known], at[~known], color=colors.paper, **looks)
    return axes


def _paint_scale(axes: Axes, highest: float) -> None:
    """Percent from 0 to a round end."""
    end = min(nice_ceiling(highest), 1.0)
    ticks = [0, end / 2, end]
    axes.set_xlim(-0.02 * end, 1.04 * end)
    axes.set_xticks(ticks, ["0", *(f"{100 * t:.3g}" for t in ticks[1:-1]), f"{100 * end:.3g} %"])
