"""Faults in the middle of a run on a real cluster: nothing is lost, nothing is there twice.

Scheduler and workers are started by Dask's own commands; whatever is killed is killed by SIGKILL.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from batch_backends import Blobs, Brightness

from organelle_widgets.batch import BatchSettings, RunStatus, plan_batch, read_status, run_batch
from organelle_widgets.engine import DaskEngine, LocalEngine
from organelle_widgets.errors import BatchError, ExportError
from organelle_widgets.results import open_results

HERE = Path(__file__).resolve().parent
SLOW = BatchSettings(Blobs(seconds=0.15), Brightness(), 0.5)
QUICK = BatchSettings(Blobs(), Brightness(), 0.5)
Make = Callable[..., Path]

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def assert_whole(out: Path, n_fields: int, n_failures: int = 0) -> None:
    """Every field once, its cells once, its pictures there."""
    with open_results(out) as results:
        fields = results.fields()
        assert (results.n_fields, results.n_failures) == (n_fields, n_failures)
        assert len(fields) == fields["field"].nunique() == n_fields
        counted = results.sql(
            "select field, count(*) n, count(distinct cell_id) d from cells group by 1"
        )
        assert (counted["n"] == counted["d"]).all()
        expected = fields.set_index("field")["n_cells"]
        assert counted.set_index("field")["n"].to_dict() == expected[expected > 0].to_dict()
        assert len(results.cells()) == results.n_cells == expected.sum()
        for name in results.field_names():
            assert results.masks(name).n_cells == expected[name]
            assert results.thumbnail(name)[:2] == b"\xff\xd8"


def python_workers(nanny: psutil.Process) -> list[psutil.Process]:
    """The worker process that a nanny has."""
    return [p for p in nanny.children() if "spawn_main" in " ".join(p.cmdline())]


def after(n_done: int, act: Callable[[], None]) -> Callable[[RunStatus], None]:
    """Do something once so many fields are done."""
    acted = threading.Event()

    def look(status: RunStatus) -> None:
        if status.n_done >= n_done and not acted.is_set():
            acted.set()
            act()

    return look


def test_a_worker_is_killed(make_fields: Make, out: Path, cluster) -> None:
    workers = [cluster.start_worker(), cluster.start_worker()]
    engine = DaskEngine(cluster.address)
    killed: list[int] = []

    def kill() -> None:
        for process in python_workers(psutil.Process(workers[0].pid)):
            killed.append(process.pid)
            process.kill()

    status = run_batch(plan_batch(make_fields(16)), out, SLOW, engine, on_status=after(3, kill))
    engine.close()
    assert killed
    assert status.state == "done"
    assert_whole(out, 16)


def test_a_field_that_kills_every_worker_is_a_failure_and_the_others_go_on(
    make_fields: Make, out: Path, cluster
) -> None:
    cluster.start_worker()
    engine = DaskEngine(cluster.address)
    status = run_batch(plan_batch(make_fields(5, ("kills",))), out, QUICK, engine)
    engine.close()
    assert (status.state, status.n_done, status.n_failed) == ("done", 5, 1)
    assert_whole(out, 5, 1)
    with open_results(out) as results:
        row = results.failures().iloc[0]
    assert (row["name"], row["step"], row["known"]) == ("kills", "worker", True)
    assert "worker process ended" in row["message"]


def test_the_scheduler_is_killed(make_fields: Make, out: Path, cluster) -> None:
    cluster.start_worker()
    folder = make_fields(16)
    engine = DaskEngine(cluster.address)
    with pytest.raises(BatchError, match="lost"):
        run_batch(plan_batch(folder), out, SLOW, engine, on_status=after(3, cluster.scheduler.kill))
    engine.close()
    stopped = read_status(out)
    assert stopped is not None
    assert stopped.state == "failed"
    assert "--resume" in stopped.hint
    assert 3 <= stopped.n_done < 16
    cluster.scheduler = cluster.start_scheduler()
    cluster.start_worker()
    engine = DaskEngine(cluster.address)
    status = run_batch(plan_batch(folder), out, SLOW, engine, resume=True)
    engine.close()
    assert status.n_done == 16
    assert_whole(out, 16)


def test_the_client_is_killed(make_fields: Make, out: Path, cluster) -> None:
    cluster.start_worker()
    folder = make_fields(16)
    words = [sys.executable, str(HERE / "run_client.py"), str(folder), str(out), cluster.address]
    with subprocess.Popen([*words, "0.15"]) as client:
        wait_for(lambda: (status := read_status(out)) is not None and status.n_done >= 3)
        client.kill()
    left = read_status(out)
    assert left is not None
    assert left.state == "running"  # it could not say that it ended
    with open_results(out) as results:
        kept = dict(zip(*results.fields()[["field", "seconds"]].to_numpy().T, strict=True))
    assert 3 <= len(kept) < 16
    done = subprocess.run([*words, "0.15", "resume"], check=False, timeout=120)
    assert done.returncode == 0
    assert_whole(out, 16)
    with open_results(out) as results:
        now = dict(zip(*results.fields()[["field", "seconds"]].to_numpy().T, strict=True))
    assert {name: now[name] for name in kept} == kept


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_the_disk_is_full(make_fields: Make, small_disk: Path) -> None:
    folder, out = make_fields(8), small_disk / "out"
    engine = LocalEngine()
    ballast = small_disk / "ballast"

    def fill() -> None:
        with ballast.open("wb", buffering=0) as stream, suppress(OSError):
            while True:
                stream.write(bytes(4096))

    with pytest.raises(ExportError, match="disk is full"):
        run_batch(plan_batch(folder), out, SLOW, engine, on_status=after(3, fill))
    with open_results(out) as results:
        kept = results.n_fields
    assert 3 <= kept < 8
    ballast.unlink()
    status = run_batch(plan_batch(folder), out, SLOW, engine, resume=True)
    engine.close()
    assert status.n_done == 8
    assert_whole(out, 8)


def test_a_file_is_damaged_meanwhile(make_fields: Make, out: Path) -> None:
    folder = make_fields(6)
    engine = LocalEngine()
    damaged = folder / "field005_red.png"

    status = run_batch(
        plan_batch(folder), out, SLOW, engine,
        on_status=after(1, lambda: damaged.write_bytes(damaged.read_bytes()[:99])),
    )  # fmt: skip
    engine.close()
    assert (status.n_done, status.n_failed) == (5, 1)
    assert_whole(out, 5, 1)
    with open_results(out) as results:
        assert "damaged or cut short" in results.failures()["message"][0]


def test_the_folder_becomes_read_only(make_fields: Make, out: Path) -> None:
    folder = make_fields(6)
    engine = LocalEngine()

    def freeze(sign: str) -> None:
        """Root may write where permissions say no, but not where the file system does."""
        for path in (out, out / "fields", out / "cells"):
            subprocess.run(["chattr", f"{sign}i", str(path)], check=True)

    out.mkdir()
    if subprocess.run(["chattr", "+i", str(out)], check=False, capture_output=True).returncode:
        pytest.skip("this file system has no immutable folders")
    subprocess.run(["chattr", "-i", str(out)], check=True)
    try:
        with pytest.raises(ExportError, match="may not be written"):
            run_batch(
                plan_batch(folder), out, SLOW, engine, on_status=after(2, lambda: freeze("+"))
            )
    finally:
        freeze("-")
    with open_results(out) as results:
        assert 2 <= results.n_fields < 6
    assert run_batch(plan_batch(folder), out, SLOW, engine, resume=True).n_done == 6
    engine.close()
    assert_whole(out, 6)


def test_ctrl_c_stops_in_order(make_fields: Make, out: Path, cluster) -> None:
    cluster.start_worker()
    folder = make_fields(16)
    words = [sys.executable, str(HERE / "run_client.py"), str(folder), str(out), cluster.address]
    with subprocess.Popen([*words, "0.15"], preexec_fn=_hear_ctrl_c) as client:
        wait_for(lambda: (status := read_status(out)) is not None and status.n_done >= 2)
        client.send_signal(signal.SIGINT)
        assert client.wait(60) == 3
    status = read_status(out)
    assert status is not None
    assert status.state == "stopped"
    assert_whole(out, status.n_done)


def _hear_ctrl_c() -> None:
    """A shell that starts tests in the background has its children ignore Ctrl+C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_two_clients_never_write_to_one_folder(make_fields: Make, out: Path, cluster) -> None:
    cluster.start_worker()
    folder = make_fields(10)
    words = [sys.executable, str(HERE / "run_client.py"), str(folder), str(out), cluster.address]
    with subprocess.Popen([*words, "0.3"]) as client:
        wait_for(lambda: (status := read_status(out)) is not None and status.n_done >= 1)
        engine = LocalEngine()
        with pytest.raises(BatchError, match="no other run writes"):
            run_batch(plan_batch(folder), out, SLOW, engine, resume=True)
        engine.close()
        assert client.wait(60) == 0
    assert_whole(out, 10)


def test_workers_of_two_run_at_the_same_time(make_fields: Make, out: Path, cluster) -> None:
    cluster.start_worker()
    cluster.start_worker()
    engine = DaskEngine(cluster.address)
    wait_for(lambda: engine.slots == 2)
    run_batch(plan_batch(make_fields(12)), out, SLOW, engine)
    engine.close()
    with open_results(out) as results:
        by_worker = results.sql("select worker, count(*) n from fields group by 1")
    assert len(by_worker) == 2
    assert by_worker["n"].min() >= 3
    assert os.getpid() not in {int(worker.rsplit(":")[-1]) for worker in by_worker["worker"]}
