"""How many cells of a field show each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from organelle_widgets.core.labels import CLASSES
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.core.settings import setting
from organelle_widgets.render.bars import Bar, bars_figure
from organelle_widgets.render.charts._base import CHARTS, Chart
from organelle_widgets.render.overlay import NOT_SURE_COLOR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from organelle_widgets.core.results import FieldResult

__all__ = ["FieldSummaryChart", "cells_per_class", "count_bars"]


def cells_per_class(result: FieldResult, threshold: float | None = None) -> pd.DataFrame:
    """Count the cells that show each class.

    Parameters
    ----------
    result : FieldResult
        The result.
    threshold : float, optional
        Confidence threshold instead of the result's own.

    Returns
    -------
    pandas.DataFrame
        The classes that at least one cell shows, most cells first, then the "not sure" cells if there
        are any: ``code`` (``?`` for not sure), ``name``, ``color``, ``n_cells``, ``share`` of all cells.
        A cell counts for each of its classes, so the shares may add up to more than 1.
    """
    predictions = result.predictions(threshold)
    counts = [sum(c.index in p.classes for p in predictions) for c in CLASSES]
    ranked = sorted(zip(counts, CLASSES, strict=True), key=lambda pair: (-pair[0], pair[1].index))
    rows = [(c.code, c.name, c.color, n) for n, c in ranked if n]
    unsure = sum(not p.sure for p in predictions)
    if unsure:
        rows.append(("?", "Not sure", NOT_SURE_COLOR, unsure))
    table = pd.DataFrame(rows, columns=["code", "name", "color", "n_cells"])
    table["share"] = table["n_cells"].astype(float) / max(result.n_cells, 1)
    return table


@CHARTS.register("field_summary", title="Cells per class")
@dataclass(frozen=True)
class FieldSummaryChart(Chart):
    """Horizontal bars of the number of cells per class.

    Parameters
    ----------
    threshold : float
        Confidence threshold, 0 to 1.
    style : {"light", "dark"}
        Colours.
    """

    threshold: float = setting(
        DEFAULT_THRESHOLD,
        label="Confidence threshold",
        minimum=0,
        maximum=1,
        step=0.01,
        help="Classes at or above it are counted; a larger value leaves more cells not sure.",
    )
    style: str = setting("light", label="Style", choices=("light", "dark"), help="Colours.")

    def compute(self, result: FieldResult, selection: int | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Count the cells.

        Parameters
        ----------
        result : FieldResult
            The result; may have no cells.
        selection : int, optional
            Not used: the chart is about the field.

        Returns
        -------
        pandas.DataFrame
            See `cells_per_class`.
        """
        table = cells_per_class(result, self.threshold)
        n = result.n_cells
        several = int(table["n_cells"].sum()) > n
        table.attrs = {
            "title": f"{n} cell{'s' if n != 1 else ''} by class" if n else "No cells found",
            "subtitle": f"Threshold {self.threshold:.2f} · {result.field.name}",
            "footer": "A cell may count for several classes." if several else "",
            "empty": "There is no cell to count in this field.",
        }
        return table

    def draw(self, table: pd.DataFrame) -> Figure:
        """Draw the bars.

        Parameters
        ----------
        table : pandas.DataFrame
            What `compute` returned.

        Returns
        -------
        matplotlib.figure.Figure
            About 125 mm wide.
        """
        return bars_figure(count_bars(table), table.attrs, self.style)


def count_bars(table: pd.DataFrame) -> list[Bar]:
    """Rows to draw of cells counted by class.

    Parameters
    ----------
    table : pandas.DataFrame
        What `cells_per_class` returned.

    Returns
    -------
    list of Bar
        From the top.
    """
    return [
        Bar(row["code"], row["name"], row["color"], row["share"], f"{row['n_cells']}")
        for row in table.to_dict("records")
    ]
