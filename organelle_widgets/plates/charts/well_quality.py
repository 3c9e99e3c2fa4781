"""How the wells of a run came out: a strip of dots for every measure, and the wells that stand out by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.settings import setting
from organelle_widgets.plates.charts._base import RUN_CHARTS, RunChart
from organelle_widgets.plates.charts._page import (
    NOTE,
    SIZE,
    SMALL,
    Page,
    bare_axes,
    style_setting,
    width_in_points,
    width_setting,
    wrapped,
)
from organelle_widgets.plates.outliers import (
    FEWEST,
    LIMIT,
    WELL_MEASURES,
    WellMeasure,
    robust_spread,
    standing_out,
)
from organelle_widgets.plates.quality import well_quality
from organelle_widgets.render.bars import fit_text, text_width

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from organelle_widgets.results import Results

__all__ = ["WellQualityChart"]

_FLAG = {"light": "#C4320A", "dark": "#FF8A5B"}
_TITLE_ROOM, _SCALE_ROOM, _GAP, _LINE = 96.0, 15.0, 10.0, 11.0


@RUN_CHARTS.register("well_quality", title="Quality of wells")
@dataclass(frozen=True)
class WellQualityChart(RunChart):
    """One strip a measure, one dot a well; wells that stand out are named, in the strip and below in words.

    Parameters
    ----------
    listed : int
        How many flagged wells are written out below, those with most flags first.
    width_mm : float
        Width of the figure.
    style : {"light", "dark"}
        Colours.

    Examples
    --------
    >>> WellQualityChart().save(open_results("out"), "quality.pdf")  # doctest: +SKIP
    """

    listed: int = setting(
        16,
        label="Wells written out",
        minimum=0,
        maximum=100,
        step=1,
        help="More make a taller chart.",
    )
    width_mm: float = width_setting()
    style: str = style_setting()

    def compute(self, results: Results) -> pd.DataFrame:
        """Numbers and flags of every well.

        Parameters
        ----------
        results : Results
            The run.

        Returns
        -------
        pandas.DataFrame
            See `organelle_widgets.plates.quality.well_quality`.

        Raises
        ------
        InputError
            If the run has no wells.
        """
        wells = well_quality(results)
        flagged, failed = int((wells["n_flags"] > 0).sum()), int(wells["n_failed"].sum())
        fields, cells = int(wells["n_fields"].sum()), int(wells["n_cells"].sum())
        n = len(wells)
        title = f"{flagged} of {n} wells stand out" if flagged else f"None of {n} wells stands out"
        how = (
            f"Line: the plate's median; band: robust z within ±{LIMIT:g} (median absolute deviation). Dots beyond it "
            "are named where the difference is also large enough to matter."
        )
        wells.attrs = {
            "title": title if cells else "No cells found",
            "subtitle": f"{fields:,} fields analysed, {failed:,} failed · {cells:,} cells",
            "notes": (*wells.attrs["notes"], how),
        }
        return wells

    def draw(self, table: pd.DataFrame) -> Figure:
        """Draw strips and list.

        Parameters
        ----------
        table : pandas.DataFrame
            What `compute` returned.

        Returns
        -------
        matplotlib.figure.Figure
            As wide as `width_mm`, as tall as it needs.
        """
        plates = [(str(name), part) for name, part in table.groupby("plate", sort=False)]
        lane = 22.0 if len(plates) == 1 else 15.0
        tall = lane * max(len(plates), 1) + _SCALE_ROOM
        measures = [m for m in WELL_MEASURES if table[m.column].notna().any()]
        lines = self._list(table)
        strips = len(measures) * (tall + _GAP)
        below = (14 + _LINE * len(lines)) if lines else 0
        page = Page.make(self.width_mm, max(strips + below, 12), table.attrs, self.style)
        names = width_in_points([name for name, _ in plates], SMALL, 80) if len(plates) > 1 else 0
        left = _TITLE_ROOM + (names + 6 if names else 0)
        for number, measure in enumerate(measures):
            top = number * (tall + _GAP)
            unit = f", {measure.unit}" if measure.unit else ""
            page.text(0, top + lane / 2, f"{measure.title}{unit}", weight="bold")
            axes = _strip(page, measure, plates, (left, top, page.room - left - 4), lane)
            for row, (name, part) in enumerate(plates):
                if names:
                    text = fit_text(name, SMALL, 80)
                    at = (left - 8, top + lane * (row + 0.5))
                    page.text(*at, text, size=SMALL, color=page.colors.muted, ha="right")
                _paint_wells(axes, measure, part, row, page, _FLAG[self.style])
        _paint_list(page, lines, strips, _FLAG[self.style])
        return page.figure

    def _list(self, table: pd.DataFrame) -> list[tuple[str, str]]:
        """Names and words of the flagged wells, one line each."""
        flagged = table[table["n_flags"] > 0].sort_values("n_flags", ascending=False, kind="stable")
        several = len(table["plate"].drop_duplicates()) > 1
        room = self.width_mm * 72 / 25.4 - 24
        lines = []
        for row in flagged.head(self.listed).to_dict("records"):
            name = f"{row['plate']} {row['well']}" if several else row["well"]
            words = wrapped(row["flags"], NOTE, room - _TITLE_ROOM)
            lines += [(name if not i else "", line) for i, line in enumerate(words)]
        rest = len(flagged) - self.listed
        return [*lines, ("", f"and {rest} more")] if self.listed and rest > 0 else lines


def _strip(
    page: Page,
    measure: WellMeasure,
    plates: list[tuple[str, pd.DataFrame]],
    place: tuple[float, float, float],
    lane: float,
) -> Axes:
    """Empty axes of one measure, scaled to its values."""
    left, top, width = place
    axes = page.axes(left, top, width, lane * len(plates))
    bare_axes(axes, page.colors)
    values = np.concatenate([part[measure.column].to_numpy(float) for _, part in plates])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if measure.unit == "%" or low < 0.3 * high:
        low = 0.0
    span = (high - low) or max(abs(high), 1e-3)
    axes.set(xlim=(low - 0.02 * span, high + 0.04 * span), ylim=(len(plates), 0))
    axes.locator_params(axis="x", nbins=6)
    if measure.unit == "%":
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}")
    return axes


def _paint_wells(
    axes: Axes, measure: WellMeasure, part: pd.DataFrame, row: int, page: Page, flag: str
) -> None:
    """The wells of one plate in one lane."""
    colors, values = page.colors, part[measure.column].to_numpy(float)
    known = values[np.isfinite(values)]
    if not known.size:
        return
    middle = float(np.median(known))
    spread = LIMIT * robust_spread(known)
    start, end = axes.get_xlim()
    box = (max(middle - spread, start), min(middle + spread, end))
    if known.size >= FEWEST:
        axes.fill_between(box, row + 0.12, row + 0.88, color=colors.track, lw=0, zorder=0)
    axes.vlines(middle, row + 0.12, row + 0.88, color=colors.line, lw=1.1, zorder=2)
    words = standing_out(part, measure)
    out = np.array([bool(word) for word in words])
    jitter = row + 0.5 + 0.24 * np.sin(2.4 * np.arange(len(values)))
    plain: dict[str, Any] = {"s": 7, "color": colors.muted, "alpha": 0.7, "lw": 0, "zorder": 1}
    axes.scatter(values[~out], jitter[~out], **plain)
    axes.scatter(
        values[out], np.full(out.sum(), row + 0.5), s=16, color=flag, lw=0, zorder=3, clip_on=False
    )
    named = part.loc[out, "well"].tolist()
    _paint_labels(axes, values[out], named, row + 0.5, flag)


def _paint_labels(axes: Axes, values: Any, names: list[str], at: float, color: str) -> None:
    """Names beside dots, from the outermost in, as long as they don't run into each other."""
    start, end = axes.get_xlim()
    scale = (end - start) * axes.figure.dpi / 72 / axes.get_window_extent().width  # of a point
    taken = [(float(v) - 3 * scale, float(v) + 3 * scale) for v in values]
    for value, name in sorted(zip(values, names, strict=True), key=lambda pair: -pair[0]):
        width = (text_width(name, SMALL) + 1) * scale
        for side in (1, -1):
            edge = value + side * 5 * scale
            room = (min(edge, edge + side * width), max(edge, edge + side * width))
            if room[0] >= start and room[1] <= end + 6 * scale and not _overlaps(room, taken):
                ha = "left" if side > 0 else "right"
                axes.text(edge, at, name, fontsize=SMALL, color=color, ha=ha, va="center_baseline")
                taken.append(room)
                break


def _overlaps(room: tuple[float, float], taken: list[tuple[float, float]]) -> bool:
    """Whether an interval meets one of others."""
    return any(room[0] < high and low < room[1] for low, high in taken)


def _paint_list(page: Page, lines: list[tuple[str, str]], top: float, color: str) -> None:
    """The flagged wells in words."""
    for number, (name, words) in enumerate(lines):
        at = top + 10 + _LINE * number
        label = fit_text(name, SIZE, _TITLE_ROOM - 8, "bold")
        page.text(0, at, label, color=color, weight="bold")
        page.text(_TITLE_ROOM, at, words, size=NOTE)
