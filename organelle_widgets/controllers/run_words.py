"""A run over many fields in words: what will be done, how far it is, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organelle_widgets.classification import CLASSIFIERS
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.segmentation import SEGMENTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.batch.status import RunStatus
    from organelle_widgets.state import RunFile, RunShown

__all__ = [
    "chip_of",
    "choices_in_words",
    "found_in_words",
    "listed_run",
    "outcome_in_words",
    "place_in_words",
    "progress_in_words",
    "saved_in_words",
    "time_left",
]

_LEAVE_OUT = {
    "nothing": "kept",
    "fragments": "fragments are left out",
    "border": "left out",
}
_STARTING = "Starting: models are loaded, which may take a minute"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MOST_NOTES = 5
_NO_RESULT = ": it has no result: "  # how exports name the fields that failed


def count(number: int, word: str) -> str:
    """A number with its noun, such as ``"1 cell"`` and ``"2,431 cells"``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def choices_in_words(choices: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a run will be done with.

    Parameters
    ----------
    choices : mapping
        ``segmenter``, ``settings``, ``classifier``, ``threshold``, ``leave_out`` and ``pixel_size_um``, by the names
        that `PageState` has for them.

    Returns
    -------
    list of dict
        ``label`` and ``value`` of each choice; of the segmenter's settings, those that differ from the defaults.
    """
    segmenter = SEGMENTERS.get(choices["segmenter"])
    changed = [
        (spec, choices["settings"][spec.name])
        for spec in describe_settings(segmenter.cls)
        if choices["settings"].get(spec.name, spec.default) != spec.default
    ]
    size = choices["pixel_size_um"]
    rows = [
        ("Cells found by", segmenter.title),
        *((spec.label, _with_unit(value, spec.unit)) for spec, value in changed),
        ("Organelles named by", _classifier_title(choices["classifier"])),
        ("Confidence threshold", f"{choices['threshold']:.2f}"),
        ("Cells at the border", _LEAVE_OUT.get(choices["leave_out"], choices["leave_out"])),
        ("Pixel size", "from the files" if size is None else f"{size:g} µm/px"),
    ]
    return [{"label": label, "value": value} for label, value in rows]


def _with_unit(value: Any, unit: str) -> str:
    """A setting's value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:g}" if isinstance(value, (int, float)) else str(value)
    words = unit.replace("um", "µm").replace("2", "²").replace("3", "³")
    return f"{text} {words}".strip()


def _classifier_title(name: str) -> str:
    """What a classifier, or several together, are called."""
    known = CLASSIFIERS.entries()
    return " + ".join(known[part].title if part in known else part for part in name.split("+"))


def found_in_words(run: RunShown) -> str:
    """How many fields there are.

    Parameters
    ----------
    run : RunShown
        The run.

    Returns
    -------
    str
        Such as ``"24 fields found"``; empty while they are counted.
    """
    if run.stage == "counting":
        return ""
    return f"{count(run.n_fields, 'field')} found" if run.n_fields else "No fields found"


def place_in_words(run: RunShown) -> str:
    """What will become of the results folder.

    Parameters
    ----------
    run : RunShown
        A run that is not started yet.

    Returns
    -------
    str
        One or two sentences.
    """
    if not run.continues:
        return "A new folder, below the top folder."
    known = f" ({_counts(run.status)})" if run.status is not None and run.status.n_planned else ""
    return (
        f"A run has been begun there{known}. It goes on with its own choices and repeats nothing."
    )


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


def _counts(status: RunStatus) -> str:
    """How many fields and cells."""
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
        "counts": _counts(status),
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
        ``kind`` (``"done"``, ``"stopped"``, ``"failed"``), ``title``, ``counts``, ``message``, ``hint``,
        ``failures`` (``name`` and ``message`` of each), ``more``, ``continues`` and ``retries`` (whether the fields
        that failed can be tried again). Empty while it is under way.
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
        "counts": _counts(status) if status.n_planned else "",
        "message": status.message if kind == "failed" else "",
        "hint": status.hint if kind == "failed" else "",
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
