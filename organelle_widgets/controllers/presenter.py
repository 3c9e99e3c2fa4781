"""From state to the widgets, and from a person's choices back to state.

Each listener writes the widgets of one concern and never writes state; each handler of a person's choice writes
state and never touches another widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organelle_widgets.controllers.exports import EXPORTS
from organelle_widgets.controllers.measured_words import measurement_rows
from organelle_widgets.controllers.pictures import THUMBNAIL_PX, crop_pictures, data_url
from organelle_widgets.controllers.words import (
    failure_entry,
    field_chip,
    header_notes,
    own_title,
    result_summary,
)
from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.labels import CLASSES
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.segmentation import SEGMENTERS
from organelle_widgets.widgets.payload import cell_payload, field_payload, own_payload
from organelle_widgets.widgets.sample_panel import setting_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.controllers.analysis import AnalysisController
    from organelle_widgets.state import PageState
    from organelle_widgets.widgets import Regions

__all__ = ["Presenter"]


class Presenter:
    """Keeps the regions of one page and its state together.

    Parameters
    ----------
    state : PageState
        What to show.
    regions : Regions
        The widgets.
    analysis : AnalysisController
        Is asked for what computes.
    """

    def __init__(self, state: PageState, regions: Regions, analysis: AnalysisController) -> None:
        self._state = state
        self._regions = regions
        self._analysis = analysis
        self._channels: Mapping[str, bytes] = {}
        self._listen_to_state()
        self._listen_to_person()
        self._show_choices()
        self._show_ready()

    def _listen_to_state(self) -> None:
        events = self._state.events
        events.shown.connect(self._show_field)
        events.selected.connect(self._show_selected)
        events.measured.connect(self._show_measurements)
        events.measuring.connect(self._show_measurements)
        events.threshold.connect(self._show_answers)
        events.sample.connect(self._show_sample)
        events.progress.connect(self._show_progress)
        events.failure.connect(self._show_failure)
        events.files.connect(self._show_files)
        events.segmenter.connect(self._show_choices)
        events.settings.connect(self._show_choices)
        events.leave_out.connect(self._show_choices)
        events.adjusting.connect(self._show_adjusting)
        events.classifier.connect(self._show_choices)
        events.pixel_size_um.connect(self._show_choices)

    def _listen_to_person(self) -> None:
        panel, analysis = self._regions.sample, self._analysis
        panel.sample_requested.connect(analysis.open_sample)
        panel.files_changed.connect(self._on_files)
        panel.pixel_size_changed.connect(self._on_pixel_size)
        panel.segmenter_changed.connect(self._on_segmenter)
        panel.classifier_changed.connect(self._on_classifier)
        panel.setting_changed.connect(self._on_setting)
        panel.leave_out_changed.connect(self._on_leave_out)
        panel.threshold_changed.connect(self._on_threshold)
        panel.analyse_requested.connect(analysis.analyse)
        panel.download_requested.connect(analysis.download)
        panel.cancel_requested.connect(analysis.cancel)
        panel.reset_requested.connect(self._on_reset)
        panel.error_dismissed.connect(self._on_dismissed)
        self._regions.views.observe(self._on_view_selected, "selected")
        self._regions.film.selected_changed.connect(self._on_selected)
        self._regions.cell.deselect_requested.connect(self._on_deselect)
        self._regions.cell.threshold_changed.connect(self._on_threshold)
        self._regions.cell.pixel_size_requested.connect(self._on_fitting_pixel_size)

    # What a person does becomes state.

    def _on_files(self, files: dict[str, Any]) -> None:
        self._state.files = dict(files)
        self._state.failure = None
        if "all" in files or len(files) == len(CHANNELS):
            self._analysis.open_files()

    def _on_pixel_size(self, pixel_size_um: float | None) -> None:
        self._state.pixel_size_um = pixel_size_um

    def _on_fitting_pixel_size(self, pixel_size_um: float) -> None:
        self._state.pixel_size_um = pixel_size_um
        self._analysis.analyse()

    def _on_segmenter(self, name: str) -> None:
        self._state.settings = {}
        self._state.segmenter = name

    def _on_classifier(self, name: str) -> None:
        self._state.classifier = name

    def _on_setting(self, name: str, value: Any) -> None:
        specs = describe_settings(SEGMENTERS.get(self._state.segmenter).cls)
        changed = {**self._state.settings, name: value}
        self._state.settings = {
            spec.name: changed[spec.name]
            for spec in specs
            if spec.name in changed and changed[spec.name] != spec.default
        }
        self._analysis.adjust()

    def _on_leave_out(self, what: str) -> None:
        self._state.leave_out = what
        self._analysis.adjust()

    def _on_threshold(self, threshold: float) -> None:
        self._state.threshold = threshold

    def _on_reset(self) -> None:
        self._regions.sample.clear_files()
        self._analysis.reset()

    def _on_dismissed(self) -> None:
        self._state.failure = None

    def _on_selected(self, cell_id: int) -> None:
        self._state.selected = cell_id

    def _on_view_selected(self, change: dict[str, Any]) -> None:
        self._state.selected = change["new"]

    def _on_deselect(self) -> None:
        self._state.selected = 0

    # What state holds is shown.

    def _show_field(self, *_: Any) -> None:
        """A new field, a new result, or nothing."""
        shown, regions = self._state.shown, self._regions
        if shown is None:
            regions.views.clear()
            regions.film.clear()
            regions.cell.clear()
        else:
            cells = cell_payload(shown.result, self._state.threshold) if shown.result else []
            regions.views.show(shown.pictures.pixels, cells, self._state.selected)
            self._show_film(cells)
            self._show_channels(shown.pictures.channels)
        if shown is not None and self._state.files:
            regions.sample.folder_field = ""
        self._show_header()
        self._show_subject()
        self._show_ready()

    def _show_channels(self, channels: Mapping[str, bytes]) -> None:
        """Small pictures of the person's own files, once for each field."""
        if channels is not self._channels:
            self._channels = channels
            for slot, picture in channels.items():
                key = "all" if slot == "composite" else slot
                self._regions.sample.set_thumbnail(key, data_url(picture))

    def _show_film(self, cells: list[dict[str, Any]]) -> None:
        """The film strip's cells and thumbnails."""
        film, pictures = self._regions.film, self._state.shown
        if not cells or pictures is None:
            film.clear()
            return
        self._show_film_cells(cells)
        film.show_thumbnails(pictures.pictures.sprite, pictures.pictures.columns, THUMBNAIL_PX)

    def _show_film_cells(self, cells: list[dict[str, Any]]) -> None:
        """What the film strip needs of each cell."""
        keys = ("id", "top", "confidence", "sure", "unusual", "border", "fragment", "area_um2")
        film = self._regions.film
        with film.hold_sync():
            film.cells = [
                {**{key: cell[key] for key in keys}, "code": CLASSES[cell["top"]].code}
                for cell in cells
            ]
            film.selected = self._state.selected

    def _show_answers(self, *_: Any) -> None:
        """A new threshold: other answers for the same cells."""
        regions, threshold = self._regions, self._state.threshold
        regions.sample.threshold = threshold
        regions.cell.threshold = threshold
        if self._state.result is not None:
            cells = cell_payload(self._state.result, threshold)
            regions.views.set_cells(cells)
            self._show_film_cells(cells)
        self._show_subject(crops=False)

    def _show_selected(self, *_: Any) -> None:
        """Another cell, or none."""
        self._regions.views.selected = self._state.selected
        self._regions.film.selected = self._state.selected
        self._show_subject()

    def _show_subject(self, *, crops: bool = True) -> None:
        """The cell panel: the selected cell, or the field."""
        shown, panel = self._state.shown, self._regions.cell
        if shown is None or shown.result is None:
            panel.subject, panel.field, panel.own, panel.measured = {}, {}, {}, []
            panel.show_crops(shown.pictures.channels if shown else {})
            return
        result, threshold, cell_id = shown.result, self._state.threshold, self._state.selected
        summary = field_payload(result, threshold)
        with panel.hold_sync():
            panel.fixable = shown.origin is not None
            panel.field = summary
            panel.subject = self._cell_subject(cell_id) if cell_id else {"kind": "field", **summary}
            panel.own = own_payload(result, own_title(result), cell_id or None)
            self._show_measurements()
        if crops and cell_id:
            panel.show_crops(crop_pictures(result, cell_id, shown.pictures.windows))
        elif crops:
            panel.show_crops(shown.pictures.channels)

    def _show_measurements(self, *_: Any) -> None:
        """What was measured of the selected cell, while somebody looks at it."""
        state, wanted = self._state, self._state.measuring and self._state.selected
        known = measurement_rows(state.field, state.measurements) if wanted and state.field else []
        self._regions.cell.measured = known

    def _cell_subject(self, cell_id: int) -> dict[str, Any]:
        """The selected cell as the panel gets it."""
        cells = self._regions.views.cells
        number, cell = next((i, c) for i, c in enumerate(cells, 1) if c["id"] == cell_id)
        return {"kind": "cell", "number": number, "n_cells": len(cells), **cell}

    def _show_header(self) -> None:
        """Name, size, what came out, what to know."""
        header, shown = self._regions.header, self._state.shown
        with header.hold_sync():
            header.chip = field_chip(shown.field) if shown else ""
            header.chip_title = shown.field.name if shown else ""
            header.summary = result_summary(shown.result) if shown and shown.result else ""
            header.checks, header.warnings = header_notes(shown)
            header.exports = list(EXPORTS) if shown and shown.result else []

    def _show_sample(self, *_: Any) -> None:
        """Which sample is on the page."""
        panel = self._regions.sample
        with panel.hold_sync():
            panel.sample = self._state.sample
            if self._state.sample:
                panel.folder_field = ""

    def _show_files(self, *_: Any) -> None:
        """The person's own files; they go when another field takes the page."""
        if not self._state.files and self._regions.sample.files:
            self._regions.sample.clear_files()
        self._show_ready()

    def _show_progress(self, *_: Any) -> None:
        """Work under way: the old result stays, dimmed where another is to come."""
        progress, regions = self._state.progress, self._regions
        regions.sample.progress = (
            {"step": progress.step, "fraction": round(progress.fraction, 3)} if progress else {}
        )
        dims = progress is not None and progress.replaces
        regions.views.status = progress.step if progress and dims else ""
        for region in (regions.views, regions.cell, regions.film):
            region.busy = dims

    def _show_failure(self, *_: Any) -> None:
        """What went wrong, as a sentence."""
        self._regions.sample.error = failure_entry(self._state.failure)
        self._show_ready()

    def _show_ready(self, *_: Any) -> None:
        """Whether the primary button works, and what is missing if not."""
        files, panel = self._state.files, self._regions.sample
        lacking = [
            c.name.lower() for c in CHANNELS if c.key in ("blue", "green") and c.key not in files
        ]
        if not files or "all" in files:
            hint = "" if files or self._state.field else "Choose a sample first"
        else:
            hint = f"Add {' and '.join(lacking)}" if lacking else ""
        with panel.hold_sync():
            panel.can_analyse = not hint
            panel.analyse_hint = hint
            panel.outdated = self._outdated

    @property
    def _outdated(self) -> bool:
        """Whether it takes the button to have a result of the choices shown."""
        return self._state.outdated and not self._analysis.follows

    def _show_adjusting(self, *_: Any) -> None:
        """The result follows a change: a small sign of it, nothing dims."""
        self._regions.sample.adjusting = self._state.adjusting
        self._show_ready()

    def _show_choices(self, *_: Any) -> None:
        """Backends and settings."""
        state, panel = self._state, self._regions.sample
        specs = describe_settings(SEGMENTERS.get(state.segmenter).cls)
        with panel.hold_sync():
            panel.segmenter = state.segmenter
            panel.classifier = state.classifier
            panel.pixel_size_um = state.pixel_size_um
            panel.settings = [setting_entry(spec, state.settings.get(spec.name)) for spec in specs]
            panel.leave_out = state.leave_out
            panel.outdated = self._outdated
