"""A real Voila process, started by the launcher, and a real Chromium to look at it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import imageio.v3 as iio
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from organelle_widgets.synthetic import virtual_field

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHANNELS = ("red", "green", "blue", "yellow")


@dataclass
class Site:
    """The served dashboard.

    Parameters
    ----------
    url : str
        Where.
    root : Path
        What the folder picker is confined to.
    process : int
        The launcher's process id.
    """

    url: str
    root: Path
    process: int


@dataclass
class Visit:
    """One open page and what it complained of."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder drive a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.tensorflow)


@pytest.fixture(scope="session")
def field_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four channel images of a virtual field, as a person has them on disk."""
    folder = tmp_path_factory.mktemp("root") / "plate"
    folder.mkdir()
    drawn = virtual_field((512, 640), seed=3, pixel_size_um=0.32, classes=(7,)).field
    files = {key: folder / f"well A1_{key}.png" for key in CHANNELS}
    for key, path in files.items():
        iio.imwrite(path, drawn.channel(key))
    return files


@pytest.fixture(scope="session")
def wrong_scale(field_files: dict[str, Path]) -> Path:
    """A folder beside them with a field of 0.4 um pixels whose files don't say so."""
    folder = field_files["blue"].parents[1] / "odd"
    folder.mkdir()
    drawn = virtual_field((400, 400), seed=5, pixel_size_um=0.4, classes=(7,)).field
    for key in CHANNELS:
        iio.imwrite(folder / f"odd_{key}.png", drawn.channel(key))
    return folder


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of the served process: more backends as a plugin, an empty model store, no way out."""
    plugin = tmp_path_factory.mktemp("plugin")
    shutil.copy(Path(__file__).with_name("page_backends.py"), plugin)
    about = plugin / "page_backends-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: page-backends\nVersion: 1\n")
    points = "sketch = page_backends:Sketch\nweightless = page_backends:Weightless\n"
    judges = "doubter = page_backends:Doubter\n"
    (about / "entry_points.txt").write_text(
        f"[organelle_widgets.segmenters]\n{points}[organelle_widgets.classifiers]\n{judges}"
    )
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(plugin), os.environ.get("PYTHONPATH")])),
        "ORGANELLE_WIDGETS_CACHE": str(tmp_path_factory.mktemp("store")),
        "ORGANELLE_WIDGETS_MIRROR": "http://127.0.0.1:9",
    }


def _answers(url: str) -> bool:
    """Whether the server answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def served(root: Path, environment: dict[str, str], *more: str) -> Iterator[Site]:
    """The dashboard, served by its own command."""
    command = Path(sys.executable).with_name("organelle-widgets")
    arguments = [str(command), "dashboard", "--no-browser", "--port", "0", "--root", str(root)]
    log = root.parent / f"voila{'_'.join(more)}.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*arguments, *more],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            env=environment,
        ) as server,
    ):
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"the launcher said {line!r}; {log.read_text()}"
        deadline = time.monotonic() + 90
        while not _answers(found.group()):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)
        yield Site(found.group(), root, server.pid)
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="session")
def site(wrong_scale: Path, environment: dict[str, str]) -> Iterator[Site]:
    """The dashboard; every visitor's kernel does its own work."""
    with served(wrong_scale.parent, environment) as site:
        yield site


@pytest.fixture(scope="module")
def pooled_site(wrong_scale: Path, environment: dict[str, str]) -> Iterator[Site]:
    """The dashboard with one worker for all visitors."""
    with served(wrong_scale.parent, environment, "--workers", "1") as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Not for the whole session: while it is open, its event loop counts as the main thread's."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        reason = "no chromium; install it with: apt-get install chromium"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason} (CI=true: this may not be skipped)")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


def visited(site: Site, browser: Browser) -> Iterator[Visit]:
    """A fresh page on the dashboard, at 1440 x 900."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    seen = Visit(page)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(site.url, wait_until="domcontentloaded", timeout=90_000)
    yield seen
    page.close()


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    """A page whose kernel does its own work."""
    yield from visited(site, browser)


@pytest.fixture
def pooled_visit(pooled_site: Site, browser: Browser) -> Iterator[Visit]:
    """A page whose fields the shared worker analyses."""
    yield from visited(pooled_site, browser)
