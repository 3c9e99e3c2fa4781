"""The split keeps what belongs together on one side and never moves."""

from __future__ import annotations

import pytest

from organelle_widgets.errors import SettingsError
from organelle_widgets.training.split import antibody_of, held_out


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("10580_1610_C1_1", "10580"),
        ("10580_1756_B1_2", "10580"),
        ("57_F11_1", "57_F11"),
        ("mixed_img10", "mixed_img10"),
        ("000a6c98-bb9b-11e8-b2b9-ac1f6b6435d0", "000a6c98-bb9b-11e8-b2b9-ac1f6b6435d0"),
    ],
)
def test_pictures_of_one_antibody_stay_together(name, group):
    assert antibody_of(name) == group
    assert held_out(name) == held_out(group)


def test_the_split_is_frozen():
    names = [f"mixed_img{n}" for n in range(20)]
    kept = [n for n, name in enumerate(names) if held_out(name)]
    assert kept == [0, 5, 6, 11, 12, 14, 17]


def test_the_share_is_about_the_fraction_and_grows_with_it():
    names = [f"field-{n}" for n in range(2000)]
    small, large = ({n for n in names if held_out(n, f)} for f in (0.2, 0.5))
    assert small < large
    assert 350 < len(small) < 450
    assert not any(held_out(n, 0) for n in names)


@pytest.mark.parametrize("fraction", [-0.1, 1, 2.0])
def test_a_fraction_out_of_range_is_refused(fraction):
    with pytest.raises(SettingsError, match=f"below 1; found {fraction}"):
        held_out("a", fraction)
