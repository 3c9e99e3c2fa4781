"""A run over many fields in words before it is started: of what, with which choices, where to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organelle_widgets.classification import CLASSIFIERS
from organelle_widgets.controllers.run_words import count, counts_in_words
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.segmentation import SEGMENTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.state import RunShown

__all__ = ["choices_in_words", "found_in_words", "place_in_words"]

_LEAVE_OUT = {
    "nothing": "kept",
    "fragments": "fragments are left out",
    "border": "left out",
}


def choices_in_words(choices: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a run will be done with.

    Parameters
    ----------
    choices : mapping
        ``segmenter``, ``settings``, ``classifier``, ``threshold``, ``leave_out`` and ``pixel_size_um``, by the names
        that `PageState` has for them.

    Returns
    -------
    list of dict
        ``label`` and ``value`` of each choice; of the segmenter's settings, those that differ from the defaults.
    """
    segmenter = SEGMENTERS.get(choices["segmenter"])
    changed = [
        (spec, choices["settings"][spec.name])
        for spec in describe_settings(segmenter.cls)
        if choices["settings"].get(spec.name, spec.default) != spec.default
    ]
    size = choices["pixel_size_um"]
    rows = [
        ("Cells found by", segmenter.title),
        *((spec.label, _with_unit(value, spec.unit)) for spec, value in changed),
        ("Organelles named by", _classifier_title(choices["classifier"])),
        ("Confidence threshold", f"{choices['threshold']:.2f}"),
        ("Cells at the border", _LEAVE_OUT.get(choices["leave_out"], choices["leave_out"])),
        ("Pixel size", "from the files" if size is None else f"{size:g} µm/px"),
    ]
    return [{"label": label, "value": value} for label, value in rows]


def _with_unit(value: Any, unit: str) -> str:
    """A setting's value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:g}" if isinstance(value, (int, float)) else str(value)
    words = unit.replace("um", "µm").replace("2", "²").replace("3", "³")
    return f"{text} {words}".strip()


def _classifier_title(name: str) -> str:
    """What a classifier, or several together, are called."""
    known = CLASSIFIERS.entries()
    return " + ".join(known[part].title if part in known else part for part in name.split("+"))


def found_in_words(run: RunShown) -> str:
    """How many fields there are.

    Parameters
    ----------
    run : RunShown
        The run.

    Returns
    -------
    str
        Such as ``"24 fields found"``; empty while they are counted.
    """
    if run.stage == "counting":
        return ""
    return f"{count(run.n_fields, 'field')} found" if run.n_fields else "No fields found"


def place_in_words(run: RunShown) -> str:
    """What will become of the results folder.

    Parameters
    ----------
    run : RunShown
        A run that is not started yet.

    Returns
    -------
    str
        One or two sentences.
    """
    if not run.continues:
        return "A new folder, below the top folder."
    known = (
        f" ({counts_in_words(run.status)})"
        if run.status is not None and run.status.n_planned
        else ""
    )
    return (
        f"A run has been begun there{known}. It goes on with its own choices and repeats nothing."
    )
