"""The report as a page: it stands alone, says what it rests on, and keeps other people's text as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from organelle_widgets.errors import ExportError, InputError
from organelle_widgets.evaluation.classification_details import score_details
from organelle_widgets.evaluation.classification_scores import ScoredField, score_fields
from organelle_widgets.evaluation.report import report_page, write_report
from organelle_widgets.evaluation.report_figures import class_order, reliability_figure
from organelle_widgets.evaluation.report_tables import span
from organelle_widgets.render.inline_svg import inline_svg

VOID = {"meta", "br", "path", "use", "rect"}


class Balance(HTMLParser):
    """Notes tags that are not closed in their order, and all text outside of style."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open and data.strip():
            self.text.append(" ".join(data.split()))


def scored(n_resamples: int = 40, n_fields: int = 12, name: str = "made up") -> dict:
    rng = np.random.default_rng(0)
    fields = []
    for number in range(n_fields):
        labels = ((0,), (16,), (0, 2))[number % 3]
        said = rng.random((4, 19)).astype(np.float32)
        fields.append(ScoredField(labels, said, rng.random(4) < 0.5, folder=name))
    weights = {"sha256": "ab" * 32}
    return {
        "classifier": name,
        "segmenter": "drawn",
        **score_fields(fields, n_resamples=n_resamples),
        "details": score_details(fields),
        "provenance": {
            "data": "plates",
            "created": "2020-02-03T04:05:06+00:00",
            "classifier": {"name": name, "settings": {}, "weights": weights},
        },
    }


def read(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def page():
    return report_page(scored())


def test_the_page_is_whole_and_says_what_it_rests_on(page):
    text = " ".join(read(page).text)
    assert "How well “made up” names organelles" in text
    assert "Data “plates” · 12 fields · 48 cells found by “drawn” · 2020-02-03" in text
    assert "95 % interval:" in text
    assert "Fewer than 5 fields, so no claim: Nucleoli (4), Cytosol (4)." in text
    assert "No field at all, so nothing is known: Nuclear membrane, Nucleoli fibrillar" in text
    assert "32 cells of fields with one label" in text
    assert "16 cells of fields with several labels are left out" in text
    assert "40 times (seed 0)" in text
    assert "ab" * 32 in text
    assert "$" not in page


def test_the_page_fetches_nothing(page):
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page


def test_figures_take_the_colours_of_the_page(page):
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 4
    for drawing in drawings:
        assert "var(--ink)" in drawing
        assert "aria-label=" in drawing
        assert not re.search(r"#(1a1f29|667085|1769e0)", drawing)
        assert "matplotlib" not in drawing
        for used in re.findall(r"(?:href=\"#|url\(#)([\w-]+)", drawing):
            assert f'id="{used}"' in drawing


def test_figures_are_the_same_each_time():
    scores = scored()
    assert report_page(scores) == report_page(scores)


def test_foreign_text_stays_text():
    page = report_page(scored(name="<b>&x"))
    assert "<b>" not in page
    assert "“&lt;b&gt;&amp;x”" in page
    assert "&lt;b&gt;&amp;x</td>" in page


def test_without_draws_no_interval_is_claimed():
    text = " ".join(read(report_page(scored(0))).text)
    assert "Without intervals: they were not asked for." in text
    assert "no interval · 12 fields" in text
    assert "95 % interval:" not in text


def test_too_few_fields_are_warned_of():
    text = " ".join(read(report_page(scored(20, n_fields=2))).text)
    assert "There are only 2 fields: no figure here bears a claim." in text


def test_fields_without_cells_still_make_a_page():
    fields = [ScoredField((0,), np.zeros((0, 19), np.float32), np.zeros(0, bool))] * 3
    base = scored()
    scores = {**base, **score_fields(fields), "details": score_details(fields)}
    assert "0 cells of fields with one label" in " ".join(read(report_page(scores)).text)


def test_classes_with_evidence_come_first():
    rows = {
        "little": {"n_fields": 1, "ap_field": 1.0},
        "none": {"n_fields": 0, "ap_field": float("nan")},
        "good": {"n_fields": 9, "ap_field": 0.8},
        "bad": {"n_fields": 9, "ap_field": 0.2},
    }
    assert class_order(rows) == ["good", "bad", "little", "none"]


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (0.6249, (0.5, 0.714), "0.62 (0.50–0.71)"),
        (0.6, None, "0.60"),
        (0.6, (float("nan"),) * 2, "0.60"),
        (float("nan"), (0.1, 0.2), "–"),
    ],
)
def test_figures_as_text(value, interval, text):
    assert span(value, interval) == text


def test_a_drawing_is_described():
    drawing = inline_svg(reliability_figure(scored()["details"]["reliability"]), 'a "quoted" word')
    assert 'aria-label="a &quot;quoted&quot; word"' in drawing
    assert drawing.startswith("<svg ")
    assert drawing.endswith("</svg>")


def test_scores_without_details_are_refused(tmp_path):
    scores = {key: value for key, value in scored().items() if key != "details"}
    with pytest.raises(InputError, match=r"Expected scores with details.*details=True"):
        report_page(scores)
    with pytest.raises(ExportError, match="the folder does not exist"):
        write_report(scored(), tmp_path / "none" / "report.html")
