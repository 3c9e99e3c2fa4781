"""Measuring the selected cell, while a person looks at its measurements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from organelle_widgets.controllers.failures import failure_of
from organelle_widgets.measurements import measure_cells
from organelle_widgets.state import Measured

if TYPE_CHECKING:
    from concurrent.futures import Future

    from organelle_widgets.controllers.page_thread import PageThread
    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.engine import Engine, Job
    from organelle_widgets.state import PageState
    from organelle_widgets.widgets.cell_panel import CellPanel

__all__ = ["MeasuringController", "measure_cell"]


class MeasuringController:
    """Measures cells one by one as they are looked at; each cell of a result once.

    Parameters
    ----------
    state : PageState
        What is on the page.
    engine : Engine
        Where cells are measured.
    on_page : PageThread
        The way back from there.
    panel : CellPanel
        Says whether a person looks.
    """

    def __init__(
        self, state: PageState, engine: Engine, on_page: PageThread, panel: CellPanel
    ) -> None:
        self._state = state
        self._engine = engine
        self._on_page = on_page
        self._job: Job[dict[str, float]] | None = None
        for event in (state.events.shown, state.events.selected, state.events.measuring):
            event.connect(self._measure)
        panel.measuring_changed.connect(self._on_measuring)

    def _on_measuring(self, measuring: bool) -> None:
        self._state.measuring = measuring

    def _measure(self, *_: Any) -> None:
        """Measure the selected cell if somebody looks and it was not measured; nobody waits for another."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        result, cell_id = self._state.result, self._state.selected
        if not (self._state.measuring and cell_id and result) or self._state.measurements:
            return
        job = self._engine.submit(measure_cell, result, cell_id)
        self._job = job
        job.future.add_done_callback(
            lambda future: self._on_page(self._finish, result, cell_id, future)
        )

    def _finish(self, result: FieldResult, cell_id: int, future: Future[dict[str, float]]) -> None:
        """Keep what was measured with what is known of the same result."""
        if future.cancelled() or result is not self._state.result:
            return
        error = future.exception()
        if error is not None:
            self._state.failure = failure_of(error) or self._state.failure
            return
        known = self._state.measured
        before = known.cells if known is not None and known.result is result else {}
        self._state.measured = Measured(result, {**before, cell_id: future.result()})


def measure_cell(result: FieldResult, cell_id: int, *, monitor: Monitor) -> dict[str, float]:
    """Measure one cell.

    Parameters
    ----------
    result : FieldResult
        The result on the page.
    cell_id : int
        The cell.
    monitor : Monitor
        May cancel before the work begins.

    Returns
    -------
    dict of str to float
        Values by column of `organelle_widgets.measurements.MEASUREMENTS`; NaN where the cell has none.

    Raises
    ------
    InputError
        If there is no such cell.
    Cancelled
        If another cell was selected meanwhile.
    """
    monitor.report("Measuring the cell", 0.0)
    (row,) = measure_cells(result.field, result.masks, [cell_id]).to_dict("records")
    return {str(name): float(v) if v is not None else math.nan for name, v in row.items()}
