"""Settings of a class as words of the command line: ``NAME=VALUE``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["parse_settings"]

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def parse_settings(words: Sequence[str], cls: type[Any], flag: str) -> dict[str, Any]:
    """The settings that words of the command line give.

    Parameters
    ----------
    words : sequence of str
        Each ``NAME=VALUE``.
    cls : type
        The dataclass whose settings they are; the defaults there say of which kind a value is.
    flag : str
        What the person typed before each word, for messages.

    Returns
    -------
    dict of str to float, int, bool or str
        By name; names are not checked.

    Raises
    ------
    SettingsError
        If a word has another form, a value is of the wrong kind, or a setting is given twice.
    """
    defaults = _defaults(cls)
    settings: dict[str, Any] = {}
    for word in words:
        name, sign, text = (part.strip() for part in word.partition("="))
        if not name or not sign:
            message = f"Expected {flag} NAME=VALUE; found {word!r}."
            raise SettingsError(message)
        if name in settings:
            message = f"Expected the setting {name} once; found it twice."
            raise SettingsError(message)
        settings[name] = _value(name, text, defaults.get(name))
    return settings


def _defaults(cls: type[Any]) -> dict[str, Any]:
    """The defaults of a class's settings, also of those that are not on the page, by name."""
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    return {field.name: field.default for field in fields}


def _value(name: str, text: str, default: Any) -> Any:
    """The text as a value of the default's type; settings without a default of these types are text."""
    if isinstance(default, bool):
        if text.lower() not in _YES + _NO:
            message = f"{name}: expected true or false; found {text!r}."
            raise SettingsError(message)
        return text.lower() in _YES
    if not isinstance(default, (int, float)):
        return text
    try:
        number = float(text)
    except ValueError:
        message = f"{name}: expected a number; found {text!r}."
        raise SettingsError(message) from None
    return int(number) if isinstance(default, int) and number.is_integer() else number
