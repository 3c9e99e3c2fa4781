"""Finding nuclei and cells: one file per backend, all behind `Segmenter`."""

from __future__ import annotations

from organelle_widgets.segmentation._base import SEGMENTERS, Segmenter, make_segmenter

__all__ = ["SEGMENTERS", "Segmenter", "make_segmenter"]
