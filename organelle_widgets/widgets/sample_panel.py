"""The left side of the page: which sample, how its cells are found and classified, and the button that starts it."""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import traitlets
from psygnal import Signal

from organelle_widgets.core.cells import LEAVE_OUT
from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.field import PIXEL_SIZES_UM
from organelle_widgets.core.predictions import DEFAULT_THRESHOLD
from organelle_widgets.errors import InputError
from organelle_widgets.widgets._base import front_end
from organelle_widgets.widgets._page_region import PageRegion, number_in, text_in, whole_in
from organelle_widgets.widgets._uploads import IMAGE_SUFFIXES, UploadReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from organelle_widgets.core.settings import Setting
    from organelle_widgets.widgets._page_region import Handler

__all__ = ["MOST_CHUNK_BYTES", "SLOTS", "SamplePanel", "setting_entry"]

SLOTS: tuple[str, ...] = ("blue", "red", "yellow", "green", "all")
"""What a file of the person's own can be: one channel by its key, or one file with ``all`` channels."""

_SLOT_LIST = [
    {"slot": c.key, "title": c.name, "color": c.color}
    for c in sorted(CHANNELS, key=lambda c: SLOTS.index(c.key))
]

MOST_CHUNK_BYTES = 4 << 20
"""Largest chunk taken; the page sends 1 MiB, because servers drop messages of more than 10 MiB without a word."""

LARGEST_FILE = 1 << 50
"""Largest size that a message may announce; what is accepted is up to `UploadReceiver`."""


def setting_entry(spec: Setting, value: Any = None) -> dict[str, Any]:
    """One entry of `SamplePanel.settings`.

    Parameters
    ----------
    spec : Setting
        The setting.
    value : float, int, bool or str, optional
        Its value; the default where it is None.

    Returns
    -------
    dict
        ``name``, ``label``, ``unit``, ``minimum``, ``maximum``, ``step``, ``choices``, ``help``, ``default``,
        ``value``, and ``kind``: ``"yes-no"``, ``"choice"``, ``"text"``, ``"whole"`` or ``"number"``.
    """
    kinds = ((bool, "yes-no"), (str, "choice" if spec.choices else "text"), (int, "whole"))
    kind = next((word for t, word in kinds if isinstance(spec.default, t)), "number")
    return {
        **{k: getattr(spec, k) for k in ("name", "label", "unit", "minimum", "maximum", "step")},
        "choices": list(spec.choices),
        "help": spec.help,
        "default": spec.default,
        "value": spec.default if value is None else value,
        "kind": kind,
    }


class SamplePanel(PageRegion):
    """Sample, segmentation, classification, and the primary button.

    Attributes
    ----------
    tab : str
        ``"samples"``, ``"files"`` or ``"folder"``; the person may set it.
    samples : list of dict
        Fields that come along: ``key``, ``title``, ``detail``, ``thumb`` (data URL of a small picture).
    sample : str
        Key of the sample on the page; empty for none.
    files : list of dict
        The person's own files: ``slot`` (one of `SLOTS`), ``name``, ``size`` in bytes, ``thumb``.
    pixel_size_um : float or None
        Typed by the person, um; None to take it from the files.
    folder_path : str
        The folder shown, relative to the root; empty for the root.
    folder_entries : list of dict
        What is in it: ``kind`` (``"folder"``, ``"field"`` or ``"run"``, the results of a run), ``name``, ``detail``.
    folder_field : str
        The field of a folder that is on the page, relative to the root; empty for none.
    folder_available : bool
        Whether there is a root; without one the tab says so.
    segmenters, classifiers : list of dict
        Backends: ``name``, ``title``, ``installed``, ``hint``.
    segmenter, classifier : str
        The chosen ones.
    settings : list of dict
        Settings of the chosen segmenter; see `setting_entry`.
    leave_out : str
        Which cells at the field's edge are left out; one of `organelle_widgets.core.cells.LEAVE_OUT`.
    threshold : float
        Confidence threshold, 0 to 1.
    can_analyse, analyse_hint : bool, str
        Whether the button works, and what is missing if it does not.
    outdated : bool
        Whether the result on the page was made with other settings than those shown.
    progress : dict
        Work under way: ``step``, ``fraction``; empty for none.
    adjusting : bool
        Whether the result is following a change of settings by itself.
    error : dict
        What went wrong: ``message``, ``hint`` (lines apart by newlines), and ``downloads``, a list of what is missing
        and can be had: ``title``, ``size_bytes``, ``size_is_exact``, ``licence``, ``licence_url``, ``source``; then
        also ``otherwise``, how to do without a network. Empty for nothing.
    sample_requested, field_requested, folder_opened : Signal
        Emit a sample's key, and a field's or folder's path relative to the root, with ``/``.
    run_offered, run_opened : Signal
        Emit the folder that a person wants to analyse as a whole, and a results folder to look at; as above.
    files_changed : Signal
        Emits the complete files, a dict of slot to Path.
    pixel_size_changed : Signal
        Emits um per pixel, or None.
    segmenter_changed, classifier_changed : Signal
        Emit a name.
    setting_changed : Signal
        Emits a setting's name and its new value.
    leave_out_changed : Signal
        Emits one of `organelle_widgets.core.cells.LEAVE_OUT`.
    threshold_changed : Signal
        Emits the threshold while the slider moves.
    analyse_requested, cancel_requested, reset_requested, error_dismissed, download_requested : Signal
        The person pressed that button.
    """

    _esm = front_end("dom", "controls", "uploads", "sample_panel", suffix=".js")
    _css = front_end("theme", "controls", "sample_panel", suffix=".css")
    browser_sets = frozenset({"tab"})

    tab = traitlets.Enum(("samples", "files", "folder"), "samples").tag(sync=True)
    samples = traitlets.List(traitlets.Dict()).tag(sync=True)
    sample = traitlets.Unicode().tag(sync=True)
    files = traitlets.List(traitlets.Dict()).tag(sync=True)
    slots = traitlets.List(_SLOT_LIST, read_only=True).tag(sync=True)
    suffixes = traitlets.List(traitlets.Unicode(), IMAGE_SUFFIXES, read_only=True).tag(sync=True)
    pixel_size_um = traitlets.Float(None, allow_none=True).tag(sync=True)
    folder_path = traitlets.Unicode().tag(sync=True)
    folder_entries = traitlets.List(traitlets.Dict()).tag(sync=True)
    folder_field = traitlets.Unicode().tag(sync=True)
    folder_available = traitlets.Bool(True).tag(sync=True)
    segmenters = traitlets.List(traitlets.Dict()).tag(sync=True)
    segmenter = traitlets.Unicode().tag(sync=True)
    settings = traitlets.List(traitlets.Dict()).tag(sync=True)
    classifiers = traitlets.List(traitlets.Dict()).tag(sync=True)
    classifier = traitlets.Unicode().tag(sync=True)
    leave_out = traitlets.Enum(LEAVE_OUT, LEAVE_OUT[0]).tag(sync=True)
    threshold = traitlets.Float(DEFAULT_THRESHOLD, min=0, max=1).tag(sync=True)
    can_analyse = traitlets.Bool(False).tag(sync=True)
    analyse_hint = traitlets.Unicode("Choose a sample first").tag(sync=True)
    outdated = traitlets.Bool(False).tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    adjusting = traitlets.Bool(False).tag(sync=True)
    error = traitlets.Dict().tag(sync=True)

    sample_requested = Signal(str)
    files_changed = Signal(dict)
    pixel_size_changed = Signal(object)
    folder_opened = Signal(str)
    field_requested = Signal(str)
    run_offered = Signal(str)
    run_opened = Signal(str)
    segmenter_changed = Signal(str)
    classifier_changed = Signal(str)
    setting_changed = Signal(str, object)
    leave_out_changed = Signal(str)
    threshold_changed = Signal(float)
    analyse_requested = Signal()
    cancel_requested = Signal()
    reset_requested = Signal()
    error_dismissed = Signal()
    download_requested = Signal()

    def __init__(self, receiver: UploadReceiver | None = None, **traits: Any) -> None:
        self._receiver = receiver or UploadReceiver()
        super().__init__(**traits)

    def set_thumbnail(self, slot: str, thumb: str) -> None:
        """Show a small picture of one of the person's files.

        Parameters
        ----------
        slot : str
            One of `SLOTS`; nothing happens where it has no file.
        thumb : str
            Data URL of a PNG or JPEG of a few kB.
        """
        self.files = [{**f, "thumb": thumb} if f["slot"] == slot else f for f in self.files]

    def clear_files(self) -> None:
        """Delete the person's own files; tells nobody."""
        self._receiver.close()
        self.files = []

    def close(self) -> None:
        """Delete the uploaded files and close the widget."""
        self._receiver.close()
        super().close()

    def _handlers(self) -> dict[str, Handler]:
        return {
            "sample": self._on_sample,
            "chunk": self._on_chunk,
            "cancel-upload": lambda m, _: self._receiver.cancel(text_in(m, "upload", longest=64)),
            "remove-file": self._on_remove_file,
            "pixel-size": self._on_pixel_size,
            "open-folder": self._on_open_folder,
            "up-folder": self._on_up_folder,
            "open-field": self._on_open_field,
            "open-run": self._on_open_run,
            "offer-run": self._on_offer_run,
            "segmenter": self._chooser("segmenter"),
            "classifier": self._chooser("classifier"),
            "setting": self._on_setting,
            "leave-out": self._on_leave_out,
            "threshold": self._on_threshold,
            "analyse": self._on_analyse,
            "cancel": self._on_cancel,
            "reset": lambda _, __: self.reset_requested.emit(),
            "download": self._on_download,
            "dismiss-error": self._on_dismiss_error,
        }

    def _on_sample(self, message: dict[str, Any], _: list[Any]) -> None:
        self.sample_requested.emit(text_in(message, "key", [s.get("key") for s in self.samples]))

    def _on_chunk(self, message: dict[str, Any], buffers: list[Any]) -> None:
        if len(buffers) != 1 or len(buffers[0]) > MOST_CHUNK_BYTES:
            problem = (
                f"Expected one buffer of up to {MOST_CHUNK_BYTES} bytes; found {len(buffers)}."
            )
            raise traitlets.TraitError(problem)
        upload = text_in(message, "upload", longest=64)
        slot = text_in(message, "slot", SLOTS)
        name = text_in(message, "name")
        size = whole_in(message, "size", 0, LARGEST_FILE)
        offset = whole_in(message, "offset", 0, LARGEST_FILE)
        try:
            receipt = self._receiver.receive(upload, slot, name, size, offset, bytes(buffers[0]))
        except InputError as error:
            about = {"upload": upload, "message": error.message, "hint": error.hint or ""}
            self.send({"type": "refused", **about})
            return
        if receipt.path is not None:
            self._add_file(slot, receipt.path.name, size)
        self.send({"type": "received", "upload": upload, "received": receipt.received})
        if receipt.path is not None:
            self.files_changed.emit(self._receiver.files)

    def _add_file(self, slot: str, name: str, size: int) -> None:
        """A file is complete: one file with all channels and files of one channel exclude each other."""
        rivals = [s for s in SLOTS if (s == "all") != (slot == "all")]
        for rival in rivals:
            self._receiver.remove(rival)
        kept = [f for f in self.files if f["slot"] not in (slot, *rivals)]
        self.files = [*kept, {"slot": slot, "name": name, "size": size, "thumb": ""}]

    def _on_remove_file(self, message: dict[str, Any], _: list[Any]) -> None:
        slot = text_in(message, "slot", SLOTS)
        if self._receiver.remove(slot):
            self.files = [f for f in self.files if f["slot"] != slot]
            self.files_changed.emit(self._receiver.files)

    def _on_pixel_size(self, message: dict[str, Any], _: list[Any]) -> None:
        given = message.get("value") is not None
        self.pixel_size_um = number_in(message, "value", *PIXEL_SIZES_UM) if given else None
        self.pixel_size_changed.emit(self.pixel_size_um)

    def _on_open_folder(self, message: dict[str, Any], _: list[Any]) -> None:
        self.folder_opened.emit(self._below(message, "folder"))

    def _on_open_field(self, message: dict[str, Any], _: list[Any]) -> None:
        self.folder_field = self._below(message, "field")
        self.field_requested.emit(self.folder_field)

    def _on_open_run(self, message: dict[str, Any], _: list[Any]) -> None:
        self.run_opened.emit(self._below(message, "run"))

    def _on_offer_run(self, _: dict[str, Any], __: list[Any]) -> None:
        if any(entry.get("kind") in ("folder", "field") for entry in self.folder_entries):
            self.run_offered.emit(self.folder_path)

    def _on_up_folder(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.folder_path:
            parent = PurePosixPath(self.folder_path).parent
            self.folder_opened.emit("" if parent == PurePosixPath(".") else str(parent))

    def _below(self, message: dict[str, Any], kind: str) -> str:
        """Path relative to the root of an entry that the panel shows."""
        names = [e.get("name") for e in self.folder_entries if e.get("kind") == kind]
        return str(PurePosixPath(self.folder_path) / text_in(message, "name", names))

    def _chooser(self, what: str) -> Callable[[dict[str, Any], list[Any]], None]:
        """Handler of a choice between backends."""

        def choose(message: dict[str, Any], _: list[Any]) -> None:
            known = [b.get("name") for b in getattr(self, f"{what}s") if b.get("installed", True)]
            name = text_in(message, "name", None if what == "classifier" else known)
            parts = name.split("+")  # several classifiers may answer together
            if len(set(parts)) < len(parts) or not set(parts) <= set(known):
                text_in(message, "name", known)
            setattr(self, what, name)
            getattr(self, f"{what}_changed").emit(name)

        return choose

    def _on_setting(self, message: dict[str, Any], _: list[Any]) -> None:
        name = text_in(message, "name", [entry.get("name") for entry in self.settings])
        entry = next(entry for entry in self.settings if entry.get("name") == name)
        value = _setting_value(entry, message)
        self.settings = [{**e, "value": value} if e is entry else e for e in self.settings]
        self.setting_changed.emit(name, value)

    def _on_leave_out(self, message: dict[str, Any], _: list[Any]) -> None:
        self.leave_out = text_in(message, "value", LEAVE_OUT)
        self.leave_out_changed.emit(self.leave_out)

    def _on_threshold(self, message: dict[str, Any], _: list[Any]) -> None:
        self.threshold = number_in(message, "value", 0, 1)
        self.threshold_changed.emit(self.threshold)

    def _on_analyse(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.can_analyse and not self.progress:
            self.analyse_requested.emit()

    def _on_cancel(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.progress:
            self.cancel_requested.emit()

    def _on_download(self, _: dict[str, Any], __: list[Any]) -> None:
        if self.error.get("downloads") and not self.progress:
            self.download_requested.emit()

    def _on_dismiss_error(self, _: dict[str, Any], __: list[Any]) -> None:
        self.error = {}
        self.error_dismissed.emit()


def _setting_value(entry: Mapping[str, Any], message: Mapping[str, Any]) -> Any:
    """The new value of a setting, of the type and in the range that its entry states."""
    kind = entry.get("kind", "number")
    if kind in ("choice", "text"):
        return text_in(message, "value", entry.get("choices") or None)
    if kind == "yes-no":
        if not isinstance(message.get("value"), bool):
            problem = (
                f"{entry.get('name')}: expected true or false; found {message.get('value')!r:.80}."
            )
            raise traitlets.TraitError(problem)
        return message["value"]
    low = -math.inf if entry.get("minimum") is None else float(entry["minimum"])
    high = math.inf if entry.get("maximum") is None else float(entry["maximum"])
    return (whole_in if kind == "whole" else number_in)(message, "value", low, high)
