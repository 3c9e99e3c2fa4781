"""Small pictures of single cells."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.render.thumbnails import cell_channels, cell_thumbnails


@pytest.fixture
def two_squares() -> tuple[Field, Masks]:
    """Two flat bright squares side by side, 40 px wide, ids 3 and 8."""
    cells = np.zeros((120, 160), np.int32)
    cells[40:80, 40:80] = 3
    cells[40:80, 84:124] = 8
    pixels = np.broadcast_to((cells > 0) * np.uint8(200), (4, 120, 160)).copy()
    return Field(pixels), Masks(np.zeros_like(cells), cells)


def test_the_cell_is_bright_and_its_neighbour_dim(two_squares):
    field, masks = two_squares
    table = cell_table(masks, 1.0)
    white = {"green": "#FFFFFF"}
    left, right = cell_thumbnails(field, masks, table, 44, ["green"], colors=white)
    assert left[22, 22].tolist() == right[22, 22].tolist() == [255, 255, 255]
    wide = table.assign(min_col=0, max_col=160)
    picture = cell_thumbnails(field, masks, wide, 160, ["green"], colors=white)[0]
    assert picture.max() == 255
    values = set(np.unique(picture)) - set(range(90, 255)) - set(range(1, 89))
    assert values == {0, 89, 255}


def test_the_cell_is_centred_and_fills_the_picture(two_squares):
    field, masks = two_squares
    (picture, _) = cell_thumbnails(field, masks, cell_table(masks, 1.0), 112, ["green"])
    rows, cols = np.nonzero(picture[..., 1] > 150)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(55.5, abs=1)
    assert (cols.min() + cols.max()) / 2 == pytest.approx(55.5, abs=1)
    assert rows.max() - rows.min() + 1 == pytest.approx(100, abs=3)


def test_a_large_cell_is_averaged_not_picked(two_squares):
    field, masks = two_squares
    pixels = field.pixels.copy()
    pixels[:, :, ::2] = 0
    striped = cell_thumbnails(Field(pixels), masks, cell_table(masks, 1.0), 8, ["green"])
    middle = striped[0, 2:6, 2:6, 1].astype(int)
    assert middle.max() - middle.min() <= 4


def test_order_and_subset_follow_the_table(disc_result):
    field, masks, cells = disc_result.field, disc_result.masks, disc_result.cells
    every = cell_thumbnails(field, masks, cells, 48)
    some = cell_thumbnails(field, masks, cells.iloc[[1, 0]], 48)
    assert every.shape == (3, 48, 48, 3)
    assert every.dtype == np.uint8
    assert (some == every[[1, 0]]).all()


def test_outside_of_the_field_is_black(disc_result):
    picture = cell_thumbnails(disc_result.field, disc_result.masks, disc_result.cells, 60)[2]
    assert not picture[:, -10:].any()
    assert picture[:, :20].any()


def test_a_tiny_cell_stays_smaller():
    cells = np.zeros((120, 160), np.int32)
    cells[10:50, 10:50], cells[60:100, 60:100], cells[110:112, 110:112] = 1, 2, 3
    masks = Masks(np.zeros_like(cells), cells)
    lit = Field(np.broadcast_to((cells > 0) * np.uint8(200), (4, 120, 160)).copy())
    pictures = cell_thumbnails(lit, masks, cell_table(masks, 1.0), 96, ["green"])
    shares = (pictures[..., 1] > 100).mean(axis=(1, 2))
    assert shares[2] < 0.05 < 0.7 < shares[0]


def test_no_cells(empty_result):
    pictures = cell_thumbnails(empty_result.field, empty_result.masks, empty_result.cells, 32)
    assert pictures.shape == (0, 32, 32, 3)


def test_channels_of_one_cell(disc_result):
    pictures = cell_channels(
        disc_result.field, disc_result.masks, disc_result.cells.iloc[0], size_px=70
    )
    assert pictures.shape == (5, 70, 70, 3)
    middle = pictures[:, 35, 35].astype(int)
    assert middle[2].argmax() == 2  # the nucleus is blue
    assert middle[1].argmax() == 1  # its protein green
    assert (middle[4] >= middle[2]).all()


def test_channels_of_a_cell_on_the_border_without_er(disc_result):
    field = disc_result.field.without("yellow")
    pictures = cell_channels(field, disc_result.masks, disc_result.cells.iloc[2], 64)
    assert not pictures[3].any()
    assert not pictures[4, :, -12:].any()
    assert pictures[4].any()


def test_channels_match_the_thumbnail_at_the_same_size(two_squares):
    field, masks = two_squares
    table = cell_table(masks, 1.0)
    alone = cell_channels(field, masks, table.iloc[1], 96)[1]
    thumbnail = cell_thumbnails(field, masks, table, 96, ["green"])[1]
    assert np.abs(alone.astype(int) - thumbnail).max() <= 1
