"""The 19 classes."""

from __future__ import annotations

import pytest

from organelle_widgets.core.labels import (
    CLASSES,
    N_CLASSES,
    NEGATIVE,
    class_index,
    parse_labels,
)
from organelle_widgets.errors import InputError


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_competitions_order():
    assert N_CLASSES == len(CLASSES) == 19
    assert (CLASSES[0].name, CLASSES[7].name) == ("Nucleoplasm", "Golgi apparatus")
    assert CLASSES[NEGATIVE].name == "Negative"
    assert [c.index for c in CLASSES] == list(range(19))


@pytest.mark.parametrize("attribute", ["name", "code", "color"])
def test_names_codes_and_colors_are_unique(attribute):
    assert len({getattr(c, attribute) for c in CLASSES}) == 19


@pytest.mark.parametrize("organelle", CLASSES, ids=lambda c: c.code)
def test_text_on_every_color_can_be_read(organelle):
    one, two = sorted((luminance(organelle.color), luminance(organelle.ink)))
    assert (two + 0.05) / (one + 0.05) >= 4.5
    assert len(organelle.code) == 2


@pytest.mark.parametrize("name", [2, "2", " Nucleoli ", "nucleoli", "NO", "no"])
def test_index_name_or_code(name):
    assert class_index(name) == 2


@pytest.mark.parametrize("name", [19, -1, "", "Nucleolus", "²", "1.0"])
def test_no_such_class(name):
    with pytest.raises(InputError, match=r"class index from 0 to 18, a class name or .*; found"):
        class_index(name)


def test_labels_of_a_table():
    assert parse_labels("16|0|NO|0") == (0, 2, 16)
    assert parse_labels("") == ()
    with pytest.raises(InputError, match="found '99'"):
        parse_labels("0|99")
