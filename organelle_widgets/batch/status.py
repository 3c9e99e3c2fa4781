"""How far a run is, in a small file that others can watch: ``status.json`` in the results folder.

The run writes it a few times a second at most; the page and a second terminal read it. A wish to stop goes the other
way, as the file ``stop`` in the same folder, so that a run can be watched and stopped from anywhere that sees the
folder. The results themselves do not depend on either file.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from organelle_widgets.render.saving import written_whole

__all__ = [
    "STATES",
    "RunState",
    "RunStatus",
    "ask_to_stop",
    "read_status",
    "stop_wanted",
    "write_status",
]

RunState = Literal["planning", "running", "stopping", "stopped", "done", "failed"]

STATES: dict[RunState, str] = {
    "planning": "Looking for fields and starting workers.",
    "running": "Fields are being analysed.",
    "stopping": "Somebody asked to stop; the fields under way are dropped.",
    "stopped": "Stopped before the end; --resume goes on.",
    "done": "Every field is either analysed or in the table of failures.",
    "failed": "The run could not go on; `message` says why, --resume goes on.",
}
"""What a run can be doing."""

_STATUS = "status.json"
_STOP = "stop"


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Parameters
    ----------
    state : {"planning", "running", "stopping", "stopped", "done", "failed"}
        See `STATES`.
    n_planned : int
        Fields of the run.
    n_done, n_failed : int
        Fields analysed, and fields in the table of failures; those of earlier starts count.
    n_cells : int
        Cells found so far.
    n_running : int
        Fields that workers have now.
    n_workers : int
        Workers that take fields.
    fields_per_minute : float
        Rate of the last minutes of this start; 0 while unknown.
    seconds_left : float or None
        Estimated from the rate; None while unknown.
    current : tuple of str
        What some of the workers are doing, in words.
    started, updated : str
        When this start began and when the file was written, ISO 8601, UTC.
    message, hint : str
        Why the run failed and what to do.
    process : str
        Host and process id of the run.
    """

    state: RunState
    n_planned: int = 0
    n_done: int = 0
    n_failed: int = 0
    n_cells: int = 0
    n_running: int = 0
    n_workers: int = 0
    fields_per_minute: float = 0.0
    seconds_left: float | None = None
    current: tuple[str, ...] = ()
    started: str = ""
    updated: str = ""
    message: str = ""
    hint: str = ""
    process: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("stopped", "done", "failed")

    @property
    def fraction(self) -> float:
        """Share of the fields that are done or failed, 0 to 1."""
        return min(1.0, (self.n_done + self.n_failed) / self.n_planned) if self.n_planned else 0.0


def write_status(folder: str | Path, status: RunStatus) -> None:
    """Write the status file of a results folder, whole or not at all.

    Parameters
    ----------
    folder : str or Path
        The results folder.
    status : RunStatus
        How far the run is.

    Raises
    ------
    ExportError
        If it can't be written.
    """
    with written_whole(Path(folder) / _STATUS) as part:
        part.write_text(f"{json.dumps(dataclasses.asdict(status), indent=1)}\n", encoding="utf-8")


def read_status(folder: str | Path) -> RunStatus | None:
    """Read the status of a run.

    Parameters
    ----------
    folder : str or Path
        The results folder.

    Returns
    -------
    RunStatus or None
        None where there is none that can be read.
    """
    try:
        values: Any = json.loads((Path(folder) / _STATUS).read_text("utf-8"))
        known = {item.name for item in dataclasses.fields(RunStatus)}
        status = RunStatus(**{name: value for name, value in values.items() if name in known})
        return dataclasses.replace(status, current=tuple(status.current))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def ask_to_stop(folder: str | Path, *, wanted: bool = True) -> None:
    """Ask the run of a results folder to stop, or take that back.

    Parameters
    ----------
    folder : str or Path
        The results folder.
    wanted : bool
        False removes the wish.
    """
    path = Path(folder) / _STOP
    if wanted:
        path.touch()
    else:
        path.unlink(missing_ok=True)


def stop_wanted(folder: str | Path) -> bool:
    """Whether somebody asked the run of a results folder to stop.

    Parameters
    ----------
    folder : str or Path
        The results folder.

    Returns
    -------
    bool
        True once `ask_to_stop` was called.
    """
    return (Path(folder) / _STOP).exists()
