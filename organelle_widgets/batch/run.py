"""The run itself: hand fields to an engine, a few at a time, and keep what comes back, until all are done.

Only this process writes the results folder, and a field counts as done only when the folder says so. So a worker, the
scheduler or this process may end at any moment: what was kept stays, what was not is done again by ``resume``, and
nothing is there twice. Memory is bounded by the fields under way.
"""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import socket
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.batch.plan import stamp_of
from organelle_widgets.batch.status import RunStatus, ask_to_stop, stop_wanted, write_status
from organelle_widgets.batch.work import analyse_source, failure_record
from organelle_widgets.classification import make_classifier
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import BatchError, Cancelled, OrganelleWidgetsError
from organelle_widgets.pipeline import provenance_of
from organelle_widgets.results import ResultsWriter, is_results
from organelle_widgets.results.records import FailureRecord, FieldRecord
from organelle_widgets.segmentation import make_segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Future

    from organelle_widgets.batch.plan import Plan
    from organelle_widgets.batch.work import BatchSettings
    from organelle_widgets.engine import Engine, Job
    from organelle_widgets.io import FieldSource

__all__ = ["run_batch"]

_AHEAD = 2  # fields under way for each worker: one at work, one waiting
_TICK_S = 0.5
_RATE_WINDOW_S = 120.0
_SHOWN_AT_ONCE = 4
_MOST_PER_COMMIT = 64


def run_batch(
    plan: Plan,
    out: str | Path,
    settings: BatchSettings,
    engine: Engine,
    *,
    resume: bool = False,
    rerun: bool = False,
    retry_failures: bool = False,
    on_status: Callable[[RunStatus], object] | None = None,
    monitor: Monitor | None = None,
) -> RunStatus:
    """Analyse every field of a plan and keep the results in a folder.

    Parameters
    ----------
    plan : Plan
        The fields; those that can't be used become rows of the table of failures.
    out : path
        The results folder; made if it does not exist.
    settings : BatchSettings
        How each field is analysed.
    engine : Engine
        Where.
    resume : bool
        Whether to go on with a folder that a run has begun. What is done is not done again, except fields whose
        files changed since.
    rerun : bool
        With `resume`, where settings or weights changed: do all fields again with the new ones.
    retry_failures : bool
        With `resume`: try fields again that failed.
    on_status : callable, optional
        Called with the `RunStatus` now and then, on this thread.
    monitor : Monitor, optional
        May cancel.

    Returns
    -------
    RunStatus
        How it ended: ``done``, or ``stopped`` where somebody asked for that.

    Raises
    ------
    BatchError
        If the folder belongs to another run or to none, settings changed, or the workers are lost. What was kept
        stays.
    ExportError
        If the folder can't be written, for instance because the disk is full. What was kept stays.
    """
    folder = Path(out)
    facts = _facts(plan, settings)
    with _opened(folder, facts, resume=resume, rerun=rerun) as writer:
        ask_to_stop(folder, wanted=False)
        run = _Run(plan, settings, engine, writer, folder, on_status, monitor or Monitor())
        return run.go(retry_failures=retry_failures)


class _Run:
    """One start of a run."""

    def __init__(
        self,
        plan: Plan,
        settings: BatchSettings,
        engine: Engine,
        writer: ResultsWriter,
        folder: Path,
        on_status: Callable[[RunStatus], object] | None,
        monitor: Monitor,
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._engine = engine
        self._writer = writer
        self._folder = folder
        self._on_status = on_status
        self._monitor = monitor
        self._under_way: dict[str, _UnderWay] = {}
        self._ended: queue.SimpleQueue[_UnderWay] = queue.SimpleQueue()
        self._finished_at: deque[tuple[float, int]] = deque()
        self._told = 0.0
        self._status = RunStatus(
            "running",
            started=_now(),
            process=f"{socket.gethostname()}:{os.getpid()}",
        )

    def go(self, *, retry_failures: bool) -> RunStatus:
        """Do what is left to do."""
        try:
            waiting = self._left(retry_failures)
            self._begin_rate()
            self._tell("running", force=True)
            self._work_through(iter(waiting))
        except (Cancelled, KeyboardInterrupt):
            self._drop()
            self._tell("stopped", force=True)
            return self._status
        except OrganelleWidgetsError as error:
            self._drop()
            with suppress(OrganelleWidgetsError):
                self._tell("failed", force=True, message=error.message, hint=error.hint or "")
            raise
        self._tell("done", force=True)
        return self._status

    def _left(self, retry_failures: bool) -> list[tuple[FieldSource, str]]:
        """Fields to be done, with what their files are like now; rows that no longer hold are dropped."""
        done, failed = self._writer.stamps, self._writer.failed
        left, again = [], {name for name, stamp in failed.items() if retry_failures or not stamp}
        for source in self._plan.fields:
            stamp = stamp_of(source)
            known = done.get(source.name) or failed.get(source.name)
            if known and stamp and known != stamp:
                again.add(source.name)
            if source.name in again or (source.name not in done and source.name not in failed):
                left.append((source, stamp))
        self._writer.forget(sorted(again))
        kept = {*self._writer.stamps, *self._writer.failed}
        problems = [_problem_record(error) for error in self._plan.problems]
        self._writer.commit([], [problem for problem in problems if problem.name not in kept])
        names = {*kept, *(source.name for source, _ in left), *(p.name for p in problems)}
        self._status = dataclasses.replace(self._status, n_planned=len(names))
        return left

    def _work_through(self, waiting: Iterable[tuple[FieldSource, str]]) -> None:
        """Keep every worker busy until nothing waits and nothing is under way."""
        waiting = iter(waiting)
        exhausted = False
        while True:
            most = _AHEAD * self._engine.slots
            while not exhausted and len(self._under_way) < most:
                item = next(waiting, None)
                exhausted = item is None
                if item is not None:
                    self._submit(*item)
            if exhausted and not self._under_way:
                return
            self._keep(self._next_ended())
            self._check_stop()
            self._tell("running")

    def _submit(self, source: FieldSource, stamp: str) -> None:
        """Hand one field to the engine."""
        entry = _UnderWay(source, stamp)
        entry.job = self._engine.submit(
            analyse_source, source, self._settings, stamp, on_progress=entry.hear
        )
        self._under_way[source.name] = entry
        entry.job.future.add_done_callback(lambda _: self._ended.put(entry))

    def _next_ended(self) -> list[_UnderWay]:
        """What has ended; waits a moment if nothing has."""
        ended: list[_UnderWay] = []
        with suppress(queue.Empty):
            ended.append(self._ended.get(timeout=_TICK_S))
            while len(ended) < _MOST_PER_COMMIT:
                ended.append(self._ended.get_nowait())
        return ended

    def _keep(self, ended: list[_UnderWay]) -> None:
        """Commit what has ended."""
        outcomes = [self._outcome(entry) for entry in ended]
        if not outcomes:
            return
        self._writer.commit(
            [outcome for outcome in outcomes if isinstance(outcome, FieldRecord)],
            [outcome for outcome in outcomes if isinstance(outcome, FailureRecord)],
        )
        n_records = sum(isinstance(outcome, FieldRecord) for outcome in outcomes)
        self._finished_at.append((time.monotonic(), n_records))  # failures come at no steady rate

    def _outcome(self, entry: _UnderWay) -> FieldRecord | FailureRecord:
        """What came of one field; an error that is no field's fault ends the run."""
        self._under_way.pop(entry.source.name, None)
        future = entry.future
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or isinstance(error, Cancelled):
            message = "Stopped on request."
            raise Cancelled(message)
        if isinstance(error, BatchError) and error.step != "worker":
            raise error
        return failure_record(entry.source, error, entry.stamp) if error else future.result()

    def _check_stop(self) -> None:
        """Stop where somebody asked for it, or where no work can be done any more."""
        if self._monitor.cancelled or stop_wanted(self._folder):
            message = "Stopped on request."
            raise Cancelled(message)
        if not self._engine.alive:
            message = "The connection to the scheduler was lost."
            raise BatchError(message, hint="Start it again and go on with --resume.")

    def _drop(self) -> None:
        """Cancel all that is under way."""
        for entry in self._under_way.values():
            if entry.job is not None:
                entry.job.cancel()
        self._under_way.clear()

    def _begin_rate(self) -> None:
        """Start the clock of the rate."""
        self._finished_at.append((time.monotonic(), 0))

    def _tell(self, state: Any, *, force: bool = False, message: str = "", hint: str = "") -> None:
        """Say how far the run is, in the folder and to whoever watches, not too often."""
        now = time.monotonic()
        if not force and now - self._told < _TICK_S:
            return
        self._told = now
        rate = self._per_minute(now)
        n_done, n_failed = self._writer.n_fields, self._writer.n_failures
        left = max(0, self._status.n_planned - n_done - n_failed)
        running = [entry for entry in self._under_way.values() if entry.step]
        self._status = dataclasses.replace(
            self._status,
            state=state,
            n_done=n_done,
            n_failed=n_failed,
            n_cells=self._writer.n_cells,
            n_running=len(running),
            n_workers=self._engine.slots,
            fields_per_minute=round(rate, 3),
            seconds_left=round(60 * left / rate, 1) if rate and state == "running" else None,
            current=tuple(f"{e.source.name}: {e.step}" for e in running[:_SHOWN_AT_ONCE]),
            updated=_now(),
            message=message,
            hint=hint,
        )
        write_status(self._folder, self._status)
        if self._on_status is not None:
            self._on_status(self._status)

    def _per_minute(self, now: float) -> float:
        """Fields a minute, of late."""
        marks = self._finished_at
        while len(marks) > 2 and now - marks[1][0] > _RATE_WINDOW_S:
            marks.popleft()
        if len(marks) < 2:
            return 0.0
        n_finished = sum(count for _, count in list(marks)[1:])
        return 60 * n_finished / max(marks[-1][0] - marks[0][0], 1e-3)


class _UnderWay:
    """One field that the engine has."""

    def __init__(self, source: FieldSource, stamp: str) -> None:
        self.source = source
        self.stamp = stamp
        self.step = ""
        self.job: Job[FieldRecord | FailureRecord] | None = None

    @property
    def future(self) -> Future[FieldRecord | FailureRecord]:
        """Its outcome."""
        if self.job is None:
            message = "This field has not been handed to the engine."
            raise BatchError(message)
        return self.job.future

    def hear(self, step: str, fraction: float) -> None:  # noqa: ARG002 (steps say enough)
        """Remember what is being done."""
        self.step = step


def _opened(folder: Path, facts: dict[str, Any], *, resume: bool, rerun: bool) -> ResultsWriter:
    """The results folder, new or gone on with."""
    if not is_results(folder):
        return ResultsWriter.create(folder, facts)
    if not resume:
        message = f"Expected an empty folder for the results; found those of a run in {folder}."
        hint = "Go on with it with --resume, or choose another folder."
        raise BatchError(message, hint=hint)
    writer = ResultsWriter.resume(folder)
    try:
        changes = _changes(writer.run, facts)
        if changes and not rerun:
            message = f"Since this run began, these have changed: {'; '.join(changes)}."
            hint = (
                "Choose a new folder, or do all fields again with the new ones: --resume --rerun."
            )
            raise BatchError(message, source=str(folder), hint=hint)
        if rerun:
            writer.forget([*writer.stamps, *writer.failed])
        kept = {} if rerun else {"created": writer.run.get("created")}
        writer.update_run(**{**facts, **kept})
    except BaseException:
        writer.close()
        raise
    return writer


def _facts(plan: Plan, settings: BatchSettings) -> dict[str, Any]:
    """What ``run.json`` says of a run: what it is of, and how its results come about."""
    finder, judge = make_segmenter(settings.segmenter), make_classifier(settings.classifier)
    provenance = provenance_of(finder, judge, settings.threshold)
    facts = {
        "created": _now(),
        "source": plan.source,
        "n_planned": len(plan.fields) + len(plan.problems),
        "extra": dict(plan.extra),
        "settings": {
            "segmenter": provenance["segmenter"],
            "classifier": provenance["classifier"],
            "threshold": settings.threshold,
            "leave_out": settings.leave_out,
            "pixel_size_um": settings.pixel_size_um,
        },
        "provenance": provenance,
    }
    plain: dict[str, Any] = json.loads(json.dumps(facts, default=str))
    return plain


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What results depend on and is no longer as it was, in words."""
    old = {**before.get("settings", {}), "extra columns": before.get("extra", {})}
    new = {**now["settings"], "extra columns": now["extra"]}
    return [change for key in new for change in _differences(key, old.get(key), new[key])]


def _differences(name: str, old: Any, new: Any) -> list[str]:
    """Where two values differ, with their place."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return [
            text
            for key in keys
            for text in _differences(f"{name} {key}", old.get(key), new.get(key))
        ]
    return [] if old == new else [f"{name} was {_short(old)}, is {_short(new)}"]


def _short(value: Any) -> str:
    """A value in a message."""
    text = "not set" if value is None else str(value)
    return text if len(text) <= 24 else f"{text[:16]}…"


def _problem_record(error: OrganelleWidgetsError) -> FailureRecord:
    """A field that the plan could not use."""
    return FailureRecord(
        name=error.source or error.message[:80],
        source=error.source or "",
        step="plan",
        error=type(error).__name__,
        message=error.message,
        hint=error.hint or "",
        finished=_now(),
    )


def _now() -> str:
    """The time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
