"""Training the embedded models: what they learn from, the networks, the fits, and the scores on what was kept aside."""

from __future__ import annotations

from organelle_widgets.training.classifier import train_classifier
from organelle_widgets.training.embedded import train_embedded
from organelle_widgets.training.segmenter import train_segmenter
from organelle_widgets.training.split import held_out

__all__ = ["held_out", "train_classifier", "train_embedded", "train_segmenter"]
