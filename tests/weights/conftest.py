"""A web server on this machine that misbehaves on request, and stores that download from it."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from organelle_widgets.weights._store import Store
from organelle_widgets.weights.catalogue import WeightFile

PATH = "/record/7/files/net.pth"


@dataclass
class Site:
    """What the server has and how it behaves; `log` holds (path, Range, status, bytes to send)."""

    content: bytes
    port: int = 0
    etag: str = '"v1"'
    last_modified: str = ""
    ranges: str = "yes"  # or "no", "refused", "shifted"
    length: str = "told"  # or "hidden"
    kind: str = "application/octet-stream"
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    slow_s: float = 0.0
    claimed_length: int | None = None
    record: dict | None = None
    log: list[tuple[str, str | None, int, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def files(self) -> list[tuple[str | None, int, int]]:
        """Requests for the file, without those for the record."""
        return [entry[1:] for entry in self.log if "/api/" not in entry[0]]

    def publish(self, content: bytes) -> None:
        """Give the record of the file as Zenodo does."""
        checksum = f"md5:{hashlib.md5(content).hexdigest()}"
        self.record = {"id": 7, "files": [{"key": "net.pth", "checksum": checksum}]}


class Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/api/records/7":
            self._json()
        elif self.site.statuses:
            self._plain(self.site.statuses.pop(0))
        else:
            self._file()

    def _note(self, status: int, sent: int) -> None:
        self.site.log.append((self.path, self.headers.get("Range"), status, sent))

    def _plain(self, status: int) -> None:
        self._note(status, 0)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self) -> None:
        if self.site.record is None:
            self._plain(404)
            return
        body = json.dumps(self.site.record).encode()
        self._note(200, len(body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _start(self) -> int | None:
        """First byte asked for, where the server goes along with it."""
        site, asked = self.site, re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None or site.ranges == "no":
            return None
        same = self.headers.get("If-Range") in (site.etag, site.last_modified)
        return int(asked[1]) if same else None

    def _file(self) -> None:
        site, start = self.site, self._start()
        if start is not None and site.ranges == "refused":
            self._plain(416)
            return
        body = site.content[start or 0 :]
        status = 200 if start is None else 206
        cut = site.cuts.pop(0) if site.cuts else len(body)
        self._note(status, min(cut, len(body)))  # before the client can have an answer
        self.send_response(status)
        self.send_header("Content-Type", site.kind)
        if site.etag:
            self.send_header("ETag", site.etag)
        if site.last_modified:
            self.send_header("Last-Modified", site.last_modified)
        if start is not None:
            told = start + (5 if site.ranges == "shifted" else 0)
            total = len(site.content)
            self.send_header("Content-Range", f"bytes {told}-{total - 1}/{total}")
        if site.length == "told":
            self.send_header("Content-Length", str(site.claimed_length or len(body)))
        self.end_headers()
        self._send(body, cut)

    def _send(self, body: bytes, cut: int) -> None:
        sent = 0
        try:
            while sent < min(cut, len(body)):
                step = body[sent : min(sent + 65536, cut)]
                self.wfile.write(step)
                sent += len(step)
                time.sleep(self.site.slow_s)
        except OSError:
            self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


@pytest.fixture
def content() -> bytes:
    """About 0.6 MB that look like nothing in particular."""
    return b"PK" + np.random.default_rng(5).bytes(600_000)


@pytest.fixture
def site(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A running server with the file ``net.pth``."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("ORGANELLE_WIDGETS_MIRROR", raising=False)
    site = Site(content)
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site}))
    site.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def make_store(site: Site, tmp_path: Path) -> Callable[..., Store]:
    """Makes a store with one file, ``net``, that the server has; keywords go into its entry."""
    from organelle_widgets.weights._transfer import Patience

    def make(attempts: int = 3, folder: Path | None = None, **entry: object) -> Store:
        file = WeightFile(
            **{"name": "net", "title": "Net", "url": site.url, "file_name": "net.pth", **entry}
        )
        patience = Patience(attempts, pause_s=0.01, connect_s=2, read_s=2)
        return Store({"net": file}, folder or tmp_path / "cache", patience)

    return make
