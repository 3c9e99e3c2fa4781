"""The probabilities of the 19 classes, for one cell or for the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from organelle_widgets.core.labels import CLASSES, N_CLASSES
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.core.settings import setting
from organelle_widgets.render.bars import Bar, bars_figure
from organelle_widgets.render.charts._base import CHARTS, Chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from organelle_widgets.core.results import FieldResult

__all__ = ["ProbabilityChart", "probability_bars"]


@CHARTS.register("probability", title="Class probabilities")
@dataclass(frozen=True)
class ProbabilityChart(Chart):
    """Horizontal bars of the most probable classes, with the confidence threshold drawn.

    Parameters
    ----------
    threshold : float
        Confidence threshold, 0 to 1: classes at or above it are in full ink.
    n_classes : int
        How many of the 19 classes are shown, the most probable ones; the rest is counted below.
    sort : bool
        Most probable first; else in the competition's order.
    style : {"light", "dark"}
        Colours.

    Examples
    --------
    >>> chart = ProbabilityChart(threshold=0.5, n_classes=8)
    >>> chart.save(result, "cell_9.svg", cell_id=9)  # doctest: +SKIP
    """

    one_cell: ClassVar[bool] = True

    threshold: float = setting(
        DEFAULT_THRESHOLD,
        label="Confidence threshold",
        minimum=0,
        maximum=1,
        step=0.01,
        help="Classes at or above it are named; a larger value names fewer.",
    )
    n_classes: int = setting(
        8,
        label="Classes shown",
        minimum=1,
        maximum=N_CLASSES,
        step=1,
        help="More make a taller chart.",
    )
    sort: bool = setting(True, label="Most probable first", help="Else in the competition's order.")
    style: str = setting("light", label="Style", choices=("light", "dark"), help="Colours.")

    def compute(self, result: FieldResult, selection: int | None = None) -> pd.DataFrame:
        """The probabilities of all classes.

        Parameters
        ----------
        result : FieldResult
            The result; may have no cells.
        selection : int, optional
            Id of the cell; without it, the field.

        Returns
        -------
        pandas.DataFrame
            19 rows in the order drawn: ``class_index``, ``code``, ``name``, ``color``, ``probability``,
            ``named`` (part of the answer) and ``shown``. No rows for a field without cells.

        Raises
        ------
        InputError
            If there is no such cell.
        """
        prediction = result.predict(selection, self.threshold)
        values = (
            result.field_probabilities
            if selection is None
            else result.probabilities[result.row_of(selection)]
        )
        rank = np.argsort(-values, kind="stable")
        order = rank if self.sort else np.arange(N_CLASSES)
        shown = set(rank[: self.n_classes].tolist())
        classes = [CLASSES[index] for index in order] if result.n_cells else []
        table = pd.DataFrame(
            {
                "class_index": [c.index for c in classes],
                "code": [c.code for c in classes],
                "name": [c.name for c in classes],
                "color": [c.color for c in classes],
                "probability": [float(values[c.index]) for c in classes],
                "named": [c.index in prediction.classes for c in classes],
                "shown": [c.index in shown for c in classes],
            }
        )
        who = "Field" if selection is None else f"Cell {selection}"
        table.attrs = {
            "title": prediction.title if result.n_cells else "No cells found",
            "detail": prediction.detail if result.n_cells else "",
            "subtitle": f"{who} · confidence {prediction.confidence:.2f} · {result.field.name}"
            if result.n_cells
            else result.field.name,
            "footer": _rest(table),
            "empty": "There is no cell to classify in this field.",
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
        return bars_figure(probability_bars(table), table.attrs, self.style, self.threshold)


def probability_bars(table: pd.DataFrame) -> list[Bar]:
    """Rows to draw of the classes that are shown.

    Parameters
    ----------
    table : pandas.DataFrame
        What `ProbabilityChart.compute` returned.

    Returns
    -------
    list of Bar
        From the top.
    """
    return [
        Bar(
            row["code"],
            row["name"],
            row["color"],
            row["probability"],
            f"{row['probability']:.2f}",
            row["named"],
        )
        for row in table[table["shown"]].to_dict("records")
    ]


def _rest(table: pd.DataFrame) -> str:
    """What is said of the classes that are not shown."""
    hidden = table.loc[~table["shown"].astype(bool), "probability"]
    return f"{len(hidden)} more, at most {hidden.max():.2f}" if len(hidden) else ""
