"""Two groups compared, class by class: differences with their intervals, effect sizes and corrected p values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

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
    NOTE,
    SIZE,
    SMALL,
    Page,
    bare_axes,
    nice_ceiling,
    style_setting,
    width_setting,
)
from organelle_widgets.plates.comparison import compare_groups, same_value
from organelle_widgets.render.bars import fit_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from organelle_widgets.results import Results

__all__ = ["GroupComparisonChart"]

_ROW, _HEAD, _FOOT = 15.0, 18.0, 34.0
_CONTROLS = (
    "dmso",
    "control",
    "ctrl",
    "untreated",
    "vehicle",
    "mock",
    "pbs",
    "wt",
    "wild type",
    "none",
)
_SHARE, _EFFECT, _EFFECT_NARROW, _P, _NARROW = 38.0, 76.0, 36.0, 42.0, 420.0


@dataclass(frozen=True)
class _Columns:
    """Where the columns are, points: right ends of the two shares, the forest, the effect, the right end of p."""

    shares: tuple[float, float]
    forest: tuple[float, float]
    effect: float
    p: float
    narrow: bool

    @classmethod
    def fitting(cls, room: float) -> _Columns:
        """Narrow pages have codes without names, and effects without words."""
        narrow = room < _NARROW
        names = 28.0 if narrow else min(170.0, room * 0.28)
        start = names + 2 * _SHARE + 14
        width = room - start - _P - 10 - (_EFFECT_NARROW if narrow else _EFFECT)
        shares = (names + _SHARE, names + 2 * _SHARE)
        return cls(shares, (start, width), start + width + 12, room, narrow)


@RUN_CHARTS.register("group_comparison", title="Two groups compared")
@dataclass(frozen=True)
class GroupComparisonChart(RunChart):
    """Forest plot of the differences between two groups.

    Parameters
    ----------
    by : str
        Column that names the group; empty: the first of the source with 2 to 24 values.
    a, b : str
        The two groups, the reference first; empty: one that is called DMSO, control or the like, and those with most
        fields.
    unit : {"auto", "well", "field"}
        What is one observation.
    confidence : float
        What the intervals should cover.
    alpha : float
        Share of false discoveries that is accepted; differences below it are filled.
    width_mm : float
        Width of the figure.
    style : {"light", "dark"}
        Colours.

    Examples
    --------
    >>> chart = GroupComparisonChart(by="treatment", a="DMSO", b="Nocodazole")
    >>> chart.save(open_results("out"), "comparison.pdf")  # doctest: +SKIP
    """

    by: str = setting("", label="Group by", help="A column; empty: the first with 2 to 24 values.")
    a: str = setting(
        "", label="Reference", help="A value of it; empty: a control, or that with most fields."
    )
    b: str = setting("", label="Compared", help="Another value; empty: that with next most fields.")
    unit: str = setting(
        "auto", label="Independent unit", choices=UNITS, help="What is one observation."
    )
    confidence: float = setting(
        0.95,
        label="Confidence",
        minimum=0.51,
        maximum=0.999,
        step=0.01,
        help="A larger value makes wider intervals.",
    )
    alpha: float = setting(
        0.05,
        label="False discoveries",
        minimum=0.001,
        maximum=0.5,
        step=0.001,
        help="A larger value calls more differences significant.",
    )
    width_mm: float = width_setting()
    style: str = style_setting()

    def compute(self, results: Results) -> pd.DataFrame:
        """Differences, effect sizes and p values.

        Parameters
        ----------
        results : Results
            The run.

        Returns
        -------
        pandas.DataFrame
            See `organelle_widgets.plates.comparison.compare_groups`.

        Raises
        ------
        InputError
            If column or group does not exist, there are no two groups, or no cells.
        """
        if not results.n_cells:
            message = "Expected cells to compare; found none in this run."
            raise InputError(message)
        chosen = self.by or grouping_column(results, most=1000)
        if not chosen:
            message = "Expected a column with two groups to compare; found none in this run."
            own = ", ".join(results.extra_columns) or "none"
            raise InputError(message, hint=f"Columns of the fields that it was made from: {own}.")
        by = columns_named(results, chosen)
        if len(by) > 1:
            message = f"Expected one column to compare groups of; found {len(by)}: {', '.join(by)}."
            raise InputError(message)
        counted = counted_cells(results, by)
        a, b = self._groups(counted, by[0])
        unit: Any = self.unit
        table = compare_groups(
            counted, by[0], a, b, unit, confidence=self.confidence, alpha=self.alpha
        )
        table.attrs |= _texts(table)
        return table

    def _groups(self, counted: pd.DataFrame, by: str) -> tuple[Any, Any]:
        """The two groups that were asked for, or else those with most fields."""
        named = counted[counted[by].notna() & (counted[by] != "")]
        fields = named.groupby(by)["field"].nunique().sort_values(ascending=False, kind="stable")
        asked = [same_value(named[by], value) for value in (self.a, self.b) if value]
        rest = [value for value in fields.index if value not in asked]
        rest.sort(key=lambda value: str(value).strip().lower() not in _CONTROLS)
        if len(asked) + len(rest) < 2:
            found = ", ".join(str(value) for value in fields.index) or "none"
            message = f"Expected two groups of {by!r} or more; found {found}."
            raise InputError(message)
        a = asked.pop(0) if self.a else rest.pop(0)
        return a, (asked.pop(0) if self.b else rest.pop(0))

    def draw(self, table: pd.DataFrame) -> Figure:
        """Draw the forest plot.

        Parameters
        ----------
        table : pandas.DataFrame
            What `compute` returned.

        Returns
        -------
        matplotlib.figure.Figure
            As wide as `width_mm`, one line a class.
        """
        rows = _drawn(table)
        page = Page.make(self.width_mm, _HEAD + _ROW * len(rows) + _FOOT, table.attrs, self.style)
        columns = _Columns.fitting(page.room)
        _paint_heads(page, table.attrs, columns)
        for number, line in enumerate(rows.to_dict("records")):
            _paint_texts(page, line, _HEAD + _ROW * (number + 0.5), columns)
        _paint_forest(page, rows, columns, table.attrs)
        return page.figure


def _texts(table: pd.DataFrame) -> dict[str, Any]:
    """Title, subtitle and notes."""
    attrs = table.attrs
    unit, sizes, cells = attrs["unit"], attrs["n_units"], attrs["n_cells"]
    sides = [
        f"{attrs[side]}: {n:,} {unit}{'s' if n != 1 else ''}, {count:,} cells"
        for side, n, count in zip("ab", sizes, cells, strict=True)
    ]
    absent = table.loc[(table["mean_a"] == 0) & (table["mean_b"] == 0), "code"].tolist()
    seen = (f"In neither: {', '.join(absent)}.",) if absent else ()
    how = (
        f"Mean share of the {unit}s; lines: {attrs['confidence']:.0%} bootstrap intervals of the difference; "
        f"δ: Cliff's delta; p: Mann-Whitney U, corrected for {len(table)} rows (Benjamini-Hochberg); filled: p at most "
        f"{attrs['alpha']:g}."
    )
    return {
        "title": f"{attrs['b']} against {attrs['a']}",
        "subtitle": " · ".join(sides),
        "notes": (*attrs["notes"], how, *seen),
    }


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that either group shows, the largest gain first, "Not sure" last."""
    seen = table[(table["mean_a"] > 0) | (table["mean_b"] > 0)]
    return seen.assign(last=seen["class_index"] < 0).sort_values(
        ["last", "difference"], ascending=[True, False], kind="stable", ignore_index=True
    )


def _paint_heads(page: Page, attrs: dict[Any, Any], columns: _Columns) -> None:
    """What stands above the columns."""
    looks: dict[str, Any] = {"size": NOTE, "color": page.colors.muted, "ha": "right"}
    for at, side in zip(columns.shares, "ab", strict=True):
        page.text(at, _HEAD - 9, fit_text(str(attrs[side]), NOTE, _SHARE - 3), **looks)
    effect = "δ" if columns.narrow else "effect (δ)"
    page.text(columns.effect, _HEAD - 9, effect, **{**looks, "ha": "left"})
    page.text(columns.p, _HEAD - 9, "adjusted p", **looks)


def _paint_texts(page: Page, line: dict[Any, Any], middle: float, columns: _Columns) -> None:
    """Name, shares, effect and p of one class."""
    colors = page.colors
    ink = colors.ink if line["significant"] else colors.muted
    page.swatch(0, middle, line["color"])
    page.text(12, middle, line["code"], weight="bold")
    if not columns.narrow:
        page.text(32, middle, fit_text(line["name"], SIZE, columns.shares[0] - _SHARE - 36))
    for at, side in zip(columns.shares, ("mean_a", "mean_b"), strict=True):
        page.text(at, middle, f"{100 * line[side]:.1f} %", size=NOTE, ha="right")
    delta = round(line["cliffs_delta"], 2) + 0.0  # no minus before a zero
    word = "" if columns.narrow else f" {line['effect']}"
    page.text(columns.effect, middle, _signed(f"{delta:+.2f}{word}"), size=NOTE, color=ink)
    p = "< 0.001" if line["p_adjusted"] < 0.001 else f"{line['p_adjusted']:.3f}"
    weight = "bold" if line["significant"] else "normal"
    page.text(columns.p, middle, p, size=NOTE, color=ink, ha="right", weight=weight)


def _signed(text: str) -> str:
    """With a minus of a plus's width instead of a hyphen."""
    return text.replace("-", "−")


def _paint_forest(page: Page, rows: pd.DataFrame, columns: _Columns, attrs: dict[Any, Any]) -> None:
    """The differences with their intervals, on a scale of percentage points."""
    colors, (left, width) = page.colors, columns.forest
    axes = page.axes(left, _HEAD, width, _ROW * max(len(rows), 1))
    bare_axes(axes, colors)
    values = 100 * rows[["difference", "low", "high"]].to_numpy(float)
    end = nice_ceiling(np.nanmax(np.abs(values), initial=1.0))
    axes.set(xlim=(-1.05 * end, 1.05 * end), ylim=(max(len(rows), 1), 0))
    ticks = [-end, 0, end] if columns.narrow else [-end, -end / 2, 0, end / 2, end]
    axes.set_xticks(ticks, [_signed(f"{tick:+.3g}") if tick else "0" for tick in ticks])
    at = np.arange(len(rows)) + 0.5
    axes.hlines(at, -2 * end, 2 * end, color=colors.track, lw=0.8, zorder=0)
    axes.axvline(0, color=colors.muted, lw=0.8, zorder=1)
    axes.hlines(at, values[:, 1], values[:, 2], color=colors.line, lw=1.3, zorder=2)
    fills = [row.color if row.significant else colors.paper for row in rows.itertuples()]
    axes.scatter(values[:, 0], at, s=26, c=fills, edgecolors=colors.ink, lw=0.9, zorder=3)
    _paint_directions(page, (left, width), _HEAD + _ROW * max(len(rows), 1), attrs)


def _paint_directions(
    page: Page, across: tuple[float, float], top: float, attrs: dict[Any, Any]
) -> None:
    """What the scale is, and which side is which group's."""
    left, width = across
    looks: dict[str, Any] = {"size": SMALL, "color": page.colors.muted}
    page.text(left + width / 2, top + 20, "difference, percentage points", ha="center", **looks)
    a, b = (fit_text(str(attrs[side]), SMALL, width / 2 - 18) for side in "ab")
    page.text(left, top + 29, f"← {a}", ha="left", **looks)
    page.text(left + width, top + 29, f"{b} →", ha="right", **looks)
