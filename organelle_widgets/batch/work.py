"""One field of a run, on the worker that has it: read, analyse, and make a record of it, whatever happens.

A known error becomes a `FailureRecord`, and so does any other: it is a bug, logged with its traceback and counted
apart. Only a wish to stop goes through.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from organelle_widgets.classification import make_classifier
from organelle_widgets.core.cells import check_leave_out
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD, check_threshold
from organelle_widgets.errors import Cancelled, OrganelleWidgetsError
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER, DEFAULT_SEGMENTER, analyze_field
from organelle_widgets.results.records import FailureRecord, FieldRecord, record_of
from organelle_widgets.segmentation import make_segmenter

if TYPE_CHECKING:
    from organelle_widgets.classification import Classifier
    from organelle_widgets.core.cells import LeaveOut
    from organelle_widgets.io import FieldSource
    from organelle_widgets.segmentation import Segmenter

__all__ = ["BatchSettings", "analyse_source", "failure_record"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchSettings:
    """How every field of a run is analysed.

    Parameters
    ----------
    segmenter : Segmenter or str
        With its settings; a name becomes the segmenter of that name.
    classifier : Classifier or str
        With its settings; a name becomes the classifier of that name.
    threshold : float
        Probability from which a class counts as predicted, 0 to 1.
    leave_out : {"nothing", "fragments", "border"}
        Cells that are not classified; see `organelle_widgets.analyze_field`.
    pixel_size_um : float, optional
        Micrometres per pixel of every field, over what tables and files say.

    Raises
    ------
    SettingsError
        If a name, the threshold or what to leave out is wrong.
    BackendUnavailableError
        If a package that a backend needs is not installed.
    """

    segmenter: Segmenter | str = DEFAULT_SEGMENTER
    classifier: Classifier | str = DEFAULT_CLASSIFIER
    threshold: float = DEFAULT_THRESHOLD
    leave_out: LeaveOut = "nothing"
    pixel_size_um: float | None = None

    def __post_init__(self) -> None:
        check_leave_out(self.leave_out)
        check_threshold(self.threshold)
        object.__setattr__(self, "segmenter", make_segmenter(self.segmenter))
        object.__setattr__(self, "classifier", make_classifier(self.classifier))


def analyse_source(
    source: FieldSource, settings: BatchSettings, stamp: str = "", *, monitor: Monitor | None = None
) -> FieldRecord | FailureRecord:
    """Analyse one field of a run.

    Parameters
    ----------
    source : FieldSource
        Where its pixels are.
    settings : BatchSettings
        How to analyse it.
    stamp : str
        What its files are like, to be kept with the record.
    monitor : Monitor, optional
        Is told and may cancel.

    Returns
    -------
    FieldRecord or FailureRecord
        What there is to keep of it.

    Raises
    ------
    Cancelled
        If the monitor was asked to stop.
    """
    monitor = monitor or Monitor()
    try:
        monitor.report("Reading the images", 0.0)
        start = time.perf_counter()
        field = source.read(settings.pixel_size_um)
        read_s = time.perf_counter() - start
        result = analyze_field(
            field,
            settings.segmenter,
            settings.classifier,
            threshold=settings.threshold,
            monitor=monitor,
            leave_out=settings.leave_out,
        )
        return record_of(
            result,
            name=source.name,
            stamp=stamp,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            seconds={"read": read_s, **result.timings},
            channels=source.channels,
        )
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001 - one field never ends a run
        return failure_record(source, error, stamp)


def failure_record(source: FieldSource, error: BaseException, stamp: str = "") -> FailureRecord:
    """The record of a field that could not be analysed.

    Parameters
    ----------
    source : FieldSource
        The field.
    error : BaseException
        What was raised.
    stamp : str
        What its files are like.

    Returns
    -------
    FailureRecord
        With a traceback where nobody foresaw the error; that is logged, too.
    """
    known: dict[str, Any] = {"message": f"{type(error).__name__}: {error}", "known": False}
    if isinstance(error, OrganelleWidgetsError):
        hint, step = error.hint or "", error.step or "read"
        known = {"message": error.message, "hint": hint, "step": step, "source": error.source or ""}
    elif isinstance(error, MemoryError):
        message = "There was not enough memory for this field."
        known = {"message": message, "hint": "Use fewer workers, or cut the image into tiles."}
    else:
        known["traceback"] = "".join(traceback.format_exception(error))
        logger.error("A field failed in a way that nobody foresaw: %s", source.name, exc_info=error)
    record = FailureRecord(
        name=source.name,
        error=type(error).__name__,
        extra=dict(source.extra),
        stamp=stamp,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    record = dataclasses.replace(record, **known)
    return record if record.source else dataclasses.replace(record, source=str(source.paths[0]))
