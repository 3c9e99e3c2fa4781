"""A classifier's scores as one page that needs nothing beside itself: text, figures, tables, where it comes from.

What is said is in `report_tables`, what is drawn in `report_figures`, how it looks in ``report.html`` and
``report.css``; here they are put together and written.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import InputError
from organelle_widgets.evaluation.classification_scores import FEWEST_FIELDS
from organelle_widgets.evaluation.report_figures import (
    class_ranking,
    confusion_figure,
    curves_figure,
    reliability_figure,
)
from organelle_widgets.evaluation.report_tables import (
    cards,
    caveats,
    class_table,
    lead,
    plain_table,
    provenance_table,
)
from organelle_widgets.render.inline_svg import inline_svg
from organelle_widgets.render.saving import written_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["report_page", "write_report"]


def write_report(scores: Mapping[str, Any], path: str | Path) -> None:
    """Write the page.

    Parameters
    ----------
    scores : mapping
        As for `report_page`.
    path : str or Path
        The file; replaced where it exists.

    Raises
    ------
    InputError
        If the scores have no details.
    ExportError
        If the file can't be written.
    """
    page = report_page(scores)
    with written_whole(path) as part:
        part.write_text(page, encoding="utf-8")


def report_page(scores: Mapping[str, Any]) -> str:
    """Make the page.

    Parameters
    ----------
    scores : mapping
        What `organelle_widgets.evaluation.classification.evaluate_classification` gives with details, with or without
        intervals.

    Returns
    -------
    str
        HTML with its style and its figures within; it fetches nothing and runs no script.

    Raises
    ------
    InputError
        If the scores have no details.
    """
    if "details" not in scores or "provenance" not in scores:
        message = "Expected scores with details and provenance; found none."
        raise InputError(message, hint="Score with details=True.")
    place = files("organelle_widgets.evaluation")
    template = Template(place.joinpath("report.html").read_text("utf-8"))
    style = place.joinpath("report.css").read_text("utf-8")
    return template.substitute(_words(scores), **_tables(scores), **_figures(scores), style=style)


def _words(scores: Mapping[str, Any]) -> dict[str, str]:
    """The sentences that depend on the scores."""
    origin = scores["provenance"]
    texts = {
        "title": f"How well “{scores['classifier']}” names organelles",
        "subtitle": (
            f"Data “{origin['data']}” · {_count(scores['n_fields'], 'field')} · {_count(scores['n_cells'], 'cell')} "
            f"found by “{scores['segmenter']}” · {origin['created'][:10]}"
        ),
        "lead": lead(scores),
        "about_intervals": _about_intervals(scores),
        "intervals_definition": _intervals_definition(scores),
        "among": ", ".join(scores["among_classes"]) or "none",
        "confusion_note": _confusion_note(scores["details"]["confusion"]),
        "fewest": str(FEWEST_FIELDS),
    }
    return {name: escape(text) for name, text in texts.items()}


def _tables(scores: Mapping[str, Any]) -> dict[str, str]:
    """All lists and tables."""
    return {
        "cards": cards(scores),
        "caveats": caveats(scores),
        "class_table": class_table(scores["per_class"]),
        "kinds_table": plain_table(scores["details"]["cells_by_kind"], "Cells"),
        "folders_table": plain_table(scores["details"]["folders"], "Folder"),
        "provenance": provenance_table(scores),
    }


def _figures(scores: Mapping[str, Any]) -> dict[str, str]:
    """All drawings."""
    details = scores["details"]
    return {
        "ranking": inline_svg(
            class_ranking(scores),
            "Average precision and AUC of every class; the table below has the numbers.",
        ),
        "confusion": inline_svg(
            confusion_figure(details["confusion"]), "Confusion matrix of cells with one label."
        ),
        "reliability": inline_svg(
            reliability_figure(details["reliability"]),
            "Share right against probability said, with counts.",
        ),
        "curves": inline_svg(curves_figure(scores), "Precision against recall of every class."),
    }


def _count(n: int, word: str) -> str:
    """A number of things."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _about_intervals(scores: Mapping[str, Any]) -> str:
    """What stands below the large numbers."""
    if "n_resamples" not in scores:
        return "Without intervals: they were not asked for."
    return "Below each figure: its 95 % interval, and how many fields or cells it rests on."


def _intervals_definition(scores: Mapping[str, Any]) -> str:
    """How the intervals came about."""
    if "n_resamples" not in scores:
        return "Not asked for."
    return (
        f"The {scores['n_fields']} fields are drawn anew, with replacement, {scores['n_resamples']:,} times (seed "
        f"{scores['seed']}), each with all its cells, because cells of one field are not independent. The interval "
        f"holds the middle 95 % of the values. What rests on fewer than {FEWEST_FIELDS} fields gets none. "
        "Calibration errors, and means over classes of which some have few fields, come out somewhat larger in the "
        "draws than in the whole: their intervals lean upwards. An interval of no width says that all fields agree, "
        "not that the figure is certain."
    )


def _confusion_note(confusion: Mapping[str, Any]) -> str:
    """What the matrix holds and what it leaves out."""
    n_cells = sum(sum(row) for row in confusion["cells"])
    return (
        f"{_count(n_cells, 'cell')} of fields with one label; in parentheses, how many of each class; the shade is the "
        f"share of the row. {_count(confusion['n_cells_left_out'], 'cell')} of fields with several labels are left "
        "out: it cannot be told which of them a wrong answer stands for."
    )
