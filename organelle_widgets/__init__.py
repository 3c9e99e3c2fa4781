"""Where in the cell is this protein? Find out in Jupyter, in Voila or on the command line.

Segment the cells of a four-channel immunofluorescence field, classify each into 19 organelle classes, and explore
the result. Public names are loaded when they are first used: importing the package loads neither torch nor TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks
    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.io import discover_fields, read_field
    from organelle_widgets.pipeline import analyze_field
    from organelle_widgets.render.charts.probability import ProbabilityChart
    from organelle_widgets.results import open_results
    from organelle_widgets.synthetic import virtual_field

__version__ = "0.1.0"

_LAZY = {
    "Dashboard": "organelle_widgets.app",
    "Field": "organelle_widgets.core.field",
    "FieldResult": "organelle_widgets.core.results",
    "Masks": "organelle_widgets.core.masks",
    "Monitor": "organelle_widgets.core.monitor",
    "ProbabilityChart": "organelle_widgets.render.charts.probability",
    "analyze_field": "organelle_widgets.pipeline",
    "discover_fields": "organelle_widgets.io",
    "open_results": "organelle_widgets.results",
    "read_field": "organelle_widgets.io",
    "virtual_field": "organelle_widgets.synthetic",
}

__all__ = [
    "Dashboard",
    "Field",
    "FieldResult",
    "Masks",
    "Monitor",
    "ProbabilityChart",
    "analyze_field",
    "discover_fields",
    "open_results",
    "read_field",
    "virtual_field",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
