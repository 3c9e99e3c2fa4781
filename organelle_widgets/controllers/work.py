"""What runs on the engine for the page: reading, analysing, relabelling and downloading, ready to show.

Plain functions of what they are given; none of them sees state or widgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets import samples
from organelle_widgets.controllers.pictures import make_pictures
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.pipeline import (
    DEFAULT_CLASSIFIER,
    DEFAULT_SEGMENTER,
    analyze_field,
    result_without,
)
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.state import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from organelle_widgets.core.cells import LeaveOut
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.engine import Analyze

__all__ = [
    "USED",
    "Origin",
    "adjust",
    "analyse",
    "download",
    "load_sample",
    "read_and_analyse",
]

USED = ("segmenter", "settings", "classifier", "leave_out")
"""The choices that a result depends on besides its field."""


@dataclass(frozen=True)
class Origin:
    """What a field was read from; the field of an equal one need not be read again.

    Parameters
    ----------
    paths : tuple of Path
        Files and folders.
    stamps : tuple or None
        Path, time and size of every file; None where a file can't be looked at.
    pixel_size_um : float or None
        As the person gave it.
    """

    paths: tuple[Path, ...]
    stamps: tuple[tuple[str, int, int], ...] | None
    pixel_size_um: float | None

    @classmethod
    def of(cls, paths: Iterable[Path], pixel_size_um: float | None) -> Origin:
        """The origin of a field that is to be read now.

        Parameters
        ----------
        paths : iterable of Path
            Files, and folders with all that is in them.
        pixel_size_um : float or None
            As the person gave it.

        Returns
        -------
        Origin
            With the stamps of now.
        """
        paths = tuple(Path(path) for path in paths)
        try:
            found = [(path, path.stat()) for path in _files(paths)]
        except OSError:
            return cls(paths, None, pixel_size_um)
        stamps = tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)
        return cls(paths, stamps, pixel_size_um)


def load_sample(key: str, what: LeaveOut, *, monitor: Monitor) -> Shown:
    """A sample with its stored result.

    Parameters
    ----------
    key : str
        One of `organelle_widgets.samples.list_samples`.
    what : {"nothing", "fragments", "border"}
        Which cells at the border are left out.
    monitor : Monitor
        Is told and may cancel.

    Returns
    -------
    Shown
        Ready to show.
    """
    monitor.report("Opening the sample", 0.1)
    whole = samples.load_sample(key)
    used: dict[str, Any] = dict(
        zip(USED, (DEFAULT_SEGMENTER, {}, DEFAULT_CLASSIFIER, what), strict=True)
    )
    result = result_without(whole, what)
    return Shown(whole.field, result, make_pictures(whole.field, result), used, whole)


def read_and_analyse(
    read: Callable[..., Field],
    paths: Sequence[Path],
    choices: Mapping[str, Any],
    before: Shown | None,
    show_early: Callable[[Monitor, Shown], None],
    analyze: Analyze = analyze_field,
    *,
    monitor: Monitor,
) -> Shown:
    """Read a field and analyse it; one that is in memory is not read again.

    Parameters
    ----------
    read : callable
        Reads the field, given ``pixel_size_um``.
    paths : sequence of Path
        The files and folders that it reads.
    choices : mapping
        What the person chose, by the names that `PageState` has for it.
    before : Shown, optional
        What is on the page. Where it came from the same files, its field and pictures are used.
    show_early : callable
        Is given a field that is not on the page yet, before it is analysed.
    analyze : callable
        Analyses a field: here, or on the workers that visitors share.
    monitor : Monitor
        Is told and may cancel.

    Returns
    -------
    Shown
        Ready to show.
    """
    origin = Origin.of(paths, choices["pixel_size_um"])
    known = before.origin if before is not None else None
    if before is None or known != origin or origin.stamps is None:
        monitor.report("Reading the images", 0.02)
        field = read(pixel_size_um=origin.pixel_size_um)
        monitor.report("Showing the images", 0.05)
        given = {"pixel_size_um": origin.pixel_size_um}
        before = Shown(field, None, make_pictures(field), given, origin=origin)
        if known is None or known.paths != origin.paths:
            show_early(monitor, before)
    return analyse(before, choices, analyze, monitor=monitor)


def analyse(
    before: Shown,
    choices: Mapping[str, Any],
    analyze: Analyze = analyze_field,
    *,
    monitor: Monitor,
) -> Shown:
    """Analyse a field that is on the page.

    Parameters
    ----------
    before : Shown
        The field; its pictures, and what a network saw in it, are used again.
    choices : mapping
        What the person chose, by the names that `PageState` has for it.
    analyze : callable
        Analyses a field: here, or on the workers that visitors share.
    monitor : Monitor
        Is told and may cancel.

    Returns
    -------
    Shown
        Ready to show.
    """
    whole = analyze(
        before.field,
        make_segmenter(choices["segmenter"], **choices["settings"]),
        choices["classifier"],
        threshold=choices["threshold"],
        monitor=monitor,
        previous=before.whole,
    )
    return _shown(before, whole, choices, monitor)


def adjust(
    before: Shown,
    choices: Mapping[str, Any],
    analyze: Analyze = analyze_field,
    *,
    monitor: Monitor,
) -> Shown:
    """Let the result on the page follow changed choices, with as little work as they take.

    Parameters
    ----------
    before : Shown
        What is on the page, with a result.
    choices : mapping
        What the person chose, by the names that `PageState` has for it.
    analyze : callable
        Analyses a field: here, or on the workers that visitors share.
    monitor : Monitor
        Is told and may cancel.

    Returns
    -------
    Shown
        Ready to show.
    """
    if before.whole is None or before.choices["settings"] != choices["settings"]:
        return analyse(before, choices, analyze, monitor=monitor)
    return _shown(before, before.whole, choices, monitor)


def _shown(
    before: Shown, whole: FieldResult, choices: Mapping[str, Any], monitor: Monitor
) -> Shown:
    """A result ready to show, in place of the one before."""
    result = result_without(whole, choices["leave_out"])
    used = {**before.choices, **{name: choices[name] for name in USED}}
    pictures = make_pictures(before.field, result, before.pictures)
    monitor.report("Done", 1.0)  # a newer wish may have come while pictures were drawn
    return Shown(before.field, result, pictures, used, whole, before.origin)


def download(names: Sequence[str], *, monitor: Monitor) -> None:
    """Fetch model weights, one file after the other.

    Parameters
    ----------
    names : sequence of str
        Their names in the model store.
    monitor : Monitor
        Is told of the whole, and may cancel; what has come is kept for the next time.

    Raises
    ------
    WeightsError
        If a file can't be had.
    """
    from organelle_widgets import weights

    for number, name in enumerate(names):

        def report(step: str, fraction: float, number: int = number) -> None:
            monitor.report(step, (number + fraction) / len(names))

        weights.download(name, monitor=Monitor(report))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and those below folders."""
    for path in paths:
        yield from sorted(path.rglob("*")) if path.is_dir() else (path,)
