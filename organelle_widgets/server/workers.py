"""The process that has the workers which all visitors share; `organelle_widgets.server.pool` starts it.

``python -m organelle_widgets.server.workers N PORT``: says its address as one line, then starts the workers, which load
the default models at once. Ends when its standard input does.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from typing import TYPE_CHECKING

from organelle_widgets.engine import WorkerPool, warm_up
from organelle_widgets.errors import OrganelleWidgetsError
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER, DEFAULT_SEGMENTER
from organelle_widgets.server.tied import wait_for_the_end

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["main"]

_STDOUT, _STDERR = 1, 2


def main(workers: int, port: int) -> None:
    """Have workers until nobody is left to have them for.

    Parameters
    ----------
    workers : int
        How many processes.
    port : int
        TCP port of the scheduler; 0 for any.
    """
    signal.signal(signal.SIGTERM, _end)
    try:
        pool = WorkerPool(workers, port=port)
    except OrganelleWidgetsError as error:
        sys.exit(str(error))
    try:
        os.write(_STDOUT, f"{pool.address}\n".encode())
        os.dup2(_STDERR, _STDOUT)  # nobody reads on; what workers say goes where messages go
        pool.start(functools.partial(warm_up, DEFAULT_SEGMENTER, DEFAULT_CLASSIFIER))
        wait_for_the_end()
    finally:
        pool.close()
        os._exit(0)  # workers that are too busy to listen end with their nanny, at once


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (Python's own signature)
    """A wish to end."""
    raise SystemExit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
