"""A browser for tests: sends messages and traits to a widget as the comm does, and keeps what the widget sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Browser:
    widget: Any
    sent: list[tuple[dict[str, Any], list[bytes]]] = field(default_factory=list)

    def say(self, kind: Any, *buffers: bytes, **message: Any) -> None:
        self.raw({"type": kind, **message}, *buffers)

    def raw(self, content: Any, *buffers: bytes) -> None:
        data = {"method": "custom", "content": content}
        views = [memoryview(buffer) for buffer in buffers]
        self.widget._handle_msg({"content": {"data": data}, "buffers": views})

    def put(self, **traits: Any) -> None:
        data = {"method": "update", "state": traits}
        self.widget._handle_msg({"content": {"data": data}, "buffers": []})

    @property
    def last(self) -> dict[str, Any]:
        return self.sent[-1][0]


@pytest.fixture
def browse(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Browser]:
    def open_page(widget: Any) -> Browser:
        browser = Browser(widget)

        def keep(content: dict[str, Any], buffers: Any = None) -> None:
            browser.sent.append((content, [bytes(b) for b in buffers or ()]))

        monkeypatch.setattr(widget, "send", keep)
        return browser

    return open_page


@pytest.fixture
def heard() -> Callable[[Any], list[tuple[Any, ...]]]:
    """Collects what a signal emits; keeps the listener alive, because psygnal holds it weakly."""
    listeners = []

    def listen(signal: Any) -> list[tuple[Any, ...]]:
        emitted: list[tuple[Any, ...]] = []
        listener = lambda *args: emitted.append(args)  # noqa: E731
        listeners.append(listener)
        signal.connect(listener, check_nargs=False)
        return emitted

    return listen
