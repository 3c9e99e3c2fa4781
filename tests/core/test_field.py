"""A field checks itself."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from organelle_widgets.core.field import ASSUMED_PIXEL_SIZE_UM, Field
from organelle_widgets.errors import InputError

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)


def test_what_a_field_knows():
    pixels = PIXELS.copy()
    pixels[0] = 0
    field = Field(pixels, "f", 0.32, "given", missing=frozenset({"red"}))
    assert field.shape == (2, 3)
    assert field.present == ("green", "blue", "yellow")
    assert field.channel("Nuclei").tolist() == [[12, 13, 14], [15, 16, 17]]
    assert repr(field) == "Field('f', 3 x 2 px, uint8, 0.32 um/px given, missing red)"
    assert Field(PIXELS).pixel_size_um == ASSUMED_PIXEL_SIZE_UM == 0.08


@pytest.mark.parametrize(
    ("dtype", "full_scale"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 23)]
)
def test_scaled_is_a_share_of_full_scale(dtype, full_scale):
    field = Field(PIXELS.astype(dtype))
    assert field.full_scale == full_scale
    scaled = field.scaled()
    assert scaled.dtype == np.float32
    assert scaled[3, 1, 2] == pytest.approx(23 / full_scale)


def test_floats_up_to_one_are_taken_as_they_are():
    assert Field(np.full((4, 1, 1), 0.25, np.float32)).scaled().max() == 0.25


def test_pixels_can_not_be_changed_through_the_field():
    own = PIXELS.copy()
    field = Field(own)
    with pytest.raises(ValueError, match="read-only"):
        field.pixels[0, 0, 0] = 1
    own[0, 0, 0] = 7  # the caller's array stays the caller's


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((3, 2, 2), np.uint8), r"shape \(4, Y, X\); found \(3, 2, 2\)"),
        (np.zeros((4, 2), np.uint8), r"found \(4, 2\)"),
        (np.zeros((4, 0, 2), np.uint8), r"found \(4, 0, 2\)"),
        (np.zeros((4, 2, 2), np.float64), "uint8, uint16 or float32; found float64"),
        (np.full((4, 1, 1), np.nan, np.float32), "finite pixel values; found NaN"),
    ],
)
def test_pixels_that_are_no_field(pixels, words):
    with pytest.raises(InputError, match=f"a.tif: .*{words}"):
        Field(pixels, "a.tif")


@pytest.mark.parametrize("size", [0, -0.1, 1e-9, 1e9, float("nan"), float("inf"), "0.1", None])
def test_impossible_pixel_sizes(size):
    with pytest.raises(InputError, match=r"pixel size from 0\.001 to 100 um; found"):
        Field(PIXELS, pixel_size_um=size)


def test_nuclei_and_protein_may_not_be_missing():
    with pytest.raises(InputError, match=r"may be missing; missing here: blue\."):
        Field(PIXELS, missing=frozenset({"blue", "red"}))


def test_pickling():
    copy = pickle.loads(pickle.dumps(Field(PIXELS, "f", notes=("One.",))))
    assert (copy.name, copy.notes) == ("f", ("One.",))
    assert (copy.pixels == PIXELS).all()


def test_a_field_without_a_channel() -> None:
    field = Field(np.ones((4, 8, 9), np.uint8), "f", 0.32, "given").without("ER")
    assert field.present == ("red", "green", "blue")
    assert not field.channel("yellow").any()
    assert field.name == "f"
    with pytest.raises(InputError, match="Only microtubules"):
        field.without("nuclei")


def test_a_missing_channel_holds_nothing() -> None:
    pixels = np.ones((4, 8, 9), np.uint8)
    with pytest.raises(InputError, match=r"all zero; found pixels in yellow"):
        Field(pixels, missing=frozenset({"yellow"}))
