"""`organelle_widgets.analyze_field` on another engine: the same call, the same result, and no model in this process.

The field goes out with the work; what comes back is what was found, without the field's pixels, and the result is put
together here. Progress, cancellation and errors pass through.
"""

from __future__ import annotations

import functools
import zlib
from concurrent.futures import CancelledError, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from organelle_widgets.classification import make_classifier
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.core.results import FieldResult
from organelle_widgets.errors import Cancelled
from organelle_widgets.pipeline import analyze_field
from organelle_widgets.segmentation import make_segmenter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from organelle_widgets.classification import Classifier
    from organelle_widgets.core.answers import CellAnswers
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.maps import ProbabilityMaps
    from organelle_widgets.core.quality import FieldQuality
    from organelle_widgets.engine._base import Engine
    from organelle_widgets.segmentation import Segmenter

__all__ = ["WAITING", "Analyze", "analyze_on"]

WAITING = "Waiting for a free worker"
"""The step that is reported until a worker takes the field."""

_LISTEN_EVERY_S = 0.05


class Analyze(Protocol):
    """What analyses one field: `organelle_widgets.analyze_field`, or the same elsewhere."""

    def __call__(
        self,
        field: Field,
        segmenter: str | Segmenter,
        classifier: str | Classifier,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        monitor: Monitor | None = None,
        previous: FieldResult | None = None,
    ) -> FieldResult:
        """Analyse a field; see `organelle_widgets.analyze_field`."""
        ...


def analyze_on(engine: Engine) -> Analyze:
    """`organelle_widgets.analyze_field`, run by an engine.

    Parameters
    ----------
    engine : Engine
        Whose workers have the package.

    Returns
    -------
    callable
        Waits for the result; progress is handed on, and a wish to stop is heard within a tenth of a second.
    """
    return functools.partial(_analyze, engine)


def _analyze(
    engine: Engine,
    field: Field,
    segmenter: str | Segmenter,
    classifier: str | Classifier,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    monitor: Monitor | None = None,
    previous: FieldResult | None = None,
) -> FieldResult:
    """Send the work, listen, and put the result together."""
    monitor = monitor or Monitor()
    monitor.report(WAITING, 0.02)
    steps: list[tuple[str, float]] = []
    job = engine.submit(
        _found_in,
        field,
        make_segmenter(segmenter),
        make_classifier(classifier),
        threshold,
        previous.maps if previous is not None and previous.field is field else None,
        on_progress=lambda step, fraction: steps.append((step, fraction)),
    )
    try:
        while not job.future.done():
            if steps:
                monitor.report(*steps[-1])
                steps.clear()
            elif monitor.cancelled:
                monitor.report("Stopping", 1.0)
            wait([job.future], _LISTEN_EVERY_S)
        return job.result().result(field, threshold)
    except Cancelled:
        job.cancel()
        raise
    except CancelledError as error:
        message = "Stopped on request."
        raise Cancelled(message) from error


@dataclass(frozen=True, eq=False)
class _Found:
    """A result without its field."""

    nuclei: _PackedLabels
    cells: _PackedLabels
    probabilities: NDArray[np.float32]
    timings: Mapping[str, float]
    provenance: Mapping[str, Any]
    notes: tuple[str, ...]
    maps: ProbabilityMaps | None
    quality: FieldQuality | None
    answers: CellAnswers | None

    def result(self, field: Field, threshold: float) -> FieldResult:
        """The whole result."""
        return FieldResult(
            field=field,
            masks=Masks(self.nuclei.unpack(), self.cells.unpack()),
            probabilities=self.probabilities,
            timings=self.timings,
            provenance=self.provenance,
            threshold=threshold,
            notes=self.notes,
            maps=self.maps,
            quality=self.quality,
            answers=self.answers,
        )


@dataclass(frozen=True)
class _PackedLabels:
    """Labels, small enough to be sent."""

    shape: tuple[int, int]
    dtype: str
    content: bytes

    @classmethod
    def of(cls, labels: NDArray[np.int32]) -> _PackedLabels:
        """Pack them."""
        dtype = np.min_scalar_type(int(labels.max(initial=0)))
        content = zlib.compress(labels.astype(dtype).tobytes(), 1)
        return cls((labels.shape[0], labels.shape[1]), dtype.str, content)

    def unpack(self) -> NDArray[np.int32]:
        """The labels, shape (Y, X)."""
        flat = np.frombuffer(zlib.decompress(self.content), self.dtype)
        return flat.reshape(self.shape).astype(np.int32)


def _found_in(
    field: Field,
    segmenter: Segmenter,
    classifier: Classifier,
    threshold: float,
    maps: ProbabilityMaps | None,
    *,
    monitor: Monitor,
) -> _Found:
    """Analyse a field on a worker."""
    result = analyze_field(
        field,
        segmenter,
        classifier,
        threshold=threshold,
        monitor=monitor,
        previous=maps,
    )
    return _Found(
        nuclei=_PackedLabels.of(result.masks.nuclei),
        cells=_PackedLabels.of(result.masks.cells),
        probabilities=result.probabilities,
        timings=result.timings,
        provenance=result.provenance,
        notes=result.notes,
        maps=result.maps,
        quality=result.quality,
        answers=result.answers,
    )
