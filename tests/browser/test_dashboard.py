"""The whole page as a person uses it: Voila, kernel, engine and browser are the real ones."""

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

Site = Visit = Any  # see conftest.py
ANSWER = ".ow-cell-panel .ow-title"
VIEW = "document.querySelector('.ow-fv-host').owDebug"
SURE_OR_NOT = re.compile(r"\S")


def ready(page: Page) -> None:
    """Until the page shows a field in full with its cells, and nothing runs."""
    done = page.locator(".ow-fv[data-state='done'][data-stage='full']")
    expect(done).to_be_visible(timeout=120_000)
    page.wait_for_function(f"() => {VIEW}.cells > 0", timeout=60_000)
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)


def debug(page: Page, expression: str) -> Any:
    """Ask the views' test hook."""
    return page.evaluate(f"() => {VIEW}.{expression}")


def cells(page: Page) -> list[int]:
    """Ids of the cells in the film strip, as sorted."""
    items = page.locator(".ow-stage [data-cell]")
    return [int(items.nth(i).get_attribute("data-cell")) for i in range(items.count())]


def centre(page: Page, cell: int, view: int = 1) -> tuple[float, float]:
    """Where the middle of a cell is on the page: a place inside it that the hover agrees on."""
    x, y = debug(page, f"center({cell})")
    across, down = debug(page, f"client({view}, {x}, {y})")
    return across, down


def test_opens_on_an_analysed_sample(visit: Visit) -> None:
    page = visit.page
    ready(page)
    expect(page).to_have_title("Organelle Explorer")
    expect(page.locator(".ow-chip")).to_contain_text("1024 × 1024 · 0.16 µm/px")
    expect(page.locator(".ow-summary")).to_have_text(
        re.compile(r"^\d+ cells · median \d+ µm² · \d+ % at the border · analysed in")
    )
    expect(page.locator(ANSWER)).to_have_text(SURE_OR_NOT)
    assert page.locator(".ow-cell-panel .ow-row").count() == 19
    assert visit.errors == []


def test_nothing_leaves_this_machine(visit: Visit, site: Site) -> None:
    ready(visit.page)
    outside = [url for url in visit.requests if url.startswith("http") and site.url not in url]
    assert outside == []


def test_nothing_scrolls_sideways(visit: Visit) -> None:
    page = visit.page
    ready(page)
    for width, height in ((1440, 900), (1000, 800), (720, 800)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(400)
        box = page.locator("#rendered_cells")
        wide = box.evaluate("(e) => e.scrollWidth - e.clientWidth")
        assert wide <= 0, f"{wide} px too wide at {width}"


def test_hover_names_the_cell_and_click_selects_it(visit: Visit) -> None:
    page = visit.page
    ready(page)
    cell = cells(page)[0]
    x, y = centre(page, cell)
    page.mouse.move(x, y)
    expect(page.locator(".ow-fv-tooltip")).to_contain_text(f"Cell {cell}")
    before = debug(page, "transform()")
    page.mouse.click(x, y)
    expect(page.locator(".ow-cell-panel .ow-caption")).to_contain_text(f"Cell {cell} of")
    assert debug(page, "transform()") == before
    selected = page.locator(f".ow-stage [data-cell='{cell}']")
    expect(selected).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".ow-cell-panel .ow-caption")).to_contain_text("Whole field")


def test_click_changes_the_chart(visit: Visit) -> None:
    page = visit.page
    ready(page)
    values = page.locator(".ow-cell-panel .ow-value")
    field = values.all_text_contents()
    first, second = cells(page)[:2]
    page.locator(f".ow-stage [data-cell='{first}']").click()
    expect(page.locator(".ow-cell-panel .ow-caption")).to_contain_text(f"Cell {first} of")
    one = values.all_text_contents()
    page.locator(f".ow-stage [data-cell='{second}']").click()
    expect(page.locator(".ow-cell-panel .ow-caption")).to_contain_text(f"Cell {second} of")
    assert len({tuple(field), tuple(one), tuple(values.all_text_contents())}) == 3


@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_contrast_changes_pixels_in_both_renderers(
    site: Site, browser: Browser, renderer: str
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(site.url + ("?ow-canvas" if renderer == "canvas" else ""), timeout=90_000)
    ready(page)
    assert renderer in debug(page, "renderer")
    spots = [(60 + 31 * i, 60 + 23 * j) for i in range(8) for j in range(8)]
    read = f"(spots) => spots.map(([x, y]) => {VIEW}.pixel(0, x, y))"
    before = np.array(page.evaluate(read, spots))
    page.locator(".ow-fv-tile[data-channel='red']").click()
    high = page.locator(".ow-fv-contrast .ow-fv-high")
    middle = float(high.get_attribute("max")) * 0.08
    high.evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", middle
    )
    page.wait_for_timeout(300)
    after = np.array(page.evaluate(read, spots))
    assert (after[:, 0].astype(int) > before[:, 0].astype(int)).mean() > 0.2
    page.close()


def test_channels_and_overlays_can_be_switched(visit: Visit) -> None:
    page = visit.page
    ready(page)
    spots = [(60 + 31 * i, 60 + 23 * j) for i in range(8) for j in range(8)]
    read = f"(spots) => spots.map(([x, y]) => {VIEW}.pixel(0, x, y))"
    before = np.array(page.evaluate(read, spots)).astype(int)
    page.locator(".ow-fv-toolbar [data-channel='red']").click()
    page.wait_for_timeout(200)
    after = np.array(page.evaluate(read, spots)).astype(int)
    assert after[:, 0].sum() < before[:, 0].sum()
    outlines = page.locator("[data-option='outlines']")
    expect(outlines).to_have_attribute("aria-pressed", "true")
    outlines.click()
    expect(outlines).to_have_attribute("aria-pressed", "false")


def test_both_views_zoom_together(visit: Visit) -> None:
    page = visit.page
    ready(page)
    before = debug(page, "transform()")
    box = page.locator(".ow-fv-view").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(400)
    after = debug(page, "transform()")
    assert after["scale"] > before["scale"]
    page.get_by_role("button", name="Fit").click()
    page.wait_for_timeout(500)
    assert debug(page, "transform()")["scale"] == pytest.approx(before["scale"], rel=0.01)


def test_threshold_acts_at_once(visit: Visit) -> None:
    page = visit.page
    ready(page)
    labelled = page.locator(".ow-slider", has_text="Confidence threshold")
    slider = labelled.locator("input[type='range']")
    summary = page.locator(".ow-summary").inner_text()
    slider.evaluate("(e) => { e.value = 1; e.dispatchEvent(new Event('input', {bubbles: true})); }")
    expect(page.locator(ANSWER)).to_have_text("Not sure", timeout=5_000)
    codes = page.locator(".ow-stage .ow-item-caption b")
    expect(codes).to_have_text([re.compile(r"\?$")] * codes.count(), timeout=5_000)
    assert page.locator(".ow-summary").inner_text() == summary


def upload(page: Page, files: dict[str, Path]) -> None:
    """Choose all files at once, as a person does in the file dialog."""
    page.get_by_role("tab", name="Files").click()
    page.locator("input.ow-file-several").set_input_files([str(p) for p in files.values()])


def test_four_uploaded_files_are_analysed(visit: Visit, field_files: dict[str, Path]) -> None:
    page = visit.page
    ready(page)
    upload(page, field_files)
    expect(page.locator(".ow-chip")).to_contain_text("640 × 512", timeout=60_000)
    ready(page)
    expect(page.locator(".ow-chip")).to_contain_text("assumed")
    expect(page.locator(".ow-summary")).to_contain_text("analysed in")
    expect(page.locator(ANSWER)).to_have_text(SURE_OR_NOT)
    assert visit.errors == []


def test_large_files_arrive_whole(visit: Visit, tmp_path: Path) -> None:
    import tifffile

    rng = np.random.default_rng(0)
    files = {}
    for key in ("red", "green", "blue", "yellow"):
        files[key] = tmp_path / f"large_{key}.tif"
        plane = rng.integers(0, 4000, (3900, 3900), dtype=np.uint16)
        tifffile.imwrite(files[key], plane)
        assert files[key].stat().st_size > 30_000_000
    page = visit.page
    ready(page)
    upload(page, files)
    expect(page.locator(".ow-chip")).to_contain_text("3900 × 3900", timeout=120_000)
    page.locator(".ow-cancel").click()
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)


def test_a_bad_file_is_said_and_the_page_goes_on(
    visit: Visit, field_files: dict[str, Path], tmp_path: Path
) -> None:
    page = visit.page
    ready(page)
    bad = {key: tmp_path / path.name for key, path in field_files.items()}
    for key, path in bad.items():
        content = field_files[key].read_bytes()
        path.write_bytes(content[: len(content) // 2] if key == "green" else content)
    upload(page, bad)
    notice = page.locator(".ow-sample-panel .ow-error")
    expect(notice).to_contain_text("green", timeout=60_000)
    assert "Traceback" not in notice.inner_text()
    page.get_by_role("tab", name="Samples").click()
    page.locator(".ow-sample-panel .ow-line").nth(1).click()
    expect(page.locator(".ow-chip")).to_contain_text("virtual", timeout=30_000)
    ready(page)
    expect(notice).to_be_hidden()


def test_analyse_runs_again_with_progress_and_can_be_cancelled(visit: Visit) -> None:
    page = visit.page
    ready(page)
    page.locator(".ow-analyse").click()
    expect(page.locator(".ow-busy")).to_be_visible()
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)
    first = page.locator(".ow-summary").inner_text()
    page.locator(".ow-analyse").click()
    page.locator(".ow-cancel").click()
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=60_000)
    assert page.locator(".ow-summary").inner_text() == first


def test_the_page_answers_while_it_works(visit: Visit) -> None:
    page = visit.page
    ready(page)
    other = cells(page)[1]
    page.locator(".ow-analyse").click()
    expect(page.locator(".ow-busy")).to_be_visible()
    start = time.monotonic()
    page.locator(f".ow-stage [data-cell='{other}']").click()
    expect(page.locator(".ow-cell-panel .ow-caption")).to_contain_text(f"Cell {other} of")
    assert time.monotonic() - start < 10
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)


def test_folder_shows_fields_below_the_root(visit: Visit) -> None:
    page = visit.page
    ready(page)
    page.get_by_role("tab", name="Folder").click()
    page.get_by_role("button", name=re.compile("plate")).click()
    page.get_by_role("button", name=re.compile("well A1")).click()
    expect(page.locator(".ow-chip")).to_contain_text("well A1", timeout=60_000)
    ready(page)
    expect(page.locator(".ow-summary")).to_contain_text("cells", timeout=120_000)


def test_new_sample_starts_over(visit: Visit) -> None:
    page = visit.page
    ready(page)
    page.locator(".ow-reset").click()
    expect(page.locator(".ow-cell-panel")).to_contain_text("No result yet")
    expect(page.locator(".ow-analyse")).to_be_disabled()
    assert debug(page, "stage") == "none"


def test_exports_arrive_as_files(visit: Visit) -> None:
    page = visit.page
    ready(page)
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=60_000) as table:
        page.get_by_text("Table of cells").click()
    assert table.value.suggested_filename.endswith("_cells.csv")
    lines = Path(table.value.path()).read_text("utf-8").splitlines()
    count = int(page.locator(".ow-summary").inner_text().split()[0])
    assert len(lines) == count + 1
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=60_000) as summary:
        page.get_by_text("Summary").click()
    assert json.loads(Path(summary.value.path()).read_text("utf-8"))["n_cells"] == count


def test_the_chart_is_saved(visit: Visit) -> None:
    page = visit.page
    ready(page)
    page.get_by_role("button", name="Save chart").click()
    with page.expect_download(timeout=60_000) as chart:
        page.get_by_text("SVG").click()
    assert chart.value.suggested_filename.endswith("_field_probabilities.svg")
    assert "<svg" in Path(chart.value.path()).read_text("utf-8")


def test_theme_is_kept(site: Site, browser: Browser) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(site.url, timeout=90_000)
    ready(page)
    light = page.locator(".ow-cell-panel").evaluate("(e) => getComputedStyle(e).backgroundColor")
    page.evaluate("localStorage.setItem('organelle-widgets-theme', 'dark')")
    page.reload()
    ready(page)
    dark = page.locator(".ow-cell-panel").evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert light != dark
    context.close()


def test_two_visitors_do_not_share_a_page(site: Site, browser: Browser) -> None:
    one, other = browser.new_page(), browser.new_page()
    for page in (one, other):
        page.goto(site.url, timeout=90_000)
        ready(page)
    one.locator(".ow-sample-panel .ow-line").nth(2).click()
    expect(one.locator(".ow-chip")).to_contain_text("virtual mitochondria", timeout=30_000)
    expect(other.locator(".ow-chip")).to_contain_text("virtual golgi")
    one.close()
    other.close()


def test_the_server_serves_no_files_of_the_folder(site: Site, browser: Browser) -> None:
    page = browser.new_page()
    for path in ("voila/files/dashboard.ipynb", "voila/files/voila.json", "files/dashboard.ipynb"):
        assert page.request.get(site.url + path).status in (403, 404)
    page.close()


def kernels(site: Site) -> set[int]:
    """Process ids of the server's kernels."""
    below = psutil.Process(site.process).children(recursive=True)
    found = set()
    for process in below:
        try:
            if "ipykernel_launcher" in " ".join(process.cmdline()):
                found.add(process.pid)
        except psutil.NoSuchProcess:
            continue
    return found


def test_a_closed_page_ends_its_kernel(site: Site, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(site.url, timeout=90_000)
    ready(page)
    before = kernels(site)
    page.goto("about:blank")
    deadline = time.monotonic() + 20
    while before <= kernels(site) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(before - kernels(site)) == 1
    page.close()


def drop(page: Page, selector: str, *files: Path) -> bool:
    """Drop files there as a person does; whether the page took them (a browser would leave the page otherwise)."""
    handed = [[path.name, base64.b64encode(path.read_bytes()).decode("ascii")] for path in files]
    script = """([selector, files]) => {
      const data = new DataTransfer();
      const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      for (const [name, text] of files) data.items.add(new File([bytes(text)], name));
      const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data });
      return !document.querySelector(selector).dispatchEvent(event);
    }"""
    return bool(page.evaluate(script, [selector, handed]))


def test_files_dropped_on_the_picture_are_taken(visit: Visit, field_files: dict[str, Path]) -> None:
    page = visit.page
    ready(page)
    assert drop(page, ".ow-fv-views", field_files["red"], field_files["blue"])
    button = page.locator(".ow-analyse")
    expect(button).to_contain_text("Add protein", timeout=30_000)
    assert drop(page, ".ow-slot[data-slot='yellow']", field_files["green"])
    expect(page.locator(".ow-notices")).to_contain_text("named like Protein, and is taken as ER")
    expect(button).to_have_attribute("aria-disabled", "true")


def test_changed_settings_are_said_on_the_button(visit: Visit) -> None:
    page = visit.page
    ready(page)
    button = page.locator(".ow-analyse")
    expect(button).to_have_text("Analyse")
    page.get_by_label("How cells are found").select_option("watershed")
    expect(button).to_contain_text("settings changed")
    button.click()
    expect(page.locator(".ow-busy")).to_be_visible()
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)
    expect(button).to_have_text("Analyse")


def test_keys_work_all_over_the_page(visit: Visit) -> None:
    page = visit.page
    ready(page)
    caption = page.locator(".ow-cell-panel .ow-caption")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    expect(caption).to_contain_text("Cell 1 of")
    page.keyboard.press("l")
    expect(page.locator("[data-option='labels']")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(caption).to_contain_text("Cell 1 of")
    page.keyboard.press("Escape")
    expect(caption).to_contain_text("Whole field")
    page.locator(".ow-stage .ow-film").focus()
    page.keyboard.press("p")
    expect(caption).to_contain_text("Cell ")


def test_a_connection_without_a_protocol_does_not_stop_the_server(
    site: Site, browser: Browser
) -> None:
    page = browser.new_page()
    with page.expect_websocket(lambda socket: "/channels" in socket.url, timeout=90_000) as found:
        page.goto(site.url, timeout=90_000)
    ready(page)
    address = found.value.url.split("?")[0] + "?session_id=another"
    page.evaluate(
        """(address) => new Promise((resolve) => {
          window.got = [];
          const socket = new WebSocket(address);
          socket.binaryType = "arraybuffer";
          socket.onmessage = ({ data }) => typeof data === "string" || window.got.push(data.byteLength);
          socket.onopen = resolve;
        })""",
        address,
    )
    page.locator(".ow-sample-panel .ow-line").nth(1).click()
    expect(page.locator(".ow-chip")).to_contain_text("virtual", timeout=30_000)
    page.wait_for_function("() => window.got.length > 3", timeout=30_000)
    assert page.request.get(site.url + "voila/files/none", timeout=10_000).status in (403, 404)
    page.close()
