"""The words and tables of a classifier's report, as HTML.

Numbers come from the scores as they are; here they are rounded, put in order and explained. The page around them is
`report.html`.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASSES
from organelle_widgets.evaluation.classification_scores import FEWEST_FIELDS
from organelle_widgets.evaluation.report_figures import class_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["cards", "caveats", "class_table", "lead", "plain_table", "provenance_table", "span"]

_COLORS = {organelle.name: organelle.color for organelle in CLASSES}
_CARDS = (
    ("field_top1", "Fields: hit at 1", "The most probable class is one of the field's labels."),
    ("field_top3", "Fields: hit at 3", "One of the three most probable classes is."),
    ("field_map", "Fields: macro AP", "How well fields of a class are ranked above others."),
    ("field_auc", "Fields: macro AUC", "How often a field of a class is above one without it."),
    ("cell_top1", "Cells: hit at 1", "The most probable class is one of the field's labels."),
    ("ece", "Cells: calibration error", "How far probabilities are off; 0 is perfect."),
)
_AMONG = (
    ("among_accuracy", "Cells: right among {k}", "Only the {k} classes that occur may be named."),
    ("among_balanced_accuracy", "Balanced among {k}", "The same, each class counting alike."),
)
_KINDS = {
    "all": "All cells",
    "whole": "Whole: not at the edge",
    "border": "At the edge of the field",
    "fragment": "More than half out of view",
    "unusual": "Unlike the cells of the training",
    "sure": "Sure: 0.5 or more, and not unlike the training",
}


def span(value: float, interval: Sequence[float] | None = None, digits: int = 2) -> str:
    """A figure with its interval, as text.

    Parameters
    ----------
    value : float
        The figure.
    interval : sequence of float, optional
        Low and high end; left out where NaN.
    digits : int
        Digits after the point.

    Returns
    -------
    str
        For instance ``0.62 (0.51–0.72)``; a dash for NaN.
    """
    if np.isnan(value):
        return "–"
    known = interval is not None and not np.isnan(interval[0])
    return f"{value:.{digits}f} ({_ends(interval, digits)})" if known else f"{value:.{digits}f}"


def _ends(interval: Sequence[float] | None, digits: int) -> str:
    """The two ends; nothing where there are none."""
    if interval is None or np.isnan(interval[0]):
        return ""
    return f"{interval[0]:.{digits}f}–{interval[1]:.{digits}f}"


def lead(scores: Mapping[str, Any]) -> str:
    """The result in two sentences.

    Parameters
    ----------
    scores : mapping
        What `organelle_widgets.evaluation.classification.evaluate_classification` gives.

    Returns
    -------
    str
        Text.
    """
    interval = scores.get("intervals", {}).get("field_top1")
    between = ""
    if interval is not None and not np.isnan(interval[0]):
        between = f" (95 % interval: {100 * interval[0]:.0f} to {100 * interval[1]:.0f})"
    return (
        f"In {100 * scores['field_top1']:.0f} of 100 fields{between}, the class that the classifier finds most "
        f"probable is one of the field's labels; in {100 * scores['field_top3']:.0f} of 100, one of its first three is."
    )


def cards(scores: Mapping[str, Any]) -> str:
    """The most telling figures.

    Parameters
    ----------
    scores : mapping
        What `organelle_widgets.evaluation.classification.evaluate_classification` gives.

    Returns
    -------
    str
        HTML, one block a figure.
    """
    n_classes = len(scores["among_classes"])
    among = [
        (key, name.format(k=n_classes), meaning.format(k=n_classes))
        for key, name, meaning in (_AMONG if n_classes > 1 else ())
    ]
    return "\n".join(_card(scores, *card) for card in (*_CARDS, *among))


def _card(scores: Mapping[str, Any], key: str, name: str, meaning: str) -> str:
    """One figure, its interval, what it rests on and what it means."""
    digits = 3 if key == "ece" else 2
    ends = _ends(scores.get("intervals", {}).get(key), digits)
    return (
        f'<div class="card"><div class="name">{escape(name)}</div>'
        f'<div class="value">{span(scores[key], None, digits)}</div>'
        f'<div class="interval">{ends or "no interval"} · {_basis(scores, key)}</div>'
        f'<div class="meaning">{escape(meaning)}</div></div>'
    )


def _basis(scores: Mapping[str, Any], key: str) -> str:
    """How many samples a figure rests on."""
    if key.startswith("field"):
        return f"{scores['n_fields']} fields"
    return f"{scores['n_among_cells'] if key.startswith('among') else scores['n_cells']} cells"


def caveats(scores: Mapping[str, Any]) -> str:
    """What no claim can be made about.

    Parameters
    ----------
    scores : mapping
        What `organelle_widgets.evaluation.classification.evaluate_classification` gives.

    Returns
    -------
    str
        HTML, list items.
    """
    found = [
        "Labels belong to fields, not to single cells: a cell that differs from its field counts as an error of the "
        "classifier. Figures of cells are therefore too low, by an unknown amount.",
        "If the classifier was trained on any of these fields, or chosen by looking at them, its figures are too high. "
        "This report cannot know that.",
        "Fields of one antibody or one plate are alike. They are drawn as if they were independent, so the intervals "
        "are rather too narrow.",
    ]
    if scores["n_fields"] < FEWEST_FIELDS:
        found.insert(
            0, f"There are only {scores['n_fields']} fields: no figure here bears a claim."
        )
    if scores["little_evidence"]:
        found.append(
            f"Fewer than {FEWEST_FIELDS} fields, so no claim: {_listed(scores, scores['little_evidence'])}. "
            "In the means over classes each of them counts as much as a common one."
        )
    if scores["no_evidence"]:
        found.append(
            f"No field at all, so nothing is known: {', '.join(scores['no_evidence'])}. They are not in any mean."
        )
    return "\n".join(f"<li>{escape(text)}</li>" for text in found)


def _listed(scores: Mapping[str, Any], names: Iterable[str]) -> str:
    """Classes with the number of their fields."""
    return ", ".join(f"{name} ({scores['per_class'][name]['n_fields']})" for name in names)


def class_table(per_class: Mapping[str, Mapping[str, Any]]) -> str:
    """Every class with its figures.

    Parameters
    ----------
    per_class : mapping
        As `organelle_widgets.evaluation.classification_scores.score_fields` gives it.

    Returns
    -------
    str
        HTML, a table in the order of `organelle_widgets.evaluation.report_figures.class_order`.
    """
    head = (
        "Class", "Fields", "Cells", "AP<br>fields", "AUC<br>fields", "AP<br>cells", "AUC<br>cells", "F1<br>cells",
        "Cal. error<br>cells",
    )  # fmt: skip
    body = "\n".join(_class_row(name, per_class[name]) for name in class_order(per_class))
    return f"<table><thead><tr>{_cells('th', head)}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def _class_row(name: str, row: Mapping[str, Any]) -> str:
    """One class."""
    intervals = row.get("interval", {})
    title = f'<span class="dot" style="background:{_COLORS[name]}"></span>{escape(name)}'
    figures = []
    for key in ("ap_field", "auc_field", "ap_cell", "auc_cell", "f1", "ece"):
        ends = _ends(intervals.get(key), 2) if not np.isnan(row[key]) else ""
        figures.append(span(row[key]) + (f"<small>{ends}</small>" if ends else ""))
    weak = ' class="weak"' if row["n_fields"] < FEWEST_FIELDS else ""
    return f"<tr{weak}>{_cells('td', (title, str(row['n_fields']), str(row['n_cells']), *figures))}</tr>"


def _cells(tag: str, texts: Iterable[str]) -> str:
    """Cells of a table's row; the texts are HTML."""
    return "".join(f"<{tag}>{text}</{tag}>" for text in texts)


def plain_table(rows: Mapping[str, Mapping[str, Any]], first: str) -> str:
    """Figures of some groups.

    Parameters
    ----------
    rows : mapping of str to mapping
        Figures by group; all groups have the same. Known kinds of cells are named in words.
    first : str
        What the groups are.

    Returns
    -------
    str
        HTML, a table.
    """
    names = {
        "n_fields": "Fields", "n_cells": "Cells", "top1": "Hit at 1", "top3": "Hit at 3",
        "field_top1": "Fields: hit at 1", "field_top3": "Fields: hit at 3", "cell_top1": "Cells: hit at 1",
    }  # fmt: skip
    keys = list(next(iter(rows.values()), {}))
    head = _cells("th", (escape(first), *(names.get(key, key) for key in keys)))
    body = "\n".join(
        f"<tr>{_cells('td', (escape(_KINDS.get(group, group)), *(_number(row[key]) for key in keys)))}</tr>"
        for group, row in rows.items()
    )
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def _number(value: Any) -> str:
    """A count as it is, a share with two digits."""
    return span(value) if isinstance(value, float) else str(value)


def provenance_table(scores: Mapping[str, Any]) -> str:
    """What was run on what.

    Parameters
    ----------
    scores : mapping
        What `organelle_widgets.evaluation.classification.evaluate_classification` gives with details.

    Returns
    -------
    str
        HTML, a table of two columns.
    """
    facts = dict(_flat(scores["provenance"]))
    if "n_resamples" in scores:
        facts |= {
            "intervals, draws": str(scores["n_resamples"]),
            "intervals, seed": str(scores["seed"]),
        }
    body = "\n".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in facts.items()
    )
    return f'<table class="facts"><tbody>\n{body}\n</tbody></table>'


def _flat(values: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    """Names and values of nested mappings; empty ones are left out."""
    for key, value in values.items():
        name = f"{before}{key}".replace("_", " ")
        if isinstance(value, dict):
            yield from _flat(value, f"{name}, ")
        else:
            yield name, str(value)
