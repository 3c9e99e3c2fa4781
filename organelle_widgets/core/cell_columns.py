"""The columns of a table of cells and what they mean, the same in every file and store that holds one."""

from __future__ import annotations

from organelle_widgets.core.cells import CELL_COLUMNS
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.core.results import PROBABILITY_COLUMNS

__all__ = ["CELL_TABLE_COLUMNS", "PROBABILITY_MEANINGS"]

PROBABILITY_MEANINGS: dict[str, str] = {
    column: f"Probability of the class {name}, 0 to 1."
    for column, name in zip(PROBABILITY_COLUMNS, CLASS_NAMES, strict=True)
}
"""Names of the 19 probability columns and their definitions."""

CELL_TABLE_COLUMNS: dict[str, str] = {
    **CELL_COLUMNS,
    "predicted_classes": "Names of the classes at or above the threshold, most probable first, with | "
    "between them; empty where the answer is not sure.",
    "top_class": "Name of the class that the confidence belongs to.",
    "confidence": "Probability of the first predicted class, or of the most probable one where not sure.",
    "unusual": "Whether the cell is unlike any that the classifier was trained on; then the answer is not sure.",
    "strangeness": "How unlike: below 1 for 99 of 100 real cells of the kind that the classifier was made for; empty "
    "where the classifier does not say.",
    **PROBABILITY_MEANINGS,
}
"""Names of the columns of `organelle_widgets.core.results.FieldResult.table` and their definitions."""
