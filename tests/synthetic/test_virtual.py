"""Whole virtual fields: what is promised of their arrays, masks, labels and arguments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import find_objects, label

from organelle_widgets.core.cells import cell_table
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.synthetic import virtual_field


@pytest.fixture(scope="module")
def crowd():
    """About a hundred cells at the scale at which cells are found."""
    return virtual_field((480, 640), seed=11, pixel_size_um=0.32)


def test_same_seed_same_pixels():
    first, again = (virtual_field((96, 120), seed=5, pixel_size_um=0.3) for _ in range(2))
    np.testing.assert_array_equal(first.field.pixels, again.field.pixels)
    np.testing.assert_array_equal(first.masks.cells, again.masks.cells)
    assert first.labels == again.labels


def test_other_seed_other_pixels():
    first, second = (virtual_field((96, 96), seed=s, pixel_size_um=0.3).field for s in (1, 2))
    assert (first.pixels != second.pixels).mean() > 0.1


@pytest.mark.parametrize("shape", [(64, 64), (65, 131), (8, 200)])
@pytest.mark.parametrize("pixel_size_um", [0.05, 0.08, 0.33, 1.5])
def test_any_size(shape, pixel_size_um):
    drawn = virtual_field(shape, seed=3, pixel_size_um=pixel_size_um)
    assert drawn.field.shape == drawn.masks.shape == shape
    assert drawn.field.pixel_size_um == pixel_size_um
    assert set(drawn.labels) == set(drawn.masks.cell_ids.tolist())


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_dtype(dtype, top):
    pixels = virtual_field((128, 96), seed=2, pixel_size_um=0.25, dtype=dtype).field.pixels
    assert pixels.dtype == dtype
    assert 0.3 * top < pixels.max() <= top
    assert pixels.min() == 0


def test_ids_run_from_one_and_nuclei_lie_in_their_cells(crowd):
    ids = crowd.masks.cell_ids
    np.testing.assert_array_equal(ids, np.arange(1, len(ids) + 1))
    inside = crowd.masks.nuclei > 0
    np.testing.assert_array_equal(crowd.masks.nuclei[inside], crowd.masks.cells[inside])


def test_every_cell_is_one_piece(crowd):
    for cell, window in enumerate(find_objects(crowd.masks.cells), 1):
        pieces = label(crowd.masks.cells[window] == cell, np.ones((3, 3)))[1]
        # a cell may be cut in two by the edge of the field, but not otherwise
        assert pieces == 1 or bool(cell_table(crowd.masks, 0.32).touches_border[cell - 1])


def test_cells_touch_and_borders_cut(crowd):
    cells = crowd.masks.cells
    left, right = cells[:, :-1], cells[:, 1:]
    assert ((left != right) & (left > 0) & (right > 0)).sum() > 100
    assert cell_table(crowd.masks, 0.32).touches_border.mean() > 0.05


def test_sizes_are_those_of_cells(crowd):
    table = cell_table(crowd.masks, 0.32)
    whole = table[~table.touches_border]
    across = np.sqrt(4 / np.pi * whole.area_um2)
    nuclei = np.sqrt(4 / np.pi * whole.nucleus_area_um2)
    assert 15 < across.median() < 45
    assert 8 < nuclei.median() < 20
    assert (whole.nucleus_area_um2 < whole.area_um2).all()
    assert 0.3 < (crowd.masks.cells > 0).mean() < 0.9


def test_channels_show_what_they_should(crowd):
    red, _, blue, yellow = crowd.field.scaled()
    nucleus, cell = crowd.masks.nuclei > 0, crowd.masks.cells > 0
    cytoplasm = cell & ~nucleus
    assert blue[nucleus].mean() > 8 * blue[cytoplasm].mean()
    assert red[cytoplasm].mean() > 2 * red[nucleus].mean()
    assert yellow[cytoplasm].mean() > 2 * yellow[nucleus].mean()
    for plane in (red, blue, yellow):
        assert plane[~cell].mean() < 0.2 * plane[cell].mean()


@pytest.mark.parametrize("n_cells", [0, 1, 2, 17])
def test_as_many_cells_as_asked(n_cells):
    drawn = virtual_field((200, 260), seed=n_cells, pixel_size_um=0.4, n_cells=n_cells)
    assert drawn.masks.n_cells == len(drawn.labels) == n_cells


def test_classes_of_every_kind():
    def labels(classes):
        drawn = virtual_field((160, 160), seed=4, pixel_size_um=0.5, classes=classes)
        return set(drawn.labels.values())

    assert labels(2) == labels("Nucleoli") == labels("no") == {(2,)}
    assert labels([16, "Nucleoplasm", 0]) == {(0, 16)}
    assert labels([[2], ["Golgi apparatus", 16]]) == {(2,), (7, 16)}
    assert labels([2, (7, 16)]) == {(2,), (7, 16)}


def test_no_class_given_means_all_kinds():
    drawn = virtual_field((512, 512), seed=0, pixel_size_um=0.6)
    single = {own[0] for own in drawn.labels.values() if len(own) == 1}
    assert len(single) >= 12
    assert any(len(own) > 1 for own in drawn.labels.values())


def test_dividing_cells_are_round_and_bright():
    drawn = virtual_field((400, 400), seed=1, pixel_size_um=0.3, classes=[[11], [16]])
    blue = drawn.field.channel("blue")
    table = cell_table(drawn.masks, 0.3).set_index("cell_id")
    dividing = [c for c, own in drawn.labels.items() if own == (11,)]
    usual = [c for c, own in drawn.labels.items() if own == (16,)]
    assert table.area_um2[dividing].median() < 0.7 * table.area_um2[usual].median()

    def brightness(cells):
        nuclei = drawn.masks.nuclei
        return np.median([np.median(blue[nuclei == c]) for c in cells if (nuclei == c).any()])

    assert brightness(dividing) > 1.2 * brightness(usual)


def test_nuclear_classes_never_divide():
    small = {"seed": 8, "pixel_size_um": 0.4, "n_cells": 6}
    usual = virtual_field((200, 200), classes=0, mitotic_fraction=0.0, **small)
    asked = virtual_field((200, 200), classes=0, mitotic_fraction=1.0, **small)
    np.testing.assert_array_equal(usual.masks.nuclei, asked.masks.nuclei)
    dividing = virtual_field((200, 200), classes=16, mitotic_fraction=1.0, **small)
    assert (dividing.masks.nuclei > 0).sum() < 0.7 * (usual.masks.nuclei > 0).sum()


def test_missing_channels_are_black_and_named():
    drawn = virtual_field((80, 80), seed=1, pixel_size_um=0.4, missing=["ER", "red"])
    assert drawn.field.missing == {"red", "yellow"}
    assert not drawn.field.channel("red").any()
    assert not drawn.field.channel("yellow").any()
    assert drawn.field.channel("blue").any()


def test_leaving_a_channel_out_changes_no_other():
    full, less = (
        virtual_field((80, 80), seed=1, pixel_size_um=0.4, missing=m).field for m in ((), ("red",))
    )
    np.testing.assert_array_equal(full.pixels[1:], less.pixels[1:])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"shape": (4, 100)},
            r"shape: expected two whole numbers of at least 8 px; found \(4, 100\)",
        ),
        ({"shape": (100,)}, "shape: expected two"),
        ({"seed": -1}, "seed: expected a whole number, 0 or more; found -1"),
        ({"pixel_size_um": 0}, "pixel_size_um: expected 0.01 to 5 um; found 0"),
        ({"pixel_size_um": float("nan")}, "pixel_size_um: expected"),
        ({"n_cells": -2}, "n_cells: expected 0 to 64"),
        ({"n_cells": 10_000}, "n_cells: expected 0 to 64"),
        ({"mitotic_fraction": 1.5}, "mitotic_fraction: expected 0 to 1; found 1.5"),
        ({"dtype": "int8"}, "dtype: expected uint8, uint16 or float32; found 'int8'"),
        ({"missing": ["blue"]}, r"missing: expected only red \(Microtubules\) and yellow"),
        ({"missing": "teal"}, "missing: expected only red"),
        ({"classes": []}, "classes: expected at least one class"),
        ({"classes": [[0], []]}, "classes: expected at least one class for every cell"),
    ],
)
def test_bad_arguments(wrong, message):
    with pytest.raises(SettingsError, match=message):
        virtual_field(**{"shape": (64, 64), **wrong})


def test_all_problems_at_once():
    with pytest.raises(SettingsError, match=r"seed: .* dtype: "):
        virtual_field((64, 64), seed=-1, dtype="bool")


def test_unknown_class():
    with pytest.raises(InputError, match="found 'Ribosome'"):
        virtual_field((64, 64), classes="Ribosome")


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": 64},
        {"shape": (100_000, 100_000)},
        {"pixel_size_um": "0.1"},
        {"n_cells": 1.5},
        {"mitotic_fraction": None},
        {"classes": 1.5},
    ],
)
def test_arguments_of_the_wrong_kind_are_explained(wrong):
    with pytest.raises(SettingsError, match=f"{next(iter(wrong))}: expected"):
        virtual_field(**{"shape": (64, 64), **wrong})
