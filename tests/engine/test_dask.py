"""Work on real Dask workers: order, progress, cancellation, errors, deaths of workers, limits."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.engine import DaskEngine
from organelle_widgets.engine._cluster import share_of_cores, start_workers
from organelle_widgets.errors import (
    BatchError,
    Cancelled,
    OrganelleWidgetsError,
    SegmentationError,
    SettingsError,
)

PATIENCE_S = 30.0


def process_id(*, monitor: Monitor) -> int:
    return os.getpid()


def write_name(folder: Path, name: str, seconds: float = 0.0, *, monitor: Monitor) -> None:
    time.sleep(seconds)
    with (folder / "order").open("a") as file:
        file.write(name)


def report_until_stopped(folder: Path, *, monitor: Monitor) -> None:
    (folder / "began").touch()
    try:
        while True:
            monitor.report("working", 0.5)
            time.sleep(0.02)
    except Cancelled:
        (folder / "stopped").touch()
        raise


def fail(*, monitor: Monitor) -> None:
    message = "Expected cells; found none."
    raise SegmentationError(message, source="a.tif", step="segmentation", hint="Look at it.")


def die_once(folder: Path, *, monitor: Monitor) -> int:
    if not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die(*, monitor: Monitor) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def threads_of_libraries(*, monitor: Monitor) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "MALLOC_ARENA_MAX")
    return {name: os.environ[name] for name in names}


def count_warming(folder: Path) -> None:
    with (folder / "warmed").open("a") as file:
        file.write(f"{os.getpid()}\n")


def load_slowly(folder: Path) -> None:
    (folder / "loading.new").write_text(str(os.getpid()))
    (folder / "loading.new").rename(folder / "loading")
    time.sleep(0.5)


def refuse_warming() -> None:
    message = "Expected the weights; found none."
    raise OrganelleWidgetsError(message, hint="Download them.")


def pretend_version(version: str) -> None:
    import organelle_widgets

    organelle_widgets.__version__ = version


def until(happened: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def tasks_of(cluster: Any) -> dict[str, Any]:
    return dict(cluster.scheduler.tasks)


def test_work_runs_in_another_process_and_returns(engine: DaskEngine) -> None:
    assert engine.submit(process_id).result(PATIENCE_S) != os.getpid()
    assert engine.slots == 1
    assert engine.alive


def test_work_is_done_in_the_order_of_asking(engine: DaskEngine, tmp_path: Path) -> None:
    jobs = [engine.submit(write_name, tmp_path, name, 0.1 if name == "a" else 0) for name in "abcd"]
    for job in jobs:
        job.result(PATIENCE_S)
    assert (tmp_path / "order").read_text() == "abcd"


def test_progress_comes_back_with_the_job_that_it_is_of(engine: DaskEngine) -> None:
    seen: list[tuple[str, float]] = []
    others: list[tuple[str, float]] = []

    def steps(name: str, *, monitor: Monitor) -> None:
        for number in range(1, 4):
            monitor.report(f"{name} {number}", number / 4)

    first = engine.submit(steps, "first", on_progress=lambda *step: seen.append(step))
    second = engine.submit(steps, "second", on_progress=lambda *step: others.append(step))
    second.result(PATIENCE_S)
    first.result(PATIENCE_S)
    until(lambda: len(seen) == len(others) == 4, 5)
    assert seen == [("Starting", 0.0), ("first 1", 0.25), ("first 2", 0.5), ("first 3", 0.75)]
    assert [step for step, _ in others[1:]] == ["second 1", "second 2", "second 3"]


def test_running_work_stops_when_cancelled(engine: DaskEngine, tmp_path: Path) -> None:
    job = engine.submit(report_until_stopped, tmp_path)
    until((tmp_path / "began").exists)
    job.cancel()
    assert job.future.cancelled()
    until((tmp_path / "stopped").exists, 5)
    assert engine.submit(process_id).result(PATIENCE_S) > 0


def test_queued_work_that_is_cancelled_never_runs(
    engine: DaskEngine, cluster: Any, tmp_path: Path
) -> None:
    running = engine.submit(report_until_stopped, tmp_path)
    until((tmp_path / "began").exists)
    queued = engine.submit(write_name, tmp_path, "never")
    last = engine.submit(write_name, tmp_path, "last")
    queued.cancel()
    until(lambda: len(tasks_of(cluster)) == 2)
    running.cancel()
    last.result(PATIENCE_S)
    assert (tmp_path / "order").read_text() == "last"


def test_work_of_a_client_that_is_gone_stops_and_leaves_nothing(
    cluster: Any, tmp_path: Path
) -> None:
    visitors = [DaskEngine(cluster.scheduler_address, prepared=True) for _ in range(5)]
    for visitor in visitors:
        visitor.submit(report_until_stopped, tmp_path)
    until((tmp_path / "began").exists)
    for visitor in visitors:  # no farewell: the connection breaks, as when a kernel is killed
        visitor._client.loop.add_callback(visitor._client.scheduler_comm.comm.abort)
        visitor._client._reconnect = never
    until((tmp_path / "stopped").exists, 10)
    until(lambda: not tasks_of(cluster), 10)
    for visitor in visitors:
        visitor.close()
    until(lambda: set(cluster.scheduler.clients) <= {"fire-and-forget"}, 10)
    assert not cluster.scheduler.client_comms


async def never() -> None:
    """Stands in for connecting again."""


def test_errors_come_back_whole(engine: DaskEngine) -> None:
    with pytest.raises(
        SegmentationError, match=r"^a.tif: Expected cells; found none. Look at it.$"
    ) as caught:
        engine.submit(fail).result(PATIENCE_S)
    error = caught.value
    assert (error.source, error.step, error.hint) == ("a.tif", "segmentation", "Look at it.")


def test_what_nobody_foresaw_comes_back_as_it_is(engine: DaskEngine) -> None:
    def divide(*, monitor: Monitor) -> float:
        return 1 / 0

    with pytest.raises(ZeroDivisionError, match="division"):
        engine.submit(divide).result(PATIENCE_S)


def test_work_of_a_dead_worker_is_done_by_the_next(engine: DaskEngine, tmp_path: Path) -> None:
    before = engine.submit(process_id).result(PATIENCE_S)
    assert engine.submit(die_once, tmp_path).result(PATIENCE_S) != before


def test_work_that_kills_its_workers_is_given_up_and_what_stood_behind_it_is_done(
    engine: DaskEngine,
) -> None:
    deadly = engine.submit(die)
    behind = [engine.submit(process_id) for _ in range(3)]
    with pytest.raises(BatchError, match="again and again") as caught:
        deadly.result(60)
    assert caught.value.step == "worker"
    assert all(job.result(60) > 0 for job in behind)


def test_a_worker_that_dies_while_it_loads_its_models_is_replaced(
    monkeypatch: pytest.MonkeyPatch, cluster: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr("organelle_widgets.engine._cluster._WITHOUT_PROCESS_S", 0.5)
    engine = DaskEngine(cluster.scheduler_address, warm=functools.partial(load_slowly, tmp_path))
    victim = engine.submit(process_id).result(PATIENCE_S)
    (tmp_path / "loading").unlink()
    os.kill(victim, signal.SIGKILL)
    until((tmp_path / "loading").exists)
    os.kill(int((tmp_path / "loading").read_text()), signal.SIGKILL)
    assert engine.submit(process_id).result(PATIENCE_S) != victim
    engine.close()
    cluster.scheduler.worker_plugins.clear()


def test_models_are_loaded_once_a_process_whoever_asks(cluster: Any, tmp_path: Path) -> None:
    warm = functools.partial(count_warming, tmp_path)
    engines = [DaskEngine(cluster.scheduler_address, warm=warm) for _ in range(2)]
    engines.append(DaskEngine(cluster.scheduler_address))
    first = engines[0].submit(process_id).result(PATIENCE_S)
    again = engines[0].submit(die_once, tmp_path).result(PATIENCE_S)
    assert (tmp_path / "warmed").read_text().split() == [str(first), str(again)]
    for engine in engines:
        engine.close()
    cluster.scheduler.worker_plugins.clear()


def test_models_that_cannot_be_loaded_are_an_error_at_once(cluster: Any) -> None:
    with pytest.raises(OrganelleWidgetsError, match=r"found none\. Download them\."):
        DaskEngine(cluster.scheduler_address, warm=refuse_warming)
    assert "organelle-widgets-models" not in cluster.scheduler.worker_plugins


def test_threads_are_bounded_in_workers(engine: DaskEngine, cluster: Any) -> None:
    assert engine.submit(threads_of_libraries).result(PATIENCE_S) == {
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    other = DaskEngine(cluster.scheduler_address, threads=3)
    assert other.submit(threads_of_libraries).result(PATIENCE_S)["OMP_NUM_THREADS"] == "3"
    other.close()


def test_another_version_is_refused_by_name(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = DaskEngine(cluster.scheduler_address, prepared=True)
    monkeypatch.setattr("organelle_widgets.__version__", "99.1")
    with pytest.raises(
        BatchError, match=r"Expected organelle_widgets 99\.1 on every worker; found"
    ):
        DaskEngine(cluster.scheduler_address)
    with pytest.raises(
        BatchError, match=r"Expected organelle_widgets 99\.1 on every worker; found"
    ):
        engine.submit(process_id).result(PATIENCE_S)
    engine.close()


def test_no_scheduler_is_said() -> None:
    with pytest.raises(BatchError, match=r"a Dask scheduler at tcp://127\.0\.0\.1:9; found none"):
        DaskEngine("tcp://127.0.0.1:9", wait_s=0.5)


@pytest.mark.parametrize(("workers", "threads"), [(0, None), (5000, None), (1, 0)])
def test_numbers_out_of_range_are_refused(workers: int, threads: int | None) -> None:
    with pytest.raises(SettingsError, match="Expected 1 "):
        start_workers(workers, threads)


def test_cores_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert [share_of_cores(n) for n in (1, 2, 3, 9)] == [8, 4, 2, 1]
    assert share_of_cores(2, 5) == 5


def test_closing_cancels_what_runs(cluster: Any, tmp_path: Path) -> None:
    engine = DaskEngine(cluster.scheduler_address)
    job = engine.submit(report_until_stopped, tmp_path)
    until((tmp_path / "began").exists)
    engine.close()
    assert job.future.cancelled()
    assert not engine.alive
    until((tmp_path / "stopped").exists, 10)
    late = engine.submit(process_id)
    with pytest.raises(BatchError, match="connection to the scheduler"):
        late.result(5)


def test_a_scheduler_that_ends_is_an_error_of_what_was_under_way(tmp_path: Path) -> None:
    cluster = start_workers(1, threads=1)
    engine = DaskEngine(cluster.scheduler_address)
    job = engine.submit(report_until_stopped, tmp_path)
    until((tmp_path / "began").exists)
    closing = threading.Thread(target=cluster.close)
    closing.start()
    with pytest.raises(BatchError, match="connection to the scheduler") as caught:
        job.result(PATIENCE_S)
    assert caught.value.step == "scheduler"
    closing.join()
    engine.close()
