"""What runs inside a Dask worker: one field at a time, its progress sent back, a wish to stop heard.

Every function here is sent by name, so the package has to be installed where the workers are, in the same version.

A wish to stop needs no message of its own: Dask tells a worker when nobody wants its work any more, be it that
somebody cancelled it or that the process that asked for it is gone. The work hears of it at its next report.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import organelle_widgets
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.engine._limits import bound_threads, threads_given
from organelle_widgets.errors import BatchError, Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STARTING", "run_work", "set_up_worker"]

STARTING = "Starting"
"""The first step that any work reports."""

_REPORT_EVERY_S = 0.1
_SENT_AFTER_S = 0.005  # what is reported has left this process, should the work crash it
_ONE_AT_A_TIME = threading.Lock()
"""A worker with several threads would run several fields at once; their memory and threads are planned for one."""

_warmed: set[str] = set()


def run_work(
    work: Callable[..., Any],
    token: str,
    topic: str,
    version: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Do a piece of work on this worker.

    Parameters
    ----------
    work : callable
        Called as ``work(*args, monitor=monitor, **kwargs)``.
    token : str
        Name of this piece of work, the same as that of its Dask task.
    topic : str
        Where its progress is sent.
    version : str
        Of the package, as the client has it.
    args, kwargs
        Handed on.

    Returns
    -------
    object
        What the work returned.

    Raises
    ------
    BatchError
        If the worker has another version of the package.
    Cancelled
        If nobody wants it any more.
    """
    _check_version(version)
    monitor = Monitor(_reporter(token, topic))
    with _ONE_AT_A_TIME:
        monitor.report(STARTING, 0.0)
        time.sleep(_SENT_AFTER_S)
        return work(*args, monitor=monitor, **kwargs)


def _reporter(token: str, topic: str) -> Callable[[str, float], None]:
    """Sends progress through the scheduler, not more often than a person can read, while anybody listens."""
    from distributed import get_worker

    worker = get_worker()
    last_step, last_time = "", 0.0

    def report(step: str, fraction: float) -> None:
        nonlocal last_step, last_time
        task = worker.state.tasks.get(token)
        if task is None or task.state == "cancelled":
            message = "Stopped on request."
            raise Cancelled(message, step=step)
        now = time.monotonic()
        if step != last_step or now - last_time > _REPORT_EVERY_S:
            last_step, last_time = step, now
            worker.log_event(topic, {"token": token, "step": step, "fraction": fraction})

    return report


async def set_up_worker(
    version: str,
    threads: int | None,
    warm: Callable[[], object] | None,
    warm_key: str,
    default_threads: int,
) -> None:
    """Make a worker ready: the same package, bounded threads, models loaded.

    Parameters
    ----------
    version : str
        Of the package, as the client has it.
    threads : int, optional
        Threads of the numerical libraries; without it those that the worker was started with, or `default_threads`.
    warm : callable, optional
        Loads the models.
    warm_key : str
        Names what `warm` loads: a process does it once, however many clients ask for the same.
    default_threads : int
        Of the worker.

    Raises
    ------
    BatchError
        If the worker has another version of the package.
    """
    _check_version(version)
    bound_threads(threads or threads_given() or default_threads)
    if warm is not None:
        await asyncio.to_thread(_warm_once, warm, warm_key)


def _warm_once(warm: Callable[[], object], key: str) -> None:
    """Load models that this process does not have yet, while it does nothing else."""
    with _ONE_AT_A_TIME:
        if key not in _warmed:
            warm()
            _warmed.add(key)


def _check_version(version: str) -> None:
    """The client has the same package."""
    found = organelle_widgets.__version__
    if found != version:
        message = f"Expected organelle_widgets {version} on every worker; found {found}."
        raise BatchError(message, hint="Install the same version on all machines.")
