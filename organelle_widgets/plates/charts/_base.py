"""What every chart of a run offers: a table first, then a figure drawn from that table alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.settings import check_settings
from organelle_widgets.registry import Registry
from organelle_widgets.render.saving import save_figure, without_font_warnings

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from organelle_widgets.results import Results

__all__ = ["RUN_CHARTS", "RunChart"]


class RunChart(ABC):
    """Draws one aspect of a run.

    A chart is a frozen dataclass that derives from this class, declares its settings with
    `organelle_widgets.core.settings.setting`, registers with ``@RUN_CHARTS.register(name)`` and implements
    `compute` (numbers, tested without drawing) and `draw` (a figure of its own, no pyplot). Settings that name a
    column or a group are texts; empty, the chart chooses, and says what it chose.

    Raises
    ------
    SettingsError
        On construction, if a setting is out of its range.
    """

    def __post_init__(self) -> None:
        check_settings(self)

    @abstractmethod
    def compute(self, results: Results) -> pd.DataFrame:
        """The numbers that the chart shows.

        Parameters
        ----------
        results : Results
            The run; may have no cells.

        Returns
        -------
        pandas.DataFrame
            All that `draw` needs; ``attrs`` holds texts to draw with it, such as ``title``.

        Raises
        ------
        InputError
            If a column or a group that a setting names does not exist, listing what there is.
        """

    @abstractmethod
    def draw(self, table: pd.DataFrame) -> Figure:
        """Draw the numbers.

        Parameters
        ----------
        table : pandas.DataFrame
            What `compute` returned.

        Returns
        -------
        matplotlib.figure.Figure
            A figure of its own, bound to no window.
        """

    def figure(self, results: Results) -> Figure:
        """Compute and draw in one go.

        Parameters
        ----------
        results : Results
            The run.

        Returns
        -------
        matplotlib.figure.Figure
            The chart.

        Raises
        ------
        InputError
            If a column or a group that a setting names does not exist.
        """
        with without_font_warnings():
            return self.draw(self.compute(results))

    def save(self, results: Results, path: str | Path, dpi: float = 300) -> Path:
        """Write the chart to a file, ready for a publication.

        Parameters
        ----------
        results : Results
            The run.
        path : str or Path
            Ends in ``.png``, ``.svg`` or ``.pdf``.
        dpi : float
            Pixels per inch of a PNG.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ExportError
            If the suffix is another one or the file can't be written.
        InputError
            If a column or a group that a setting names does not exist.
        """
        figure: Any = self.figure(results)
        return save_figure(figure, path, dpi)


RUN_CHARTS: Registry[RunChart] = Registry(
    "run_chart", "organelle_widgets.plates.charts", lambda: RunChart
)
"""All charts of a run by name."""
