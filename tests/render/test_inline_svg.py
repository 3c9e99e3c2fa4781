"""Drawings within pages: described, in the page's colours unless they have colours to write on."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from organelle_widgets.render.bars import STYLES
from organelle_widgets.render.inline_svg import inline_svg


@pytest.fixture
def figure():
    made = Figure(figsize=(2, 1), facecolor=STYLES["light"].paper)
    made.text(0.1, 0.5, "<b>cells & more", color=STYLES["light"].ink)
    return made


def test_a_drawing_is_described_and_has_its_size(figure):
    root = ElementTree.fromstring(inline_svg(figure, 'a "quoted" <word>'))
    assert root.get("aria-label") == 'a "quoted" <word>'
    assert (root.get("width"), root.get("height")) == ("192", "96")
    assert "".join(root.itertext()).strip() == "<b>cells & more"


def test_colours_follow_the_page_or_stay(figure):
    ink = STYLES["light"].ink.lower()
    follows, stays = inline_svg(figure, "x"), inline_svg(figure, "x", follow_page=False)
    assert "var(--ink)" in follows
    assert "var(--paper)" in follows
    assert ink not in follows
    assert ink in stays
    assert "var(" not in stays
