"""Run a module in a process that ends when the process that started it does, however that came about.

``python -m organelle_widgets.server.tied MODULE ARGUMENTS``: the standard input is a pipe that the starter holds open.
Where it closes, nobody is left who could end this process, so it ends itself.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

__all__ = ["main", "wait_for_the_end"]

_PATIENCE_S = 20.0
_STDIN = 0


def wait_for_the_end() -> None:
    """Wait until whoever holds the other end of the standard input is gone."""
    while os.read(_STDIN, 1024):
        pass


def main() -> None:
    """Run the module that the command names."""
    threading.Thread(target=_end_in_time, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_in_time() -> None:
    """End this process in order when nobody is left, and without order where that takes too long."""
    wait_for_the_end()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE_S)
    os._exit(1)


if __name__ == "__main__":
    main()
