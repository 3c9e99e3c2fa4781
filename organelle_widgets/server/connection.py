"""The server's end of a visitor's websocket: what Voila's own end does not survive.

Voila looks into every message to a page and takes for granted that it is written in protocol v1. A message with buffers
in the older protocol sends it into a loop that fills the memory and stops the server for every visitor. Such messages
arise when a page connects without naming a protocol, and when pictures are on their way to a page that has just closed.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.websocket import WebSocketHandler

__all__ = ["PageConnection"]


class PageConnection(ZMQChannelsWebsocketConnection):
    """Passes messages of a kernel on to its page; ``voila.json`` names it to Voila."""

    def write_message(self, message: str | bytes | dict[str, Any], binary: bool = False) -> None:
        """Send a message to the page, if it is still there.

        Parameters
        ----------
        message : str, bytes or dict
            The message as it travels.
        binary : bool
            Whether it is bytes.
        """
        page = self.websocket_handler
        if page.ws_connection is None:
            return
        if isinstance(message, bytes) and self.subprotocol is None:
            WebSocketHandler.write_message(page, message, binary)
        else:
            page.write_message(message, binary)
