"""Sliders that answer, border cells, warnings and missing models, as a person sees them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Visit = Any  # see conftest.py
VIEW = "document.querySelector('.ow-fv-host').owDebug"


def ready(page: Page) -> None:
    """Until the page shows a field in full with its cells, and nothing runs."""
    done = page.locator(".ow-fv[data-state='done'][data-stage='full']")
    expect(done).to_be_visible(timeout=120_000)
    page.wait_for_function(f"() => {VIEW}.cells > 0", timeout=60_000)
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)


def choose(page: Page, segmenter: str) -> None:
    """Choose how cells are found, and analyse."""
    page.get_by_label("How cells are found").select_option(segmenter)
    page.locator(".ow-analyse").click()


def analysed_with_maps(page: Page) -> None:
    """The first sample, analysed by a backend that keeps maps."""
    ready(page)
    choose(page, "sketch")
    expect(page.locator(".ow-busy")).to_be_visible()
    ready(page)


def shown(page: Page) -> dict[str, Any]:
    """What stays on the page while cells change, and what changes."""
    return {
        "image": page.locator(".ow-fv").get_attribute("data-image"),
        "transform": page.evaluate(f"() => {VIEW}.transform()"),
        "size": page.locator(".ow-summary").inner_text().split(" · ")[1],
        "caption": page.locator(".ow-cell-panel .ow-caption").inner_text(),
    }


def test_a_dragged_slider_is_answered_before_it_is_let_go(visit: Visit) -> None:
    page = visit.page
    analysed_with_maps(page)
    page.locator(".ow-stage [data-cell]").nth(2).click()
    view = page.locator(".ow-fv-view").first.bounding_box()
    page.mouse.move(view["x"] + 90, view["y"] + 90)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(500)
    before = shown(page)
    row = page.locator(".ow-sample-panel .ow-slider", has_text="Cell threshold")
    box = row.locator("input").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.12 * box["width"], y)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + (0.12 + 0.02 * step) * box["width"], y)
        page.wait_for_timeout(30)
    value = row.locator("output").inner_text()
    assert value != "0.12"
    expect(page.locator(".ow-summary")).not_to_contain_text(before["size"], timeout=20_000)
    assert row.locator("output").inner_text() == value
    page.mouse.up()
    expect(page.locator(".ow-following")).to_be_hidden(timeout=20_000)
    after = shown(page)
    assert {k: after[k] for k in ("image", "transform", "caption")} == {
        k: before[k] for k in ("image", "transform", "caption")
    }
    expect(page.locator(".ow-analyse")).to_have_text("Analyse")
    page.locator(".ow-sample-panel .ow-more summary").click()
    page.locator(".ow-slider", has_text="Smoothing").locator("input").focus()
    page.keyboard.press("ArrowRight")  # on this one the network itself depends
    expect(page.locator(".ow-analyse")).to_contain_text("settings changed")
    assert visit.errors == []


def test_border_cells_go_and_come_back_at_once(visit: Visit) -> None:
    page = visit.page
    ready(page)
    summary = page.locator(".ow-summary")
    found = int(summary.inner_text().split()[0])
    border = page.get_by_label("Cells at the border of the field")
    border.select_option("border")
    expect(summary).to_have_text(re.compile(rf"^\d+ of {found} cells"), timeout=20_000)
    left = int(summary.inner_text().split()[0])
    assert 0 < left < found
    page.wait_for_function(f"() => {VIEW}.cells === {left}", timeout=20_000)
    assert page.locator(".ow-stage [data-cell]").count() <= left
    expect(page.locator(".ow-analyse")).to_have_text("Analyse")
    border.select_option("nothing")
    expect(summary).to_have_text(re.compile(rf"^{found} cells"), timeout=20_000)


@pytest.mark.parametrize("width", [1440, 720])
def test_a_wrong_pixel_size_is_said_where_it_is_seen(
    visit: Visit, wrong_scale: Path, width: int
) -> None:
    page = visit.page
    ready(page)
    page.get_by_role("tab", name="Folder").click()
    page.get_by_role("button", name=wrong_scale.name).click()
    page.locator(".ow-folder").get_by_role("button", name="4 channels").click()
    expect(page.locator(".ow-chip")).to_contain_text("assumed", timeout=60_000)
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)
    notice = page.locator(".ow-checks")
    expect(notice).to_contain_text("pixel size", timeout=60_000)
    page.set_viewport_size({"width": width, "height": 900})
    if width < 1100:
        page.locator(".ow-warn-button").click()
        expect(page.locator(".ow-check-line").first).to_be_visible()
    else:
        expect(page.locator(".ow-check-line").first).to_be_hidden()
        expect(notice).to_be_in_viewport()
        notice.get_by_role("button", name="µm/px").click()
        expect(page.locator(".ow-chip")).not_to_contain_text("assumed", timeout=60_000)
        expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)
        expect(notice).not_to_contain_text("pixel size")


def test_a_missing_model_is_offered_and_the_way_without_a_network_told(visit: Visit) -> None:
    page = visit.page
    ready(page)
    choose(page, "weightless")
    offer = page.locator(".ow-offer")
    expect(offer).to_contain_text("HPA nuclei", timeout=60_000)
    expect(offer.get_by_role("link")).to_have_attribute("href", re.compile("^https://"))
    button = offer.get_by_role("button", name=re.compile(r"Download \(\d+ MB\)"))
    button.click()
    notice = page.locator(".ow-notice")
    expect(notice).to_contain_text("reach 127.0.0.1", timeout=60_000)
    expect(notice).to_contain_text("organelle-widgets models")
    box = notice.bounding_box()
    assert box["y"] >= 0
    assert notice.locator(".ow-notice-text").evaluate("(e) => e.scrollWidth <= e.clientWidth")
    expect(button).to_be_visible()
    page.get_by_label("How cells are found").select_option("unet")
    expect(page.locator(".ow-analyse")).to_have_text("Analyse")
    assert visit.errors == []
