"""Back from a worker's thread to the kernel's, where state and widgets live."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PageThread"]

logger = logging.getLogger(__name__)


class PageThread:
    """Runs functions on the thread that the page was made on.

    In a kernel that thread has an event loop, and functions wait for their turn on it. Without a loop, as in a plain
    script, they run where they are, one at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        with contextlib.suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()

    def __call__(self, function: Callable[..., Any], *args: Any) -> None:
        """Run ``function(*args)`` on the page's thread, soon; safe from any thread.

        Parameters
        ----------
        function : callable
            What to run.
        *args
            Handed on.
        """
        if self._loop is None:
            with self._lock:
                function(*args)
            return
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:  # the kernel is shutting down: nobody looks any more
            logger.debug("The page is gone; %r is dropped.", function)

    def later(self, delay_s: float, function: Callable[..., Any], *args: Any) -> None:
        """Run ``function(*args)`` on the page's thread after a while; safe from any thread.

        Parameters
        ----------
        delay_s : float
            How long to wait, seconds.
        function : callable
            What to run.
        *args
            Handed on.
        """
        if self._loop is not None:
            self(self._loop.call_later, delay_s, function, *args)
            return
        timer = threading.Timer(delay_s, self, (function, *args))
        timer.daemon = True
        timer.start()
