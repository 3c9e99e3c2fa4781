"""Contrast, blending and previews."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.errors import InputError
from organelle_widgets.render.composite import (
    composite,
    display_window,
    downscale,
    field_windows,
    hex_to_rgb,
    stretch,
)


def test_window_spans_the_percentiles_of_a_ramp():
    ramp = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    low, high = display_window(ramp, 10, 90)
    assert low == pytest.approx(1000, abs=2)
    assert high == pytest.approx(9000, abs=2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_integer_and_float_planes_agree(dtype):
    plane = np.random.default_rng(0).integers(0, 200, (90, 130)).astype(dtype)
    low, high = display_window(plane)
    assert (low, high) == pytest.approx((2, 199), abs=1)


def test_a_dim_plane_is_brought_up_but_noise_is_not():
    dim = np.zeros((100, 100), np.uint8)
    dim[:30] = 40
    noise = np.random.default_rng(0).integers(0, 3, (100, 100)).astype(np.uint8)
    assert display_window(dim) == (0, 40)
    assert display_window(noise) == (0, 12)


def test_a_sparse_plane_is_scaled_to_its_maximum():
    plane = np.zeros((100, 100), np.uint8)
    plane[50, 50] = 200
    assert display_window(plane) == (0, 200)


@pytest.mark.parametrize(
    "plane",
    [np.zeros((4, 6), np.uint8), np.full((4, 6), 65535, np.uint16), np.full((4, 6), 0.5, "f4")],
)
def test_a_flat_plane_is_black(plane):
    window = display_window(plane)
    assert window[1] > window[0]
    assert not stretch(plane, window).any()


@pytest.mark.parametrize("percentiles", [(-1, 99), (50, 50), (1, 101)])
def test_percentiles_out_of_order_are_refused(percentiles):
    with pytest.raises(InputError, match="0 <= low < high <= 100; found"):
        display_window(np.zeros((2, 2), np.uint8), *percentiles)


def test_a_large_plane_gives_the_window_of_all_its_pixels():
    plane = np.random.default_rng(1).gamma(1.0, 20.0, (1600, 1500)).clip(0, 255).astype(np.uint8)
    every = np.percentile(plane, [1, 99.8])
    assert display_window(plane) == pytest.approx(tuple(every), abs=3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_stretch_clips_and_rounds(dtype):
    plane = np.array([[0, 10, 15, 20, 90]], dtype)
    assert stretch(plane, (10, 20)).tolist() == [[0, 0, 128, 255, 255]]


def test_colors_add_up_and_saturate():
    pixels = np.zeros((4, 1, 3), np.uint8)
    pixels[0, 0] = 0, 255, 255
    pixels[3, 0] = 0, 0, 255
    field = Field(pixels)
    windows = dict.fromkeys(("red", "yellow"), (0.0, 255.0))
    colors = {"red": "#FF0000", "yellow": "#808000"}
    image = composite(field, ("red", "yellow"), windows, colors)
    assert image.tolist() == [[[0, 0, 0], [255, 0, 0], [255, 128, 0]]]


def test_a_channel_named_twice_counts_once(disc_field):
    once = composite(disc_field, ["green"])
    assert (composite(disc_field, ["green", "Protein", 1]) == once).all()


def test_a_missing_channel_adds_nothing(disc_field):
    without = disc_field.without("red")
    assert not composite(without, ["red"]).any()
    assert composite(disc_field, ["red"]).any()


def test_no_channel_gives_black_of_the_fields_shape(disc_field):
    image = composite(disc_field, [])
    assert image.shape == (160, 240, 3)
    assert not image.any()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_picture_does_not_depend_on_the_dtype(disc_field, dtype):
    other = Field(disc_field.pixels.astype(dtype))
    difference = composite(other).astype(int) - composite(disc_field)
    assert np.abs(difference).max() <= 3


def test_unknown_channel_and_color_are_refused(disc_field):
    with pytest.raises(InputError, match="found 'violet'"):
        composite(disc_field, ["violet"])
    with pytest.raises(InputError, match="#RRGGBB, such as #FF4D4F; found 'blue'"):
        composite(disc_field, ["blue"], colors={"blue": "blue"})


@pytest.mark.parametrize("color", ["", "#12345", "#12345G", "1234567", "#-12345", "#12 345"])
def test_colors_that_are_none(color):
    with pytest.raises(InputError, match="Expected a colour as #RRGGBB"):
        hex_to_rgb(color)


def test_field_windows_names_all_channels(disc_field):
    assert list(field_windows(disc_field)) == ["red", "green", "blue", "yellow"]


def test_downscale_is_the_mean_of_blocks():
    image = np.array([[0, 2, 10], [4, 6, 20]], np.uint8)
    assert downscale(image, 2).tolist() == [[3, 15]]
    assert downscale(image.astype(np.float32), 2).tolist() == [[3, 15]]
    assert downscale(image, 1) is image


def test_downscale_keeps_color_and_dtype():
    image = np.random.default_rng(0).integers(0, 65535, (7, 10, 3)).astype(np.uint16)
    small = downscale(image, 3)
    assert small.shape == (3, 4, 3)
    assert small.dtype == np.uint16
    assert small[0, 0, 1] == round(image[:3, :3, 1].mean())


def test_downscale_refuses_zero():
    with pytest.raises(InputError, match="factor of 1 or more; found 0"):
        downscale(np.zeros((2, 2)), 0)


@pytest.mark.parametrize("window", [(3.0, 3.0), (4.0, 3.0), (0.0, float("nan"))])
def test_an_empty_window_is_refused(window):
    with pytest.raises(InputError, match=r"upper value is above its lower one; found \d"):
        stretch(np.zeros((2, 2), np.uint8), window)
