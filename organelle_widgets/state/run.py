"""A run over many fields as the page shows it: from the question whether to start it to the files made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.batch.status import RunStatus
    from organelle_widgets.state.page import Failure, Progress

__all__ = ["RunFile", "RunShown", "RunStage"]

RunStage = Literal["counting", "ready", "starting", "running", "ended"]
"""Fields are counted; a person decides; the run's process starts; it is watched; it is over."""


@dataclass(frozen=True)
class RunFile:
    """A file or folder made of a run's results.

    Parameters
    ----------
    place : str
        Where it is, relative to the root, with ``/``.
    size_bytes : int
        Its size, all files of a folder together.
    is_file : bool
        Whether it is one file.
    notes : tuple of str
        What is not in it and why, in sentences.
    """

    place: str
    size_bytes: int
    is_file: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunShown:
    """One run on the page.

    Parameters
    ----------
    stage : {"counting", "ready", "starting", "running", "ended"}
        See `RunStage`.
    source : str or None
        The folder of the fields, relative to the root and empty for the root itself; None where a run is watched whose
        fields lie elsewhere.
    results : str
        The results folder, relative to the root.
    n_fields : int
        Fields found below `source`.
    problems : tuple of str
        What can't be used there, the first ones, in sentences.
    n_problems : int
        How many there are in all.
    results_problem : str
        Why `results` can't be used; empty where it can.
    continues : bool
        Whether there is a run in `results` that can go on.
    choices : mapping of str to object, or None
        What the run in `results` was begun with, by the names that `PageState` has for it; None for a new run, which
        takes what is chosen on the page, and where that is not known.
    status : RunStatus or None
        How far the run is, as it says itself.
    stopping : bool
        Whether the person asked to stop it.
    failures : tuple of (str, str)
        The first fields that failed, and why.
    failure : Failure or None
        What went wrong last with a wish of the person's.
    saving : str
        Name of the format that is being written; empty for none.
    saving_progress : Progress or None
        How far that is.
    saved : RunFile or None
        What was written last.
    """

    stage: RunStage
    source: str | None
    results: str
    n_fields: int = 0
    problems: tuple[str, ...] = ()
    n_problems: int = 0
    results_problem: str = ""
    continues: bool = False
    choices: Mapping[str, Any] | None = None
    status: RunStatus | None = None
    stopping: bool = False
    failures: tuple[tuple[str, str], ...] = ()
    failure: Failure | None = None
    saving: str = ""
    saving_progress: Progress | None = None
    saved: RunFile | None = None

    @property
    def can_start(self) -> bool:
        """Whether the run can be started."""
        return self.stage == "ready" and self.n_fields > 0 and not self.results_problem

    @property
    def under_way(self) -> bool:
        """Whether its process runs."""
        return self.stage in ("starting", "running")
