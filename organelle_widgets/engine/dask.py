"""Work on a Dask cluster: workers started on this machine for the purpose, or any cluster that has a scheduler.

The only place that knows ``dask.distributed``. Work and arguments have to survive pickling, and the package has to be
installed where the workers are. Every worker loads its models once, does one field at a time and keeps to its threads.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import uuid
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import organelle_widgets
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.engine import _remote
from organelle_widgets.engine._base import Engine, Job
from organelle_widgets.engine._limits import ALLOCATOR, thread_environment
from organelle_widgets.errors import BatchError, OrganelleWidgetsError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["DaskEngine", "start_workers"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PATIENCE_S = 30.0
_MOST_WORKERS = 1024


class DaskEngine(Engine):
    """Sends work to the workers of a Dask cluster.

    Parameters
    ----------
    address : str, optional
        Of a scheduler: ``tcp://host:8786``. Without it, workers are started on this machine and end with the engine.
    workers : int
        How many to start; not used with an address.
    threads : int, optional
        For the numerical libraries of each worker; by default this machine's cores divided by `workers`, or the
        threads that each worker of the cluster was started with.
    warm : callable, optional
        Called once on every worker, before any work and again where one is started anew: loads the models. Has to
        survive pickling; see `organelle_widgets.engine.warm.warm_up`.
    wait_s : float
        How long to wait for the scheduler, and for the first worker of a cluster, seconds.

    Raises
    ------
    SettingsError
        If `workers` or `threads` is out of its range.
    BatchError
        If there is no scheduler at the address or no worker, or a worker has another version of the package.
    WeightsError, BackendUnavailableError
        If `warm` can't have its models on a worker.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        workers: int = 1,
        threads: int | None = None,
        warm: Callable[[], object] | None = None,
        wait_s: float = _PATIENCE_S,
    ) -> None:
        self._cluster: Any = None
        if address is None:
            self._cluster = start_workers(workers, threads)
            address = str(self._cluster.scheduler_address)
        self._jobs: dict[str, _RemoteJob] = {}
        self._closing = False
        self._lock = threading.RLock()
        self._messenger = ThreadPoolExecutor(1, "organelle-widgets-messages")
        self._client: Any = None
        try:
            self._client = _connect(address, wait_s)
            self._topic = f"organelle-widgets-{uuid.uuid4().hex}"
            self._client.subscribe_topic(self._topic, self._hear)
            self._make_ready(threads, warm, wait_s)
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """Of the scheduler, for another engine or process."""
        return str(self._client.scheduler.address)

    @property
    def slots(self) -> int:
        """How many pieces of work can be done at once: one a worker."""
        return max(1, len(self._workers()))

    @property
    def alive(self) -> bool:
        """Whether the scheduler answers."""
        return self._client is not None and self._client.status == "running"

    def submit(
        self,
        work: Callable[..., T],
        *args: Any,
        on_progress: Callable[[str, float], None] | None = None,
        **kwargs: Any,
    ) -> Job[T]:
        """Send work to whichever worker is free first. See `Engine.submit`.

        Work whose worker dies is sent to another one; after three deaths the job has a `BatchError`.
        """
        token = f"organelle-widgets-{uuid.uuid4().hex}"
        job = _RemoteJob(token, self._stop, on_progress)
        with self._lock:
            self._jobs[token] = job
        try:
            with _large_arguments():
                job.remote = self._client.submit(
                    _remote.run_work, work, token, self._topic, args, kwargs, key=token, pure=False
                )
            job.remote.add_done_callback(functools.partial(self._finish, job))
        except (OSError, RuntimeError, ValueError) as error:
            self._forget(job)
            job.end(error=_lost(error))
        return job

    def close(self) -> None:
        """Cancel what runs, end the connection, and the workers where they were started for this engine."""
        self._closing = True
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        self._messenger.shutdown(wait=True)
        with _quiet():
            if self._client is not None:
                with suppress(OSError, RuntimeError, TimeoutError):
                    self._client.close(timeout=5)
            if self._cluster is not None:
                with suppress(OSError, RuntimeError, TimeoutError):
                    self._cluster.close(timeout=10)

    def _workers(self) -> list[str]:
        """Addresses of the workers."""
        if not self.alive:
            return []
        return list(self._client.scheduler_info(n_workers=-1)["workers"])

    def _make_ready(
        self, threads: int | None, warm: Callable[[], object] | None, wait_s: float
    ) -> None:
        """Wait for a worker, then have all of them load their models."""
        try:
            self._client.wait_for_workers(1, timeout=wait_s)
        except TimeoutError as error:
            message = f"Expected workers at {self.address}; found none in {wait_s:g} s."
            raise BatchError(message, hint="Start workers: dask worker SCHEDULER.") from error
        setup = functools.partial(
            _remote.set_up_worker, organelle_widgets.__version__, threads, warm
        )
        try:
            self._client.register_plugin(_worker_plugin(setup))
        except OrganelleWidgetsError:
            raise
        except Exception as error:
            message = f"A worker could not be made ready: {error}"
            raise BatchError(message, hint="Install the same packages on all machines.") from error

    def _hear(self, event: tuple[Any, dict[str, Any]]) -> None:
        """Progress of one job."""
        message = event[1]
        job = self._jobs.get(message["token"])
        if job is not None:
            job.hear(message["step"], message["fraction"])

    def _finish(self, job: _RemoteJob, remote: Any) -> None:
        """Hand over what came back."""
        self._forget(job)
        try:
            job.end(remote.result())
        except CancelledError as error:
            job.end(error=_lost(error))
        except Exception as error:  # noqa: BLE001 - whatever the work raised is the job's outcome
            job.end(error=_plain(error))
        finally:
            job.remote = None
            with suppress(Exception):
                remote.release()

    def _forget(self, job: _RemoteJob) -> None:
        """Nobody asks for this job any more."""
        with self._lock:
            self._jobs.pop(job.token, None)

    def _stop(self, job: _RemoteJob) -> None:
        """Take work back from the queue, or ask the worker that has it to stop; never waits."""
        self._forget(job)
        with suppress(RuntimeError):  # closed meanwhile
            self._messenger.submit(self._tell_to_stop, job.token, job.remote)

    def _tell_to_stop(self, token: str, remote: Any) -> None:
        """Tell the workers, then the scheduler."""
        if not self.alive:
            return
        with suppress(Exception), _quiet():
            self._client.run(_remote.stop_work, token, wait=False, on_error="ignore")
        if remote is not None:
            with suppress(Exception):
                remote.cancel(reason="stopped on request")


class _RemoteJob(Job[Any]):
    """A job whose work is elsewhere."""

    def __init__(
        self,
        token: str,
        stop: Callable[[_RemoteJob], None],
        on_progress: Callable[[str, float], None] | None,
    ) -> None:
        super().__init__(Future(), Monitor(on_progress))
        self.token = token
        self.remote: Any = None
        self._stop = stop

    def cancel(self) -> None:
        """Ask the work to stop; nobody waits for it any more."""
        if self.future.cancel():
            self.monitor.cancel()
            self._stop(self)

    def hear(self, step: str, fraction: float) -> None:
        """Hand progress on."""
        if not self.future.done():
            with suppress(OrganelleWidgetsError):  # cancelled in between
                self.monitor.report(step, fraction)

    def end(self, value: Any = None, error: BaseException | None = None) -> None:
        """Hand the outcome over, unless nobody waits."""
        if not self.future.set_running_or_notify_cancel():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


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
    if not 1 <= workers <= _MOST_WORKERS:
        message = f"Expected 1 to {_MOST_WORKERS} workers; found {workers}."
        raise SettingsError(message)
    if threads is not None and threads < 1:
        message = f"Expected 1 thread or more for each worker; found {threads}."
        raise SettingsError(message)
    import dask
    from distributed import LocalCluster

    bounded = thread_environment(threads or max(1, _cores() // workers))
    environment = {name: os.environ.get(name, value) for name, value in ALLOCATOR.items()}
    with dask.config.set({"distributed.nanny.pre-spawn-environ": {**environment, **bounded}}):
        try:
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            message = f"The workers could not be started: {error}"
            raise BatchError(message, hint="Try fewer workers.") from error


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _connect(address: str, wait_s: float) -> Any:
    """A client of a scheduler."""
    import dask
    from distributed import Client

    quiet = {"distributed.comm.timeouts.connect": f"{wait_s}s"}
    try:
        with dask.config.set(quiet), _quiet():
            return Client(address, timeout=wait_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        message = f"Expected a Dask scheduler at {address}; found none that answers."
        hint = "Start one with: dask scheduler. Its address is like tcp://host:8786."
        raise BatchError(message, hint=hint) from error


def _worker_plugin(setup: Callable[[int], Any]) -> Any:
    """What every worker does before its first work."""
    from distributed import WorkerPlugin

    class Ready(WorkerPlugin):  # type: ignore[misc]
        name = "organelle-widgets"

        def setup(self, worker: Any) -> Any:
            return setup(worker.state.nthreads)

    return Ready()


def _plain(error: Exception) -> Exception:
    """An error in the package's own words, where it is Dask's."""
    from distributed.exceptions import CommError, KilledWorker

    if isinstance(error, KilledWorker):
        message = "The worker process ended again and again while it had this field."
        hint = "It may need more memory, or the image may crash a library."
        return BatchError(message, step="worker", hint=hint)
    return _lost(error) if isinstance(error, CommError) else error


def _lost(error: BaseException) -> BatchError:
    """The connection is gone."""
    logger.debug("Work was lost.", exc_info=error)
    message = "The connection to the scheduler or its workers was lost."
    return BatchError(message, step="scheduler", hint="Start them again and go on with --resume.")


def _large_arguments() -> Any:
    """A field of 16 MB travels with its work, so that it can be sent again where a worker dies."""
    import dask

    return dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})


def _quiet() -> Any:
    """No log of connections that end."""
    from distributed.utils import silence_logging_cmgr

    manager: Iterator[None] = silence_logging_cmgr(logging.CRITICAL)
    return manager
