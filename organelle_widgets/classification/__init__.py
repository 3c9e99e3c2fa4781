"""Classifying cells into the 19 organelle classes: one file per backend, all behind `Classifier`."""

from __future__ import annotations

from organelle_widgets.classification._base import CLASSIFIERS, Classifier, make_classifier
from organelle_widgets.classification._crops import CellCutter, CropRule, cut_crops
from organelle_widgets.classification._ensemble import Ensemble
from organelle_widgets.classification._windows import WindowCutter, WindowRule

__all__ = [
    "CLASSIFIERS",
    "CellCutter",
    "Classifier",
    "CropRule",
    "Ensemble",
    "WindowCutter",
    "WindowRule",
    "cut_crops",
    "make_classifier",
]
