"""What runs inside a Dask worker: one field at a time, its progress sent back, a wish to stop heard.

Every function here is sent by name, so the package has to be installed where the workers are, in the same version.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import organelle_widgets
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.engine._limits import bound_threads
from organelle_widgets.errors import BatchError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_work", "set_up_worker", "stop_work"]

_REPORT_EVERY_S = 0.1
_ONE_AT_A_TIME = threading.Lock()
"""A worker with several threads would run several fields at once; their memory and threads are planned for one."""

_running: dict[str, Monitor] = {}
_unwanted: dict[str, float] = {}
_FORGET_AFTER_S = 3600.0


def run_work(
    work: Callable[..., Any], token: str, topic: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Do a piece of work on this worker.

    Parameters
    ----------
    work : callable
        Called as ``work(*args, monitor=monitor, **kwargs)``.
    token : str
        Name of this piece of work, to cancel it by.
    topic : str
        Where its progress is sent.
    args, kwargs
        Handed on.

    Returns
    -------
    object
        What the work returned.

    Raises
    ------
    Cancelled
        If somebody asked to stop.
    """
    monitor = Monitor(_reporter(token, topic))
    _running[token] = monitor
    try:
        with _ONE_AT_A_TIME:
            if token in _unwanted:
                monitor.cancel()
            monitor.report("Starting", 0.0)
            return work(*args, monitor=monitor, **kwargs)
    finally:
        _running.pop(token, None)
        _unwanted.pop(token, None)


def _reporter(token: str, topic: str) -> Callable[[str, float], None]:
    """Sends progress through the scheduler, not more often than a person can read."""
    from distributed import get_worker

    worker = get_worker()
    last_step, last_time = "", 0.0

    def report(step: str, fraction: float) -> None:
        nonlocal last_step, last_time
        now = time.monotonic()
        if step != last_step or now - last_time > _REPORT_EVERY_S:
            last_step, last_time = step, now
            worker.log_event(topic, {"token": token, "step": step, "fraction": fraction})

    return report


def stop_work(token: str) -> None:
    """Ask a piece of work to stop, whether it runs here now, will, or never does.

    Parameters
    ----------
    token : str
        Its name.
    """
    now = time.monotonic()
    for old in [name for name, since in _unwanted.items() if now - since > _FORGET_AFTER_S]:
        _unwanted.pop(old, None)
    _unwanted[token] = now
    monitor = _running.get(token)
    if monitor is not None:
        monitor.cancel()


async def set_up_worker(
    version: str, threads: int | None, warm: Callable[[], object] | None, default_threads: int
) -> None:
    """Make a worker ready: the same package, bounded threads, models loaded.

    Parameters
    ----------
    version : str
        Of the package, as the client has it.
    threads : int, optional
        Threads of the numerical libraries; without it `default_threads`.
    warm : callable, optional
        Loads the models.
    default_threads : int
        Of the worker.

    Raises
    ------
    BatchError
        If the worker has another version of the package.
    """
    found = organelle_widgets.__version__
    if found != version:
        message = f"Expected organelle_widgets {version} on every worker; found {found}."
        raise BatchError(message, hint="Install the same version on all machines.")
    bound_threads(threads or default_threads)
    if warm is not None:
        await asyncio.to_thread(warm)
