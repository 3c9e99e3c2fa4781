"""Small fields in files, backends that workers can import, and a cluster started by Dask's own commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
KEYS = ("red", "green", "blue", "yellow")


sys.path.insert(0, str(HERE))  # test files import `batch_backends`


@pytest.fixture(autouse=True)
def importable_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the children of this process import `batch_backends`, too."""
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)


def write_field(folder: Path, name: str, seed: int = 0, n_cells: int = 3) -> None:
    """A field of 64 x 96 px with some bright nuclei."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(5, 30, (4, 64, 96)).astype(np.uint8)
    for cell in range(n_cells):
        row, col = 8 + 20 * (cell // 4), 8 + 22 * (cell % 4)
        pixels[2, row : row + 12, col : col + 12] = 220
        pixels[1, row : row + 12, col : col + 12] = 40 + 10 * (seed % 8)
    folder.mkdir(parents=True, exist_ok=True)
    for key, plane in zip(KEYS, pixels, strict=True):
        iio.imwrite(folder / f"{name}_{key}.png", plane)


@pytest.fixture
def make_fields(tmp_path: Path) -> Callable[..., Path]:
    """Writes fields and gives their folder."""

    def make(count: int = 6, names: tuple[str, ...] = ()) -> Path:
        folder = tmp_path / "images"
        for index in range(count):
            write_field(folder, f"field{index:03d}", index, 1 + index % 4)
        for name in names:
            write_field(folder, name)
        return folder

    return make


class Cluster:
    """A scheduler and workers started by ``dask scheduler`` and ``dask worker``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start_scheduler()
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        """A scheduler on a free port."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        process = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(file),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.address: str = json.loads(file.read_text())["address"]
            except (OSError, ValueError, KeyError):
                time.sleep(0.1)
            else:
                return process
        pytest.fail("dask scheduler did not start")

    def start_worker(self) -> subprocess.Popen[bytes]:
        """One more worker, with its nanny, one thread."""
        process = self._start(
            "worker", self.address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
            "--local-directory", str(self.folder),
        )  # fmt: skip
        self.workers.append(process)
        return process

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{words[0]}{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        self.processes.append(process)
        return process

    def close(self) -> None:
        """End every process and its children."""
        for process in reversed(self.processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler without workers yet."""
    folder = tmp_path / "dask"
    folder.mkdir()
    started = Cluster(folder)
    yield started
    started.close()
