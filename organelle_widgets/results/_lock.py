"""One writer a results folder: a lock that the system lets go of when its process ends, and who holds it."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import BatchError
from organelle_widgets.render.saving import written_whole

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOCK_FILE", "OWNER_FILE", "lock_folder"]

LOCK_FILE = ".lock"
OWNER_FILE = ".writer.json"


def lock_folder(folder: Path) -> Any:
    """Lock a results folder for writing.

    Parameters
    ----------
    folder : Path
        Must exist.

    Returns
    -------
    filelock.BaseFileLock
        Held; ``release()`` lets go.

    Raises
    ------
    BatchError
        If another process writes there; says which.
    ExportError
        If the folder can't be written.
    """
    from filelock import FileLock, Timeout

    owner = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with written_whole(folder / f"{LOCK_FILE}.try"):
        pass  # says in words why the folder can't be written
    (folder / f"{LOCK_FILE}.try").unlink(missing_ok=True)
    lock = FileLock(str(folder / LOCK_FILE), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        message = f"Expected a folder that no other run writes to; {_holder(folder)} does."
        hint = "Wait until it ends, or stop it; to run at the same time, choose another folder."
        raise BatchError(message, source=str(folder), hint=hint) from error
    try:
        with written_whole(folder / OWNER_FILE) as part:
            part.write_text(json.dumps(owner), encoding="utf-8")
    except BaseException:
        lock.release()
        raise
    return lock


def _holder(folder: Path) -> str:
    """Who holds the lock, as far as is known."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        owner = json.loads((folder / OWNER_FILE).read_text("utf-8"))
        return f"process {owner['process']} on {owner['host']} (since {owner['since']})"
    return "another process"
