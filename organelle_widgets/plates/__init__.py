"""Statistics of many fields: classes by group, two groups compared, plate maps, quality; and their charts.

Public names are loaded when they are first used: to read the name of a well takes no SciPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from organelle_widgets.plates.charts import RUN_CHARTS, RunChart
    from organelle_widgets.plates.comparison import compare_groups
    from organelle_widgets.plates.fractions import class_fractions
    from organelle_widgets.plates.quality import well_quality
    from organelle_widgets.plates.wells import Well, parse_well

_LAZY = {
    "RUN_CHARTS": "organelle_widgets.plates.charts",
    "RunChart": "organelle_widgets.plates.charts",
    "Well": "organelle_widgets.plates.wells",
    "class_fractions": "organelle_widgets.plates.fractions",
    "compare_groups": "organelle_widgets.plates.comparison",
    "parse_well": "organelle_widgets.plates.wells",
    "well_quality": "organelle_widgets.plates.quality",
}

__all__ = [
    "RUN_CHARTS",
    "RunChart",
    "Well",
    "class_fractions",
    "compare_groups",
    "parse_well",
    "well_quality",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
