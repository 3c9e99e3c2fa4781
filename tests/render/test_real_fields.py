"""Rendering on real fields: dim ones become visible, many cells stay fast."""

from __future__ import annotations

import time

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks, relabel
from organelle_widgets.render.composite import composite, field_windows
from organelle_widgets.render.thumbnails import cell_thumbnails

pytestmark = pytest.mark.data
KEYS = ("red", "green", "blue", "yellow")


def planes(folder, name: str) -> np.ndarray:
    return np.stack([iio.imread(folder / f"{name}_{key}.png") for key in KEYS])


def test_dim_and_bright_fields_use_the_whole_range(data):
    names = sorted(p.name.removesuffix("_blue.png") for p in data.glob("fields_512/*_blue.png"))
    for name in names[::6]:
        field = Field(planes(data / "fields_512", name), name)
        for key, (low, high) in field_windows(field).items():
            image = composite(field, [key], colors={key: "#FFFFFF"})[..., 0]
            assert low <= np.median(field.channel(key)), name
            assert high - low >= 12, name
            assert 0.0005 < (image >= 240).mean() < 0.05, (name, key)


def test_three_hundred_cells_of_a_full_field(data):
    folder, name = data / "fields", "000a6c98-bb9b-11e8-b2b9-ac1f6b6435d0"
    field = Field(planes(folder, name), name)
    cells = relabel(iio.imread(folder / f"{name}_cellmask.png"))
    masks = Masks(np.zeros_like(cells), cells)
    table = cell_table(masks, field.pixel_size_um)
    many = pd.concat([table] * 20).iloc[:300]
    start = time.process_time()
    pictures = cell_thumbnails(field, masks, many)
    assert time.process_time() - start < 3  # a fraction of a second on an idle core
    assert (pictures[: len(table)] == pictures[len(table) : 2 * len(table)]).all()
    middle = pictures[: len(table), 32:64, 32:64].max(axis=(1, 2, 3))
    assert (middle > 80).mean() > 0.8
