"""The page of a result as vectors: text that stays text or outlines, pictures that are not resampled."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import imageio.v3 as iio
import pytest

from organelle_widgets.export import EXPORTERS

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture
def svg(disc_result, tmp_path):
    path = EXPORTERS.create("overview_svg").write(disc_result, tmp_path / "overview.svg")
    return ElementTree.parse(path).getroot()


def test_svg_is_twelve_inches_wide_and_has_no_text_that_needs_a_font(svg):
    assert svg.get("width") == "864pt"
    assert list(svg.iter(f"{SVG}text")) == []
    assert len(list(svg.iter(f"{SVG}use"))) > 100  # letters


def test_pictures_in_svg_are_the_fields_own_pixels(svg, disc_result):
    pictures = [
        iio.imread(io.BytesIO(base64.b64decode(image.get(LINK).split(",")[1])))
        for image in svg.iter(f"{SVG}image")
    ]
    assert len(pictures) == 6
    assert {picture.shape[:2] for picture in pictures} == {disc_result.field.shape}
    looks = {image.get("style", "") for image in svg.iter(f"{SVG}image")}
    assert all("image-rendering:auto" in look and "pixelated" not in look for look in looks)


def test_svg_loads_nothing(svg):
    links = [e.get(LINK) for e in svg.iter() if e.get(LINK)]
    assert all(link.startswith(("#", "data:image/png")) for link in links)


def test_pdf_has_embedded_truetype_and_text_to_search(disc_result, tmp_path):
    path = EXPORTERS.create("overview_pdf").write(disc_result, tmp_path / "overview.pdf")
    content = path.read_bytes()
    assert content.startswith(b"%PDF-1.")
    assert content.rstrip().endswith(b"%%EOF")
    assert b"/FontFile2" in content
    assert b"/CIDFontType2" in content
    assert b"/ToUnicode" in content
    assert b"/Type3" not in content


def test_pictures_in_pdf_are_the_fields_own_pixels(disc_result, tmp_path):
    path = EXPORTERS.create("overview_pdf").write(disc_result, tmp_path / "overview.pdf")
    found = re.findall(rb"<<[^>]*/Subtype /Image[^>]*>>", path.read_bytes(), re.DOTALL)
    sizes = {
        tuple(int(re.search(rb"/%b (\d+)" % side, text)[1]) for side in (b"Height", b"Width"))
        for text in found
    }
    assert sizes == {disc_result.field.shape}
