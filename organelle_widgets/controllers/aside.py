"""A thread beside the page's, for what reads folders and files and is over soon."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from organelle_widgets.controllers.page_thread import PageThread

__all__ = ["Aside"]


class Aside:
    """Does one piece of work after the other on a thread of its own, and goes on with each outcome on the page's.

    Parameters
    ----------
    on_page : PageThread
        The way back.
    """

    def __init__(self, on_page: PageThread) -> None:
        self._on_page = on_page
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="organelle-aside")

    def __call__(
        self,
        work: Callable[..., Any],
        then: Callable[[Any], object],
        failed: Callable[[BaseException], object],
        *args: Any,
    ) -> None:
        """Do ``work(*args)`` there, then ``then(outcome)`` or ``failed(error)`` on the page's thread.

        Parameters
        ----------
        work : callable
            What takes a while.
        then, failed : callable
            Given what it returned, or raised.
        *args
            Handed to `work`.
        """

        def go_on(future: Future[Any]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            self._on_page(failed, error) if error else self._on_page(then, future.result())

        try:
            self._pool.submit(work, *args).add_done_callback(go_on)
        except RuntimeError:  # closed: nobody waits for it any more
            return

    def close(self) -> None:
        """Drop what waits; what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
