from __future__ import annotations

from pathlib import Path

import pytest

from organelle_widgets.io.hpa import channel_suffixes, is_mask, split_name, stem_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("57_F11_1_red.png", ("57_F11_1", "red")),
        ("a b.c_YELLOW.JPEG", ("a b.c", "yellow")),
        ("x_blue.ome.tif", ("x", "blue")),
        ("_green.png", ("folder", "green")),
        ("infrared.png", ("infrared", None)),
        ("x_redder.png", ("x_redder", None)),
        ("x_blue_1.png", ("x_blue_1", None)),
    ],
)
def test_split_name(name, expected):
    assert split_name(Path("folder") / name, channel_suffixes()) == expected


def test_longer_and_own_suffixes_win():
    table = channel_suffixes({"_far_red": "ER", "_red": "nuclei", 3: "yellow"})
    assert split_name(Path("x_far_red.png"), table) == ("x", "yellow")
    assert split_name(Path("x_red.png"), table) == ("x", "blue")
    assert split_name(Path("x_green.png"), table) == ("x", "green")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a_cellmask.png", True),
        ("a_NucleiMask.tif", True),
        ("a_mask.png", True),
        ("unmasked_red.png", False),
        ("mask.png", False),
    ],
)
def test_is_mask(name, expected):
    assert is_mask(Path(name)) is expected


@pytest.mark.parametrize(
    ("name", "stem"), [("a.ome.tiff", "a"), ("a.b.TIF", "a.b"), ("p.ome.zarr", "p"), ("n", "n")]
)
def test_stem_of(name, stem):
    assert stem_of(Path(name)) == stem
