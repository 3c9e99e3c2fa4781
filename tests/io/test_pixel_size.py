from __future__ import annotations

import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.io._pixel_size import check_given, choose_pixel_size, to_um


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.08, "µm", 0.08),
        (0.08, "\u03bcm", 0.08),
        (0.08, "\\u00B5m", 0.08),
        (0.08, "micron", 0.08),
        (80, "nm", 0.08),
        (8e-5, "mm", 0.08),
        (8e-8, "meter", 0.08),
        (800, "Å", 0.08),
    ],
)
def test_units(value, unit, expected):
    size, notes = to_um((value, value), (unit, unit))
    assert size == pytest.approx((expected, expected))
    assert notes == ()


@pytest.mark.parametrize(
    ("value", "unit", "match"),
    [
        (0.08, "furlong", "no unit known"),
        (0.5, "", "without a unit"),
        ("much", "um", "is no number"),
        (0.0, "um", "not plausible"),
        (300, "um", "not plausible"),
        (float("nan"), "um", "not plausible"),
        (-0.1, "um", "not plausible"),
    ],
)
def test_sizes_that_can_not_be_trusted(value, unit, match):
    size, notes = to_um((value, value), (unit, unit))
    assert size is None
    assert match in notes[0]


def test_metadata_before_assumption():
    assert choose_pixel_size(None, {"a": (0.1, 0.1)}) == (0.1, "metadata", ())
    assert choose_pixel_size(None, {})[:2] == (0.08, "assumed")


def test_given_before_metadata():
    assert choose_pixel_size(0.1, {"a": (0.1005, 0.1005)}) == (0.1, "given", ())
    size, source, notes = choose_pixel_size(0.1, {"a": (0.2, 0.2)})
    assert (size, source) == (0.1, "given")
    assert "the file says 0.2 µm" in notes[0]


def test_pixels_that_are_not_square():
    with pytest.raises(InputError, match=r"square pixels; found 0\.1 µm wide and 0\.2 µm high"):
        choose_pixel_size(None, {"a.tif": (0.2, 0.1)})
    assert "0.1 x 0.2 µm" in choose_pixel_size(0.1, {"a.tif": (0.2, 0.1)})[2][0]


@pytest.mark.parametrize("given", [0, -1.0, 1e-9, 1e9, float("nan"), "0.1", True])
def test_a_given_size_that_no_microscope_has_is_refused(given):
    with pytest.raises(InputError, match=r"0\.001 to 100; found"):
        check_given(given)
