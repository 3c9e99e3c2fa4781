"""The header: what is loaded, what came out, warnings, and the page's own controls: export, theme, help."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets
from psygnal import Signal

from organelle_widgets.widgets._base import front_end
from organelle_widgets.widgets._page_region import PageRegion, text_in, whole_in

if TYPE_CHECKING:
    from organelle_widgets.widgets._page_region import Handler

__all__ = ["CHUNK_BYTES", "SHORTCUTS", "HeaderBar"]

CHUNK_BYTES = 1 << 20
"""Bytes in one message of a download."""

MOST_OFFERS = 4
"""Files that wait for the browser at the same time; the oldest gives way."""

SHORTCUTS: list[dict[str, str]] = [
    {"group": "Image", "keys": "Drag", "text": "Move the picture; both views go together"},
    {"group": "Image", "keys": "Wheel", "text": "Zoom at the pointer"},
    {"group": "Image", "keys": "Double click", "text": "Zoom to the cell"},
    {"group": "Image", "keys": "+ -", "text": "Zoom in, zoom out"},
    {"group": "Image", "keys": "← ↑ → ↓", "text": "On the picture: move it"},
    {"group": "Image", "keys": "F", "text": "Fit the whole field"},
    {"group": "Image", "keys": "1", "text": "One image pixel on one screen pixel"},
    {"group": "Image", "keys": "O L", "text": "Show or hide the outlines, the labels"},
    {"group": "Cells", "keys": "Hover", "text": "Name the cell under the pointer"},
    {"group": "Cells", "keys": "Click", "text": "Select a cell"},
    {"group": "Cells", "keys": "N P", "text": "Next cell, previous cell"},
    {"group": "Cells", "keys": "Enter", "text": "On the picture: zoom to the selected cell"},
    {"group": "Cells", "keys": "← →", "text": "In the film strip: previous cell, next cell"},
    {"group": "Cells", "keys": "Esc", "text": "Step back: let go of the cell, then fit the field"},
    {"group": "Page", "keys": "?", "text": "Show this help"},
]
"""What keyboard and pointer do, for the help dialog."""


class HeaderBar(PageRegion):
    """The page's header.

    Attributes
    ----------
    chip, chip_title : str
        The field in short, such as ``"000a6c98 · 2048 × 2048 · 0.08 µm/px"``, and its whole name as a tooltip.
    summary : str
        What came out, such as ``"19 cells · median 412 µm² · analysed in 1.3 s"``.
    warnings : list of str
        What a person should know of the result, in whole sentences.
    checks : list of str
        What looks wrong with the field. The cell panel shows it; the header does where that is out of sight.
    exports : list of dict
        What can be saved: ``key``, ``title``, ``detail``. Empty disables the menu.
    exporting : str
        Key of the export under way; empty for none.
    run : dict
        A run over many fields in two words: ``text``, ``title``, ``fraction`` (None while unknown), ``kind``
        (``"running"``, ``"done"``, ``"stopped"``, ``"failed"``). Empty for none.
    theme : str
        ``"auto"``, ``"light"`` or ``"dark"``; the browser remembers it.
    shortcuts : list of dict
        Lines of the help dialog: ``group``, ``keys`` (apart by spaces where they are several keys), ``text``.
    export_requested : Signal
        Emits the key of an export.
    theme_changed : Signal
        Emits the theme that the person chose.
    run_requested : Signal
        The person wants to see the run.
    """

    _esm = front_end("dom", "controls", "header_bar", suffix=".js")
    _css = front_end("theme", "controls", "header_bar", suffix=".css")
    browser_sets: ClassVar[frozenset[str]] = frozenset({"theme"})

    chip = traitlets.Unicode().tag(sync=True)
    chip_title = traitlets.Unicode().tag(sync=True)
    summary = traitlets.Unicode().tag(sync=True)
    warnings = traitlets.List(traitlets.Unicode()).tag(sync=True)
    checks = traitlets.List(traitlets.Unicode()).tag(sync=True)
    exports = traitlets.List(traitlets.Dict()).tag(sync=True)
    exporting = traitlets.Unicode().tag(sync=True)
    run = traitlets.Dict().tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    shortcuts = traitlets.List(traitlets.Dict(), SHORTCUTS).tag(sync=True)

    export_requested = Signal(str)
    theme_changed = Signal(str)
    run_requested = Signal()

    def __init__(self, **traits: Any) -> None:
        self._offers: dict[str, bytes] = {}
        self._client = ""
        super().__init__(**traits)

    def offer_file(self, name: str, mime: str, data: bytes) -> None:
        """Let the browser that asked for an export save a file; ends `exporting`.

        The browser fetches it in chunks of `CHUNK_BYTES`, one after the other.

        Parameters
        ----------
        name : str
            File name that the browser suggests.
        mime : str
            Media type, such as ``"text/csv"``.
        data : bytes
            The file.
        """
        offer = uuid.uuid4().hex
        while len(self._offers) >= MOST_OFFERS:
            del self._offers[next(iter(self._offers))]
        self._offers[offer] = bytes(data)
        self.exporting = ""
        about = {"offer": offer, "name": name, "mime": mime, "size": len(data)}
        self.send({"type": "offer", "client": self._client, **about})

    def set_state(self, sync_data: Any) -> None:
        """See `PageRegion.set_state`; tells `theme_changed` of a new theme.

        Parameters
        ----------
        sync_data : dict
            New values by trait name.
        """
        before = self.theme
        super().set_state(sync_data)
        if self.theme != before:
            self.theme_changed.emit(self.theme)

    def _handlers(self) -> dict[str, Handler]:
        return {
            "export": self._on_export,
            "pull": self._on_pull,
            "received": self._on_received,
            "run": self._on_run,
        }

    def _on_run(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.run:
            self.run_requested.emit()

    def _on_export(self, message: dict[str, Any], _: list[Any]) -> None:
        key = text_in(message, "key", [entry.get("key") for entry in self.exports])
        if not self.exporting:
            self._client = text_in(message, "client", longest=64)
            self.export_requested.emit(key)

    def _on_pull(self, message: dict[str, Any], _: list[Any]) -> None:
        offer = text_in(message, "offer", self._offers)
        data = self._offers[offer]
        start = whole_in(message, "offset", 0, len(data))
        part = data[start : start + CHUNK_BYTES]
        self.send({"type": "part", "offer": offer, "offset": start}, [part])

    def _on_received(self, message: dict[str, Any], _: list[Any]) -> None:
        del self._offers[text_in(message, "offer", self._offers)]
