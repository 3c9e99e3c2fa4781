"""What a caller of `virtual_field` may ask for: checks, and class choices in one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from organelle_widgets.core.channels import find_channel
from organelle_widgets.core.labels import class_index
from organelle_widgets.errors import SettingsError

__all__ = ["ClassChoice", "check_arguments", "class_choices", "missing_channels"]

ClassChoice = int | str | Sequence[int | str | Sequence[int | str]] | None
"""One class, a mixture, several to choose from, or None for any; see `virtual_field`."""

_SMALLEST_CELL_PX = 64
_MOST_PX = 2**26


def check_arguments(
    shape: tuple[int, int],
    seed: int,
    pixel_size_um: float,
    n_cells: int | None,
    mitotic_fraction: float,
    dtype: str,
) -> None:
    """Refuse arguments that no field can have, all at once."""
    problems = []
    if not _is_shape(shape):
        problems.append(f"shape: expected two whole numbers of at least 8 px; found {shape!r}.")
    elif shape[0] * shape[1] > _MOST_PX:
        problems.append(f"shape: expected at most {_MOST_PX:,} px (8192 x 8192); found {shape!r}.")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        problems.append(f"seed: expected a whole number, 0 or more; found {seed!r}.")
    if not _is_within(pixel_size_um, 0.01, 5):
        problems.append(f"pixel_size_um: expected 0.01 to 5 um; found {pixel_size_um!r}.")
    if not _is_within(mitotic_fraction, 0, 1):
        problems.append(f"mitotic_fraction: expected 0 to 1; found {mitotic_fraction!r}.")
    if dtype not in ("uint8", "uint16", "float32"):
        problems.append(f"dtype: expected uint8, uint16 or float32; found {dtype!r}.")
    if not problems and n_cells is not None:
        most = max(1, shape[0] * shape[1] // _SMALLEST_CELL_PX)
        if not isinstance(n_cells, (int, np.integer)) or not 0 <= n_cells <= most:
            problems.append(f"n_cells: expected 0 to {most} in {shape} px; found {n_cells!r}.")
    if problems:
        raise SettingsError(" ".join(problems))


def _is_shape(shape: Any) -> bool:
    """Whether this can be rows and columns."""
    return (
        isinstance(shape, Sequence)
        and len(shape) == 2
        and all(isinstance(n, (int, np.integer)) and n >= 8 for n in shape)
    )


def _is_within(value: Any, low: float, high: float) -> bool:
    """Whether this is a number of the range."""
    return isinstance(value, (int, float, np.number)) and bool(low <= value <= high)


def class_choices(classes: ClassChoice) -> list[tuple[int, ...]] | None:
    """The sets of classes that a cell may have; None for any."""
    if classes is None:
        return None
    if isinstance(classes, (str, int, np.integer)):
        return [(class_index(classes),)]
    if not hasattr(classes, "__len__"):
        message = f"classes: expected a class, a sequence of them or None; found {classes!r}."
        raise SettingsError(message)
    if not len(classes):
        message = "classes: expected at least one class, or None for any; found an empty sequence."
        raise SettingsError(message)
    if all(isinstance(part, (str, int, np.integer)) for part in classes):
        return [_class_set(classes)]
    return [_class_set([p] if isinstance(p, (str, int, np.integer)) else p) for p in classes]


def _class_set(parts: Sequence[Any]) -> tuple[int, ...]:
    """Class indices, ascending, each once."""
    found = tuple(sorted({class_index(part) for part in parts}))
    if not found:
        message = "classes: expected at least one class for every cell; found an empty one."
        raise SettingsError(message)
    return found


def missing_channels(channels: Sequence[str]) -> frozenset[str]:
    """Keys of the channels to leave out."""
    wanted = [channels] if isinstance(channels, str) else list(channels)
    found = {text: find_channel(text) for text in wanted}
    wrong = [
        t for t, channel in found.items() if channel is None or channel.key not in ("red", "yellow")
    ]
    if wrong:
        message = f"missing: expected only red (Microtubules) and yellow (ER); found {wrong}."
        raise SettingsError(message)
    return frozenset(channel.key for channel in found.values() if channel is not None)
