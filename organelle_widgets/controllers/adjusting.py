"""Which changes a result can follow by itself, and how the page stays the same meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.segmentation import SEGMENTERS, MapSegmenter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.state import Shown

__all__ = ["QUICK_S", "answers_at_once", "same_cell"]

QUICK_S = 1.5
"""A network that took up to so many seconds may run again while a slider moves, once, to have its maps."""


def answers_at_once(shown: Shown | None, choices: Mapping[str, Any]) -> bool:
    """Whether the result on the page can follow changed choices by itself.

    Which cells at the border are left out never takes the network. Settings don't where the network does not depend
    on them, and what it saw is kept, or it is so quick that it can look again.

    Parameters
    ----------
    shown : Shown or None
        What is on the page.
    choices : mapping
        The choices of now, by the names that `PageState` has for them.

    Returns
    -------
    bool
        False also where nothing has changed.
    """
    if shown is None or shown.result is None:
        return False
    changed = {name for name, value in shown.choices.items() if choices[name] != value}
    if not changed or changed - {"settings", "leave_out"}:
        return False
    return "settings" not in changed or _relabels(shown.choices["settings"], choices, shown.result)


def _relabels(before: Mapping[str, Any], choices: Mapping[str, Any], result: FieldResult) -> bool:
    """Whether cells can be outlined with other settings in a moment."""
    segmenter = SEGMENTERS.get(choices["segmenter"]).cls
    now = choices["settings"]
    if not issubclass(segmenter, MapSegmenter):
        return False
    if any(before.get(name) != now.get(name) for name in segmenter.map_settings):
        return False
    return result.maps is not None or result.timings.get("segmentation", np.inf) <= QUICK_S


def same_cell(before: FieldResult | None, after: FieldResult | None, cell_id: int) -> int:
    """The cell of a new result that is where a cell of the one before was.

    Parameters
    ----------
    before, after : FieldResult or None
        Two results.
    cell_id : int
        A cell of the first; 0 for none.

    Returns
    -------
    int
        The cell that covers most of the old one's nucleus, or of the old one where it has none; 0 where that place
        belongs to no cell any more, and where the results are of different fields.
    """
    if before is None or after is None or before.field is not after.field:
        return 0
    if cell_id not in before.cells["cell_id"].to_numpy():
        return 0
    row = before.cells.iloc[before.row_of(cell_id)]
    box = (slice(row["min_row"], row["max_row"]), slice(row["min_col"], row["max_col"]))
    inside = before.masks.nuclei[box] == cell_id
    if not inside.any():
        inside = before.masks.cells[box] == cell_id
    return int(np.bincount(after.masks.cells[box][inside]).argmax())
