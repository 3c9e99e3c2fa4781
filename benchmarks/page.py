"""The served page in Chromium: time until it answers, bytes on the wire, click to chart.

Starts the dashboard with its own command, opens it in headless Chromium, uploads a virtual 2048 x 2048 field of
8 bits, and clicks cells. Needs Playwright's package and Chromium.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imageio.v3 as iio
from playwright.sync_api import Page, WebSocket, sync_playwright

from organelle_widgets.synthetic import virtual_field

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HOOK = "document.querySelector('.ow-fv-host')?.owDebug"
SHOWN = f"() => {{ const d = {HOOK}; return d && d.stage === 'full' && d.cells > 0; }}"
CLICKS = 30


class Wire:
    """Counts what the page's sockets and requests receive, bytes."""

    def __init__(self, page: Page) -> None:
        self.socket = 0
        self.http = 0
        page.on("websocket", self._listen)
        page.on("requestfinished", self._finished)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: self._count(data))

    def _count(self, data: bytes | str) -> None:
        self.socket += len(data)

    def _finished(self, request) -> None:
        sizes = request.sizes()
        self.http += sizes["responseBodySize"] + sizes["responseHeadersSize"]


def click_seconds(page: Page) -> list[float]:
    """Seconds from a click in the film strip to the new chart, cell by cell."""
    script = """async (count) => {
      const items = [...document.querySelectorAll(".ow-stage [data-cell]")];
      const caption = document.querySelector(".ow-cell-panel .ow-caption");
      const took = [];
      for (let i = 0; i < count; i++) {
        const before = caption.textContent;
        const item = items[i % items.length];
        const start = performance.now();
        const changed = new Promise((done) => {
          const watcher = new MutationObserver(() => {
            if (caption.textContent !== before) { watcher.disconnect(); requestAnimationFrame(done); }
          });
          watcher.observe(caption, {characterData: true, childList: true, subtree: true});
        });
        item.click();
        await changed;
        took.push(performance.now() - start);
        await new Promise((done) => setTimeout(done, 120));
      }
      return took;
    }"""
    return [took / 1000 for took in page.evaluate(script, CLICKS)]


def measure(url: str, files: list[str]) -> list[tuple[str, str]]:
    """Rows of the table."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        opened = []
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            start = time.perf_counter()
            page.goto(url, wait_until="domcontentloaded", timeout=90_000)
            page.wait_for_function(SHOWN, timeout=90_000)
            opened.append(time.perf_counter() - start)
            page.close()
            time.sleep(6)  # the pool makes a new kernel
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        wire = Wire(page)
        page.goto(url, timeout=90_000)
        page.wait_for_function(SHOWN, timeout=90_000)
        page.wait_for_timeout(2000)
        first = (wire.http, wire.socket)
        page.get_by_role("tab", name="Files").click()
        page.locator("input.ow-file-several").set_input_files(files)
        page.wait_for_function("() => /2048/.test(document.querySelector('.ow-chip').textContent)")
        page.wait_for_function(SHOWN, timeout=180_000)
        page.wait_for_timeout(2000)
        field = wire.socket - first[1]
        took = click_seconds(page)
        browser.close()
    return [
        ("open to a field with its cells, median of 5", f"{statistics.median(opened):.2f} s"),
        ("the page itself over HTTP", f"{first[0] / 1e6:.1f} MB"),
        ("the sample over the socket", f"{first[1] / 1e6:.1f} MB"),
        ("a 2048 x 2048 field over the socket", f"{field / 1e6:.1f} MB"),
        (f"click to chart, median of {CLICKS}", f"{statistics.median(took) * 1000:.0f} ms"),
        ("click to chart, slowest", f"{max(took) * 1000:.0f} ms"),
    ]


def main() -> None:
    command = Path(sys.executable).with_name("organelle-widgets")
    with tempfile.TemporaryDirectory() as folder:
        field = virtual_field((2048, 2048), seed=1).field
        files = []
        for key in field.present:
            files.append(str(Path(folder) / f"virtual_{key}.png"))
            iio.imwrite(files[-1], field.channel(key))
        arguments = [command, "dashboard", "--no-browser", "--port", "0", "--root", folder]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
            try:
                url = re.search(r"http://\S+", server.stdout.readline()).group()
                time.sleep(12)
                rows = measure(url, files)
            finally:
                server.terminate()
    print("| page | measured |\n|---|---:|")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
