"""The report: stands alone, says what the result says, and keeps other people's text as text."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from organelle_widgets.core.results import FieldResult
from organelle_widgets.errors import InputError
from organelle_widgets.export import _report_run
from organelle_widgets.export.html_report import HtmlReportExporter
from organelle_widgets.results import ResultsWriter, open_results
from organelle_widgets.results.records import FailureRecord, record_of

VOID = {"meta", "br", "img", "path", "use", "rect", "image", "link", "input"}
EVIL = '<script>alert("x")</script> \'“é” & co µ'


class Page(HTMLParser):
    """Tags that are not closed in order, addresses, tables, and text outside of style and script."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.addresses, self.text, self.tags = [], [], [], [], []
        self.tables, self.ids = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.tags.append(tag)
        self.ids += [known["id"]] if "id" in known else []
        self.addresses += [
            known[key] for key in ("src", "href", "xlink:href", "srcset", "action") if key in known
        ]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in ("style", "script"):
            return
        self.text.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())

    def table(self, first):
        """Rows of the table whose first heading is `first`, by heading."""
        for rows in self.tables:
            if rows and rows[0] and rows[0][0] == first:
                return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        raise LookupError(first)


@pytest.fixture
def results(run_folder):
    with open_results(run_folder) as opened:
        yield opened


def read(path):
    return Page(path.read_text("utf-8"))


def renamed(result, name, **extra):
    return dataclasses.replace(
        result, field=dataclasses.replace(result.field, name=name, extra=extra)
    )


def check_stands_alone(page, text):
    assert page.wrong == []
    assert page.open == []
    assert all(address.startswith(("#", "data:image/")) for address in page.addresses)
    assert not re.search(r"url\(\s*['\"]?(?!#)|@import|<link|<iframe", text)
    assert "default-src 'none'; img-src data:" in text
    assert page.tags.count("script") == 1
    assert len(page.ids) == len(set(page.ids)) or "svg" in page.tags
    inside = {address[1:] for address in page.addresses if address.startswith("#")}
    assert inside <= set(page.ids)


def test_a_field_says_what_its_result_says(disc_result, tmp_path):
    path = HtmlReportExporter().write(disc_result, tmp_path / "report.html")
    page = read(path)
    check_stands_alone(page, path.read_text("utf-8"))
    prediction = disc_result.predict()
    assert f"{prediction.text} (confidence {prediction.confidence:.2f})." in page.words
    rows = page.table("Cell")
    table = disc_result.table()
    assert [row["Cell"] for row in rows] == [str(cell) for cell in table["cell_id"]]
    assert [row["Confidence"] for row in rows] == [f"{value:.2f}" for value in table["confidence"]]
    assert [row["Area, µm²"] for row in rows] == [f"{value:,.0f}" for value in table["area_um2"]]
    assert rows[0]["Answer"] == "Nucleoplasm, Nucleoli"
    assert rows[1]["Answer"] == "Not sure (perhaps Golgi apparatus)"
    assert rows[2]["Remarks"] == "at the edge"


def test_pictures_are_within_the_page(disc_result, tmp_path):
    page = read(HtmlReportExporter().write(disc_result, tmp_path / "report.html"))
    pictures = [
        Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))
        for address in page.addresses
        if address.startswith("data:image/jpeg")
    ]
    rows, cols = disc_result.field.shape
    sizes = [picture.size for picture in pictures]
    assert sizes.count((cols, rows)) == 6
    assert len(sizes) == 6 + disc_result.n_cells
    assert all(np.asarray(picture).std() > 1 for picture in pictures[:6])


def test_a_field_without_cells_says_so(empty_result, tmp_path):
    path = HtmlReportExporter().write(empty_result, tmp_path / "report.html")
    page = read(path)
    check_stands_alone(page, path.read_text("utf-8"))
    assert "No cells were found in this field" in page.words
    assert "Cells There are none." in page.words


def test_text_of_others_stays_text(disc_result, tmp_path):
    kept = renamed(disc_result, EVIL, gene=EVIL)
    result = dataclasses.replace(
        kept, notes=(EVIL,), provenance={"made <b>by": EVIL, "organelle_widgets": EVIL}
    )
    path = HtmlReportExporter().write(result, tmp_path / "report.html")
    page = read(path)
    assert page.tags.count("script") == 1
    assert "b" not in page.tags
    assert page.words.count(EVIL) >= 5
    check_stands_alone(page, path.read_text("utf-8"))


def test_warnings_and_more_cells_than_shown(disc_result, tmp_path, monkeypatch):
    from organelle_widgets.export import _report_field

    monkeypatch.setattr(_report_field, "_ROWS", 2)
    monkeypatch.setattr(_report_field, "_PICTURES", 1)
    monkeypatch.setattr(FieldResult, "warnings", property(lambda self: ("Too <dim>.",)))
    page = read(HtmlReportExporter().write(disc_result, tmp_path / "report.html"))
    assert "What looks wrong Too <dim>." in page.words
    assert len(page.table("Cell")) == 2
    assert "The first 2 cells; 1 more are not shown" in page.words


def test_a_run_says_what_its_tables_say(results, tmp_path):
    done = HtmlReportExporter().write_run(results, tmp_path / "report.html")
    page = read(done.path)
    check_stands_alone(page, done.path.read_text("utf-8"))
    assert (done.n_fields, done.n_cells) == (4, 9)
    assert "4 fields with 9 cells. Most frequent: " in page.words
    assert "Nucleoplasm (33 % of cells)" in page.words
    assert "The classifier is not sure of 33 % of the cells." in page.words
    counts = {row["Class"]: row for row in page.table("Class")}
    expected = results.count("class")
    assert list(counts) == expected["class"].tolist()
    assert [int(row["Cells"]) for row in counts.values()] == expected["n_cells"].tolist()
    fields = [row for row in page.table("Field") if "Confidence" in row]
    assert [row["Field"] for row in fields] == results.field_names()
    assert [row["well"] for row in fields] == ["B2", "B3", "B4", "B5"]
    assert [row["Answer"] for row in fields][2] == "No cells found"
    assert "1 field could not be analysed" in page.words
    assert "B6/discs No nuclei." in page.words
    assert page.addresses.count("#f3") == 2
    assert sum(address.startswith("data:image/jpeg") for address in page.addresses) == 4


def test_charts_are_there_for_every_page_and_keep_their_colours(results, tmp_path):
    text = HtmlReportExporter().write_run(results, tmp_path / "report.html").path.read_text("utf-8")
    kinds = re.findall(
        r'<div class="drawing on-(light|dark) (wide|narrow)"><svg[^>]* width="(\d+)"', text
    )
    widths = {(style, size): width for style, size, width in kinds}
    wide, narrow = (str(round(mm / 25.4 * 96)) for mm in (240, 180))
    assert widths == {
        ("light", "wide"): wide,
        ("light", "narrow"): narrow,
        ("dark", "wide"): wide,
        ("dark", "narrow"): narrow,
    }
    assert kinds.count(("light", "wide", wide)) == kinds.count(("dark", "narrow", narrow)) >= 3
    on_dark = text.split('<div class="drawing on-dark wide">')[1].split("</svg>")[0]
    assert "#e8ebf0" in on_dark  # the ink of dark charts
    assert "var(" not in on_dark


def test_some_fields_of_a_run(results, tmp_path):
    done = HtmlReportExporter().write_run(results, tmp_path / "r.html", where="well = 'B3'")
    page = read(done.path)
    assert "only fields that fit well = 'B3'" in page.words
    assert "1 field with 3 cells" in page.words
    assert {row["Field"] for row in page.table("Field")} == {"B3/discs"}
    assert "B2/discs" not in page.words


def test_a_run_of_nothing_says_so(tmp_path):
    ResultsWriter.create(tmp_path / "run", {"n_planned": 7}).close()
    with open_results(tmp_path / "run") as nothing:
        done = HtmlReportExporter().write_run(nothing, tmp_path / "report.html")
    page = read(done.path)
    check_stands_alone(page, done.path.read_text("utf-8"))
    assert "No field was analysed, so there is nothing to say" in page.words
    assert "7 of 7 fields were not analysed" in page.words


def test_a_run_keeps_text_of_others_as_text(disc_result, tmp_path):
    about = {"source": EVIL, "extra": {"gene": "string"}, "notes": [EVIL], "settings": {EVIL: EVIL}}
    with ResultsWriter.create(tmp_path / "run", about) as writer:
        writer.commit(
            [record_of(renamed(disc_result, EVIL, gene=EVIL))],
            [FailureRecord(f"2{EVIL}", message=EVIL, hint=EVIL, extra={"gene": ""})],
        )
    with open_results(tmp_path / "run") as run:
        done = HtmlReportExporter().write_run(run, tmp_path / "report.html")
    page = read(done.path)
    check_stands_alone(page, done.path.read_text("utf-8"))
    assert "<script>alert" not in done.path.read_text("utf-8")
    assert page.words.count(EVIL) >= 8


def test_pictures_and_rows_are_bounded_and_the_rest_is_said(results, tmp_path, monkeypatch):
    monkeypatch.setattr(_report_run, "MOST_FIELDS", 3)
    page = read(HtmlReportExporter(gallery=1).write_run(results, tmp_path / "r.html").path)
    assert "The first 1; 3 more are in the table below." in page.words
    assert "The first 3; 1 more are in the results folder." in page.words
    assert sum(address.startswith("data:image/jpeg") for address in page.addresses) == 1
    assert {address for address in page.addresses if address.startswith("#p")} == {"#p0"}


def test_a_picture_that_is_gone_is_said(run_folder, tmp_path):
    copy = shutil.copytree(run_folder, tmp_path / "copy")
    next(copy.glob("thumbnails/*/*B2*")).unlink()
    with open_results(copy) as run:
        page = read(HtmlReportExporter().write_run(run, tmp_path / "report.html").path)
    assert "No picture: Expected a picture of the field" in page.words


def test_an_unknown_group_is_refused(results, tmp_path):
    with pytest.raises(InputError, match="to group by; found 'gene'"):
        HtmlReportExporter(by="gene").write_run(results, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
def test_it_opens_offline_sorts_and_searches(results, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium")
    done = HtmlReportExporter().write_run(results, tmp_path / "report.html")
    said = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(offline=True, viewport={"width": 720, "height": 800}).new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda request: said.append(request.url[:80]))
        page.goto(done.path.as_uri())
        names = "#field-rows tbody tr:not([hidden]) td:first-child"
        page.click("#field-rows th:has-text('Cells')")
        assert page.locator(names).all_inner_texts()[0] == "B4/discs"
        page.fill("[data-search^='#field-rows'] input", "b3")
        assert page.locator(names).all_inner_texts() == ["B3/discs"]
        assert page.inner_text("[data-search^='#field-rows'] span") == "1 of 4 shown"
        assert page.evaluate("document.documentElement.scrollWidth") == 720
        browser.close()
    assert said == []
