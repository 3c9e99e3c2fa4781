"""What every chart offers: a table first, then a figure drawn from that table alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from organelle_widgets.core.settings import check_settings
from organelle_widgets.registry import Registry
from organelle_widgets.render.saving import save_figure

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from organelle_widgets.core.results import FieldResult

__all__ = ["CHARTS", "Chart"]


class Chart(ABC):
    """Draws one aspect of a result.

    A chart is a frozen dataclass that derives from this class, declares its settings with
    `organelle_widgets.core.settings.setting`, registers with ``@CHARTS.register(name)`` and implements
    `compute` (numbers, tested without drawing) and `draw` (a figure of its own, no pyplot).

    Attributes
    ----------
    one_cell : bool
        Whether the chart can show a single cell; else it shows the field whatever is selected.

    Raises
    ------
    SettingsError
        On construction, if a setting is out of its range.
    """

    one_cell: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_settings(self)

    @abstractmethod
    def compute(self, result: FieldResult, selection: int | None = None) -> pd.DataFrame:
        """The numbers that the chart shows.

        Parameters
        ----------
        result : FieldResult
            The result; may have no cells.
        selection : int, optional
            Id of the cell that is selected; without it, the field.

        Returns
        -------
        pandas.DataFrame
            All that `draw` needs; ``attrs`` may hold texts to draw with it, such as ``title``.

        Raises
        ------
        InputError
            If there is no such cell.
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

    def figure(self, result: FieldResult, cell_id: int | None = None) -> Figure:
        """Compute and draw in one go.

        Parameters
        ----------
        result : FieldResult
            The result.
        cell_id : int, optional
            The cell; without it, the field.

        Returns
        -------
        matplotlib.figure.Figure
            The chart.

        Raises
        ------
        InputError
            If there is no such cell.
        """
        return self.draw(self.compute(result, cell_id))

    def save(
        self, result: FieldResult, path: str | Path, cell_id: int | None = None, dpi: float = 300
    ) -> Path:
        """Write the chart to a file, ready for a publication.

        Parameters
        ----------
        result : FieldResult
            The result.
        path : str or Path
            Ends in ``.png``, ``.svg`` or ``.pdf``.
        cell_id : int, optional
            The cell; without it, the field.
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
            If there is no such cell.
        """
        figure: Any = self.figure(result, cell_id)
        return save_figure(figure, path, dpi)


CHARTS: Registry[Chart] = Registry("chart", "organelle_widgets.render.charts", lambda: Chart)
"""All charts by name."""
