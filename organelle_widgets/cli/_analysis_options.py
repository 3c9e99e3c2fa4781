"""How a command analyses fields: segmenter, classifier, pixel size, threshold, what is left out, channels."""

from __future__ import annotations

import argparse
import math

from organelle_widgets.cli._segmenter import add_segmenter
from organelle_widgets.core.cells import check_leave_out
from organelle_widgets.core.field import PIXEL_SIZES_UM
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.errors import SettingsError
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER

__all__ = ["add_analysis_options", "channel_map"]


def add_analysis_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every analysis has.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The command's parser.
    """
    add_segmenter(parser)
    parser.add_argument(
        "--classifier",
        default=DEFAULT_CLASSIFIER,
        help=f"a name, the path of a .keras file, or several with + between (default: {DEFAULT_CLASSIFIER})",
    )
    parser.add_argument(
        "--pixel-size-um",
        type=_micrometres,
        metavar="UM",
        help="micrometres per pixel, over what the files say (without either: 0.08, marked as assumed)",
    )
    parser.add_argument(
        "--threshold",
        type=_share,
        default=DEFAULT_THRESHOLD,
        help=f"confidence threshold, 0 to 1 ({DEFAULT_THRESHOLD:g})",
    )
    parser.add_argument(
        "--leave-out",
        type=_leave_out,
        default="nothing",
        metavar="WHAT",
        help="cells not to classify: fragments (probably more than half out of view) or border (default: nothing)",
    )
    parser.add_argument(
        "--channels",
        metavar="MAP",
        help="which file suffix or channel is which, such as _ch00=blue,_ch01=green or 0=red,1=green",
    )


def channel_map(text: str | None) -> dict[str | int, str] | None:
    """The mapping behind ``_ch00=blue,_ch01=green``.

    Parameters
    ----------
    text : str, optional
        As typed after ``--channels``.

    Returns
    -------
    dict of str or int to str, or None
        As `organelle_widgets.read_field` takes it.

    Raises
    ------
    SettingsError
        If it is written otherwise.
    """
    if not text:
        return None
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(key.strip() and sep and value.strip() for key, sep, value in pairs):
        message = f"Expected --channels as SUFFIX=COLOUR,SUFFIX=COLOUR; found {text!r}."
        raise SettingsError(
            message, hint="For instance: --channels _ch00=blue,_ch01=green,_ch02=red,_ch03=yellow"
        )
    named: dict[str | int, str] = {
        int(key) if key.strip().isdecimal() else key.strip(): value.strip()
        for key, _, value in pairs
    }
    if len(named) < len(pairs):
        message = f"Expected every suffix or number once in --channels; found {text!r}."
        raise SettingsError(message)
    return named


def _number(text: str, low: float, high: float, what: str) -> float:
    """A number of the command line, or an error that argparse shows with the usage."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        message = f"expected {what} from {low:g} to {high:g}; found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _share(text: str) -> float:
    """A threshold."""
    return _number(text, 0, 1, "a threshold")


def _micrometres(text: str) -> float:
    """A pixel size."""
    return _number(text, *PIXEL_SIZES_UM, "micrometres per pixel")


def _leave_out(text: str) -> str:
    """Which cells to leave out."""
    try:
        check_leave_out(text)
    except SettingsError as error:
        raise argparse.ArgumentTypeError(error.message) from error
    return text
