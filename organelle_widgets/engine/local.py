"""Work in one thread of this process: models stay loaded, the kernel's own thread stays free."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.engine._base import Engine, Job

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LocalEngine"]

T = TypeVar("T")


class LocalEngine(Engine):
    """One worker thread; jobs run one after the other in the order of asking."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="organelle-widgets")
        self._jobs: list[Job[Any]] = []

    def submit(
        self,
        work: Callable[..., T],
        *args: Any,
        on_progress: Callable[[str, float], None] | None = None,
        **kwargs: Any,
    ) -> Job[T]:
        """Start work, or queue it; cancelled at once after `close`. See `Engine.submit`."""
        monitor = Monitor(on_progress)
        try:
            future = self._pool.submit(work, *args, monitor=monitor, **kwargs)
        except RuntimeError:  # closed meanwhile
            future = Future()
            future.cancel()
        job = Job(future, monitor)
        self._jobs = [j for j in self._jobs if not j.future.done()] + [job]
        return job

    def close(self, *, wait: bool = False) -> None:
        """Cancel what runs; the thread ends when its current step does.

        Parameters
        ----------
        wait : bool
            Whether to come back only then.
        """
        for job in self._jobs:
            job.cancel()
        self._pool.shutdown(wait=wait, cancel_futures=True)
