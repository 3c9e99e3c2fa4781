"""State tells of every change, once."""

from __future__ import annotations

import numpy as np

from organelle_widgets.core.field import Field
from organelle_widgets.state import PageState, Progress, Shown


def test_a_change_is_told_once_and_an_equal_value_not_at_all() -> None:
    state, seen = PageState(), []
    state.events.selected.connect(seen.append)
    state.selected = 3
    state.selected = 3
    state.selected = 0
    assert seen == [3, 0]


def test_field_and_result_come_from_one_snapshot() -> None:
    state = PageState()
    assert state.field is None
    assert state.result is None
    field = Field(np.zeros((4, 8, 9), np.uint8))
    state.shown = Shown(field, None, "pictures")
    assert state.field is field
    assert state.result is None


def test_busy_while_there_is_progress() -> None:
    state = PageState()
    assert not state.busy
    state.progress = Progress("Finding cells", 0.2)
    assert state.busy


def test_two_pages_do_not_share_settings() -> None:
    one, other = PageState(), PageState()
    one.settings = {"smallest_cell_um2": 50}
    one.files["blue"] = "x"
    assert other.settings == {}
    assert other.files == {}
