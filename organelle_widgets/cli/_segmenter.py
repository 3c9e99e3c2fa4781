"""The segmenter of a command: which one, and its settings as words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.cli._settings import parse_settings
from organelle_widgets.pipeline import DEFAULT_SEGMENTER
from organelle_widgets.segmentation import SEGMENTERS, make_segmenter

if TYPE_CHECKING:
    import argparse

    from organelle_widgets.segmentation import Segmenter

__all__ = ["add_segmenter", "chosen_segmenter"]


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
    cls = SEGMENTERS.get(options.segmenter).cls
    settings = parse_settings(options.segmenter_setting, cls, "--segmenter-setting")
    return make_segmenter(options.segmenter, **settings)
