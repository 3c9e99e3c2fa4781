"""Layouts: sizes follow the style, and spindles stand across the chromosomes."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.synthetic.geometry import Style, lay_out
from organelle_widgets.synthetic.view import Spindle

STYLE = Style(radius_um=15, elongation=1.4, ruggedness=1, cover=0.6)


def test_styles_differ_and_stay_in_range():
    styles = [Style.draw(np.random.default_rng(seed)) for seed in range(60)]
    radii = np.array([style.radius_um for style in styles])
    assert radii.min() >= 9
    assert radii.max() <= 28
    assert radii.std() > 2


def test_a_lone_cell_has_its_styles_size():
    areas = []
    for seed in range(12):
        laid = lay_out(
            np.random.default_rng(seed),
            (400, 400),
            0.4,
            dividing=[False],
            style=STYLE,
            margin_px=120,
        )
        areas.append((laid.cells > 0).sum() * 0.4**2)
        assert (laid.nuclei > 0).sum() * 0.4**2 < 0.6 * areas[-1]
    assert np.median(areas) == pytest.approx(np.pi * 15**2, rel=0.35)


def test_more_cells_than_room_are_smaller():
    laid = lay_out(np.random.default_rng(0), (200, 200), 0.4, dividing=[False] * 100, style=STYLE)
    areas = np.bincount(laid.cells.ravel())[1:] * 0.4**2
    assert len(areas) == 100
    assert np.median(areas) < 80


def test_spindle_and_poles():
    laid = lay_out(
        np.random.default_rng(3), (200, 200), 0.2, dividing=[True], style=STYLE, margin_px=80
    )
    spindle = laid.spindles[1]
    rows, cols = np.nonzero(laid.nuclei == 1)
    assert np.hypot(rows.mean() - spindle.row, cols.mean() - spindle.col) * 0.2 < 1
    for row, col in spindle.poles(0.2).round().astype(int):
        assert laid.cells[row, col] == 1


def test_poles_are_a_half_length_from_the_middle():
    poles = Spindle(10, 20, np.pi / 2, 4).poles(0.5)
    np.testing.assert_allclose(poles, [[10, 28], [10, 12]], atol=1e-9)
