"""The JSON beside a person's own Keras model: which classes it names and how it wants its cells cut.

All that is wrong with such a file is told at once.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from organelle_widgets.classification._mapping import ClassMap, our_class
from organelle_widgets.classification._windows import SCALINGS, WindowRule
from organelle_widgets.core.channels import find_channel
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["OUTPUTS", "ModelCard", "read_model_card"]

OUTPUTS = ("sigmoid", "softmax", "logits")
_LAYOUTS = ("channels_last", "channels_first")
_REQUIRED = ("classes", "channels", "size_px", "output")
_OPTIONAL: dict[str, Any] = {
    "pixel_size_um": None,
    "margin_um": 0.0,
    "masked": True,
    "scaling": "field",
    "layout": "channels_last",
    "maps_to": {},
}
_EXAMPLE = "organelle_widgets.classification.keras_file.KerasFile shows an example."


@dataclass(frozen=True)
class ModelCard:
    """What a network's JSON says.

    Parameters
    ----------
    classes : ClassMap
        Its classes and ours.
    rule : WindowRule
        How it wants its cells cut.
    output : {"sigmoid", "softmax", "logits"}
        What comes out of its last layer.
    channels_last : bool
        Whether channels are the last axis of its input, or the second.
    """

    classes: ClassMap
    rule: WindowRule
    output: str
    channels_last: bool

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """The shape of one crop as the network takes it."""
        size, n_channels = self.rule.size, len(self.rule.channels)
        return (size, size, n_channels) if self.channels_last else (n_channels, size, size)


def read_model_card(path: Path) -> ModelCard:
    """Read the JSON that lies beside a model.

    Parameters
    ----------
    path : Path
        The model; its JSON has the same name and ends in ``.json``.

    Returns
    -------
    ModelCard
        What it says.

    Raises
    ------
    WeightsError
        If it is missing, no JSON, or wrong; all problems are named.
    """
    place = path.with_suffix(".json")
    try:
        said = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"Expected a JSON file with the model's classes and crops at {place}; found none that can be read."
        raise WeightsError(message, hint=f"Write it: {_EXAMPLE}") from error
    problems = list(_problems(said)) if isinstance(said, dict) else ["It is no object in braces."]
    if problems:
        message = f"{place.name} can't be used. {' '.join(problems)}"
        raise WeightsError(message, hint=_EXAMPLE)
    return _card({**_OPTIONAL, **said})


def _card(said: Mapping[str, Any]) -> ModelCard:
    """The card of entries that are right."""
    pixel_um = said["pixel_size_um"]
    rule = WindowRule(
        size=said["size_px"],
        extent_um=None if pixel_um is None else said["size_px"] * pixel_um,
        margin_um=said["margin_um"],
        masked=said["masked"],
        channels=_channels(said["channels"]),
        scaling=said["scaling"],
    )
    classes = ClassMap.of(said["classes"], said["maps_to"])
    return ModelCard(classes, rule, said["output"], said["layout"] == "channels_last")


def _channels(names: list[str]) -> tuple[int, ...]:
    """Indices of channels by their names."""
    found = [find_channel(name) for name in names]
    return tuple(channel.index for channel in found if channel is not None)


def _problems(said: Mapping[str, Any]) -> Iterator[str]:
    """All that is wrong, one sentence each."""
    lacking = [key for key in _REQUIRED if key not in said]
    if lacking:
        yield f"It lacks {', '.join(lacking)}."
    unknown = sorted(set(said) - {*_REQUIRED, *_OPTIONAL})
    if unknown:
        yield f"It has unknown entries: {', '.join(unknown)}."
    full = {**_OPTIONAL, **said}
    yield from _of_classes(full.get("classes", []), full["maps_to"])
    yield from _of_channels(full.get("channels", ["green"]))
    yield from _of_numbers(full)
    for key, allowed in (("output", OUTPUTS), ("scaling", SCALINGS), ("layout", _LAYOUTS)):
        if key in full and full[key] not in allowed:
            yield f"{key}: expected one of {', '.join(allowed)}; found {full[key]!r}."
    if not isinstance(full["masked"], bool):
        yield f"masked: expected true or false; found {full['masked']!r}."


def _of_classes(classes: Any, others: Any) -> Iterator[str]:
    """What is wrong with the names of classes."""
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        yield f"classes: expected a list of names; found {classes!r}."
        return
    twice = sorted({name for name in classes if classes.count(name) > 1})
    if twice:
        yield f"classes: expected each name once; found {', '.join(twice)} more often."
    if not isinstance(others, dict):
        yield f"maps_to: expected an object of names; found {others!r}."
        return
    bad = [meant for meant in others.values() if meant not in (None, *CLASS_NAMES)]
    if bad:
        yield f"maps_to: expected one of the 19 names or null; found {bad[0]!r}."
    unknown = [name for name in classes if name not in others and our_class(name) is None]
    if unknown:
        yield (
            f"classes: {', '.join(unknown)} is none of the 19 classes and no other name of one; say in maps_to "
            'which class it is, or null for none: {"' + unknown[0] + '": null}.'
        )


def _of_channels(channels: Any) -> Iterator[str]:
    """What is wrong with the names of channels."""
    if not isinstance(channels, list) or not channels:
        yield f"channels: expected a list such as ['red', 'green', 'blue', 'yellow']; found {channels!r}."
        return
    for name in channels:
        if not isinstance(name, str) or find_channel(name) is None:
            yield f"channels: expected red, green, blue or yellow; found {name!r}."


def _of_numbers(said: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with sizes."""
    size, pixel_um, margin = (said.get(k, 8) for k in ("size_px", "pixel_size_um", "margin_um"))
    if not isinstance(size, int) or isinstance(size, bool) or size < 8:
        yield f"size_px: expected a whole number of at least 8; found {size!r}."
    if pixel_um is not None and not (_is_number(pixel_um) and pixel_um > 0):
        yield f"pixel_size_um: expected a number above 0, or null; found {pixel_um!r}."
    if not (_is_number(margin) and margin >= 0):
        yield f"margin_um: expected a number of at least 0; found {margin!r}."


def _is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
