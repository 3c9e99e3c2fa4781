"""A whole folder analysed from the page: the command, its process, Voila and the browser are the real ones."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from organelle_widgets.batch.status import ask_to_stop, read_status
from organelle_widgets.results import open_results
from organelle_widgets.synthetic import virtual_field

Site = Visit = Any  # see conftest.py
N_FIELDS = 40


@pytest.fixture(scope="module")
def many(site: Site) -> Iterator[Path]:
    """A folder with many small fields and one that can't be read; what the tests make of it goes, too."""
    folder = site.root / "many"
    folder.mkdir()
    drawn = virtual_field((256, 256), seed=4, pixel_size_um=0.32, classes=(7,)).field
    for number in range(N_FIELDS):
        for key in ("red", "green", "blue", "yellow"):
            iio.imwrite(folder / f"well {number:02}_{key}.png", drawn.channel(key))
    for key in ("green", "blue"):
        (folder / f"broken_{key}.png").write_text("no picture")
    yield folder
    out = site.root / "many results"
    if out.exists():
        ask_to_stop(out)
    for path in (folder, out):
        shutil.rmtree(path, ignore_errors=True)
    (site.root / "many results.log").unlink(missing_ok=True)


def ready(page: Page) -> None:
    """Until the page shows a field in full, and nothing runs."""
    done = page.locator(".ow-fv[data-state='done'][data-stage='full']")
    expect(done).to_be_visible(timeout=120_000)
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)


def listed(page: Page, name: str) -> Locator:
    """A line of the folder's list."""
    page.get_by_role("tab", name="Folder").click()
    return page.locator(".ow-folder .ow-line", has=page.get_by_text(name, exact=True))


def fits(dialog: Locator) -> bool:
    """Whether nothing of the dialog scrolls sideways or is cut off by the window."""
    wide = """(e) => [e, ...e.querySelectorAll("*")]
        .filter((x) => x.clientWidth && x.scrollWidth > x.clientWidth + 1)
        .filter((x) => getComputedStyle(x).overflowX !== "hidden")
        .map((x) => x.className)"""
    box = dialog.bounding_box()
    inside = box["x"] >= 0 and box["x"] + box["width"] <= dialog.page.viewport_size["width"]
    return inside and dialog.evaluate(wide) == []


@pytest.mark.timeout(180)
def test_a_folder_is_analysed_stopped_continued_and_saved(
    visit: Visit, many: Path, site: Site
) -> None:
    page = visit.page
    ready(page)
    page.get_by_label("How cells are found").select_option("sketch")
    page.get_by_label("How organelles are named").select_option("doubter")
    listed(page, "many").click()
    expect(page.locator(".ow-path")).to_have_text("many")
    offer = page.get_by_role("button", name="Analyse whole folder…")
    offer.click()
    dialog = page.get_by_role("dialog", name="Analyse a whole folder")
    expect(dialog).to_contain_text(f"{N_FIELDS + 1} fields found")
    expect(dialog.get_by_role("region", name="Choices")).to_contain_text("Doubter")
    name = dialog.get_by_label("Results folder")
    expect(name).to_have_value("many results")

    name.fill("../elsewhere")
    name.press("Tab")
    expect(dialog).to_contain_text("leads out of it")
    expect(dialog.get_by_role("button", name="Start")).to_have_attribute("aria-disabled", "true")
    name.fill("many results")
    name.press("Tab")
    expect(dialog).to_contain_text("A new folder")
    dialog.get_by_role("button", name="Start").press("Enter")

    run = page.get_by_role("dialog", name="Run over a folder")
    expect(run).to_contain_text(re.compile(rf"[1-9]\d* of {N_FIELDS + 1} fields"), timeout=60_000)
    run.get_by_role("button", name="Stop run").click()
    expect(run).to_contain_text(re.compile(r"Stopped; \d+ fields not analysed yet"), timeout=30_000)
    before = read_status(site.root / "many results").n_done
    run.get_by_role("button", name="Continue").click()
    expect(run.get_by_role("button", name="Stop run")).to_be_visible()

    page.keyboard.press("Escape")
    expect(run).to_be_hidden()
    expect(offer).to_be_focused()
    chip = page.locator(".ow-run-chip")
    expect(chip).to_have_text(re.compile(r"Run( \d+ %)?$"))
    expect(chip).to_have_text("Run done", timeout=60_000)
    chip.click()
    expect(run).to_contain_text("Done, but 1 field could not be analysed")
    expect(run.get_by_label("Fields that failed")).to_contain_text("broken")
    assert before < N_FIELDS

    run.get_by_role("button", name="Save", exact=True).click()
    expect(run).to_contain_text("many results/exports/cells.csv", timeout=30_000)
    with page.expect_download() as download:
        run.get_by_role("button", name="Download").click()
    table = pd.read_csv(download.value.path())
    assert table["field"].nunique() == N_FIELDS
    with open_results(site.root / "many results") as results:
        assert (results.n_fields, results.n_failures) == (N_FIELDS, 1)
        assert results.n_cells == len(table)
        assert results.run["settings"]["segmenter"]["name"] == "sketch"
    run.get_by_role("button", name="Close").last.click()
    expect(chip).to_be_hidden()
    assert visit.errors == []


def test_results_are_found_again_by_another_page(site: Site, browser: Browser, many: Path) -> None:
    page = browser.new_page(viewport={"width": 720, "height": 800}, color_scheme="dark")
    page.goto(site.url, timeout=90_000)
    ready(page)
    page.get_by_role("button", name="Sample and settings").click()
    line = listed(page, "many results")
    expect(line).to_contain_text(f"results · {N_FIELDS} fields")
    line.click()
    run = page.get_by_role("dialog", name="Run over a folder")
    expect(run).to_contain_text(f"{N_FIELDS + 1} of {N_FIELDS + 1} fields · 1 failed")
    expect(run).to_contain_text("many → many results")
    assert fits(run)
    page.set_viewport_size({"width": 380, "height": 640})
    assert fits(run)
    page.keyboard.press("Escape")
    expect(run).to_be_hidden()
    expect(page.locator(".ow-run-chip")).to_be_hidden()
    page.close()
