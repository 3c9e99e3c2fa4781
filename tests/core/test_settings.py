"""Settings with a label, a unit and a range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from organelle_widgets.core.settings import (
    check_settings,
    describe_settings,
    setting,
    settings_of,
)
from organelle_widgets.errors import SettingsError


@dataclass(frozen=True)
class Knobs:
    """One setting of each type, and a field that is none."""

    sigma_um: float = setting(0.5, label="Smoothing", unit="um", minimum=0, maximum=5)
    rounds: int = setting(3, label="Rounds", minimum=1)
    fill: bool = setting(True, label="Fill holes")
    mode: str = setting("fast", label="Mode", choices=("fast", "good"))
    cache: object = None


def test_descriptions_in_order():
    described = describe_settings(Knobs)
    assert [spec.name for spec in described] == ["sigma_um", "rounds", "fill", "mode"]
    assert (described[0].label, described[0].unit, described[0].maximum) == ("Smoothing", "um", 5)
    assert describe_settings(int) == ()


def test_values_by_name():
    values = settings_of(Knobs(rounds=5))
    assert values == {"sigma_um": 0.5, "rounds": 5, "fill": True, "mode": "fast"}


@pytest.mark.parametrize(
    "knobs", [Knobs(), Knobs(0, 1, False, "good"), Knobs(5), Knobs(rounds=3.0)]
)
def test_values_in_range(knobs):
    check_settings(knobs)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sigma_um": 6}, "sigma_um: expected 0 to 5 um; found 6"),
        ({"sigma_um": -0.1}, "found -0.1"),
        ({"sigma_um": float("nan")}, "sigma_um: expected a finite number; found nan"),
        ({"sigma_um": "1"}, "sigma_um: expected a finite number; found '1'"),
        ({"sigma_um": True}, "sigma_um: expected a finite number; found True"),
        ({"rounds": 2.5}, "rounds: expected a whole number; found 2.5"),
        ({"rounds": 0}, "rounds: expected 1 to inf; found 0"),
        ({"fill": 1}, "fill: expected true or false; found 1"),
        ({"mode": "slow"}, "mode: expected one of fast, good; found 'slow'"),
    ],
)
def test_values_out_of_range(settings, words):
    with pytest.raises(SettingsError, match=words):
        check_settings(Knobs(**settings))


def test_all_problems_are_said_at_once():
    with pytest.raises(SettingsError, match=r"sigma_um: .* rounds: .* mode: "):
        check_settings(Knobs(9, 0, True, "slow"))


def test_numbers_of_numpy_are_numbers() -> None:
    @dataclass(frozen=True)
    class Sized:
        size: int = setting(3, label="Size", minimum=1, maximum=9)
        width_um: float = setting(1.0, label="Width", minimum=0, maximum=2)

    check_settings(Sized(np.int64(4), np.float32(0.5)))
    with pytest.raises(SettingsError, match="size: expected 1 to 9; found 10"):
        check_settings(Sized(np.int64(10)))
