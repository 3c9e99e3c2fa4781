"""What the report of one field says."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.export._report_charts import charts_of_result
from organelle_widgets.export._report_page import (
    Column,
    Section,
    answer_html,
    cards,
    facts,
    items,
    number,
    page,
    search_box,
    table,
    warning,
)
from organelle_widgets.export._report_pictures import pictures_of_cells, pictures_of_field
from organelle_widgets.render.inline_svg import inline_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.core.results import FieldResult

__all__ = ["report_of_field"]

_ROWS, _PICTURES = 2000, 300
"""Most cells in the table, and most of them with a picture."""

_SOURCES = {"metadata": "from the file", "given": "as given", "assumed": "assumed"}
_COLUMNS = (
    Column("Cell"),
    Column("Picture", "text"),
    Column("Answer", "long"),
    Column("Confidence"),
    Column("Area, µm²"),
    Column("Nucleus, µm²"),
    Column("Remarks", "long"),
)
_QUALITY = {
    "median_cell_area_um2": ("Area of a cell, median", "µm²", 0),
    "median_nucleus_area_um2": ("Area of a nucleus, median", "µm²", 0),
    "border_share": ("Cells at the edge of the field", "%", 0),
    "n_fragments": ("Cells more than half out of view", "", 0),
    "n_nuclei_without_cells": ("Nuclei with hardly any cell around", "", 0),
    "n_cells_without_nucleus": ("Cells without a nucleus", "", 0),
    "largest_cell_share": ("Share of the field that the largest cell covers", "%", 0),
    "nucleus_width_um": ("Width of what is bright in the nuclei channel", "µm", 1),
    "fitting_pixel_size_um": ("Pixel size that would fit better", "µm/px", 3),
    "nucleus_edge_um": ("Blur of nuclear edges (0.25 to 0.6 in focus)", "µm", 2),
}
_CHANNEL_QUALITY = {
    "saturated_share": ("Saturated pixels", "%", 2),
    "grey_levels": ("Signal above background", "grey levels", 0),
    "nuclei_scores": ("Likeness to nuclei", "log odds", 1),
}


def report_of_field(result: FieldResult) -> str:
    """The page of one field.

    Parameters
    ----------
    result : FieldResult
        The result, with pixels; may have no cells.

    Returns
    -------
    str
        HTML.
    """
    sections = [
        Section("pictures", "Pictures", pictures_of_field(result)),
        Section("classes", "Probabilities and classes", _charts(result)),
        Section("cells", "Cells", _cells(result)),
        Section("quality", "Quality", _quality(result)),
        Section("made", "How this was made", _made(result)),
    ]
    notes = (*result.field.notes, *result.notes)
    if notes:
        sections.insert(4, Section("notes", "Notes", items(notes)))
    return page(
        result.field.name,
        _subtitle(result),
        _lead(result),
        cards(_figures(result)),
        sections,
        before_html=warning("What looks wrong", result.warnings),
        version=str(result.provenance.get("organelle_widgets", "")),
    )


def _subtitle(result: FieldResult) -> str:
    """Size, pixel size, when."""
    field = result.field
    rows, cols = field.shape
    um = field.pixel_size_um
    said = [
        f"{cols:,} × {rows:,} px",
        f"{cols * um:.0f} × {rows * um:.0f} µm",
        f"{um:g} µm/px ({_SOURCES[field.pixel_size_source]})",
        *(f"{name} {value}" for name, value in field.extra.items() if value),
    ]
    created = str(result.provenance.get("created", ""))[:10]
    return " · ".join([*said, f"analysed {created}"] if created else said)


def _lead(result: FieldResult) -> str:
    """The answer in words."""
    if not result.n_cells:
        return "No cells were found in this field, so nothing is said of where the protein is."
    prediction = result.predict()
    return f"{prediction.text} (confidence {prediction.confidence:.2f})."


def _figures(result: FieldResult) -> list[tuple[str, str, str]]:
    """The most telling numbers."""
    unsure = sum(not prediction.sure for prediction in result.predictions())
    edge = int(result.cells["touches_border"].sum())
    figures = [
        (f"{result.n_cells:,}", "", "cells found"),
        (f"{unsure:,}", "", "of them not sure"),
        (f"{edge:,}", "", "at the edge of the field"),
        (f"{int(result.unusual.sum()):,}", "", "unlike the training"),
    ]
    if result.n_cells:
        area = float(result.cells["area_um2"].median())
        figures.append((f"{area:,.0f}", "µm²", "area of a cell, median"))
    if result.timings:
        figures.append((f"{result.seconds:.1f}", "s", "time of the analysis"))
    return figures


def _charts(result: FieldResult) -> str:
    """All charts, side by side."""
    drawn = "".join(
        f'<figure><div class="drawing small">{inline_svg(chart.figure, chart.description)}</div></figure>'
        for chart in charts_of_result(result)
        if chart.figure is not None
    )
    return f'<div class="pair">{drawn}</div>'


def _cells(result: FieldResult) -> str:
    """The table of cells."""
    if not result.n_cells:
        return "<p>There are none.</p>"
    rows = result.table().head(_ROWS).to_dict("records")
    pictures = pictures_of_cells(result, min(_PICTURES, _ROWS))
    pictures += [""] * (len(rows) - len(pictures))
    shown = (_cell_row(row, picture) for row, picture in zip(rows, pictures, strict=True))
    more = result.n_cells - len(rows)
    note = (
        "Pictures: protein on nuclei and microtubules, neighbours dimmed. A class counts from a probability of "
        f"{result.threshold:g}."
    )
    if more > 0:
        note += f" The first {_ROWS:,} cells; {more:,} more are not shown: save the table as CSV."
    return (
        f'<p class="note">{note}</p>\n{search_box("#cell-rows tbody tr", "Search cells")}\n'
        f"{table(_COLUMNS, shown, key='cell-rows')}"
    )


def _cell_row(row: dict[Any, Any], picture: str) -> tuple[str, ...]:
    """One cell."""
    remarks = {
        "at the edge": row["touches_border"],
        "more than half out of view": row["is_fragment"],
        "unlike the training": row["unusual"],
    }
    return (
        number(row["cell_id"]),
        picture,
        answer_html(row["predicted_classes"], row["top_class"]),
        number(row["confidence"], 2),
        number(row["area_um2"]),
        number(row["nucleus_area_um2"]),
        ", ".join(remark for remark, holds in remarks.items() if holds),
    )


def _quality(result: FieldResult) -> str:
    """The numbers of the field's quality."""
    if result.quality is None:
        return "<p>It was not measured.</p>"
    values = result.quality.to_dict()
    plain = {
        title: _with_unit(values[name], unit, digits)
        for name, (title, unit, digits) in _QUALITY.items()
    }
    return facts(plain) + _channel_table(values)


def _with_unit(value: float | None, unit: str, digits: int) -> str:
    """A number and its unit; a dash where there is none."""
    if value is None:
        return "–"
    return f"{100 * value if unit == '%' else value:,.{digits}f} {unit}".strip()


def _channel_table(values: Mapping[str, Any]) -> str:
    """Numbers of each channel."""
    titles = [f"{title}, {unit}" for title, unit, _ in _CHANNEL_QUALITY.values()]
    columns = [Column("Channel", "text"), *map(Column, titles)]
    rows = []
    for channel in CHANNELS:
        cells = [escape(channel.name)]
        for name, (_, unit, digits) in _CHANNEL_QUALITY.items():
            value = values[name].get(channel.key)
            cells.append(
                number(100 * value if unit == "%" and value is not None else value, digits)
            )
        rows.append(cells)
    return table(columns, rows, sortable=False)


def _made(result: FieldResult) -> str:
    """Files, settings, versions, weights and seconds."""
    field = result.field
    timings = {f"{step}, s": f"{seconds:.2f}" for step, seconds in result.timings.items()}
    files = {channel.name: field.sources.get(channel.key) for channel in CHANNELS}
    return "\n".join(
        [
            "<h3>Files</h3>",
            facts(files),
            "<h3>Settings, versions and weights</h3>",
            facts({"threshold": result.threshold, **result.provenance}),
            "<h3>Time of each step</h3>" if timings else "",
            facts(timings) if timings else "",
        ]
    )
