"""One pool of workers for all visitors of a page: the end in a visitor's kernel.

The kernel sends fields and gets results; it never loads a model. `organelle_widgets.engine.pool` is the other end.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.engine.analysis import WAITING, analyze_on
from organelle_widgets.engine.dask import DaskEngine
from organelle_widgets.errors import BatchError

if TYPE_CHECKING:
    from organelle_widgets.classification import Classifier
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.segmentation import Segmenter

__all__ = ["SharedWorkers"]

_TRY_S = 2.0
_PATIENCE_S = 20.0  # a pool that ended is started anew meanwhile


class SharedWorkers:
    """Analyses fields on a pool of workers that others use, too; called like `organelle_widgets.analyze_field`.

    The connection is made by the first analysis, and again after it was lost.

    Parameters
    ----------
    address : str
        Of the pool's scheduler.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._engine: DaskEngine | None = None

    def __call__(
        self,
        field: Field,
        segmenter: str | Segmenter,
        classifier: str | Classifier,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        monitor: Monitor | None = None,
        previous: FieldResult | None = None,
    ) -> FieldResult:
        """Analyse a field on whichever worker is free first.

        Parameters
        ----------
        field : Field
            The field.
        segmenter, classifier : str, Segmenter or Classifier
            As for `organelle_widgets.analyze_field`.
        threshold : float
            Probability from which a class counts as predicted, 0 to 1.
        monitor : Monitor, optional
            Is told and may cancel, also while the work waits for a worker.
        previous : FieldResult, optional
            An earlier result of the same field.

        Returns
        -------
        FieldResult
            The same as without a pool.

        Raises
        ------
        BatchError
            If the pool is gone.
        OrganelleWidgetsError
            What `organelle_widgets.analyze_field` raises.
        """
        monitor = monitor or Monitor()
        try:
            return analyze_on(self._connected(monitor))(
                field,
                segmenter,
                classifier,
                threshold=threshold,
                monitor=monitor,
                previous=previous,
            )
        except BatchError as error:
            if error.step == "scheduler":
                raise _gone() from error
            raise

    def close(self) -> None:
        """Take back what is under way and end the connection."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _connected(self, monitor: Monitor) -> DaskEngine:
        """The engine, connected; waits for a pool that is being started."""
        if self._engine is not None and self._engine.alive:
            return self._engine
        self.close()
        deadline = time.monotonic() + _PATIENCE_S
        while self._engine is None:
            monitor.report(WAITING, 0.01)
            with suppress(BatchError):
                self._engine = DaskEngine(self.address, prepared=True, wait_s=_TRY_S)
            if self._engine is None and time.monotonic() > deadline:
                raise _gone()
        return self._engine


def _gone() -> BatchError:
    """No pool answers."""
    message = "The workers that all visitors share can't be reached."
    hint = "Try again in a minute. If that does not help, the dashboard has to be started again."
    return BatchError(message, step="scheduler", hint=hint)
