"""Every chart there is of a result, or of a run, one after the other; and why one is not there."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.errors import InputError
from organelle_widgets.plates.charts import RUN_CHARTS, RunChart
from organelle_widgets.render.charts import CHARTS
from organelle_widgets.render.saving import without_font_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.figure import Figure

    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.results import Results

__all__ = ["Drawn", "charts_of_result", "charts_of_run"]

_FIRST = ("class_fractions", "group_comparison", "plate_map", "well_quality")


@dataclass(frozen=True)
class Drawn:
    """One chart.

    Parameters
    ----------
    name, title : str
        In the registry.
    table : pandas.DataFrame or None
        Its numbers.
    figure : matplotlib.figure.Figure or None
        Drawn from them.
    missing : str
        Why there is none, in whole sentences.
    chart : RunChart or None
        Which drew it.
    """

    name: str
    title: str
    table: pd.DataFrame | None = dataclasses.field(default=None, repr=False)
    figure: Figure | None = dataclasses.field(default=None, repr=False)
    missing: str = ""
    chart: RunChart | None = dataclasses.field(default=None, repr=False)

    @property
    def description(self) -> str:
        """What the figure shows, for those who do not see it."""
        said = self.table.attrs.get("title", "") if self.table is not None else ""
        return f"{self.title}: {said}." if said else self.title

    def again(self, **settings: Any) -> Figure:
        """The chart of a run once more, with other looks.

        Parameters
        ----------
        **settings : object
            ``style``, ``width_mm``; those that the chart does not have are left out.

        Returns
        -------
        matplotlib.figure.Figure
            Drawn from the same numbers.
        """
        chart: Any = self.chart
        with without_font_warnings():
            changed = dataclasses.replace(chart, **_known(type(chart), settings))
            figure: Figure = changed.draw(self.table)
        return figure


def charts_of_result(result: FieldResult, style: str = "light") -> Iterator[Drawn]:
    """The charts of one field.

    Parameters
    ----------
    result : FieldResult
        The result; may have no cells.
    style : {"light", "dark"}
        Colours.

    Yields
    ------
    Drawn
        One a chart of `organelle_widgets.render.charts.CHARTS`.
    """
    wanted = {"style": style, "threshold": result.threshold}
    for name, entry in sorted(CHARTS.entries().items(), key=_rank):
        chart = CHARTS.create(name, **_known(entry.cls, wanted))
        table = chart.compute(result)
        with without_font_warnings():
            yield Drawn(name, entry.title, table, chart.draw(table))


def charts_of_run(
    results: Results,
    by: str = "",
    style: str = "light",
    monitor: Monitor | None = None,
) -> Iterator[Drawn]:
    """The charts of a run.

    Parameters
    ----------
    results : Results
        The run; may have no cells.
    by : str
        Column that makes groups; empty: each chart chooses.
    style : {"light", "dark"}
        Colours.
    monitor : Monitor, optional
        Learns how many are done; may cancel.

    Yields
    ------
    Drawn
        One a chart of `organelle_widgets.plates.charts.RUN_CHARTS`; without a figure where the run has not what it is
        drawn from: no wells, no groups, no cells.

    Raises
    ------
    InputError
        If `by` names no column of the run.
    """
    watch = monitor or Monitor()
    entries = RUN_CHARTS.entries()
    names = [name for name in _FIRST if name in entries]
    names += [name for name in entries if name not in names]
    wanted = {"style": style, "by": by}
    if by and by not in results.columns("cells"):
        found = ", ".join(results.extra_columns) or "none besides 'field'"
        message = f"Expected a column of this run to group by; found {by!r}."
        raise InputError(message, hint=f"Columns of the fields that it was made from: {found}.")
    for number, name in enumerate(names):
        watch.report(entries[name].title, number / len(names))
        yield _drawn_of_run(results, name, _known(entries[name].cls, wanted))


def _drawn_of_run(results: Results, name: str, settings: dict[str, Any]) -> Drawn:
    """One chart of a run, or why it can't be drawn."""
    title = RUN_CHARTS.get(name).title
    chart = RUN_CHARTS.create(name, **settings)
    try:
        table = chart.compute(results)
    except InputError as error:
        return Drawn(name, title, missing=f"{error.message} {error.hint or ''}".strip())
    with without_font_warnings():
        return Drawn(name, title, table, chart.draw(table), chart=chart)


def _rank(item: tuple[str, Any]) -> int:
    """Where a chart of a field stands: the answer first."""
    return item[0] != "probability"


def _known(cls: type[Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Those settings that a chart has."""
    names = {item.name for item in describe_settings(cls)}
    return {name: value for name, value in wanted.items() if name in names}
