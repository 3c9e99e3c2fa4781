"""The page on workers that all visitors share: a result, the queue, a wish to stop, a worker and a pool that die."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

Site = Any  # see conftest.py
Visit = Any


def processes(site: Site, word: str) -> list[psutil.Process]:
    """Processes of the served page whose command has a word in it."""
    family = psutil.Process(site.process).children(recursive=True)
    return [one for one in family if word in " ".join(one.cmdline())]


def worker(site: Site) -> psutil.Process:
    """The one worker."""
    deadline = time.monotonic() + 60
    while not (found := processes(site, "spawn_main")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found[0]


def libraries(process: psutil.Process) -> set[str]:
    """Which of the large libraries a process has in its memory."""
    mapped = " ".join(part.path for part in process.memory_maps())
    return {name for name in ("libtorch", "libtensorflow") if name in mapped}


def open_field(page: Page) -> None:
    """The field of the folder, with its result."""
    page.get_by_role("tab", name="Folder").click()
    page.get_by_role("button", name=re.compile("plate")).click()
    page.get_by_role("button", name=re.compile("well A1")).click()
    expect(page.locator(".ow-chip")).to_contain_text("well A1", timeout=60_000)
    idle(page)
    expect(page.locator(".ow-summary")).to_contain_text("cells", timeout=120_000)


def idle(page: Page) -> None:
    """Until nothing runs."""
    expect(page.locator(".ow-busy")).to_be_hidden(timeout=120_000)


@pytest.fixture
def held(pooled_site: Site) -> Iterator[psutil.Process]:
    """The worker, taken by something else for a while."""
    process = worker(pooled_site)
    process.suspend()
    yield process
    if process.is_running():
        process.resume()


def test_a_field_is_analysed_by_the_shared_worker(
    pooled_site: Site, pooled_visit: Visit, field_files: dict[str, Path]
) -> None:
    page = pooled_visit.page
    open_field(page)
    assert libraries(worker(pooled_site)) == {"libtorch", "libtensorflow"}
    kernels = processes(pooled_site, "ipykernel")
    assert kernels
    assert [libraries(kernel) for kernel in kernels] == [set()] * len(kernels)
    page.get_by_label("How cells are found").select_option("weightless")
    page.locator(".ow-analyse").click()
    expect(page.locator(".ow-offer")).to_contain_text("HPA nuclei", timeout=60_000)
    assert pooled_visit.errors == []


def test_who_waits_is_told_and_may_leave_and_a_dead_worker_is_replaced(
    pooled_visit: Visit, field_files: dict[str, Path], held: psutil.Process
) -> None:
    page = pooled_visit.page
    held.resume()
    open_field(page)
    summary = page.locator(".ow-summary").inner_text().split(" · ")[0]
    held.suspend()
    page.get_by_label("How cells are found").select_option("sketch")
    page.locator(".ow-analyse").click()
    busy = page.locator(".ow-busy")
    expect(busy).to_contain_text("Waiting for a free worker", timeout=20_000)
    page.wait_for_timeout(300)
    boxes = busy.evaluate("(e) => [e.scrollWidth, e.clientWidth]")
    assert boxes[0] <= boxes[1], "the words are cut off"
    page.locator(".ow-cancel").click()
    expect(busy).to_be_hidden(timeout=5_000)
    expect(page.locator(".ow-summary")).to_contain_text(summary)
    expect(page.locator(".ow-notice")).to_be_hidden()
    page.locator(".ow-analyse").click()
    expect(busy).to_contain_text("Waiting for a free worker", timeout=20_000)
    page.wait_for_timeout(300)
    held.send_signal(signal.SIGKILL)
    idle(page)
    expect(page.locator(".ow-summary")).to_contain_text("cell")
    expect(page.locator(".ow-analyse")).to_have_text("Analyse")
    expect(page.locator(".ow-notice")).to_be_hidden()
    assert pooled_visit.errors == []


def test_a_pool_that_dies_is_said_and_comes_back(
    pooled_site: Site, pooled_visit: Visit, field_files: dict[str, Path], held: psutil.Process
) -> None:
    page = pooled_visit.page
    expect(page.locator(".ow-analyse")).to_be_enabled(timeout=60_000)
    page.locator(".ow-analyse").click()
    busy = page.locator(".ow-busy[aria-valuenow='2']")  # connected, and in the queue
    expect(busy).to_contain_text("Waiting for a free worker", timeout=20_000)
    page.wait_for_timeout(500)
    (pool,) = processes(pooled_site, "organelle_widgets.server.workers")
    pool.kill()
    expect(page.locator(".ow-notice")).to_contain_text("can't be reached", timeout=30_000)
    expect(page.locator(".ow-notice")).to_contain_text("Try again in a minute")
    page.locator(".ow-analyse").click()
    idle(page)
    expect(page.locator(".ow-notice")).to_be_hidden()
    expect(page.locator(".ow-summary")).to_contain_text("cells")
    assert pooled_visit.errors == []
