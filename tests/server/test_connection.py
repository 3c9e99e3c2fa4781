"""Messages to pages that are gone, or speak the older protocol."""

from __future__ import annotations

import struct
from typing import Any
from unittest.mock import MagicMock, PropertyMock

import pytest
from tornado.websocket import WebSocketHandler
from traitlets.utils.importstring import import_item

from organelle_widgets.server.connection import PageConnection


class Written(WebSocketHandler):
    """A page that notes what reaches it."""

    def __init__(self, protocol: str | None, *, here: bool = True) -> None:
        self.ws_connection: Any = MagicMock() if here else None
        if here:
            self.ws_connection.is_closing.return_value = False
            self.ws_connection.selected_subprotocol = protocol
        self.through_voila: list[Any] = []

    def write_message(self, message: Any, binary: bool = False) -> Any:
        self.through_voila.append(message)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Connections without a kernel."""

    def make(page: Written) -> PageConnection:
        monkeypatch.setattr(PageConnection, "__init__", lambda self: None)
        connection = PageConnection()
        monkeypatch.setattr(PageConnection, "websocket_handler", PropertyMock(return_value=page))
        return connection

    return make


BUFFERS = struct.pack("!3I", 2, 12, 14) + b"{}" + b"pixels"


def test_buffers_in_the_older_protocol_go_past_voila(connect: Any) -> None:
    page = Written(None)
    connect(page).write_message(BUFFERS, binary=True)
    assert page.through_voila == []
    page.ws_connection.write_message.assert_called_once_with(BUFFERS, binary=True)


def test_everything_else_goes_through_voila(connect: Any) -> None:
    old, new = Written(None), Written("v1.kernel.websocket.jupyter.org")
    connect(old).write_message("{}")
    connect(new).write_message(BUFFERS, binary=True)
    assert old.through_voila == ["{}"]
    assert new.through_voila == [BUFFERS]


def test_nothing_is_sent_to_a_page_that_is_gone(connect: Any) -> None:
    page = Written(None, here=False)
    connect(page).write_message(BUFFERS, binary=True)
    assert page.through_voila == []


def test_voila_is_told_of_it() -> None:
    import json

    from organelle_widgets.server import notebook_path

    settings = json.loads(notebook_path().with_name("voila.json").read_text("utf-8"))
    named = settings["Voila"]["kernel_websocket_connection_class"]
    assert import_item(named) is PageConnection
