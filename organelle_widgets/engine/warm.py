"""Load the models of a pipeline before the first field comes."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from organelle_widgets import samples
from organelle_widgets.classification import make_classifier
from organelle_widgets.errors import InputError, SegmentationError
from organelle_widgets.segmentation import make_segmenter

if TYPE_CHECKING:
    from organelle_widgets.classification import Classifier
    from organelle_widgets.segmentation import Segmenter

__all__ = ["warm_up"]


def warm_up(segmenter: str | Segmenter, classifier: str | Classifier) -> None:
    """Run both models over a small field that comes along, so that this process has them loaded.

    Parameters
    ----------
    segmenter : str or Segmenter
        As for `organelle_widgets.analyze_field`.
    classifier : str or Classifier
        As for `organelle_widgets.analyze_field`.

    Raises
    ------
    WeightsError, BackendUnavailableError, SettingsError
        If the models can't be had on this machine.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sample = samples.load_sample(samples.SAMPLES[0].key)
    with suppress(InputError, SegmentationError):  # one that reads masks has none of this field
        make_segmenter(segmenter).segment(sample.field)
    make_classifier(classifier).classify(sample.field, sample.masks)
