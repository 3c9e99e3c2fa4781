"""What the report of a run says."""

from __future__ import annotations

from html import escape
from itertools import product
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import InputError
from organelle_widgets.export._chosen import fields_of
from organelle_widgets.export._report_charts import Drawn, charts_of_run
from organelle_widgets.export._report_page import (
    Column,
    Section,
    answer_html,
    cards,
    counted,
    data_uri,
    dot_html,
    facts,
    items,
    number,
    page,
    search_box,
    table,
    warning,
)
from organelle_widgets.export._run import cells_where, chosen_fields
from organelle_widgets.render.inline_svg import inline_svg
from organelle_widgets.render.overlay import NOT_SURE_COLOR

if TYPE_CHECKING:
    import pandas as pd

    from organelle_widgets.core.monitor import Monitor
    from organelle_widgets.results import Results

__all__ = ["MOST_FIELDS", "report_of_run"]

MOST_FIELDS = 5000
"""Most fields in the table."""

_MOST_FAILURES, _MOST_EXTRA = 1000, 8
_STYLES = ("light", "dark")
_SIZES = {"wide": 240.0, "narrow": 180.0}
"""Widths of charts, mm."""
_COLUMNS = (
    "field", "n_cells", "n_cells_on_border", "n_unusual", "predicted_classes", "top_class", "confidence", "warnings",
    "seconds", "finished",
)  # fmt: skip


class _Run:
    """A run, or some of its fields, and all tables that the report needs."""

    def __init__(self, results: Results, where: str | None) -> None:
        chosen_fields(results, where)  # refuses a condition that nothing fits
        self.results = results
        self.where = where
        self.extra = results.extra_columns[:_MOST_EXTRA]
        self.fields: pd.DataFrame = results.fields(where, columns=[*_COLUMNS, *self.extra])
        self.classes: pd.DataFrame = results.count("class", cells_where(where))
        self.n_cells = int(self.fields["n_cells"].sum())
        self.failures: pd.DataFrame = results.failures(limit=0 if where else _MOST_FAILURES)
        self.n_failures = 0 if where else results.n_failures

    def share_of(self, column: str) -> float:
        """Share of the cells that a column of counts has."""
        return float(self.fields[column].sum()) / self.n_cells if self.n_cells else 0.0


def report_of_run(
    results: Results, where: str | None, monitor: Monitor, *, by: str = "", gallery: int = 200
) -> str:
    """The page of a run.

    Parameters
    ----------
    results : Results
        The run; may be empty.
    where : str or None
        SQL condition on the table ``fields``.
    monitor : Monitor
        Learns how far it is; may cancel.
    by : str
        Column that makes groups in charts; empty: each chart chooses.
    gallery : int
        Most fields that are shown with a picture.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    ExportError
        If no field fits the condition.
    InputError
        If `by` names no column.
    """
    run = _Run(results, where)
    sections = [
        Section("classes", "Cells per class", _classes(run)),
        Section("charts", "Charts", _charts(run, monitor, by)),
        Section("gallery", "Fields in pictures", _gallery(run, monitor, gallery)),
        Section("fields", "Table of fields", _fields(run, gallery)),
        Section("failures", "Fields that failed", _failures(run)),
        Section("made", "How this was made", _made(run)),
    ]
    return page(
        f"Where the protein is: {_name(results)}",
        _subtitle(run),
        _lead(run),
        cards(_figures(run)),
        sections,
        before_html=warning("What to look at first", _alarms(run)),
        version=str((results.run.get("provenance") or {}).get("organelle_widgets", "")),
    )


def _name(results: Results) -> str:
    """What the run is of, in a word or two."""
    source = results.run.get("source")
    first = source[0] if isinstance(source, (list, tuple)) and source else source
    return PurePath(str(first or "")).name or results.path.name


def _subtitle(run: _Run) -> str:
    """From where, when, which part."""
    source = run.results.run.get("source")
    said = [", ".join(map(str, source)) if isinstance(source, (list, tuple)) else str(source or "")]
    finished = [text[:10] for text in run.fields["finished"].dropna() if text]
    if finished:
        first, last = min(finished), max(finished)
        said.append(f"analysed {first}" if first == last else f"analysed {first} to {last}")
    if run.where:
        said.append(f"only fields that fit {run.where}")
    return " · ".join(text for text in said if text)


def _lead(run: _Run) -> str:
    """The answer in words."""
    if run.fields.empty:
        return "No field was analysed, so there is nothing to say of where the protein is."
    of = f"{counted(len(run.fields), 'field')} with {counted(run.n_cells, 'cell')}"
    if not run.n_cells:
        return f"{of}: there is nothing to say of where the protein is."
    named = run.classes[run.classes["class"] != "Not sure"].head(3)
    shares = [
        f"{row['class']} ({_percent(row['share'])} of cells)" for row in named.to_dict("records")
    ]
    unsure = _unsure(run)
    often = f"Most frequent: {', '.join(shares)}." if shares else "No class was named."
    return f"{of}. {often} The classifier is not sure of {_percent(unsure)} of the cells."


def _unsure(run: _Run) -> float:
    """Share of cells without a class."""
    share = run.classes.loc[run.classes["class"] == "Not sure", "share"]
    return float(share.iloc[0]) if len(share) else 0.0


def _percent(share: float) -> str:
    """A share in words."""
    percent = 100 * share
    return f"{percent:.1f} %" if 0 < percent < 9.95 else f"{percent:.0f} %"


def _figures(run: _Run) -> list[tuple[str, str, str]]:
    """The most telling numbers."""
    figures = [
        (f"{len(run.fields):,}", "", "fields analysed"),
        (f"{run.n_failures:,}", "", "fields failed"),
        (f"{run.n_cells:,}", "", "cells"),
    ]
    if run.n_cells:
        shares = {
            "of cells not sure": _unsure(run),
            "of cells at an edge": run.share_of("n_cells_on_border"),
            "of cells unlike the training": run.share_of("n_unusual"),
        }
        figures += [(_percent(share)[:-2], "%", name) for name, share in shares.items()]
    seconds = run.fields["seconds"].dropna()
    if len(seconds):
        figures.append((f"{seconds.median():.1f}", "s", "time of a field, median"))
    return figures


def _alarms(run: _Run) -> list[str]:
    """What a person should not miss."""
    n, alarms = len(run.fields), []
    planned = run.results.run.get("n_planned") or 0
    left = planned - run.results.n_fields - run.results.n_failures
    if left > 0:
        alarms.append(
            f"The run is not complete: {left:,} of {counted(planned, 'field')} were not analysed."
        )
    if run.n_failures:
        alarms.append(f"{counted(run.n_failures, 'field')} could not be analysed; see below why.")
    warned = int((run.fields["warnings"].fillna("") != "").sum())
    if warned:
        alarms.append(
            f"Something looks wrong in {warned:,} of {counted(n, 'field')}; see the table of fields."
        )
    empty = int((run.fields["n_cells"] == 0).sum())
    if empty:
        alarms.append(f"No cells were found in {empty:,} of {counted(n, 'field')}.")
    return [*alarms, *(run.results.run.get("notes") or ())]


def _classes(run: _Run) -> str:
    """How many cells show each class."""
    if not run.n_cells:
        return "<p>There are no cells.</p>"
    largest = float(run.classes["share"].max())
    rows = [_class_row(row, largest) for row in run.classes.to_dict("records")]
    columns = (Column("Class", "text"), Column("Cells"), Column("Share, %"), Column("", "text"))
    note = "A cell may count for several classes, so shares may add up to more than 100 %."
    return f'<p class="note">{note}</p>\n{table(columns, rows)}'


def _class_row(row: dict[Any, Any], largest: float) -> tuple[str, ...]:
    """One class and its bar."""
    from organelle_widgets.core.labels import CLASSES

    colors = {organelle.name: organelle.color for organelle in CLASSES}
    color = colors.get(row["class"], NOT_SURE_COLOR)
    width = 100 * row["share"] / largest
    bar = f'<span class="bar"><i style="width:{width:.1f}%;background:{color}"></i></span>'
    return (
        dot_html(row["class"]) + escape(row["class"]),
        number(row["n_cells"]),
        number(100 * row["share"], 1),
        bar,
    )


def _charts(run: _Run, monitor: Monitor, by: str) -> str:
    """Every chart that the run has what it takes for; which are not there and why."""
    chosen = fields_of(run.results, run.where)
    drawn, missing = [], []
    try:
        for chart in charts_of_run(chosen, by):
            monitor.report(chart.title, 0.0)
            if chart.figure is None:
                missing.append(f"{chart.title}: {chart.missing}")
            else:
                drawn.append(_looks(chart))
    finally:
        if chosen is not run.results:
            chosen.close()
    left_out = f"<h3>Not drawn</h3>\n{items(missing)}" if missing else ""
    return "\n".join([*drawn, left_out])


def _looks(chart: Drawn) -> str:
    """A chart for light and dark, wide and narrow pages, of which one is shown.

    What is written on colours must not change with the page, and letters must not shrink with it.
    """
    return f"<figure>{''.join(_look(chart, style, size) for style, size in product(_STYLES, _SIZES))}</figure>"


def _look(chart: Drawn, style: str, size: str) -> str:
    """A chart for one kind of page."""
    first = (style, size) == ("light", "narrow")  # as it was drawn already
    figure: Any = chart.figure if first else chart.again(style=style, width_mm=_SIZES[size])
    svg = inline_svg(figure, chart.description, follow_page=False)
    return f'<div class="drawing on-{style} {size}">{svg}</div>'


def _gallery(run: _Run, monitor: Monitor, most: int) -> str:
    """Thumbnails of the first fields, with their answers."""
    rows = run.fields.head(most).to_dict("records")
    if not rows:
        return "<p>There are none.</p>"
    made = []
    for index, row in enumerate(rows):
        monitor.report(str(row["field"]), index / len(rows))
        made.append(_tile(run, row, index))
    more = len(run.fields) - len(rows)
    rest = f" The first {len(rows):,}; {more:,} more are in the table below." if more else ""
    note = f"Protein (green) on nuclei (blue) and microtubules (red).{rest}"
    return (
        f'<p class="note">{note}</p>\n{search_box(".gallery li", "Search pictures")}\n'
        f'<ul class="gallery">\n{chr(10).join(made)}\n</ul>'
    )


def _tile(run: _Run, row: dict[Any, Any], index: int) -> str:
    """One field in the gallery."""
    name = str(row["field"])
    try:
        uri = data_uri(run.results.thumbnail(name))
        picture = f'<img src="{uri}" alt="{escape(name)}" decoding="async">'
    except InputError as error:
        picture = f"<span>No picture: {escape(error.message)}</span>"
    extra = " · ".join(str(row[key]) for key in run.extra if _known(row[key]))
    said = f"<span>{escape(extra)}</span>" if extra else ""
    n = counted(int(row["n_cells"]), "cell")
    sure = f" · confidence {row['confidence']:.2f}" if row["n_cells"] else ""
    return (
        f'<li id="p{index}"><a href="#f{index}">{picture}</a><b title="{escape(name)}"><a href="#f{index}">'
        f"{escape(name)}</a></b><span>{_answer(row)}</span><span>{n}{sure}</span>{said}</li>"
    )


def _answer(row: dict[Any, Any]) -> str:
    """A field's answer."""
    if not row["n_cells"]:
        return "No cells found"
    return answer_html(row["predicted_classes"], row["top_class"])


def _known(value: Any) -> bool:
    """Whether a field has a value of a column."""
    return value is not None and value == value and str(value) not in ("", "<NA>")


def _fields(run: _Run, pictures: int) -> str:
    """The table of fields."""
    if run.fields.empty:
        return "<p>There are none.</p>"
    columns = [
        Column("Field", "long"),
        *(Column(name, "text") for name in run.extra),
        Column("Answer", "long"),
        Column("Confidence"),
        Column("Cells"),
        Column("At the edge"),
        Column("Unlike the training"),
        Column("What looks wrong", "notes"),
    ]
    shown = run.fields.head(MOST_FIELDS).to_dict("records")
    rows = [_field_row(run, row, index, pictures) for index, row in enumerate(shown)]
    keys = [f"f{index}" for index in range(len(rows))]
    more = len(run.fields) - len(rows)
    note = f"The first {len(rows):,}; {more:,} more are in the results folder." if more else ""
    hidden = len(run.results.extra_columns) - len(run.extra)
    note += f" {counted(hidden, 'column')} of the source not shown." if hidden > 0 else ""
    return (
        f'{f"""<p class="note">{note.strip()}</p>""" if note else ""}\n'
        f"{search_box('#field-rows tbody tr', 'Search fields')}\n"
        f"{table(columns, rows, key='field-rows', row_keys=keys)}"
    )


def _field_row(run: _Run, row: dict[Any, Any], index: int, pictures: int) -> tuple[str, ...]:
    """One field."""
    name = escape(str(row["field"]))
    return (
        f'<a href="#p{index}">{name}</a>' if index < pictures else name,
        *(escape(str(row[key])) if _known(row[key]) else "–" for key in run.extra),
        _answer(row),
        number(row["confidence"], 2),
        number(row["n_cells"]),
        number(row["n_cells_on_border"]),
        number(row["n_unusual"]),
        "<br>".join(escape(line) for line in str(row["warnings"] or "").splitlines()),
    )


def _failures(run: _Run) -> str:
    """What could not be analysed and why."""
    if not run.n_failures:
        return f"<p>{'Only some fields were chosen.' if run.where else 'None.'}</p>"
    columns = [
        Column("Field", "long"),
        Column("Step", "text"),
        Column("What happened", "notes"),
        Column("What to do", "notes"),
    ]
    rows = [
        tuple(escape(str(row[key] or "")) for key in ("name", "step", "message", "hint"))
        for row in run.failures.to_dict("records")
    ]
    more = run.n_failures - len(rows)
    note = f'<p class="note">The first {len(rows):,}; {more:,} more failed.</p>' if more else ""
    return note + table(columns, rows)


def _made(run: _Run) -> str:
    """Source, settings, versions, weights."""
    about = run.results.run
    settings, origin = about.get("settings") or {}, about.get("provenance") or {}
    versions = {key: value for key, value in origin.items() if settings.get(key) != value}
    asked = {
        "source": about.get("source"),
        "begun": about.get("created"),
        "fields planned": about.get("n_planned"),
    }
    return "\n".join(
        [
            facts(asked),
            "<h3>Settings and weights</h3>",
            facts(settings) if settings else "<p>None are known.</p>",
            "<h3>Versions</h3>",
            facts(versions) if versions else "<p>None are known.</p>",
        ]
    )
