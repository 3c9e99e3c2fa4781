"""What the page shows of cells unlike known ones, of measurements and of a classifier's own classes."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

Visit = Any  # see conftest.py
VIEW = "document.querySelector('.ow-fv-host').owDebug"
PANEL = ".ow-cell-panel"


def ready(page: Page) -> None:
    """Until the page shows a field in full with its cells, and nothing runs."""
    done = page.locator(".ow-fv[data-state='done'][data-stage='full']")
    expect(done).to_be_visible(timeout=120_000)
    page.wait_for_function(f"() => {VIEW}.cells > 0", timeout=60_000)
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)


def doubted(page: Page) -> None:
    """The first sample, named by a classifier that doubts every second cell and has 31 classes of its own."""
    ready(page)
    page.get_by_label("How organelles are named").select_option("doubter")
    page.locator(".ow-analyse").click()
    expect(page.locator(".ow-busy")).to_be_visible()
    ready(page)


def test_cells_unlike_known_ones_say_so(visit: Visit) -> None:
    page = visit.page
    doubted(page)
    page.get_by_label("Class of the cells").select_option("unsure")
    count = int(re.search(r"\d+", page.locator(".ow-film-strip .ow-count").inner_text()).group())
    total = int(page.locator(".ow-summary").inner_text().split()[0])
    assert count == total // 2
    first = page.locator(".ow-stage [data-cell]").first
    expect(first).to_have_attribute("title", re.compile("not sure, unlike known cells"))
    expect(first).to_contain_text("NO? 0.91")
    unsure = page.locator(f"{PANEL} .ow-tiles div", has_text="Not sure")
    expect(unsure).to_have_attribute("title", re.compile(rf"classifier knows \({count}\)"))
    first.click()
    expect(page.locator(f"{PANEL} .ow-title")).to_have_text("Not sure")
    detail = page.locator(f"{PANEL} .ow-detail")
    expect(detail).to_contain_text("unlike any cell the classifier knows; perhaps Nucleoli")
    assert detail.evaluate("(e) => e.getBoundingClientRect().bottom") <= page.locator(
        f"{PANEL} .ow-confidence"
    ).evaluate("(e) => e.getBoundingClientRect().top")
    chip = page.locator(f"{PANEL} .ow-confidence")
    expect(chip).to_have_text("unlike known cells")
    expect(chip).to_have_attribute(
        "title", re.compile("unlike anything the classifier was trained")
    )
    assert visit.errors == []


def test_own_classes_are_a_switch_away(visit: Visit) -> None:
    page = visit.page
    ready(page)
    switch = page.locator(f"{PANEL} .ow-class-switch")
    expect(switch).to_be_hidden()
    doubted(page)
    page.get_by_role("radio", name="31 classes of Doubter").click()
    own = page.locator(f"{PANEL} .ow-own-bars")
    assert own.locator(".ow-row").count() == 31
    expect(own.locator(".ow-row").first).to_have_attribute("title", "Compartment 1: 0.950")
    expect(page.locator(f"{PANEL} .ow-threshold")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(own).to_be_hidden()
    expect(page.get_by_role("radio", name="19 classes")).to_be_focused()
    expect(page.locator(f"{PANEL} .ow-threshold")).to_be_visible()


def test_measurements_open_fill_and_stay_open(visit: Visit) -> None:
    page = visit.page
    ready(page)
    cells = page.locator(".ow-stage [data-cell]")
    cells.first.click()
    expect(page.locator(f"{PANEL} .ow-caption")).to_contain_text("Cell ")
    table = page.locator(f"{PANEL} .ow-measured")
    expect(table).to_be_hidden()
    page.locator(PANEL).get_by_role("button", name="More", exact=True).click()
    values = table.locator("dd")
    expect(values).to_have_count(13)
    expect(values.last).to_have_text(re.compile(r"\d"), timeout=20_000)
    before, height = values.all_text_contents(), table.bounding_box()["height"]
    assert all(before)
    assert page.locator(f"{PANEL} .ow-bars").bounding_box()["y"] < 500
    cells.nth(1).click()
    expect(values.nth(4)).not_to_have_text(before[4], timeout=20_000)
    expect(values.last).to_have_text(re.compile(r"\d"), timeout=20_000)
    assert table.bounding_box()["height"] == height
    wide = table.locator("dt").evaluate_all(
        "(all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)"
    )
    assert wide == []
    page.reload()
    ready(page)
    cells.first.click()
    expect(values.last).to_have_text(re.compile(r"\d"), timeout=20_000)
    assert visit.errors == []
