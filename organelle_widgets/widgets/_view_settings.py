"""What a person may set of the image views, and the checks of it: a browser can send anything."""

from __future__ import annotations

import re
from typing import Any

from organelle_widgets.core.channels import CHANNEL_KEYS

__all__ = ["COLORS", "OPTIONS", "accepted"]

LARGEST = 1e30

OPTIONS: dict[str, bool] = {
    "outlines": True,
    "fill": False,
    "boxes": True,
    "labels": True,
    "nuclei": False,
}
"""What is drawn over the views, at the start."""

COLORS: dict[str, str] = {
    "red": "#FF3B3B",
    "green": "#5AE628",
    "blue": "#4D8DFF",
    "yellow": "#F2CC0C",
}
"""Light of each channel, at the start: the conventional colours, a little more vivid, since they are added on black."""


def accepted(name: str, value: Any) -> bool:
    """Whether a setting of the views may take that value.

    Parameters
    ----------
    name : {"options", "visible", "colors", "windows"}
        The setting.
    value : object
        Anything.

    Returns
    -------
    bool
        True for ``options`` with the keys of `OPTIONS` and truth values; ``visible``, a list of channel keys, each
        once; ``colors``, ``#RRGGBB`` for every channel; ``windows``, some channels' ``[low, high, gamma]`` with
        low < high and gamma from 0.1 to 10.
    """
    return name in _CHECKS and _CHECKS[name](value)


def _options(value: Any) -> bool:
    return _keys(value, OPTIONS) and all(isinstance(v, bool) for v in value.values())


def _visible(value: Any) -> bool:
    known = isinstance(value, list) and all(v in CHANNEL_KEYS for v in value)
    return known and len(set(value)) == len(value)


def _colors(value: Any) -> bool:
    return _keys(value, COLORS) and all(
        isinstance(v, str) and re.fullmatch("#[0-9A-Fa-f]{6}", v) for v in value.values()
    )


def _windows(value: Any) -> bool:
    return isinstance(value, dict) and all(
        key in CHANNEL_KEYS and _window(v) for key, v in value.items()
    )


def _window(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        return False
    numbers = all(type(v) in (int, float) and abs(v) < LARGEST for v in value)
    return numbers and value[0] < value[1] and 0.1 <= value[2] <= 10


def _keys(value: Any, expected: dict[str, Any]) -> bool:
    return isinstance(value, dict) and value.keys() == expected.keys()


_CHECKS = {"options": _options, "visible": _visible, "colors": _colors, "windows": _windows}
