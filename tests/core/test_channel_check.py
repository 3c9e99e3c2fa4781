"""Swapped and doubled channels are told in virtual and in real fields, and nothing is told of good ones."""

from __future__ import annotations

import dataclasses
import time

import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter

from organelle_widgets.core._channel_check import look_at_channels
from organelle_widgets.core._channel_words import channel_warnings, nuclei_are_doubted
from organelle_widgets.core._nuclei_channel import block_mean
from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.quality import measure_quality
from organelle_widgets.io import discover_fields
from organelle_widgets.synthetic import virtual_field

KEYS = ("red", "green", "blue", "yellow")


def told(field):
    return channel_warnings(look_at_channels(field))


def arranged(field, **places):
    """The field with another channel's picture in some places: ``blue="red"``."""
    order = [KEYS.index(places.get(key, key)) for key in KEYS]
    return dataclasses.replace(field, pixels=field.pixels[order])


def swapped(field, first, second):
    return arranged(field, **{first: second, second: first})


def shown(pixels, pixel_size_um=0.32):
    """A field that shows these pixels in all channels, or each channel its own."""
    planes = np.broadcast_to(pixels, (4, *np.shape(pixels)[-2:]))
    return Field(np.ascontiguousarray(planes), pixel_size_um=pixel_size_um)


@pytest.fixture(scope="module")
def virtual():
    return virtual_field((512, 512), seed=3, pixel_size_um=0.32).field


@pytest.mark.parametrize("missing", [(), ("red",), ("yellow",), ("red", "yellow")])
def test_nothing_is_told_of_a_good_field(virtual, missing):
    looks = look_at_channels(virtual.without(*missing))
    assert channel_warnings(looks) == ()
    assert not nuclei_are_doubted(looks)
    assert set(looks.separation) == set(KEYS) - set(missing)
    assert max(looks.alike.values()) < 0.8


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_depth_of_the_pixels_does_not_matter(virtual, dtype):
    deep = dataclasses.replace(virtual, pixels=(virtual.pixels * dtype(0.5 + 99)).astype(dtype))
    for other in KEYS[::3]:
        assert told(deep) == ()
        assert len(told(swapped(deep, "blue", other))) == 1


@pytest.mark.parametrize(("key", "words"), [("red", "microtubules"), ("yellow", "ER")])
def test_nuclei_in_the_place_of_a_marker(virtual, key, words):
    looks = look_at_channels(swapped(virtual, "blue", key))
    (text,) = channel_warnings(looks)
    assert text.startswith(
        f"The nuclei channel (blue) looks like a cytoplasm stain and the {words} channel ({key}) like nuclei: were "
    )
    assert nuclei_are_doubted(looks)
    assert looks.nuclei_score(key) > 0 > looks.nuclei_score("blue")


@pytest.mark.parametrize("missing", ["red", "yellow"])
def test_one_marker_is_enough_to_tell(virtual, missing):
    other = "red" if missing == "yellow" else "yellow"
    (text,) = told(swapped(virtual, "blue", other).without(missing))
    assert f"({other}) like nuclei: were channels swapped?" in text


def test_nuclei_in_the_place_of_a_cytoplasmic_protein():
    field = virtual_field((512, 512), seed=5, pixel_size_um=0.32, classes=("Mitochondria",)).field
    assert told(field) == ()
    (text,) = told(swapped(field, "blue", "green"))
    assert "cytoplasm stain and the protein channel (green) like nuclei" in text


def test_a_nuclear_protein_in_the_place_of_microtubules():
    field = virtual_field((512, 512), seed=5, pixel_size_um=0.32, classes=("Nucleoplasm",)).field
    assert told(field) == ()
    looks = look_at_channels(swapped(field, "green", "red"))
    assert channel_warnings(looks)[0].startswith("The microtubules channel (red) looks like nuclei")
    assert not nuclei_are_doubted(looks)


@pytest.mark.parametrize(
    ("place", "picture", "words"),
    [
        ("yellow", "red", "Microtubules (red) and ER (yellow) are the same picture: was one read"),
        ("green", "blue", "Protein (green) and Nuclei (blue) are the same picture"),
        ("blue", "red", "Microtubules (red) and Nuclei (blue) are the same picture"),
    ],
)
def test_a_channel_read_twice(virtual, place, picture, words):
    looks = look_at_channels(arranged(virtual, **{place: picture}))
    (text,) = channel_warnings(looks)
    assert text.startswith(words)
    assert nuclei_are_doubted(looks) == ("blue" in (place, picture))


def test_a_copy_need_not_be_exact(virtual):
    pixels = virtual.pixels.copy()
    dimmer = (pixels[0] * 0.6 + 9).astype(np.uint8)
    pixels[3] = iio.imread(iio.imwrite("<bytes>", dimmer, extension=".jpg", quality=80))
    (text,) = told(dataclasses.replace(virtual, pixels=pixels))
    assert text.startswith("Microtubules (red) and ER (yellow) are the same picture")


def test_two_pairs_of_copies_and_four_copies(virtual):
    pairs = told(arranged(virtual, green="red", yellow="blue"))
    assert [text.split(" are ")[0] for text in pairs] == [
        "Microtubules (red) and Protein (green)",
        "Nuclei (blue) and ER (yellow)",
    ]
    (grey,) = told(arranged(virtual, red="blue", green="blue", yellow="blue"))
    assert grey.startswith("Microtubules (red), Protein (green), Nuclei (blue) and ER (yellow) are")
    assert "is this one picture, in grey or in colours" in grey


def test_a_texture_is_no_nuclei():
    rng = np.random.default_rng(0)
    texture = [np.exp(6 * gaussian_filter(rng.normal(size=(512, 512)), 3)) for _ in range(4)]
    (text,) = told(shown(np.stack(texture).astype(np.float32)))
    assert text.startswith("The nuclei channel (blue) does not look like nuclei, and no other")


@pytest.mark.parametrize(
    "name",
    ["immunohistochemistry", "retina", "coins", "cell", "hubble_deep_field", "page", "brick"],
)
def test_tissue_brightfield_and_other_pictures_are_told(name):
    picture = np.atleast_3d(getattr(skimage.data, name)())
    picture = np.broadcast_to(picture[..., :3], (*picture.shape[:2], 3))
    grey = picture.mean(axis=2).astype(np.uint8)
    looks = look_at_channels(shown(np.stack([*np.moveaxis(picture, 2, 0), grey]), 0.5))
    assert len(channel_warnings(looks)) == 1
    assert nuclei_are_doubted(looks)


def test_noise_is_told():
    noise = np.random.default_rng(0).poisson(3, (4, 512, 512)).astype(np.uint8)
    (text,) = told(shown(noise))
    assert text.startswith("The nuclei channel (blue) holds no nuclei but noise")


def test_a_bright_background_is_told(virtual):
    inverted = dataclasses.replace(virtual, pixels=255 - virtual.pixels)
    looks = look_at_channels(inverted)
    assert "background of the nuclei channel (blue) is bright" in channel_warnings(looks)[0]
    assert nuclei_are_doubted(looks)


def test_a_small_view_is_not_judged(virtual):
    window = virtual.pixels[:, 100:300, 100:300]
    for first, second in (("blue", "blue"), ("blue", "red"), ("red", "yellow")):
        assert told(swapped(Field(window, pixel_size_um=0.32), first, second)) == ()
    assert told(arranged(Field(window, pixel_size_um=0.32), red="blue"))


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (15, 15), (16, 16), (700, 40)])
@pytest.mark.parametrize("value", ["nothing", "constant", "noise", "step"])
def test_no_picture_is_too_odd_to_look_at(shape, value):
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    plane = {
        "nothing": np.zeros(shape),
        "constant": np.full(shape, 7),
        "noise": np.random.default_rng(1).integers(0, 255, shape),
        "step": 200 * (cols > shape[1] // 2) + 0 * rows,
    }[value]
    looks = look_at_channels(shown(plane.astype(np.uint8), pixel_size_um=1.0))
    numbers = [*looks.separation.values(), *looks.roughness.values(), *looks.ring.values()]
    assert np.isfinite(numbers).all()
    assert isinstance(channel_warnings(looks), tuple)
    if value in ("nothing", "constant") or min(shape) < 16:
        assert not numbers


def test_swapped_channels_say_nothing_of_the_pixel_size(virtual):
    none = Masks(*(np.zeros(virtual.shape, np.int32) for _ in range(2)))
    wrong = dataclasses.replace(virtual, pixel_size_um=1.5)
    table = cell_table(none, 1.5)
    assert measure_quality(wrong, none, table).fitting_pixel_size_um is not None
    quality = measure_quality(swapped(wrong, "blue", "yellow"), none, table)
    assert quality.fitting_pixel_size_um is None
    assert "were channels swapped?" in quality.warnings[1]
    assert quality.nuclei_scores["yellow"] > quality.nuclei_scores["blue"]


def test_large_fields_are_looked_at_quickly(virtual):
    large = Field(np.tile(virtual.pixels, (1, 4, 4)), pixel_size_um=0.08)
    seconds = []
    for _ in range(4):
        start = time.process_time()
        channel_warnings(look_at_channels(large))
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.1


def shrunk(field):
    """The field with a side of about 512 px, as most real fields have."""
    step = max(field.shape) // 512
    pixels = np.stack([block_mean(plane, step) for plane in field.pixels])
    return dataclasses.replace(field, pixels=pixels, pixel_size_um=field.pixel_size_um * step)


@pytest.fixture(scope="module")
def real(data):
    """Every real field, made small."""
    sizes_um = {"fields": 0.08, "fields_512": 0.32, "fields_rgb_jpeg": 0.08}
    return [
        shrunk(source.read(pixel_size_um=size_um))
        for folder, size_um in sizes_um.items()
        for source in discover_fields(data / folder)
    ]


@pytest.mark.data
def test_no_good_real_field_is_warned_of(real):
    assert len(real) == 73
    assert {field.name: text for field in real if (text := told(field))} == {}


@pytest.mark.data
@pytest.mark.parametrize(
    ("first", "second", "share"),
    [("blue", "red", 1), ("blue", "yellow", 1), ("blue", "green", 0.6), ("red", "yellow", 0.3)],
)
def test_swaps_of_real_fields_are_told(real, first, second, share):
    found = [bool(told(swapped(field, first, second))) for field in real[::3]]
    assert np.mean(found) >= share


@pytest.mark.data
def test_copies_in_real_fields_are_told(real):
    for place, picture in (
        ("red", "yellow"),
        ("green", "blue"),
        ("blue", "red"),
        ("blue", "green"),
    ):
        for field in real[::9]:
            texts = told(arranged(field, **{place: picture}))
            assert "same picture" in texts[0] or "noise" in texts[0]
