"""One pool of workers for all visitors of a page: the end that has the workers.

It belongs to the launcher of the dashboard, which starts it in a process of its own. The other end, in the kernels, is
`organelle_widgets.engine.shared`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from organelle_widgets.engine._cluster import (
    connect,
    keep_up,
    quiet,
    share_of_cores,
    start_scheduler,
)
from organelle_widgets.engine.dask import prepare_workers

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WorkerPool"]

_PATIENCE_S = 30.0
_FAREWELL_S = 3.0
_REMEMBERED = 10  # events of each visitor, for ever: the scheduler must not grow with every visitor


class WorkerPool:
    """A scheduler on this machine, reachable from this machine only, and its workers.

    The scheduler is there when this has been built; workers come with `start`. One that ends is started anew.

    Parameters
    ----------
    workers : int
        How many processes.
    threads : int, optional
        For the numerical libraries of each; by default the cores divided by `workers`.
    port : int
        TCP port of the scheduler; 0 for any.

    Raises
    ------
    SettingsError
        If a number is out of its range.
    BatchError
        If the scheduler does not start.
    """

    def __init__(self, workers: int, threads: int | None = None, port: int = 0) -> None:
        import dask
        import distributed  # noqa: F401 - its settings have to be there before one is changed

        self._workers = workers
        self._threads = share_of_cores(workers, threads)
        dask.config.set({"distributed.admin.low-level-log-length": _REMEMBERED})
        self._cluster: Any = start_scheduler(workers, self._threads, port)

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(self._cluster.scheduler_address)

    def start(self, warm: Callable[[], object] | None = None) -> None:
        """Start the workers; comes back before they are there.

        Parameters
        ----------
        warm : callable, optional
            Loads the models: called once in every worker process before it takes work.
        """
        client = connect(self.address, _PATIENCE_S)
        try:
            prepare_workers(client, self._threads, warm)
        finally:
            client.close()
        self._cluster.scale(self._workers)
        keep_up(self._cluster)

    def close(self) -> None:
        """End workers and scheduler; workers that don't within seconds end with this process."""
        with suppress(OSError, RuntimeError, TimeoutError), quiet():
            self._cluster.close(timeout=_FAREWELL_S)
