"""The workers that visitors share: where they listen, that they come back, that they end with the launcher."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from organelle_widgets.engine import DaskEngine
from organelle_widgets.errors import BatchError
from organelle_widgets.server.pool import Pool

PROGRAM = Path(sys.executable).with_name("organelle-widgets")


def until(happened: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def listening(process: psutil.Process) -> set[str]:
    """Addresses where a process and those below it listen."""
    family = [process, *process.children(recursive=True)]
    sockets = [one for member in family for one in member.net_connections("inet")]
    return {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN}


def test_a_pool_listens_here_comes_back_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    with Pool(1) as pool:
        first = psutil.Process(pool.process_id)
        engine = DaskEngine(pool.address, prepared=True)
        until(lambda: engine._workers())
        assert listening(first) == {"127.0.0.1"}
        engine.close()
        family = [first, *first.children(recursive=True)]
        first.kill()
        until(lambda: not running(family), 20)
        until(lambda: pool.process_id != first.pid)
        again = None
        while again is None:
            try:
                again = DaskEngine(pool.address, prepared=True, wait_s=2)
            except BatchError:
                assert psutil.pid_exists(pool.process_id)
        until(lambda: again._workers())
        again.close()
        second = psutil.Process(pool.process_id)
        family = [second, *second.children(recursive=True)]
        assert len(family) > 2
    until(lambda: not running(family), 10)
    assert "exit code -9) and are started again" in caplog.text


def test_workers_that_cannot_be_had_are_said(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BatchError, match="Expected 5000 shared workers to start"):
        Pool(5000)
    assert "Expected 1 to 1024 workers; found 5000." in capfd.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_launcher(tmp_path: Path, how: signal.Signals) -> None:
    words = [str(PROGRAM), "dashboard", "--no-browser", "--port", "0", "--workers", "1"]
    with subprocess.Popen(
        [*words, "--root", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as launcher:
        assert launcher.stdout is not None
        found = re.search(r"http://\S+", launcher.stdout.readline())
        assert found
        until(lambda: answers(found.group()))
        me = psutil.Process(launcher.pid)
        until(lambda: any("spawn_main" in " ".join(p.cmdline()) for p in me.children(True)))
        until(lambda: any("ipykernel" in " ".join(p.cmdline()) for p in me.children(True)))
        family = me.children(recursive=True)
        os.kill(launcher.pid, how)
        assert launcher.wait(60) == (-how if how is signal.SIGKILL else 0)
    until(lambda: not running(family), 60)


def answers(url: str) -> bool:
    """Whether the server answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
