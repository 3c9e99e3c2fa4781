"""The input of the HPA networks: scikit-image's numbers, OpenCV's mirrored edges, and missing channels."""

import numpy as np
import pytest
from skimage.transform import rescale as published

from organelle_widgets.core.field import Field
from organelle_widgets.segmentation._hpa_input import crop, normalised, pad, planes, rescale


@pytest.mark.parametrize(
    ("shape", "ratio"),
    [((256, 192), 4), ((250, 77), 4), ((90, 130), 3.2), ((61, 40), 0.5), ((50, 70), 1.0)],
)
def test_shrinking_gives_what_scikit_image_gives(shape, ratio):
    plane = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expected = published(plane, 1 / ratio, anti_aliasing=True)
    found = rescale(plane, ratio) / 255
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2)])
def test_tiny_planes_keep_a_pixel(shape):
    found = rescale(np.full(shape, 7, np.uint8), 4)
    assert found.size
    assert np.allclose(found, 7)


@pytest.mark.parametrize("shape", [(64, 96), (1, 40), (33, 31)])
def test_padding_reaches_multiples_of_32_and_comes_off_again(shape):
    image = np.random.default_rng(0).random((3, *shape), np.float32)
    padded = pad(image)
    assert all(size % 32 == 0 for size in padded.shape[1:])
    assert padded.shape[1] >= shape[0] + 33
    assert np.array_equal(crop(padded, shape), image)
    assert np.array_equal(padded[:, 31], padded[:, 32])  # mirrored with the edge pixel


def test_sixteen_bits_and_floats_count_as_fractions_of_full_scale():
    eight = np.random.default_rng(0).integers(0, 256, (4, 64, 48), np.uint8)
    expected = planes(Field(eight))
    assert 0.2 < expected.mean() < 0.8
    for pixels in (eight.astype(np.uint16) * 257, np.float32(eight) / np.float32(255)):
        assert np.allclose(planes(Field(pixels)), expected, atol=1e-6)


def flat(missing=frozenset()):
    pixels = np.stack([np.full((40, 40), level, np.uint8) for level in (51, 102, 153, 204)])
    field = Field(pixels)
    return field.without(*missing) if missing else field


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ((), (0.2, 0.8, 0.6)),
        (("yellow",), (0.2, 0, 0.6)),
        (("red",), (0.8, 0, 0.6)),
        (("red", "yellow"), (0.4, 0, 0.6)),
    ],
)
def test_microtubules_er_and_nuclei_and_what_stands_in_for_them(missing, expected):
    found = planes(flat(missing))
    assert found.shape == (3, 10, 10)
    assert np.allclose(found.mean(axis=(1, 2)), expected, atol=1e-6)


def test_normalising_takes_off_the_published_means():
    image = np.ones((3, 2, 2), np.float32) * np.float32([124, 117, 104])[:, None, None] / 255
    assert np.allclose(normalised(image), 0, atol=1e-6)
    assert np.allclose(normalised(image + 1), 0.0167 * 255, atol=1e-4)
