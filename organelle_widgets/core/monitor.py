"""Progress out of, and cancellation into, anything that takes long."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from organelle_widgets.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Monitor"]


class Monitor:
    """Carries progress to whoever watches and a wish to stop to whoever works.

    Parameters
    ----------
    on_progress : callable, optional
        Called as ``on_progress(step, fraction)`` with the step in words and the share of the whole done,
        0 to 1. Called on the thread that works.

    Examples
    --------
    >>> seen = []
    >>> monitor = Monitor(lambda step, fraction: seen.append((step, fraction)))
    >>> monitor.report("Finding cells", 0.25)
    >>> with_part = monitor.part("Classifying cells", 0.5, 1.0)
    >>> with_part(0.5)
    >>> seen
    [('Finding cells', 0.25), ('Classifying cells', 0.75)]
    """

    def __init__(self, on_progress: Callable[[str, float], None] | None = None) -> None:
        self._on_progress = on_progress
        self._stop = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop at its next report; safe from any thread."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stop.is_set()

    def report(self, step: str, fraction: float) -> None:
        """Say what is being done and how far the whole is; stop here if asked to.

        Parameters
        ----------
        step : str
            What is being done, in a person's words.
        fraction : float
            Share of the whole that is done, 0 to 1.

        Raises
        ------
        Cancelled
            If `cancel` was called.
        """
        if self._stop.is_set():
            message = "Stopped on request."
            raise Cancelled(message, step=step)
        if self._on_progress is not None:
            self._on_progress(step, min(max(float(fraction), 0.0), 1.0))

    def part(self, step: str, start: float, stop: float) -> Callable[[float], None]:
        """A callable that reports fractions of one step as fractions of the whole.

        Parameters
        ----------
        step : str
            The step, in words.
        start, stop : float
            The step's share of the whole.

        Returns
        -------
        callable
            Takes the share of the step that is done, 0 to 1.
        """
        return lambda done: self.report(step, start + (stop - start) * done)
