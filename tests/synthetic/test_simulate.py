"""The drawn protein on given masks and reference channels."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.errors import InputError
from organelle_widgets.synthetic import simulate_protein, virtual_field
from organelle_widgets.synthetic.grids import distance_um

PX = 0.2


@pytest.fixture(scope="module")
def crop():
    """Nucleus, cell and the three references of one cell, shape (160, 144)."""
    drawn = virtual_field((160, 144), seed=6, pixel_size_um=PX, n_cells=1, mitotic_fraction=0)
    reference = drawn.field.scaled()[[0, 2, 3]]
    return drawn.masks.nuclei > 0, drawn.masks.cells > 0, reference


@pytest.mark.parametrize("index", range(N_CLASSES))
def test_every_class_is_a_crop_in_range(crop, index):
    drawn = simulate_protein(*crop, index, PX, np.random.default_rng(index))
    assert drawn.shape == (160, 144)
    assert drawn.dtype == np.float32
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.max() > (0 if index == 18 else 0.1)


def test_same_generator_same_pixels(crop):
    first, again = (
        simulate_protein(*crop, [0, 17], PX, np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_nucleus_and_cytoplasm(crop):
    nucleus, cell, _ = crop
    rng = np.random.default_rng(0)
    inside = simulate_protein(*crop, "Nucleoplasm", PX, rng)
    outside = simulate_protein(*crop, "Endoplasmic reticulum", PX, rng)
    assert inside[nucleus].mean() > 4 * inside[cell & ~nucleus].mean()
    around = cell & ~nucleus & (distance_um(~nucleus, PX) < 5)
    assert outside[around].mean() > 2 * outside[nucleus].mean()


def test_texture_follows_the_references(crop):
    nucleus, cell, reference = crop
    cytoplasm = cell & ~nucleus
    rng = np.random.default_rng(1)
    for index, plane in ((10, 0), (6, 2)):
        clean = simulate_protein(*crop, index, PX, rng, noisy=False)
        assert np.corrcoef(clean[cytoplasm], reference[plane][cytoplasm])[0, 1] > 0.7


def test_clean_pattern_is_black_far_outside(crop):
    _, cell, _ = crop
    clean = simulate_protein(*crop, 16, PX, np.random.default_rng(2), noisy=False)
    assert clean[~cell].mean() < 0.05 * clean[cell].mean()


def test_four_channels_are_taken_without_the_protein(crop):
    nucleus, cell, reference = crop
    four = np.insert(reference, 1, 0.7, axis=0)
    three, same = (
        simulate_protein(nucleus, cell, r, 14, PX, np.random.default_rng(4))
        for r in (reference, four)
    )
    np.testing.assert_array_equal(three, same)


@pytest.mark.parametrize("index", [0, 2, 6, 10, 12, 14, 16])
def test_missing_references_are_drawn(crop, index):
    nucleus, cell, reference = crop
    drawn = simulate_protein(
        nucleus, cell, np.zeros_like(reference), index, PX, np.random.default_rng(5)
    )
    assert drawn[cell].max() > 0.1


def test_holes_in_a_nucleus_are_no_rims(crop):
    nucleus, cell, reference = crop
    holed = nucleus.copy()
    row, col = (int(axis.mean()) for axis in np.nonzero(nucleus))
    holed[row - 3 : row + 3, col - 3 : col + 3] = False
    whole, filled = (
        simulate_protein(n, cell, reference, 1, PX, np.random.default_rng(6))
        for n in (nucleus, holed)
    )
    np.testing.assert_array_equal(whole, filled)


@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (40, 3)])
def test_tiny_crops(shape):
    rng = np.random.default_rng(0)
    cell, reference = np.ones(shape, bool), np.full((3, *shape), 0.5, np.float32)
    for nucleus in (np.zeros(shape, bool), cell):
        for index in range(N_CLASSES):
            drawn = simulate_protein(nucleus, cell, reference, index, PX, rng)
            assert drawn.shape == shape
            assert np.isfinite(drawn).all()


def test_wrong_arguments(crop):
    nucleus, cell, reference = crop
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"masks of one shape .* found \(10, 144\) and"):
        simulate_protein(nucleus[:10], cell, reference, 0, PX, rng)
    with pytest.raises(InputError, match=r"shape \(3, 160, 144\), or 4 channels; found \(2,"):
        simulate_protein(nucleus, cell, reference[:2], 0, PX, rng)
    with pytest.raises(InputError, match="at least one pixel; found none"):
        simulate_protein(nucleus, cell & False, reference, 0, PX, rng)
    with pytest.raises(InputError, match=r"0\.01 to 5 um; found 0"):
        simulate_protein(nucleus, cell, reference, 0, 0, rng)
    with pytest.raises(InputError, match="found 99"):
        simulate_protein(nucleus, cell, reference, 99, PX, rng)
