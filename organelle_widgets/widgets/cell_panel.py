"""The answer: the selected cell or the whole field, its probabilities, its measurements, and the field's counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets
from psygnal import Signal

from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.widgets._base import front_end
from organelle_widgets.widgets._page_region import PageRegion, flag_in, number_in, text_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.widgets._page_region import Handler

__all__ = ["CHART_FORMATS", "CROP_KEYS", "CellPanel"]

CHART_FORMATS: tuple[str, ...] = ("png", "svg", "pdf")
"""Formats of a saved chart."""

CROP_KEYS: tuple[str, ...] = ("composite", "blue", "red", "yellow", "green")
"""Pictures of a cell or a field: all channels together, then nuclei, microtubules, ER and protein."""


class CellPanel(PageRegion):
    """The right side of the page.

    Attributes
    ----------
    subject : dict
        What the panel is about; empty for nothing. For a cell: ``kind`` (``"cell"``), ``id``, ``number`` (its place
        among the cells, from 1; the id where it is missing), ``n_cells``, ``title``, ``detail``, ``confidence``,
        ``sure``, ``unusual`` (unlike any cell that the classifier knows), ``top`` (class index), ``p`` (19
        probabilities), ``area_um2``, ``nucleus_area_um2``, ``border``, ``fragment``. For the field: ``kind``
        (``"field"``), ``title``, ``detail``, ``confidence``, ``sure``, ``unusual``, ``p``, ``n_cells``.
    field : dict
        The field's ``counts``: pairs of class index (-1 for not sure) and number of cells; ``n_cells``, ``title``,
        ``detail``; ``quality``, see `organelle_widgets.widgets.payload.field_payload`.
    own : dict
        The subject in the classifier's own classes, see `organelle_widgets.widgets.payload.own_payload`; empty where it
        has none.
    measured : list of dict
        What was measured of the selected cell, row by row: ``title``, ``tip``, ``figures`` of ``label``, ``value``
        (empty while it is being measured) and ``tip``. Empty while nobody looks.
    threshold : float
        Confidence threshold, 0 to 1.
    fixable : bool
        Whether the field can be read again with another pixel size.
    busy : bool
        Whether a new result is on its way; the old one is dimmed.
    chart_requested : Signal
        Emits one of `CHART_FORMATS`.
    deselect_requested : Signal
        The person wants to go back to the field.
    measuring_changed : Signal
        Emits whether the person looks at the measurements.
    pixel_size_requested : Signal
        Emits the pixel size that would fit, um, when the person wants it.
    threshold_changed : Signal
        Emits the threshold while its line is dragged.
    """

    _esm = front_end(
        "dom", "controls", "class_bars", "cell_measurements", "cell_panel", suffix=".js"
    )
    _css = front_end(
        "theme", "controls", "class_bars", "cell_measurements", "cell_panel", suffix=".css"
    )

    subject = traitlets.Dict().tag(sync=True)
    field = traitlets.Dict().tag(sync=True)
    own = traitlets.Dict().tag(sync=True)
    measured = traitlets.List(traitlets.Dict()).tag(sync=True)
    threshold = traitlets.Float(DEFAULT_THRESHOLD, min=0, max=1).tag(sync=True)
    fixable = traitlets.Bool(False).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)

    chart_requested = Signal(str)
    deselect_requested = Signal()
    measuring_changed = Signal(bool)
    pixel_size_requested = Signal(float)
    threshold_changed = Signal(float)

    def __init__(self, **traits: Any) -> None:
        self._crops: tuple[dict[str, Any], list[bytes]] | None = None
        super().__init__(**traits)

    def show_crops(self, images: Mapping[str, bytes]) -> None:
        """Show the pictures of the subject; they are kept and sent again to a page that comes later.

        Parameters
        ----------
        images : mapping of str to bytes
            PNG or JPEG by key of `CROP_KEYS`; other keys are left out. Empty for no picture.
        """
        keys = [key for key in CROP_KEYS if key in images]
        self._crops = ({"type": "crops", "keys": keys}, [bytes(images[key]) for key in keys])
        self.send(*self._crops)

    def clear(self) -> None:
        """Forget subject, field, measurements and pictures."""
        with self.hold_sync():
            self.subject = {}
            self.field = {}
            self.own = {}
            self.measured = []
        self.show_crops({})

    def _handlers(self) -> dict[str, Handler]:
        return {
            "ready": self._on_ready,
            "chart": self._on_chart,
            "deselect": self._on_deselect,
            "fix-pixel-size": self._on_fix,
            "measuring": self._on_measuring,
            "threshold": self._on_threshold,
        }

    def _on_ready(self, _: dict[str, Any], __: list[Any]) -> None:
        if self._crops is not None:
            self.send(*self._crops)

    def _on_chart(self, message: dict[str, Any], _: list[Any]) -> None:
        self.chart_requested.emit(text_in(message, "format", CHART_FORMATS))

    def _on_deselect(self, _: dict[str, Any], __: list[Any]) -> None:
        self.deselect_requested.emit()

    def _on_fix(self, _: dict[str, Any], __: list[Any]) -> None:
        fitting = self.field.get("quality", {}).get("pixel_size_um")
        if fitting and self.fixable and not self.busy:
            self.pixel_size_requested.emit(float(fitting))

    def _on_measuring(self, message: dict[str, Any], _: list[Any]) -> None:
        self.measuring_changed.emit(flag_in(message, "open"))

    def _on_threshold(self, message: dict[str, Any], _: list[Any]) -> None:
        self.threshold = number_in(message, "value", 0, 1)
        self.threshold_changed.emit(self.threshold)
