"""Finding nuclei and cells: one file per backend, all behind `Segmenter`."""

from __future__ import annotations

from organelle_widgets.segmentation._base import (
    SEGMENTERS,
    MapSegmenter,
    Segmenter,
    make_segmenter,
)

__all__ = ["SEGMENTERS", "MapSegmenter", "Segmenter", "make_segmenter"]
