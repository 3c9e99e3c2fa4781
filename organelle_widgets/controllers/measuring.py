"""Measuring the selected cell, while a person looks at its measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organelle_widgets.controllers.failures import failure_of
from organelle_widgets.measurements import measure_cells
from organelle_widgets.state import Measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from organelle_widgets.controllers.page_thread import PageThread
    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.engine import Engine, Job
    from organelle_widgets.state import PageState
    from organelle_widgets.widgets.cell_panel import CellPanel

__all__ = ["MeasuringController", "measure_some"]


_AT_ONCE = 12
"""Cells measured ahead in one go: it takes about 0.1 s, in which other work waits."""


class MeasuringController:
    """Measures the selected cell, then the others of the field ahead; each cell of a result once.

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
        self._job: Job[dict[int, dict[str, float]]] | None = None
        for event in (state.events.shown, state.events.selected, state.events.measuring):
            event.connect(self._measure)
        panel.measuring_changed.connect(self._on_measuring)

    def _on_measuring(self, measuring: bool) -> None:
        self._state.measuring = measuring

    def _measure(self, *_: Any) -> None:
        """Measure what is wanted next, in place of what was wanted before."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        result = self._state.result
        wanted = self._wanted(result) if result is not None else []
        if wanted:
            job = self._engine.submit(measure_some, result, wanted)
            self._job = job
            job.future.add_done_callback(
                lambda future: self._on_page(self._finish, job.monitor, result, future)
            )

    def _wanted(self, result: FieldResult) -> list[int]:
        """The selected cell; where it is known and nothing else runs, a few that may be looked at next."""
        state, known = self._state, self._known(result)
        if not (state.measuring and state.selected):
            return []
        if state.selected not in known:
            return [state.selected]
        if state.busy or state.adjusting:
            return []
        left = [int(cell) for cell in result.masks.cell_ids if int(cell) not in known]
        return sorted(left, key=lambda cell: (cell < state.selected, cell))[:_AT_ONCE]

    def _known(self, result: FieldResult) -> Mapping[int, Mapping[str, float]]:
        """What was measured of a result so far."""
        measured = self._state.measured
        return measured.cells if measured is not None and measured.result is result else {}

    def _finish(
        self, monitor: Monitor, result: FieldResult, future: Future[dict[int, dict[str, float]]]
    ) -> None:
        """Keep what was measured with what is known of the same result, and go on."""
        if future.cancelled() or result is not self._state.result:
            return
        error = future.exception()
        if error is not None:
            self._state.failure = failure_of(error) or self._state.failure
            return
        self._state.measured = Measured(result, {**self._known(result), **future.result()})
        if self._job is not None and self._job.monitor is monitor:
            self._measure()


def measure_some(
    result: FieldResult, cell_ids: Sequence[int], *, monitor: Monitor
) -> dict[int, dict[str, float]]:
    """Measure cells.

    Parameters
    ----------
    result : FieldResult
        The result on the page.
    cell_ids : sequence of int
        The cells.
    monitor : Monitor
        May cancel before the work begins.

    Returns
    -------
    dict of int to dict of str to float
        By cell id, values by column of `organelle_widgets.measurements.MEASUREMENTS`; NaN where the cell has none.

    Raises
    ------
    InputError
        If there is no such cell.
    Cancelled
        If another cell was selected meanwhile.
    """
    monitor.report("Measuring cells", 0.0)
    table = measure_cells(result.field, result.masks, cell_ids).set_index("cell_id")
    columns = [str(name) for name in table.columns]
    values = table.to_numpy(float).tolist()
    return {
        int(cell): dict(zip(columns, row, strict=True))
        for cell, row in zip(table.index, values, strict=True)
    }
