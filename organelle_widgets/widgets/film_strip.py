"""The film strip: every cell as a small picture, to sort, to filter and to select."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets
from psygnal import Signal

from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.widgets._base import front_end
from organelle_widgets.widgets._page_region import PageRegion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from organelle_widgets.widgets._page_region import Handler

__all__ = ["FILTERS", "SORTS", "FilmStrip"]

logger = logging.getLogger(__name__)

SORTS: tuple[str, ...] = ("confidence-low", "confidence-high", "class", "size", "id")
"""The orders of the film."""

FILTERS: tuple[str, ...] = ("all", "unsure", *(str(index) for index in range(N_CLASSES)))
"""What the film can be confined to: all cells, those without an answer, or one class by its index."""


class FilmStrip(PageRegion):
    """The cells of the field, one thumbnail each.

    Attributes
    ----------
    cells : list of dict
        One a cell: ``id``, ``top`` (class index), ``code``, ``confidence``, ``sure``, ``unusual``, ``border``,
        ``fragment``, ``area_um2``.
    selected : int
        Id of the selected cell, 0 for none; the person may set it.
    sort : str
        One of `SORTS`; the person may set it.
    shown : str
        One of `FILTERS`; the person may set it.
    busy : bool
        Whether new cells are on their way; the old ones are dimmed.
    selected_changed : Signal
        Emits the id that the person selected.
    """

    _esm = front_end("dom", "controls", "film_strip", suffix=".js")
    _css = front_end("theme", "controls", "film_strip", suffix=".css")
    browser_sets: ClassVar[frozenset[str]] = frozenset({"selected", "sort", "shown"})

    cells = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    sort = traitlets.Enum(SORTS, SORTS[0]).tag(sync=True)
    shown = traitlets.Enum(FILTERS, FILTERS[0]).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)

    selected_changed = Signal(int)

    def __init__(self, **traits: Any) -> None:
        self._thumbnails: tuple[dict[str, Any], list[bytes]] | None = None
        super().__init__(**traits)

    def show_thumbnails(
        self, sprite: bytes, columns: int, size: int, ids: Iterable[int] | None = None
    ) -> None:
        """Show the pictures of all cells; they are kept and sent again to a page that comes later.

        Parameters
        ----------
        sprite : bytes
            One PNG or JPEG with all thumbnails, row by row.
        columns : int
            Thumbnails in a row of the sprite.
        size : int
            Side of a thumbnail, sprite pixels.
        ids : iterable of int, optional
            Cell ids in the order of the sprite; those of `cells` by default.
        """
        order = [int(cell["id"]) for cell in self.cells] if ids is None else [int(i) for i in ids]
        about = {"type": "thumbnails", "columns": int(columns), "size": int(size), "ids": order}
        self._thumbnails = (about, [bytes(sprite)])
        self.send(*self._thumbnails)

    def clear(self) -> None:
        """Forget cells, thumbnails and selection."""
        with self.hold_sync():
            self.selected = 0
            self.cells = []
        self._thumbnails = None
        self.send({"type": "thumbnails", "columns": 1, "size": 1, "ids": []})

    def set_state(self, sync_data: Any) -> None:
        """See `PageRegion.set_state`; refuses cells that don't exist and tells `selected_changed`.

        Parameters
        ----------
        sync_data : dict
            New values by trait name.
        """
        if isinstance(sync_data, dict) and not self._has(sync_data.get("selected", 0)):
            logger.debug("%r: there is no cell %r.", self, sync_data["selected"])
            sync_data = {name: v for name, v in sync_data.items() if name != "selected"}
            self.send_state("selected")
        before = self.selected
        super().set_state(sync_data)
        if self.selected != before:
            self.selected_changed.emit(self.selected)

    def _has(self, cell_id: Any) -> bool:
        """Whether it is the id of a cell, or 0."""
        if type(cell_id) is not int:
            return False
        return cell_id == 0 or any(cell.get("id") == cell_id for cell in self.cells)

    def _handlers(self) -> dict[str, Handler]:
        return {"ready": self._on_ready}

    def _on_ready(self, _: dict[str, Any], __: list[Any]) -> None:
        if self._thumbnails is not None:
            self.send(*self._thumbnails)
