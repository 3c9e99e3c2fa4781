"""Every class puts its protein where it belongs."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.core.labels import CLASSES, N_CLASSES
from organelle_widgets.synthetic import virtual_field
from organelle_widgets.synthetic.grids import distance_um
from organelle_widgets.synthetic.proteins import MITOTIC_CLASSES, PAINTERS

PX = 0.16
NUCLEAR = (0, 1, 2, 3, 4, 5)
OUTSIDE = (6, 7, 8, 10, 14, 15, 16, 17)


@pytest.fixture(scope="module")
def drawn():
    """One field of each class, three cells each."""
    return [
        virtual_field(
            (280, 280), seed=100 + c, classes=c, pixel_size_um=PX, n_cells=3, mitotic_fraction=0
        )
        for c in range(N_CLASSES)
    ]


def parts(field):
    """Green, and the regions nucleus, cytoplasm and background."""
    green = field.field.scaled()[1]
    nucleus, cell = field.masks.nuclei > 0, field.masks.cells > 0
    return green, nucleus, cell & ~nucleus, ~cell


def test_a_painter_for_every_class():
    assert sorted(PAINTERS) == [c.index for c in CLASSES]
    assert set(MITOTIC_CLASSES) <= set(PAINTERS)


@pytest.mark.parametrize("index", NUCLEAR)
def test_nuclear_classes_are_in_the_nucleus(drawn, index):
    green, nucleus, cytoplasm, _ = parts(drawn[index])
    assert green[nucleus].mean() > 3 * green[cytoplasm].mean()


@pytest.mark.parametrize("index", OUTSIDE)
def test_cytoplasmic_classes_are_outside_the_nucleus(drawn, index):
    green, nucleus, cytoplasm, background = parts(drawn[index])
    assert green[cytoplasm].mean() > 1.3 * green[nucleus].mean()
    assert green[cytoplasm].mean() > 3 * green[background].mean()


def test_membrane_of_the_nucleus_is_a_rim(drawn):
    green, nucleus, _, _ = parts(drawn[1])
    depth = distance_um(nucleus, PX)
    assert green[nucleus & (depth < 0.5)].mean() > 1.7 * green[depth > 1.5].mean()


def test_nucleoli_are_where_dna_is_dark(drawn):
    for index in (2, 3):
        green, nucleus, _, _ = parts(drawn[index])
        blue = drawn[index].field.scaled()[2]
        deep = distance_um(nucleus, PX) > 1
        bright = deep & (green > np.percentile(green[deep], 97))
        assert blue[bright].mean() < 0.85 * blue[deep].mean()


def test_dots_are_few_bright_pixels(drawn):
    for index in (3, 5):
        green, nucleus, _, _ = parts(drawn[index])
        assert np.percentile(green[nucleus], 99.5) > 3 * np.median(green[nucleus])
    green, nucleus, _, _ = parts(drawn[0])
    assert np.percentile(green[nucleus], 99.5) < 3 * np.median(green[nucleus])


@pytest.mark.parametrize(("index", "channel"), [(10, 0), (6, 3)])
def test_reference_like_classes_follow_their_channel(drawn, index, channel):
    pixels = drawn[index].field.scaled()
    cell = drawn[index].masks.cells > 0
    follows = np.corrcoef(pixels[1][cell], pixels[channel][cell])[0, 1]
    other = np.corrcoef(pixels[1][cell], pixels[3 - channel][cell])[0, 1]
    assert follows > 0.6
    assert follows > other + 0.1


def test_intermediate_filaments_differ_from_red(drawn):
    pixels = drawn[8].field.scaled()
    cytoplasm = (drawn[8].masks.cells > 0) & (drawn[8].masks.nuclei == 0)
    assert np.corrcoef(pixels[1][cytoplasm], pixels[0][cytoplasm])[0, 1] < 0.6


def test_plasma_membrane_is_bright_at_the_edge(drawn):
    green = drawn[13].field.scaled()[1]
    cell = drawn[13].masks.cells > 0
    depth = np.zeros(cell.shape, np.float32)
    for index in drawn[13].masks.cell_ids:
        own = drawn[13].masks.cells == index
        depth = np.maximum(depth, distance_um(own, PX))
    assert green[cell & (depth < 0.7)].mean() > 1.3 * green[depth > 2].mean()


@pytest.mark.parametrize(("index", "nearness_um"), [(7, 7), (12, 4), (15, 5)])
def test_juxtanuclear_classes_are_beside_the_nucleus(drawn, index, nearness_um):
    field = drawn[index]
    green = field.field.scaled()[1]
    for cell in field.masks.cell_ids:
        own, nucleus = field.masks.cells == cell, field.masks.nuclei == cell
        if nucleus.any() and own.sum() * PX**2 > 150:
            top = own & (green >= np.percentile(green[own], 99.8))
            assert np.median(distance_um(~nucleus, PX)[top]) < nearness_um


def test_actin_runs_one_way():
    field = virtual_field((280, 280), seed=5, classes=9, pixel_size_um=PX, n_cells=1)
    green = field.field.scaled()[1]
    inner = distance_um(field.masks.cells > 0, PX) > 2
    down, right = (part[inner] for part in np.gradient(green))
    tensor = np.array([[(down**2).mean(), (down * right).mean()], [0, (right**2).mean()]])
    low, high = np.linalg.eigvalsh(tensor + np.triu(tensor, 1).T)
    assert high > 1.5 * low


def test_spindle_lies_between_the_poles_of_round_cells(drawn):
    green, nucleus, _, _ = parts(drawn[11])
    red = drawn[11].field.scaled()[0]
    near = distance_um(~nucleus, PX) < 5
    for plane in (green, red):
        far = (drawn[11].masks.cells > 0) & ~near
        assert plane[near & ~nucleus].mean() > 1.25 * plane[far].mean()


def test_negative_is_no_more_than_background(drawn):
    green, _, _, background = parts(drawn[18])
    assert green[~background].mean() < 0.03
    usual = np.median([parts(drawn[c])[0].mean() for c in (0, 6, 10, 14, 16)])
    assert green.mean() < 0.2 * usual


def test_mixture_shows_both():
    field = virtual_field((280, 280), seed=9, classes=[2, 14], pixel_size_um=PX, n_cells=2)
    green, nucleus, cytoplasm, background = parts(field)
    for region in (nucleus, cytoplasm):
        assert np.percentile(green[region], 99) > 10 * green[background].mean() + 0.1


def test_cells_differ_in_level():
    field = virtual_field((500, 500), seed=2, classes=16, pixel_size_um=0.4, mitotic_fraction=0)
    green = field.field.scaled()[1]
    levels = [np.median(green[field.masks.cells == c]) for c in field.masks.cell_ids]
    assert np.std(levels) > 0.12 * np.mean(levels)
