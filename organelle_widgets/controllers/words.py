"""Fields, results and failures in a few words, as the regions of the page get them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from organelle_widgets.classification import CLASSIFIERS

if TYPE_CHECKING:
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.state import Failure, Shown

__all__ = ["failure_entry", "field_chip", "header_notes", "own_title", "result_summary"]


def field_chip(field: Field) -> str:
    """A field in a few words: name, size, pixel size.

    Parameters
    ----------
    field : Field
        The field.

    Returns
    -------
    str
        Such as ``"000a6c98 · 2048 × 2048 · 0.08 µm/px"``.
    """
    rows, cols = field.shape
    name = field.name if len(field.name) <= 28 else f"{field.name[:24]}…"
    assumed = " assumed" if field.pixel_size_source == "assumed" else ""
    return f"{name} · {cols} × {rows} · {field.pixel_size_um:.3g} µm/px{assumed}"


def result_summary(result: FieldResult) -> str:
    """A result in a few words: cells, their size, how many are cut, and seconds.

    Parameters
    ----------
    result : FieldResult
        The result.

    Returns
    -------
    str
        Such as ``"19 cells · median 412 µm² · 33 % at the border · analysed in 1.3 s"``.
    """
    quality = result.quality
    found = quality.n_cells if quality else result.n_cells
    count = f"{result.n_cells} of {found}" if found != result.n_cells else f"{found}"
    words = [f"{count} cell{'' if found == 1 else 's'}"]
    if quality and found:
        words.append(f"median {quality.median_cell_area_um2:.0f} µm²")
        words.append(f"{100 * quality.border_share:.0f} % at the border")
    return " · ".join([*words, f"analysed in {result.seconds:.1f} s"])


def header_notes(shown: Shown | None) -> tuple[list[str], list[str]]:
    """What a person should know of what is on the page, nothing twice.

    Parameters
    ----------
    shown : Shown or None
        What is on the page.

    Returns
    -------
    list of str, list of str
        What looks wrong with the field, and other notes.
    """
    if shown is None:
        return [], []
    result = shown.result
    wrong = list(result.warnings) if result else []
    notes = [*shown.field.notes, *(result.notes if result else ())]
    return wrong, [note for note in dict.fromkeys(notes) if note not in wrong]


def own_title(result: FieldResult) -> str:
    """What a classifier's own classes are called.

    Parameters
    ----------
    result : FieldResult
        The result.

    Returns
    -------
    str
        Such as ``"31 classes of SubCell"``; empty where the classifier has none of its own.
    """
    count = len(result.answers.own_classes) if result.answers is not None else 0
    name = result.provenance.get("classifier", {}).get("name", "")
    entry = CLASSIFIERS.entries().get(name)
    classes = f"{count} class{'' if count == 1 else 'es'}"
    return f"{classes} of {entry.title if entry else 'its own'}" if count else ""


def failure_entry(failure: Failure | None) -> dict[str, Any]:
    """A failure as `SamplePanel.error`.

    Parameters
    ----------
    failure : Failure or None
        What went wrong, if anything.

    Returns
    -------
    dict
        Plain lists and texts; empty for None.
    """
    if failure is None:
        return {}
    downloads = [dataclasses.asdict(one) for one in failure.downloads]
    return {
        "message": failure.message,
        "hint": failure.hint,
        "downloads": downloads,
        "otherwise": failure.otherwise,
    }
