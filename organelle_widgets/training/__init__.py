"""Training the embedded classifier: cells to learn from, the network, the fit, and the scores on fields kept aside."""

from __future__ import annotations

from organelle_widgets.training.classifier import train_classifier
from organelle_widgets.training.split import held_out

__all__ = ["held_out", "train_classifier"]
