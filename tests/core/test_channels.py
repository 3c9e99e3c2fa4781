"""The four channels."""

from __future__ import annotations

import pytest

from organelle_widgets.core.channels import CHANNEL_KEYS, CHANNELS, channel_index, find_channel
from organelle_widgets.errors import InputError


def test_the_order_of_a_field():
    assert CHANNEL_KEYS == ("red", "green", "blue", "yellow")
    assert [c.name for c in CHANNELS] == ["Microtubules", "Protein", "Nuclei", "ER"]
    assert [c.index for c in CHANNELS] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("red", 0),
        ("Microtubules", 0),
        (" DAPI ", 2),
        ("ER", 3),
        (3, 3),
        ("endoplasmic reticulum", 3),
    ],
)
def test_names_people_use(name, index):
    assert channel_index(name) == index


def test_no_alias_means_two_channels():
    words = [word for c in CHANNELS for word in (c.key, c.name.lower(), *c.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("name", ["violet", "", 4, -1])
def test_unknown_channels(name):
    assert find_channel(name) is None
    with pytest.raises(InputError, match=r"red \(Microtubules\), .*; found "):
        channel_index(name)
