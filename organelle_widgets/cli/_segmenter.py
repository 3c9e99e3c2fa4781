"""The segmenter of a command: which one, and its settings as words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import SettingsError
from organelle_widgets.pipeline import DEFAULT_SEGMENTER
from organelle_widgets.segmentation import SEGMENTERS, make_segmenter

if TYPE_CHECKING:
    import argparse

    from organelle_widgets.segmentation import Segmenter

__all__ = ["add_segmenter", "chosen_segmenter"]

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def add_segmenter(parser: argparse.ArgumentParser) -> None:
    """Add ``--segmenter`` and ``--segmenter-setting``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The command's parser.
    """
    parser.add_argument(
        "--segmenter", default=DEFAULT_SEGMENTER, help=f"default: {DEFAULT_SEGMENTER}"
    )
    parser.add_argument(
        "--segmenter-setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the segmenter, such as min_cell_area_um2=50; may be given several times",
    )


def chosen_segmenter(options: argparse.Namespace) -> Segmenter:
    """The segmenter that the words of the command line ask for.

    Parameters
    ----------
    options : argparse.Namespace
        With what `add_segmenter` added.

    Returns
    -------
    Segmenter
        Ready to use.

    Raises
    ------
    SettingsError
        If the segmenter or a setting is unknown, a value is of the wrong kind or out of its range, or a setting
        is given twice.
    BackendUnavailableError
        If a package that the segmenter needs is not installed.
    """
    defaults = _defaults(SEGMENTERS.get(options.segmenter).cls)
    settings: dict[str, Any] = {}
    for word in options.segmenter_setting:
        name, sign, text = (part.strip() for part in word.partition("="))
        if not name or not sign:
            message = f"Expected --segmenter-setting NAME=VALUE; found {word!r}."
            raise SettingsError(message)
        if name in settings:
            message = f"Expected the setting {name} once; found it twice."
            raise SettingsError(message)
        settings[name] = _value(name, text, defaults.get(name))
    return make_segmenter(options.segmenter, **settings)


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
