"""Work on a Dask cluster: workers started on this machine for the purpose, or any cluster that has a scheduler.

Work and arguments have to survive pickling, and the package has to be installed where the workers are. Every worker
loads its models once, does one field at a time and keeps to its threads.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import pickle
import threading
import uuid
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import organelle_widgets
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.engine import _remote
from organelle_widgets.engine._base import Engine, Job
from organelle_widgets.engine._cluster import connect, quiet, share_of_cores, start_workers
from organelle_widgets.errors import BatchError, OrganelleWidgetsError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DaskEngine"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PATIENCE_S = 30.0
_OFTEN = 2  # work that began so often when its worker died is taken for the reason
_MOST_TRIES = 3


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
    prepared : bool
        Whether somebody else has made the workers ready, as the dashboard's launcher does. They are then left as they
        are, and none is waited for: work waits for them.

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
        prepared: bool = False,
    ) -> None:
        self._cluster: Any = None
        if address is None:
            threads = share_of_cores(workers, threads)
            self._cluster = start_workers(workers, threads)
            address = str(self._cluster.scheduler_address)
        self._jobs: dict[str, _RemoteJob] = {}
        self._closing = False
        self._lock = threading.RLock()
        self._messenger = ThreadPoolExecutor(1, "organelle-widgets-messages")
        self._client: Any = None
        try:
            self._client = connect(address, wait_s)
            self._topic = f"{self._client.id}-progress"
            self._client.subscribe_topic(self._topic, self._hear)
            if not prepared:
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

        Work whose worker dies is sent to another one; work that has seen several workers die has a `BatchError`.
        """
        job = _RemoteJob((work, args, kwargs), self._stop, on_progress)
        self._send(job)
        return job

    def close(self) -> None:
        """Cancel what runs, end the connection, and the workers where they were started for this engine."""
        self._closing = True
        with self._lock:
            jobs = list(self._jobs.values())
        with quiet():
            for job in jobs:
                job.cancel()
            self._messenger.shutdown(wait=True)
            with suppress(OSError, RuntimeError, TimeoutError):
                if self._client is not None:
                    self._client.close(timeout=5)
            with suppress(OSError, RuntimeError, TimeoutError):
                if self._cluster is not None:
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
        prepare_workers(self._client, threads, warm)

    def _send(self, job: _RemoteJob) -> None:
        """Hand a job to the scheduler."""
        from distributed.client import ClosedClientError

        token = job.token = f"organelle-widgets-{uuid.uuid4().hex}"
        with self._lock:
            self._jobs[token] = job
        work, args, kwargs = job.call
        known = (token, self._topic, organelle_widgets.__version__)
        try:
            with _large_arguments():
                job.remote = self._client.submit(
                    _remote.run_work, work, *known, args, kwargs, key=token, pure=False
                )
            job.remote.add_done_callback(functools.partial(self._finish, job))
            if job.future.cancelled():  # while it was sent
                self._stop(job)
        except (ClosedClientError, OSError, RuntimeError, ValueError) as error:
            self._forget(job)
            job.end(error=_lost(error))

    def _hear(self, event: tuple[Any, dict[str, Any]]) -> None:
        """Progress of one job."""
        message = event[1]
        job = self._jobs.get(message.get("token", ""))
        if job is not None:
            job.hear(message["step"], message["fraction"])

    def _finish(self, job: _RemoteJob, remote: Any) -> None:
        """Hand over what came back."""
        from distributed import KilledWorker

        self._forget(job)
        try:
            job.end(remote.result())
        except CancelledError as error:
            job.end(error=_lost(error))
        except KilledWorker as error:
            if job.goes_again() and not self._closing:
                self._send(job)
            else:
                job.end(error=_plain(error))
        except Exception as error:  # noqa: BLE001 - whatever the work raised is the job's outcome
            job.end(error=_plain(error))
        finally:
            with suppress(Exception):
                remote.release()

    def _forget(self, job: _RemoteJob) -> None:
        """Nobody asks for this job any more."""
        with self._lock:
            self._jobs.pop(job.token, None)

    def _stop(self, job: _RemoteJob) -> None:
        """Take work back from the queue, or from the worker that has it; never waits."""
        self._forget(job)
        with suppress(RuntimeError):  # closed meanwhile
            self._messenger.submit(self._take_back, job.remote)

    def _take_back(self, remote: Any) -> None:
        """Tell the scheduler that nobody wants this; it tells the worker."""
        if self.alive and remote is not None:
            with suppress(Exception):
                remote.cancel(reason="stopped on request")


class _RemoteJob(Job[Any]):
    """A job whose work is elsewhere."""

    def __init__(
        self,
        call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]],
        stop: Callable[[_RemoteJob], None],
        on_progress: Callable[[str, float], None] | None,
    ) -> None:
        super().__init__(Future(), Monitor(on_progress))
        self.call = call
        self.token = ""
        self.remote: Any = None
        self._stop = stop
        self._begun = 0
        self._tries = 1

    def goes_again(self) -> bool:
        """Whether this only stood behind work that made its workers die, and may try again."""
        self._tries += 1
        return not self.future.done() and self._begun <= _OFTEN and self._tries <= _MOST_TRIES

    def cancel(self) -> None:
        """Ask the work to stop; nobody waits for it any more."""
        if self.future.cancel():
            self.monitor.cancel()
            self._stop(self)

    def hear(self, step: str, fraction: float) -> None:
        """Hand progress on."""
        self._begun += step == _remote.STARTING
        if not self.future.done():
            with suppress(OrganelleWidgetsError):  # cancelled in between
                self.monitor.report(step, fraction)

    def end(self, value: Any = None, error: BaseException | None = None) -> None:
        """Hand the outcome over, unless nobody waits."""
        self.remote = None
        if not self.future.set_running_or_notify_cancel():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


def prepare_workers(client: Any, threads: int | None, warm: Callable[[], object] | None) -> None:
    """Make the workers of a cluster ready, those of now and those to come.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    threads : int, optional
        For the numerical libraries of each worker; without it those that it was started with.
    warm : callable, optional
        Loads the models, once in every worker process.

    Raises
    ------
    BatchError
        If a worker has another version of the package, or can't be made ready.
    OrganelleWidgetsError
        What `warm` raises.
    """
    version = organelle_widgets.__version__
    key = hashlib.sha256(pickle.dumps(warm)).hexdigest() if warm is not None else ""
    setup = functools.partial(_remote.set_up_worker, version, threads, warm, key)
    # One who has no models to load leaves alone what another one wants loaded.
    name = "organelle-widgets-models" if warm is not None else "organelle-widgets"
    try:
        client.register_plugin(_worker_plugin(setup), name=name)
    except Exception as error:
        with suppress(Exception):
            client.unregister_worker_plugin(name)
        if isinstance(error, OrganelleWidgetsError):
            raise
        message = f"A worker could not be made ready: {error}"
        raise BatchError(message, hint="Install the same packages on all machines.") from error


def _worker_plugin(setup: Callable[[int], Any]) -> Any:
    """What every worker does before its first work."""
    from distributed import WorkerPlugin

    class Ready(WorkerPlugin):  # type: ignore[misc]
        def setup(self, worker: Any) -> Any:
            return setup(worker.state.nthreads)

    return Ready()


def _plain(error: Exception) -> Exception:
    """An error in the package's own words, where it is Dask's."""
    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    if isinstance(error, KilledWorker):
        message = "The worker process ended again and again while it had this field."
        hint = "It may need more memory, or the image may crash a library."
        return BatchError(message, step="worker", hint=hint)
    return _lost(error) if isinstance(error, CommClosedError) else error


def _lost(error: BaseException) -> BatchError:
    """The connection is gone."""
    logger.debug("Work was lost.", exc_info=error)
    message = "The connection to the scheduler or its workers was lost."
    return BatchError(message, step="scheduler", hint="Start them again and go on with --resume.")


def _large_arguments() -> Any:
    """A field of 16 MB travels with its work, so that it can be sent again where a worker dies."""
    import dask

    return dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
