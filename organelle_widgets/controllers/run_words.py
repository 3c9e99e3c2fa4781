"""A run over many fields in words: how far it is, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from organelle_widgets.batch.status import RunStatus
    from organelle_widgets.state import RunFile, RunShown

__all__ = [
    "chip_of",
    "count",
    "counts_in_words",
    "listed_run",
    "outcome_in_words",
    "progress_in_words",
    "saved_in_words",
    "time_left",
]

_STARTING = "Starting: models are loaded, which may take a minute"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_CAN_NOT_CONTINUE = (
    "It can’t go on from here: the folder of its fields is not below the top folder."
)
_MOST_NOTES = 5
_NO_RESULT = ": it has no result: "  # how exports name the fields that failed


def count(number: int, word: str) -> str:
    """A number with its noun.

    Parameters
    ----------
    number : int
        How many.
    word : str
        Of what, in the singular.

    Returns
    -------
    str
        Such as ``"1 cell"`` and ``"2,431 cells"``.
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def time_left(seconds: float | None) -> str:
    """A duration to come as people say it.

    Parameters
    ----------
    seconds : float or None
        Seconds; None while unknown.

    Returns
    -------
    str
        Such as ``"about 2 hours left"``; empty while unknown.
    """
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return "less than a minute left"
    if seconds < 90 * _MINUTE:
        return f"about {count(round(seconds / _MINUTE), 'minute')} left"
    if seconds < 2 * _DAY:
        return f"about {count(round(seconds / _HOUR), 'hour')} left"
    return f"about {count(round(seconds / _DAY), 'day')} left"


def _rate(status: RunStatus) -> str:
    """Fields a minute."""
    rate = status.fields_per_minute
    if (
        rate <= 0 or not status.n_done
    ):  # fields that can't be read fail at once and say nothing of the others
        return ""
    return f"{rate:,.0f} fields a minute" if rate >= 10 else f"{rate:.1f} fields a minute"


def counts_in_words(status: RunStatus) -> str:
    """How many fields and cells there are by now.

    Parameters
    ----------
    status : RunStatus
        How far the run is.

    Returns
    -------
    str
        Such as ``"128 of 2,000 fields · 3 failed · 2,431 cells"``.
    """
    done = status.n_done + status.n_failed
    words = [f"{done:,} of {count(status.n_planned, 'field')}"]
    if status.n_failed:
        words.append(f"{status.n_failed:,} failed")
    return " · ".join([*words, count(status.n_cells, "cell")])


def progress_in_words(run: RunShown) -> dict[str, Any]:
    """How far a run is, as `RunPanel.progress`.

    Parameters
    ----------
    run : RunShown
        The run.

    Returns
    -------
    dict
        ``fraction`` (None while unknown), ``counts``, ``rate``, ``now`` and ``stopping``.
    """
    status = run.status
    stopping = run.stopping or (status is not None and status.state == "stopping")
    if status is None or not status.n_planned:
        now = "Stopping" if stopping else _STARTING
        return {"fraction": None, "counts": "", "rate": "", "now": now, "stopping": stopping}
    now = "Stopping: the fields under way are dropped" if stopping else _now(status)
    rate = "" if stopping else " · ".join(filter(None, (_rate(status), _left(status))))
    fraction = round(status.fraction, 4)
    return {
        "fraction": fraction,
        "counts": counts_in_words(status),
        "rate": rate,
        "now": now,
        "stopping": stopping,
    }


def _left(status: RunStatus) -> str:
    """The time left of a run that is on its way."""
    return time_left(status.seconds_left) if status.n_done and status.fraction < 1 else ""


def _now(status: RunStatus) -> str:
    """What is being done."""
    if status.state == "planning" or (not status.current and not status.n_running):
        return _STARTING if status.fraction < 1 else "Finishing"
    return " · ".join(status.current) or f"{count(status.n_running, 'field')} under way"


def outcome_in_words(run: RunShown) -> dict[str, Any]:
    """What came of a run, as `RunPanel.outcome`.

    Parameters
    ----------
    run : RunShown
        The run.

    Returns
    -------
    dict
        ``kind`` (``"done"``, ``"stopped"``, ``"failed"``), ``title``, ``counts``, ``message``, ``hint``, ``note``,
        ``n_failed``, ``failures`` (``name`` and ``message`` of the first), ``more``, ``continues`` and ``retries``
        (whether the fields that failed can be tried again). Empty while it is under way.
    """
    status = run.status
    if run.stage != "ended" or status is None:
        return {}
    kind = status.state if status.ended else "failed"
    left = status.n_planned - status.n_done - status.n_failed
    titles = {
        "done": "Done" if not status.n_failed else f"Done, but {_not_analysed(status.n_failed)}",
        "stopped": f"Stopped; {count(max(left, 0), 'field')} not analysed yet"
        if status.n_planned
        else "Stopped before it began",
        "failed": "The run could not go on",
    }
    listed = [{"name": name, "message": message} for name, message in run.failures]
    more = status.n_failed - len(listed) if listed else 0
    return {
        "kind": kind,
        "title": titles[kind],
        "counts": counts_in_words(status) if status.n_planned else "",
        "message": status.message if kind == "failed" else "",
        "hint": status.hint if kind == "failed" else "",
        "note": _CAN_NOT_CONTINUE if kind != "done" and not run.continues else "",
        "n_failed": status.n_failed,
        "failures": listed,
        "more": f"and {more:,} more" if more > 0 else "",
        "continues": kind != "done" and run.continues,
        "retries": kind == "done" and run.continues and status.n_failed > 0,
    }


def _not_analysed(number: int) -> str:
    """Fields that failed."""
    return f"{count(number, 'field')} could not be analysed"


def saved_in_words(saved: RunFile | None, most_bytes: int) -> dict[str, Any]:
    """What was saved of a run, as `RunPanel.saved`.

    Parameters
    ----------
    saved : RunFile or None
        What was written last.
    most_bytes : int
        Largest file that is offered for download.

    Returns
    -------
    dict
        ``place``, ``size`` in bytes, ``notes``, ``more`` and ``download``; empty for None.
    """
    if saved is None:
        return {}
    notes = [note for note in saved.notes if _NO_RESULT not in note]
    n_failed = len(saved.notes) - len(notes)
    if n_failed:  # they are listed above
        notes.insert(0, f"Without {count(n_failed, 'field')} that could not be analysed.")
    more = len(notes) - _MOST_NOTES
    return {
        "place": saved.place,
        "size": saved.size_bytes,
        "notes": notes[:_MOST_NOTES],
        "more": f"and {more:,} more" if more > 0 else "",
        "download": saved.is_file and saved.size_bytes < most_bytes,
    }


def chip_of(run: RunShown | None) -> dict[str, Any]:
    """A run in two words for the header.

    Parameters
    ----------
    run : RunShown or None
        The run.

    Returns
    -------
    dict
        ``text``, ``title``, ``fraction`` (None while unknown) and ``kind``; empty where there is nothing to watch.
    """
    if run is None or run.stage not in ("starting", "running", "ended"):
        return {}
    if run.saving and run.saving_progress is not None:
        fraction = run.saving_progress.fraction
        title = f"Saving: {100 * fraction:.0f} %. Show the run"
        return {"text": "Saving", "title": title, "fraction": fraction, "kind": "running"}
    outcome, progress = outcome_in_words(run), progress_in_words(run)
    if outcome:
        words = {"done": "Run done", "stopped": "Run stopped", "failed": "Run failed"}
        text = words[outcome["kind"]]
        fraction, kind, title = 1.0, outcome["kind"], f"{outcome['title']}. Show the run"
    else:
        fraction, kind = progress["fraction"], "running"
        text = "Run" if fraction is None else f"Run {int(100 * fraction)} %"
        title = f"{progress['counts'] or progress['now']}. Show the run"
    return {"text": text, "title": title, "fraction": fraction, "kind": kind}


def listed_run(status: RunStatus | None) -> str:
    """A results folder in the list of a folder.

    Parameters
    ----------
    status : RunStatus or None
        How far its run is.

    Returns
    -------
    str
        A few words.
    """
    if status is None:
        return "results"
    done = count(status.n_done, "field")
    words = {"done": f"results · {done}", "stopped": f"results · stopped at {done}"}
    return words.get(status.state, "results · failed" if status.ended else "results · running")
