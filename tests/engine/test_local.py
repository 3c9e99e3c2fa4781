"""The local engine: order, progress, cancellation, errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.engine import LocalEngine
from organelle_widgets.errors import Cancelled, InputError


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine()
    yield engine
    engine.close()


def test_work_runs_on_another_thread_and_returns(engine: LocalEngine) -> None:
    def work(number: int, *, monitor: Monitor) -> tuple[int, str]:
        return number * 2, threading.current_thread().name

    doubled, thread = engine.submit(work, 21).result(10)
    assert doubled == 42
    assert thread.startswith("organelle-widgets")


def test_progress_reaches_the_watcher(engine: LocalEngine) -> None:
    seen: list[tuple[str, float]] = []

    def work(*, monitor: Monitor) -> None:
        monitor.report("half", 0.5)

    engine.submit(work, on_progress=lambda step, part: seen.append((step, part))).result(10)
    assert seen == [("half", 0.5)]


def test_cancel_stops_at_the_next_report(engine: LocalEngine) -> None:
    started = threading.Event()

    def work(*, monitor: Monitor) -> None:
        started.set()
        for _ in range(1000):
            monitor.report("working", 0.0)
            time.sleep(0.01)

    job = engine.submit(work)
    assert started.wait(10)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(10)


def test_jobs_run_one_after_the_other(engine: LocalEngine) -> None:
    order: list[str] = []

    def work(name: str, seconds: float, *, monitor: Monitor) -> None:
        time.sleep(seconds)
        order.append(name)

    first, second = engine.submit(work, "first", 0.1), engine.submit(work, "second", 0.0)
    first.result(10)
    second.result(10)
    assert order == ["first", "second"]


def test_errors_reach_whoever_waits(engine: LocalEngine) -> None:
    def work(*, monitor: Monitor) -> None:
        message = "no such field"
        raise InputError(message)

    with pytest.raises(InputError, match="no such field"):
        engine.submit(work).result(10)


def test_what_comes_after_closing_is_cancelled_at_once() -> None:
    engine = LocalEngine()
    engine.close()
    job = engine.submit(lambda *, monitor: 1)
    assert job.future.cancelled()
