"""Outlines, colours and boxes of cells."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from organelle_widgets.core.labels import CLASSES
from organelle_widgets.errors import InputError
from organelle_widgets.render.composite import hex_to_rgb
from organelle_widgets.render.overlay import (
    NOT_SURE_COLOR,
    box_table,
    cell_colors,
    draw_boxes,
    draw_outlines,
    outlines,
)

TWO = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 3, 3, 3, 7, 7, 7],
        [0, 3, 3, 3, 7, 7, 7],
        [0, 3, 3, 3, 7, 7, 7],
        [0, 0, 0, 0, 0, 0, 0],
    ]
)


def test_outlines_lie_inside_and_leave_the_fields_edge_open():
    assert outlines(TWO).astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 1, 1],
        [0, 1, 0, 1, 1, 0, 0],
        [0, 1, 1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ]


def test_wider_outlines_grow_inwards():
    assert (outlines(TWO, 2) == (TWO > 0)).all()
    big = np.zeros((20, 20), int)
    big[2:18, 2:18] = 1
    line = outlines(big, 3)
    assert line.sum() == 16 * 16 - 10 * 10
    assert not line[5:15, 5:15].any()


def test_nothing_to_outline():
    assert not outlines(np.zeros((3, 4), int)).any()
    assert not outlines(np.ones((3, 4), int)).any()


def test_colors_follow_the_answer(disc_result):
    colors = cell_colors(disc_result.predictions())
    expected = [CLASSES[0].color, NOT_SURE_COLOR, CLASSES[18].color]
    assert colors.tolist() == [list(hex_to_rgb(color)) for color in expected]
    assert cell_colors([]).shape == (0, 3)


def test_each_cell_is_drawn_in_its_color():
    image = np.full((5, 7, 3), 9, np.uint8)
    drawn = draw_outlines(image, TWO, np.array([[255, 0, 0], [0, 0, 255]], np.uint8))
    assert drawn[1, 1].tolist() == [255, 0, 0]
    assert drawn[1, 4].tolist() == [0, 0, 255]
    assert drawn[2, 2].tolist() == drawn[0, 0].tolist() == [9, 9, 9]
    assert (image == 9).all()


def test_the_selected_cell_is_white():
    image = np.zeros((5, 7, 3), np.uint8)
    drawn = draw_outlines(image, TWO, np.full((2, 3), 50, np.uint8), selected=7)
    assert (drawn[1:4, 4:][outlines(TWO, 2)[1:4, 4:]] == 255).all()
    assert drawn[1, 1].tolist() == [50, 50, 50]


def test_pictures_and_colors_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"shape \(5, 7, 3\), as the labels; found \(5, 7\)"):
        draw_outlines(np.zeros((5, 7), np.uint8), TWO, np.zeros((2, 3), np.uint8))
    with pytest.raises(InputError, match=r"shape \(2, 3\); found \(1, 3\)"):
        draw_outlines(np.zeros((5, 7, 3), np.uint8), TWO, np.zeros((1, 3), np.uint8))


def test_boxes_say_code_and_confidence(disc_result):
    boxes = box_table(disc_result)
    assert boxes["text"].tolist() == ["NP 0.90", "? 0.40", "NE 0.80"]
    assert boxes["cell_id"].tolist() == [2, 5, 9]
    assert boxes.loc[0, ["min_row", "min_col", "max_row", "max_col"]].tolist() == [29, 29, 92, 92]
    assert boxes["color"].tolist() == [CLASSES[0].color, NOT_SURE_COLOR, CLASSES[18].color]


def test_boxes_follow_the_threshold(disc_result):
    assert box_table(disc_result, 0.3)["code"].tolist() == ["NP", "GA", "NE"]
    assert box_table(disc_result, 0.95)["code"].tolist() == ["?", "?", "?"]


def test_boxes_of_no_cells(empty_result):
    assert box_table(empty_result).empty


def test_boxes_land_on_their_pixels(disc_result):
    axes = Figure().add_subplot()
    draw_boxes(axes, box_table(disc_result), factor=2)
    (first, *_) = axes.patches
    assert first.get_bbox().extents.tolist() == [14.0, 14.0, 45.5, 45.5]
    assert [text.get_text() for text in axes.texts] == ["NP 0.90", "? 0.40", "NE 0.80"]


def test_boxes_can_hold_the_code_alone(disc_result):
    axes = Figure().add_subplot()
    draw_boxes(axes, box_table(disc_result), column="code")
    assert [text.get_text() for text in axes.texts] == ["NP", "?", "NE"]
