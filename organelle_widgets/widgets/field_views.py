"""The two linked image views with the four channels below: the centre of the page.

The browser does all that answers a hand: contrast, colours, zoom, hover, outlines. Python says what to show, and hears
what was selected and how the person set the view. Pixels never sit in a trait: the front end asks for them with
``{"type": "ready"}`` whenever it has mounted or the picture has changed, and gets them as binary buffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from organelle_widgets.widgets._base import front_end
from organelle_widgets.widgets._page_region import PageRegion
from organelle_widgets.widgets._pixels import prepare
from organelle_widgets.widgets._view_settings import COLORS, OPTIONS, accepted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from organelle_widgets.widgets._page_region import Handler
    from organelle_widgets.widgets._pixels import PreparedPixels

__all__ = ["FieldViews"]

_PARTS = ("store", "camera", "contours", "compositor", "overlay", "contrast", "gestures")


class FieldViews(PageRegion):
    """Two linked views of one field, reference markers and protein with cells, and its four channels.

    Attributes
    ----------
    image_id : int
        Number of the pictures shown; 0 for none. Changes with every new field.
    labels_id : int
        Number of the mask shown; 0 for none.
    name : str
        What people call the field.
    note : str
        A sentence about the pictures, such as that they are shown smaller; may be empty.
    shape : list of int
        Width and height of the field in pixels.
    sent_shape : list of int
        Width and height of the pictures sent.
    step : int
        Field pixels along one side of a pixel sent.
    pixel_size_um : float
        Micrometres per field pixel.
    pixel_size_assumed : bool
        Whether no file and no person gave the pixel size.
    channels : list of dict
        ``key``, ``name``, ``color``, ``present``, ``range`` and ``window`` (in the field's units) of each channel.
    cells : list of dict
        See `organelle_widgets.widgets.payload.cell_payload`.
    selected : int
        Id of the selected cell; 0 for none. Two-way.
    busy : bool
        Whether something runs: the picture stays, dimmed.
    status : str
        What runs, in two or three words.
    options : dict of str to bool
        Two-way: ``outlines``, ``fill``, ``boxes``, ``labels``, and ``nuclei`` for faint nuclei beside the protein.
    visible : list of str
        Two-way: keys of the channels in the reference view.
    colors : dict of str to str
        Two-way: display colour ``#RRGGBB`` of each channel.
    windows : dict of str to list of float
        Two-way: ``[low, high, gamma]`` by channel key, only of channels that the person has set.
    renderer : {"auto", "webgl", "canvas"}
        How pictures are drawn. ``auto`` takes WebGL2 and falls back to a 2D canvas.
    """

    browser_sets = frozenset({"selected", "options", "visible", "colors", "windows"})

    _esm = front_end(
        "dom", *(f"field_views/{part}" for part in _PARTS), "field_views", suffix=".js"
    )
    _css = front_end("theme", "field_views", suffix=".css")

    image_id = traitlets.Int(0).tag(sync=True)
    labels_id = traitlets.Int(0).tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    shape = traitlets.List(traitlets.Int(), [0, 0]).tag(sync=True)
    sent_shape = traitlets.List(traitlets.Int(), [0, 0]).tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    pixel_size_um = traitlets.Float(0.0).tag(sync=True)
    pixel_size_assumed = traitlets.Bool(False).tag(sync=True)
    channels = traitlets.List(traitlets.Dict()).tag(sync=True)
    cells = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    options = traitlets.Dict(OPTIONS).tag(sync=True)
    visible = traitlets.List(traitlets.Unicode(), ["blue", "red", "yellow"]).tag(sync=True)
    colors = traitlets.Dict(COLORS).tag(sync=True)
    windows = traitlets.Dict().tag(sync=True)
    renderer = traitlets.Enum(("auto", "webgl", "canvas"), "auto").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._pixels: PreparedPixels | None = None
        super().__init__(**traits)

    prepare = staticmethod(prepare)

    def show(
        self,
        pixels: PreparedPixels,
        cells: Sequence[dict[str, Any]] = (),
        selected: int | None = None,
    ) -> None:
        """Show a field.

        Pictures that are already shown are not sent again; the zoom then stays, and so does the selection where its
        cell still exists.

        Parameters
        ----------
        pixels : PreparedPixels
            From `prepare`.
        cells : sequence of dict
            From `organelle_widgets.widgets.payload.cell_payload`; none before the analysis.
        selected : int, optional
            The cell to select among them; by default the one of the same id as before.
        """
        same = self.image_id == pixels.serial
        self._pixels = pixels
        with self.hold_sync():
            if not same:
                self.selected = 0
                self.windows = {}
                self._describe(pixels)
            self._take(cells, self.selected if selected is None else selected)
            self.labels_id = pixels.labels.serial if pixels.labels else 0
            self.image_id = pixels.serial

    def set_cells(self, cells: Sequence[dict[str, Any]]) -> None:
        """Show other answers for the cells, after a new threshold; no pixel travels.

        Parameters
        ----------
        cells : sequence of dict
            From `organelle_widgets.widgets.payload.cell_payload`.
        """
        with self.hold_sync():
            self._take(cells, self.selected)

    def clear(self) -> None:
        """Show nothing: the state before the first field."""
        self._pixels = None
        with self.hold_sync():
            self.set_cells(())
            self.windows = {}
            self.name = self.note = ""
            self.channels = []
            self.image_id = self.labels_id = 0

    def _take(self, cells: Sequence[dict[str, Any]], selected: int) -> None:
        """Show these cells, and select one of them if it is there."""
        self.cells = list(cells)
        self.selected = selected if selected in {cell["id"] for cell in cells} else 0

    def _describe(self, pixels: PreparedPixels) -> None:
        self.name = pixels.name
        self.note = pixels.note
        self.shape = list(pixels.shape[::-1])
        self.sent_shape = list(pixels.sent_shape[::-1])
        self.step = pixels.step
        self.pixel_size_um = pixels.pixel_size_um
        self.pixel_size_assumed = pixels.pixel_size_assumed
        self.channels = [channel.facts for channel in pixels.channels]

    @traitlets.validate("selected", "options", "visible", "colors", "windows")
    def _check(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if not self._accepts(name, value):
            message = f"Expected `{name}` as FieldViews describes it; found {value!r}."
            raise traitlets.TraitError(message)
        return value

    def _accepts(self, name: str, value: Any) -> bool:
        """Whether that trait may take that value."""
        if name == "selected":
            ids = {0, *(cell["id"] for cell in self.cells)}
            return type(value) is int and value in ids
        return accepted(name, value)

    def _handlers(self) -> dict[str, Handler]:
        return {"ready": self._on_ready}

    def _on_ready(self, content: dict[str, Any], _: list[Any]) -> None:
        """Send the pictures, or only the mask, to the front end that asks for what is shown now."""
        pixels = self._pixels
        if pixels is None or content.get("image") != pixels.serial:
            return
        view = content.get("view")
        address = {"image": pixels.serial, "view": view[:64] if isinstance(view, str) else ""}
        if content.get("want") == "labels":
            self._send_labels(pixels, address)
        else:
            self._send_pictures(pixels, address)

    def _send_pictures(self, pixels: PreparedPixels, address: dict[str, Any]) -> None:
        present = [c for c in pixels.channels if c.present]
        keys = [c.channel.key for c in present]
        previews = [c.preview for c in present]
        self.send({"type": "preview", "keys": keys, **address}, previews)
        self._send_labels(pixels, address)
        for channel in present:
            self.send({"type": "full", "keys": [channel.channel.key], **address}, [channel.full])

    def _send_labels(self, pixels: PreparedPixels, address: dict[str, Any]) -> None:
        labels = pixels.labels
        if labels is not None:
            content = {"type": "labels", "labels": labels.serial, "bits": labels.bits, **address}
            self.send(content, [labels.data])
