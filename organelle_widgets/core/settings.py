"""Settings with a label, a unit and a range, declared as dataclass fields.

A backend writes ``sigma_um: float = setting(0.5, label="Smoothing", unit="um", minimum=0, maximum=5)``; the page
draws a slider from it, the command line a flag, and `check_settings` refuses what is out of range.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from dataclasses import dataclass
from typing import Any

from organelle_widgets.errors import SettingsError

__all__ = ["Setting", "check_settings", "describe_settings", "setting", "settings_of"]

_KEY = "organelle_widgets.setting"


@dataclass(frozen=True)
class Setting:
    """What a person needs to know of one setting.

    Parameters
    ----------
    name : str
        The attribute's name.
    label : str
        A few words for the page.
    default : float, int, bool or str
        The default value; its type is the setting's type.
    unit : str
        For instance ``"um"`` or ``"um2"``; empty for plain numbers.
    minimum, maximum, step : float or None
        Range and step of numbers.
    choices : tuple of str
        The allowed words of a text setting.
    help : str
        One sentence: the meaning, and what a larger value does.
    """

    name: str
    label: str
    default: Any
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


def setting(
    default: Any,
    *,
    label: str,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | None = None,
    choices: tuple[str, ...] = (),
    help: str = "",
) -> Any:
    """Declare a dataclass field that is a setting; see `Setting` for the parameters."""
    spec = Setting("", label, default, unit, minimum, maximum, step, choices, help)
    return dataclasses.field(default=default, metadata={_KEY: spec})


def describe_settings(owner: Any) -> tuple[Setting, ...]:
    """The settings of a dataclass or of an instance of one.

    Parameters
    ----------
    owner : type or object
        A dataclass whose fields were declared with `setting`; any other class has none.

    Returns
    -------
    tuple of Setting
        In the order of declaration.
    """
    fields = dataclasses.fields(owner) if dataclasses.is_dataclass(owner) else ()
    return tuple(
        dataclasses.replace(field.metadata[_KEY], name=field.name)
        for field in fields
        if _KEY in field.metadata
    )


def settings_of(owner: Any) -> dict[str, Any]:
    """The values of an instance's settings, by name.

    Parameters
    ----------
    owner : object
        An instance of a dataclass whose fields were declared with `setting`.

    Returns
    -------
    dict of str to float, int, bool or str
        In the order of declaration.
    """
    return {spec.name: getattr(owner, spec.name) for spec in describe_settings(owner)}


def check_settings(owner: Any) -> None:
    """Refuse settings of the wrong kind or out of their range.

    Parameters
    ----------
    owner : object
        An instance of a dataclass whose fields were declared with `setting`.

    Raises
    ------
    SettingsError
        Names every setting that is wrong, with the value found and the range expected.
    """
    problems = [
        problem
        for spec in describe_settings(owner)
        if (problem := _problem(spec, getattr(owner, spec.name)))
    ]
    if problems:
        raise SettingsError(" ".join(problems))


def _problem(spec: Setting, value: Any) -> str:
    """What is wrong with one value; empty if nothing is."""
    if isinstance(spec.default, bool):
        return (
            ""
            if isinstance(value, bool)
            else f"{spec.name}: expected true or false; found {value!r}."
        )
    if isinstance(spec.default, str):
        if isinstance(value, str) and (not spec.choices or value in spec.choices):
            return ""
        return f"{spec.name}: expected one of {', '.join(spec.choices) or 'any text'}; found {value!r}."
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        return f"{spec.name}: expected a finite number; found {value!r}."
    number = float(value)
    if isinstance(spec.default, int) and not number.is_integer():
        return f"{spec.name}: expected a whole number; found {value!r}."
    low = -math.inf if spec.minimum is None else spec.minimum
    high = math.inf if spec.maximum is None else spec.maximum
    if low <= number <= high:
        return ""
    unit = f" {spec.unit}" if spec.unit else ""
    return f"{spec.name}: expected {low:g} to {high:g}{unit}; found {number:g}."
