"""The page of a whole result."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.render.overview import overview_figure


def words(figure) -> str:
    axes = [text.get_text() for ax in figure.axes for text in ax.texts]
    return "\n".join([text.get_text() for text in figure.texts] + axes)


def test_the_page_says_it_all(disc_result):
    figure = overview_figure(disc_result, dpi=40)
    text = words(figure)
    for expected in (
        "discs",
        "240 × 160 px · 77 × 51 µm · 0.32 µm/px (as given) · 3 cells · analysed in 1.0 s",
        "Not sure",
        "confidence 0.40",
        "Nuclei, Microtubules, ER",
        "CELLS PER CLASS",
        "NP 0.90",
        "10 µm",
    ):
        assert expected in text
    assert sum(bool(axes.images) for axes in figure.axes) == 6


def test_no_cells_is_said_in_words(empty_result):
    figure = overview_figure(empty_result, dpi=40)
    assert "No cells found" in words(figure)
    assert "confidence" not in words(figure)


def test_a_missing_channel_is_named(disc_result):
    field = dataclasses.replace(disc_result.field.without("red"), notes=("No tubulin.",))
    result = FieldResult(field, disc_result.masks, disc_result.probabilities)
    text = words(overview_figure(result, dpi=40))
    assert "Microtubules: no image" in text
    assert "Nuclei, ER" in text
    assert "No tubulin." in text


@pytest.mark.parametrize("shape", [(40, 400), (400, 40), (1, 1), (64, 64)])
def test_any_shape_fits_on_a_page(shape):
    nothing = np.zeros(shape, np.int32)
    field = Field(np.zeros((4, *shape), np.uint16), "thin")
    result = FieldResult(field, Masks(nothing, nothing), np.zeros((0, 19)))
    figure = overview_figure(result, dpi=30)
    width, height = figure.get_size_inches()
    assert width == 12
    assert 6 < height < 16
    for axes in figure.axes:
        (col, row), (right, top) = axes.get_position().get_points()
        assert 0 <= col < right <= 1
        assert 0 <= row < top <= 1


def test_many_cells_lose_their_labels_not_their_outlines():
    rows, cols = np.mgrid[:260, :260]
    cells = (rows // 20 * 13 + cols // 20 + 1).astype(np.int32)
    cells[(rows % 20 < 2) | (cols % 20 < 2)] = 0
    field = Field(np.zeros((4, 260, 260), np.uint8))
    result = FieldResult(field, Masks(np.zeros_like(cells), cells), np.full((169, 19), 0.9))
    figure = overview_figure(result, dpi=40)
    assert "NP" not in [text.get_text() for ax in figure.axes[1:2] for text in ax.texts]
    assert figure.axes[1].images[0].get_array().max() > 100
