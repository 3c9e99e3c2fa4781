"""Schedulers and workers on this machine, and connections to those of any.

Nothing here knows of work; `organelle_widgets.engine.dask` sends it.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from organelle_widgets.engine._limits import ALLOCATOR, thread_environment
from organelle_widgets.errors import BatchError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "connect",
    "hush",
    "keep_up",
    "quiet",
    "share_of_cores",
    "start_scheduler",
    "start_workers",
]

_MOST_WORKERS = 1024
_LOOPBACK = "127.0.0.1"
_LOOK_EVERY_MS = 1000
_WITHOUT_PROCESS_S = 5.0


def start_workers(workers: int, threads: int | None = None) -> Any:
    """Start a scheduler and workers on this machine, reachable from this machine only.

    Parameters
    ----------
    workers : int
        How many processes.
    threads : int, optional
        For the numerical libraries of each; by default the cores divided by `workers`.

    Returns
    -------
    distributed.LocalCluster
        To be closed.

    Raises
    ------
    SettingsError
        If a number is out of its range.
    BatchError
        If the processes don't start.
    """
    threads = share_of_cores(workers, threads)
    with _environment(threads):
        cluster = _cluster(workers, n_workers=workers)
    keep_up(cluster)
    return cluster


def start_scheduler(workers: int, threads: int, port: int = 0) -> Any:
    """Start a scheduler that has no workers yet; ``scale(workers)`` starts them and comes back at once.

    Parameters
    ----------
    workers : int
        How many processes it is to have; they share this machine's memory.
    threads : int
        For the numerical libraries of each. Set for all worker processes that this process starts from now on.
    port : int
        TCP port of the scheduler; 0 for any.

    Returns
    -------
    distributed.LocalCluster
        To be closed.

    Raises
    ------
    BatchError
        If it does not start.
    """
    import dask
    from distributed.system import MEMORY_LIMIT

    dask.config.set({"distributed.nanny.pre-spawn-environ": _variables(threads)})
    limit = MEMORY_LIMIT // workers
    return _cluster(workers, n_workers=0, memory_limit=limit, scheduler_port=port)


def keep_up(cluster: Any) -> None:
    """Start workers anew also where Dask gives them up, for as long as a cluster lasts.

    It does so where a worker dies while it loads its models, and where one is away for fifteen seconds.

    Parameters
    ----------
    cluster : distributed.LocalCluster
        Whose workers are meant.
    """
    import dask
    from tornado.ioloop import PeriodicCallback

    dask.config.set({"distributed.deploy.lost-worker-timeout": "1000 days"})
    empty_since: dict[Any, float] = {}

    async def mend() -> None:
        for nanny in _given_up(cluster, empty_since):
            await nanny.close()
        if cluster.workers.keys() != cluster.worker_spec.keys():
            cluster.scale(len(cluster.worker_spec))

    cluster.loop.add_callback(PeriodicCallback(mend, _LOOK_EVERY_MS).start)


def _given_up(cluster: Any, empty_since: dict[Any, float]) -> list[Any]:
    """Nannies that have had no process for a while; the cluster forgets them."""
    from distributed.core import Status

    gone, now = [], time.monotonic()
    for name, nanny in list(cluster.workers.items()):
        process = getattr(nanny, "process", None)
        if process is not None and process.status in (Status.starting, Status.running):
            empty_since.pop(name, None)
        elif now - empty_since.setdefault(name, now) > _WITHOUT_PROCESS_S:
            del empty_since[name]
            gone.append(cluster.workers.pop(name))
    return gone


def share_of_cores(workers: int, threads: int | None = None) -> int:
    """Threads of each worker.

    Parameters
    ----------
    workers : int
        How many processes.
    threads : int, optional
        As somebody chose.

    Returns
    -------
    int
        The same; without a choice, the cores that this process may use, divided by `workers`.

    Raises
    ------
    SettingsError
        If a number is out of its range.
    """
    if not 1 <= workers <= _MOST_WORKERS:
        message = f"Expected 1 to {_MOST_WORKERS} workers; found {workers}."
        raise SettingsError(message)
    if threads is not None and threads < 1:
        message = f"Expected 1 thread or more for each worker; found {threads}."
        raise SettingsError(message)
    return threads or max(1, _cores() // workers)


def connect(address: str, wait_s: float) -> Any:
    """A client of a scheduler.

    Parameters
    ----------
    address : str
        Such as ``tcp://host:8786``.
    wait_s : float
        How long to wait for it, seconds.

    Returns
    -------
    distributed.Client
        Connected; not the default one of this process.

    Raises
    ------
    BatchError
        If nothing answers there.
    """
    import dask
    from distributed import Client

    patience = {"distributed.comm.timeouts.connect": f"{wait_s}s"}
    try:
        with dask.config.set(patience), quiet():
            return Client(address, timeout=wait_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        message = f"Expected a Dask scheduler at {address}; found none that answers."
        hint = "Start one with: dask scheduler. Its address is like tcp://host:8786."
        raise BatchError(message, hint=hint) from error


def hush() -> None:
    """No log of Dask's own in this process any more: for programs that say in their own words what happens."""
    import distributed  # noqa: F401 - sets the levels that are changed here

    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def quiet() -> Any:
    """No log of connections that end, while this context lasts.

    Returns
    -------
    context manager
        To enter.
    """
    from distributed.utils import silence_logging_cmgr

    manager: Iterator[None] = silence_logging_cmgr(logging.CRITICAL)
    return manager


def _cluster(workers: int, **options: Any) -> Any:
    """Scheduler, and workers as told."""
    from distributed import LocalCluster

    try:
        return LocalCluster(
            threads_per_worker=1,
            processes=True,
            host=_LOOPBACK,
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": f"{_LOOPBACK}:0"},
            silence_logs=logging.CRITICAL,
            **options,
        )
    except (OSError, RuntimeError, TimeoutError) as error:
        message = f"The workers could not be started: {error}"
        hint = "Try fewer workers." if workers > 1 else None
        raise BatchError(message, hint=hint) from error


@contextmanager
def _environment(threads: int) -> Iterator[None]:
    """Variables of the worker processes that are started in this context."""
    import dask
    import distributed  # noqa: F401 - its settings have to be there before one is changed

    with dask.config.set({"distributed.nanny.pre-spawn-environ": _variables(threads)}):
        yield


def _variables(threads: int) -> dict[str, str]:
    """What a worker process starts with."""
    allocator = {name: os.environ.get(name, value) for name, value in ALLOCATOR.items()}
    return {**allocator, **thread_environment(threads)}


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
