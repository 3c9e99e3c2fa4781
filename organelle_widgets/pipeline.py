"""One field's story on one page: find the cells, classify them, put the answer together.

The page, the command line and the samples come through here; evaluation and training call the steps themselves.
"""

from __future__ import annotations

import dataclasses
import platform
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

import organelle_widgets
from organelle_widgets.classification import make_classifier
from organelle_widgets.core.cells import cell_table, check_leave_out
from organelle_widgets.core.cells import leave_out as without_cells
from organelle_widgets.core.field import Field
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD, check_threshold
from organelle_widgets.core.quality import measure_quality
from organelle_widgets.core.results import FieldResult
from organelle_widgets.segmentation import MapSegmenter, make_segmenter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from organelle_widgets.classification import Classifier
    from organelle_widgets.core.cells import LeaveOut
    from organelle_widgets.core.maps import ProbabilityMaps
    from organelle_widgets.core.masks import Masks
    from organelle_widgets.segmentation import Segmenter

__all__ = [
    "DEFAULT_CLASSIFIER",
    "DEFAULT_SEGMENTER",
    "analyze_field",
    "provenance_of",
    "result_without",
]

DEFAULT_SEGMENTER = "unet"
DEFAULT_CLASSIFIER = "organelle"
_PACKAGES = ("numpy", "scipy", "scikit-image", "keras", "tensorflow", "torch")


def analyze_field(
    field: Field | str | Path,
    segmenter: str | Segmenter = DEFAULT_SEGMENTER,
    classifier: str | Classifier = DEFAULT_CLASSIFIER,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    monitor: Monitor | None = None,
    previous: FieldResult | ProbabilityMaps | None = None,
    leave_out: LeaveOut = "nothing",
) -> FieldResult:
    """Find the cells of a field and say where the protein is in each.

    Parameters
    ----------
    field : Field or path
        The field; a path is read with `organelle_widgets.read_field` first.
    segmenter : str or Segmenter
        A registered name, or an instance with its settings.
    classifier : str or Classifier
        A registered name, the path of a ``.keras`` file, several of them with ``+`` between, or an instance.
    threshold : float
        Probability from which a class counts as predicted, 0 to 1. Results answer for other thresholds too.
    monitor : Monitor, optional
        Is told every step and may cancel between steps.
    previous : FieldResult or ProbabilityMaps, optional
        An earlier result, or the maps of one. Where it is of the same `Field` object (maps: of the same field, for
        which the caller vouches) and the segmentation network would see the same again, its probability maps are
        used and the network does not run.
    leave_out : {"nothing", "fragments", "border"}
        Cells that are not classified and not in the result: those of which more than half is probably out of view
        (`organelle_widgets.core.cells.cell_table` says how that is told), or all that touch the field's edge.

    Returns
    -------
    FieldResult
        Masks, cells, probabilities, timings and provenance; its quality says what looks wrong.

    Raises
    ------
    InputError
        If the field can't be read.
    SettingsError
        If a name, a setting, the threshold or what to leave out is wrong.
    BackendUnavailableError
        If a package that a backend needs is not installed.
    SegmentationError, ClassificationError
        If a step fails.
    WeightsError
        If the segmenter's or the classifier's weights are missing or damaged.
    Cancelled
        If the monitor was asked to stop.

    Examples
    --------
    >>> import organelle_widgets as ow
    >>> virtual = ow.virtual_field((256, 256), seed=1, pixel_size_um=0.32)
    >>> result = ow.analyze_field(virtual.field)
    >>> result.n_cells == len(result.cells)
    True
    """
    check_threshold(threshold)
    check_leave_out(leave_out)
    monitor = monitor or Monitor()
    finder, judge = make_segmenter(segmenter), make_classifier(classifier)
    judge.check_ready()  # before cells are looked for, which takes its time
    timings: dict[str, float] = {}
    if not isinstance(field, Field):
        monitor.report("Reading the images", 0.0)
        with _timed(timings, "read"):
            field = _read(field)
    monitor.report("Finding cells", 0.05)
    with _timed(timings, "segmentation"):
        found, maps = _find_cells(field, finder, previous)
    with _timed(timings, "quality"):
        cells = cell_table(found, field.pixel_size_um)
        quality = measure_quality(field, found, cells)
        masks = without_cells(found, cells, leave_out)
    with _timed(timings, "classification"):
        answers = judge.answer(field, masks, monitor.part(_classifying(masks.n_cells), 0.4, 0.95))
    monitor.report("Putting the result together", 0.97)
    with _timed(timings, "result"):
        result = FieldResult(
            field=field,
            masks=masks,
            probabilities=answers.probabilities,
            timings=timings,
            provenance={**provenance_of(finder, judge, threshold), "leave_out": leave_out},
            threshold=threshold,
            notes=_left_out(quality.n_cells - masks.n_cells, quality.n_cells, leave_out),
            maps=maps,
            quality=quality,
            answers=answers,
        )
    monitor.report("Done", 1.0)
    return result


def result_without(result: FieldResult, what: LeaveOut) -> FieldResult:
    """A result without some of its cells; no model runs.

    Parameters
    ----------
    result : FieldResult
        With all cells.
    what : {"nothing", "fragments", "border"}
        Which cells go; see `analyze_field`.

    Returns
    -------
    FieldResult
        What `analyze_field` gives for the same choice; the same object for ``"nothing"``.

    Raises
    ------
    SettingsError
        If the word is another one.
    """
    masks = without_cells(result.masks, result.cells, what)
    if what == "nothing":
        return result
    kept = np.isin(result.cells["cell_id"].to_numpy(), masks.cell_ids)
    return dataclasses.replace(
        result,
        masks=masks,
        probabilities=result.probabilities[kept],
        answers=result.answers.rows(kept) if result.answers is not None else None,
        provenance={**result.provenance, "leave_out": what},
        notes=(*result.notes, *_left_out(result.n_cells - masks.n_cells, result.n_cells, what)),
    )


def _read(path: str | Path) -> Field:
    """Read a field; the readers are imported only when a path is given."""
    from organelle_widgets.io import read_field

    return read_field(path)


def _find_cells(
    field: Field, finder: Segmenter, previous: FieldResult | ProbabilityMaps | None
) -> tuple[Masks, ProbabilityMaps | None]:
    """Masks, and the maps that they were outlined in where the segmenter has such."""
    if not isinstance(finder, MapSegmenter):
        return finder.segment(field), None
    maps = _known_maps(field, previous)
    if maps is None or maps.made_by != finder.made_by:
        maps = finder.predict(field)
    return finder.label(field, maps), maps


def _known_maps(
    field: Field, previous: FieldResult | ProbabilityMaps | None
) -> ProbabilityMaps | None:
    """The maps that an earlier analysis of the field left."""
    if isinstance(previous, FieldResult):
        return previous.maps if previous.field is field else None
    return previous


def _classifying(n_cells: int) -> str:
    """The step in words."""
    return f"Classifying {n_cells} cell{'' if n_cells == 1 else 's'}"


def _left_out(n_gone: int, n_found: int, what: LeaveOut) -> tuple[str, ...]:
    """How many cells were left out, if any."""
    if not n_gone:
        return ()
    where = "more than half out of view" if what == "fragments" else "at the edge of the field"
    return (f"{n_gone} of {n_found} cells {'is' if n_gone == 1 else 'are'} left out: {where}.",)


@contextmanager
def _timed(timings: dict[str, float], step: str) -> Iterator[None]:
    """Write the seconds that a step takes into `timings`."""
    start = time.perf_counter()
    yield
    timings[step] = time.perf_counter() - start


def provenance_of(segmenter: Segmenter, classifier: Classifier, threshold: float) -> dict[str, Any]:
    """How results come about here and now.

    Parameters
    ----------
    segmenter : Segmenter
        With its settings.
    classifier : Classifier
        With its settings.
    threshold : float
        Probability from which a class counts as predicted, 0 to 1.

    Returns
    -------
    dict
        ``created``, versions of this package, Python and its ``packages``, ``segmenter`` and ``classifier`` with
        settings and checksums of weights, ``threshold``; JSON-serialisable.
    """
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "organelle_widgets": organelle_widgets.__version__,
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "segmenter": segmenter.provenance(),
        "classifier": classifier.provenance(),
        "threshold": threshold,
    }


def _version(package: str) -> str | None:
    """The installed version of a package, without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
