"""The workers that all visitors share, as the launcher has them: a process that ends with it and is started anew."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from organelle_widgets.errors import BatchError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["PATIENCE_S", "Pool"]

logger = logging.getLogger(__name__)

PATIENCE_S = 20.0
"""What a process gets to end in order, seconds."""

_AGAIN_AFTER_S = 1.0
_LONGEST_PAUSE_S = 60.0


class Pool:
    """A process with a scheduler and workers, for as long as this context lasts.

    They listen on this machine only. Workers that end are started anew, and so is the process itself, at the same
    address.

    Parameters
    ----------
    workers : int
        How many.

    Raises
    ------
    BatchError
        If they can't be started.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self.address = self._start(0)
        self._watch = threading.Thread(target=self._keep_up, daemon=True)

    def __enter__(self) -> Pool:
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def process_id(self) -> int:
        """Of the process that has the workers."""
        return self._process.pid if self._process is not None else 0

    def close(self) -> None:
        """End workers and scheduler."""
        with self._lock:
            self._closing.set()
            process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()  # closes the pipes, too

    def _start(self, port: int) -> str:
        """Start the process; it says its address when it has one."""
        name = "organelle_widgets.server.workers"
        with self._lock:
            if self._closing.is_set():
                return self.address
            # In a session of its own: Ctrl+C reaches the launcher alone, which ends this in order.
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", name, str(self._workers), str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        said = process.stdout.readline().strip() if process.stdout is not None else ""
        if not re.fullmatch(r"tcp://[\d.]+:\d+", said):
            process.kill()
            process.communicate()
            message = f"Expected {self._workers} shared workers to start; they did not."
            raise BatchError(message, hint="What went wrong is said above. Try fewer --workers.")
        return said

    def _keep_up(self) -> None:
        """Start the process anew where it ends."""
        pause, port = _AGAIN_AFTER_S, int(self.address.rpartition(":")[2])
        while self._process is not None:
            code = self._process.wait()
            if self._closing.wait(pause):
                return
            logger.warning("The shared workers ended (exit code %d) and are started again.", code)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            self._process.communicate()
            with suppress(BatchError):
                self._start(port)
