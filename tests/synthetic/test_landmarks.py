"""Nucleoli lie inside nuclei, the centrosome beside them."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.synthetic.grids import distance_um
from organelle_widgets.synthetic.landmarks import draw_nucleoli, find_centrosome
from organelle_widgets.synthetic.view import CellView

PX = 0.2


@pytest.fixture
def disc_view():
    """A round cell whose nucleus is off to the left."""
    rows, cols = np.mgrid[:160, :160]
    cell = np.hypot(rows - 80, cols - 80) < 75
    nucleus = np.hypot(rows - 80, cols - 50) < 28
    return CellView(cell, nucleus, PX, (0.0, 0.0), np.zeros(cell.shape, np.float32))


def test_nucleoli_are_inside(disc_view):
    for seed in range(5):
        drawn = draw_nucleoli(np.random.default_rng(seed), disc_view.inside_um, PX)
        assert not drawn[~disc_view.nucleus].any()
        assert 1 < (drawn > 0.5).sum() * PX**2 < 0.6 * disc_view.nucleus.sum() * PX**2
        assert drawn.max() <= 1


def test_no_nucleus_no_nucleoli():
    drawn = draw_nucleoli(np.random.default_rng(0), np.zeros((20, 20), np.float32), PX)
    assert not drawn.any()


def test_centrosome_is_beside_the_nucleus_on_the_roomy_side(disc_view):
    found = [find_centrosome(np.random.default_rng(seed), disc_view) for seed in range(20)]
    away = distance_um(~disc_view.nucleus, PX)
    assert all(away[int(row), int(col)] < 2.2 for row, col in found)
    assert np.mean([col for _, col in found]) > 55


def test_bright_microtubules_draw_the_centrosome(disc_view):
    red = np.zeros(disc_view.shape, np.float32)
    red[105:112, 60:68] = 1
    found = [find_centrosome(np.random.default_rng(seed), disc_view, red) for seed in range(20)]
    assert np.median([row for row, _ in found]) > 95


def test_pick_follows_weights(disc_view):
    rng = np.random.default_rng(0)
    weights = np.zeros(disc_view.shape)
    weights[10:12, 20:22] = 1
    points = disc_view.pick(rng, weights, 50)
    assert points.shape == (50, 2)
    assert np.abs(points - [10.5, 20.5]).max() <= 1
    assert disc_view.pick(rng, weights * 0, 5).shape == (0, 2)
