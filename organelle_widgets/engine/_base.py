"""What every engine offers: take a piece of work, give back a job that can be watched and cancelled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from organelle_widgets.core.monitor import Monitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["Engine", "Job"]

T = TypeVar("T")


@dataclass(eq=False)
class Job(Generic[T]):
    """A piece of work on its way.

    Parameters
    ----------
    future : concurrent.futures.Future
        Holds the outcome when there is one.
    monitor : Monitor
        Through which the work reports and is cancelled.
    """

    future: Future[T]
    monitor: Monitor = field(default_factory=Monitor)

    def cancel(self) -> None:
        """Ask the work to stop; it does so at its next report."""
        self.monitor.cancel()
        self.future.cancel()

    def result(self, timeout_s: float | None = None) -> T:
        """Wait for the outcome.

        Parameters
        ----------
        timeout_s : float, optional
            How long to wait, seconds; without it, as long as it takes.

        Returns
        -------
        object
            What the work returned.

        Raises
        ------
        Exception
            What the work raised.
        """
        return self.future.result(timeout_s)


class Engine(ABC):
    """Runs work away from the thread that asks for it."""

    @property
    def slots(self) -> int:
        """How many pieces of work can be done at once."""
        return 1

    @property
    def alive(self) -> bool:
        """Whether work can still be done."""
        return True

    @abstractmethod
    def submit(
        self,
        work: Callable[..., T],
        *args: Any,
        on_progress: Callable[[str, float], None] | None = None,
        **kwargs: Any,
    ) -> Job[T]:
        """Start work, or queue it behind what is running.

        Parameters
        ----------
        work : callable
            Called as ``work(*args, monitor=monitor, **kwargs)``.
        *args, **kwargs
            Handed on.
        on_progress : callable, optional
            Called as ``on_progress(step, fraction)``, on a thread of the engine's.

        Returns
        -------
        Job
            To watch, to wait for, to cancel.
        """

    @abstractmethod
    def close(self) -> None:
        """Cancel what runs and let go of threads and connections."""
