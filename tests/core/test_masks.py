"""Masks check themselves."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.core.masks import Masks, relabel
from organelle_widgets.errors import InputError

CELLS = np.array([[2, 2, 0], [2, 5, 5]])
NUCLEI = np.array([[0, 2, 0], [0, 0, 0]])


def test_ids_with_gaps_and_a_cell_without_a_nucleus():
    masks = Masks(NUCLEI, CELLS)
    assert masks.cell_ids.tolist() == [2, 5]
    assert (masks.n_cells, masks.shape) == (2, (2, 3))
    assert masks.cells.dtype == masks.nuclei.dtype == np.int32
    assert repr(masks) == "Masks(3 x 2 px, 2 cells)"


def test_no_cells():
    nothing = np.zeros((2, 3), np.uint16)
    assert Masks(nothing, nothing).n_cells == 0


def test_masks_can_not_be_changed():
    masks = Masks(NUCLEI, CELLS)
    with pytest.raises(ValueError, match="read-only"):
        masks.cells[0, 0] = 1


@pytest.mark.parametrize(
    ("nuclei", "cells", "words"),
    [
        (NUCLEI[:1], CELLS, r"one shape; found nuclei \(1, 3\) and cells \(2, 3\)"),
        (np.full((2, 3), 3), CELLS, r"nucleus to have a cell of its id; found none for \[3\]"),
        (NUCLEI > 0, CELLS, "whole-number labels; found dtype bool. Label a binary mask first"),
        (NUCLEI, CELLS * 1.0, "mask of cells with whole-number labels; found dtype float64"),
        (NUCLEI, CELLS - 1, r"pixels \(6\); found -1 to 4"),
        (NUCLEI, CELLS * 1000, r"found 0 to 5000. Renumber"),
        (NUCLEI[0], CELLS, r"shape \(Y, X\); found \(3,\)"),
    ],
)
def test_masks_that_are_none(nuclei, cells, words):
    with pytest.raises(InputError, match=words):
        Masks(nuclei, cells)


def test_relabel_keeps_order_and_regions():
    assert relabel(CELLS).tolist() == [[1, 1, 0], [1, 2, 2]]
    assert relabel(np.array([[9, 4]])).tolist() == [[2, 1]]
    assert relabel(np.zeros((2, 2), int)).tolist() == [[0, 0], [0, 0]]
    assert relabel(np.array([[-3, 0, 5]])).tolist() == [[1, 0, 2]]
