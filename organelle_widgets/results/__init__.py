"""The results folder of a run: tables of cells, fields and failures, masks and thumbnails; written and queried."""

from __future__ import annotations

from organelle_widgets.results._folder import is_results
from organelle_widgets.results._sql import quoted
from organelle_widgets.results.reader import Results, open_results
from organelle_widgets.results.schema import RESULTS_SCHEMA_VERSION
from organelle_widgets.results.writer import ResultsWriter

__all__ = [
    "RESULTS_SCHEMA_VERSION",
    "Results",
    "ResultsWriter",
    "is_results",
    "open_results",
    "quoted",
]
