"""The parts that pages are made of: sections, tables, cards, pictures. All text that goes in is escaped here.

Functions take plain text, unless an argument's name is ``body`` or ends in ``html``, and give HTML. What is said is
`_report_field`'s and `_report_run`'s; how it looks is in ``report.html`` and ``report.css``.
"""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.labels import CLASSES
from organelle_widgets.render.overlay import NOT_SURE_COLOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = [
    "Column",
    "Section",
    "answer_html",
    "cards",
    "counted",
    "data_uri",
    "dot_html",
    "facts",
    "items",
    "number",
    "page",
    "search_box",
    "table",
    "warning",
]

_COLORS = {organelle.name: organelle.color for organelle in CLASSES}
_DASH = "–"


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading.

    Parameters
    ----------
    key, title : str
        Its anchor and its heading.
    body : str
        HTML.
    """

    key: str
    title: str
    body: str


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
        Heading, with the unit.
    kind : {"number", "text", "long", "notes"}
        How it is set; long texts and notes are wrapped, notes are smaller.
    """

    title: str
    kind: str = "number"


def page(
    title: str,
    subtitle: str,
    lead: str,
    cards_html: str,
    sections: Sequence[Section],
    *,
    before_html: str = "",
    version: str = "",
) -> str:
    """The whole page.

    Parameters
    ----------
    title, subtitle, lead : str
        What is on top.
    cards_html : str
        From `cards`.
    sections : sequence of Section
        The rest.
    before_html : str
        Between the top and the sections: warnings.
    version : str
        Of the package that analysed the images.

    Returns
    -------
    str
        HTML with style, script and pictures within. It may load nothing and run no script but its own, which its
        security policy holds a browser to.
    """
    place = files("organelle_widgets.export")
    script = place.joinpath("report.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    links = "".join(f'<a href="#{part.key}">{escape(part.title)}</a>' for part in sections)
    template = Template(place.joinpath("report.html").read_text("utf-8"))
    return template.substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        lead=escape(lead),
        cards=cards_html,
        contents=f'<nav aria-label="Contents">{links}</nav>\n{before_html}',
        body="\n".join(map(_section, sections)),
        version=escape(version),
        style=place.joinpath("report.css").read_text("utf-8"),
        script=script,
        script_hash=f"sha256-{digest}",
    )


def _section(part: Section) -> str:
    """One section."""
    return f'<section id="{part.key}">\n<h2>{escape(part.title)}</h2>\n{part.body}\n</section>'


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    key: str = "",
    row_keys: Sequence[str] = (),
    sortable: bool = True,
) -> str:
    """A table.

    Parameters
    ----------
    columns : sequence of Column
        The columns.
    rows : iterable of sequence of str
        HTML of each cell; a cell may begin with ``data-value="..."|`` to be sorted by that.
    key : str
        Its anchor.
    row_keys : sequence of str
        Anchors of the rows.
    sortable : bool
        Whether a click on a heading sorts.

    Returns
    -------
    str
        HTML.
    """
    head = "".join(f'<th scope="col"{_look(c)}>{escape(c.title)}</th>' for c in columns)
    body = "\n".join(
        f"<tr{_anchor(row_keys, number)}>{''.join(map(_cell, columns, row))}</tr>"
        for number, row in enumerate(rows)
    )
    looks = ' class="sortable"' if sortable else ""
    named = f' id="{key}"' if key else ""
    return (
        f'<div class="table"><table{looks}{named}>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _look(column: Column) -> str:
    """Class of a column's cells."""
    names = {"text": "text", "long": "text long", "notes": "text notes"}.get(column.kind, "")
    return f' class="{names}"' if names else ""


def _anchor(keys: Sequence[str], number: int) -> str:
    """Anchor of a row."""
    return f' id="{keys[number]}"' if number < len(keys) else ""


def _cell(column: Column, text: str) -> str:
    """One cell."""
    value = ""
    if text.startswith("data-value="):
        value, text = text.split("|", 1)
    return f"<td{_look(column)}{' ' + value if value else ''}>{text}</td>"


def facts(values: Mapping[str, Any]) -> str:
    """Names and values, two columns; nested mappings are written in one line a value, nothing is left out.

    Parameters
    ----------
    values : mapping
        Made of mappings, sequences, texts and numbers.

    Returns
    -------
    str
        HTML, a table.
    """
    rows = "\n".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in _flat(values)
    )
    return f'<div class="table"><table class="facts"><tbody>\n{rows}\n</tbody></table></div>'


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of nested mappings."""
    for key, value in values.items():
        name = f"{before}{key}".replace("_", " ")
        if isinstance(value, dict):
            yield from _flat(value, f"{name}, ") if value else [(name, "none")]
        elif isinstance(value, (list, tuple)):
            yield name, ", ".join(map(str, value)) or "none"
        else:
            yield name, _DASH if value is None else str(value)


def cards(values: Sequence[tuple[str, str, str]]) -> str:
    """Large figures.

    Parameters
    ----------
    values : sequence of tuple of str
        Value, unit (may be empty) and name of each.

    Returns
    -------
    str
        HTML.
    """
    made = (
        f'<div class="card"><div class="value">{escape(value)}'
        f"{f'<small>{escape(unit)}</small>' if unit else ''}</div>"
        f'<div class="name">{escape(name)}</div></div>'
        for value, unit, name in values
    )
    return f'<div class="cards">{"".join(made)}</div>'


def warning(title: str, sentences: Sequence[str]) -> str:
    """A box that a person should not miss; empty without sentences."""
    if not sentences:
        return ""
    return (
        f'<div class="warning">\n<h2>{escape(title)}</h2>\n{items(sentences, plain=False)}\n</div>'
    )


def items(sentences: Sequence[str], *, plain: bool = True) -> str:
    """A list of sentences, as HTML."""
    made = "".join(f"<li>{escape(text)}</li>" for text in sentences)
    return f'<ul class="plain">{made}</ul>' if plain else f"<ul>{made}</ul>"


def search_box(selector: str, label: str) -> str:
    """Where the script puts a field to search in what fits a CSS selector; nothing is there without the script."""
    return (
        f'<div class="search" data-search="{escape(selector)}" data-label="{escape(label)}"></div>'
    )


def data_uri(content: bytes, mimetype: str = "image/jpeg") -> str:
    """A picture as an address that holds it."""
    return f"data:{mimetype};base64,{base64.b64encode(content).decode()}"


def dot_html(class_name: str) -> str:
    """A small square of a class's colour."""
    return f'<span class="dot" style="background:{_COLORS.get(class_name, NOT_SURE_COLOR)}"></span>'


def answer_html(classes: str, perhaps: str = "") -> str:
    """Predicted classes with their colour.

    Parameters
    ----------
    classes : str
        Names with ``|`` between them; empty for not sure.
    perhaps : str
        The most probable class, said where it is not sure.

    Returns
    -------
    str
        HTML.
    """
    names = [name for name in classes.split("|") if name]
    if not names:
        maybe = f" (perhaps {escape(perhaps)})" if perhaps else ""
        return f"{dot_html('')}Not sure{maybe}"
    return dot_html(names[0]) + escape(", ".join(names))


def number(value: Any, digits: int = 0) -> str:
    """A number as text with thousands apart, sortable; a dash where it is not known.

    Parameters
    ----------
    value : object
        A number, None or NaN.
    digits : int
        Digits after the point.

    Returns
    -------
    str
        For `table`.
    """
    if value is None or not math.isfinite(value):
        return _DASH
    shown = f"{value:,.{digits}f}".replace("-", "−")
    return f'data-value="{float(value):.6g}"|{shown}'


def counted(n: int, word: str, plural: str = "") -> str:
    """A number of things: ``1 field``, ``2,000 fields``."""
    return f"{n:,} {word if n == 1 else plural or word + 's'}"
