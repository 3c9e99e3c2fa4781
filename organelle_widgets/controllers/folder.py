"""The folder picker: folders and fields below one root, and nothing outside it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from organelle_widgets.batch.status import read_status
from organelle_widgets.controllers.run_words import listed_run
from organelle_widgets.errors import InputError, OrganelleWidgetsError
from organelle_widgets.results import is_results
from organelle_widgets.state import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.controllers.analysis import AnalysisController
    from organelle_widgets.io import FieldSource
    from organelle_widgets.state import PageState, RunShown
    from organelle_widgets.widgets.sample_panel import SamplePanel

__all__ = ["FolderController", "confined"]

_MOST_ENTRIES = 500


def confined(root: Path, relative: str) -> Path:
    """A folder below the root, with links resolved.

    Parameters
    ----------
    root : Path
        Where the picker is confined to.
    relative : str
        Path below it, with ``/`` between folders; empty for the root itself.

    Returns
    -------
    Path
        The resolved folder.

    Raises
    ------
    InputError
        If it leads out of the root, or is no folder.
    """
    top = root.resolve()
    folder = (top / relative).resolve()
    if folder != top and top not in folder.parents:
        message = f"Expected a folder below {top.name or top}; {relative!r} leads out of it."
        raise InputError(message)
    if not folder.is_dir():
        message = f"Expected a folder; found none called {relative!r}."
        raise InputError(message)
    return folder


class FolderController:
    """Shows folders in the sample panel and opens the field that a person picks.

    Parameters
    ----------
    state : PageState
        Is told what went wrong.
    panel : SamplePanel
        Shows the folder.
    analysis : AnalysisController
        Opens fields.
    root : Path
        Where the picker is confined to.
    """

    def __init__(
        self, state: PageState, panel: SamplePanel, analysis: AnalysisController, root: Path
    ) -> None:
        self._state = state
        self._panel = panel
        self._analysis = analysis
        self._root = root
        self._fields: dict[str, FieldSource] = {}
        panel.folder_opened.connect(self.open_folder)
        panel.field_requested.connect(self.open_field)
        panel.observe(self._on_tab, "tab")
        state.events.run.connect(self._on_run)

    def open_folder(self, relative: str) -> None:
        """List a folder.

        Parameters
        ----------
        relative : str
            Path below the root.
        """
        try:
            self._list(relative)
        except OrganelleWidgetsError as error:
            self._state.failure = Failure(error.message, error.hint or "")
        except OSError as error:
            self._state.failure = Failure(f"The folder can't be read: {error.strerror}.")

    def _list(self, relative: str) -> None:
        """Show what is in a folder."""
        folder = confined(self._root, relative)
        entries, self._fields = _listing(folder)
        top = self._root.resolve()
        with self._panel.hold_sync():
            self._panel.folder_path = "" if folder == top else folder.relative_to(top).as_posix()
            self._panel.folder_entries = entries

    def _on_run(self, run: RunShown | None, before: RunShown | None) -> None:
        """A run began to write, or ended: its results folder is listed as it is now."""
        if run is None or before is None or run.stage == before.stage:
            return
        here = PurePosixPath(self._panel.folder_path)
        if run.stage in ("running", "ended") and PurePosixPath(run.results).parent == here:
            self._list_again()

    def _on_tab(self, change: dict[str, Any]) -> None:
        """A person looks at the folder, which may have changed since the page was made."""
        if change["new"] == "folder":
            self._list_again()

    def _list_again(self) -> None:
        """Show the folder as it is now; where it can't be read, the list stays."""
        with suppress(OrganelleWidgetsError, OSError):
            self._list(self._panel.folder_path)

    def open_field(self, relative: str) -> None:
        """Open a field of the folder listed last.

        Parameters
        ----------
        relative : str
            Path of the field below the root; its last part is the name as listed.
        """
        name = PurePosixPath(relative).name
        source = self._fields.get(name)
        if source is None:
            self._state.failure = Failure(f"There is no field {name!r} in this folder any more.")
            return
        top = self._root.resolve()
        for path in source.paths:
            if top not in path.resolve().parents:
                self._state.failure = Failure(
                    f"{path.name} is a link that leads out of the folder."
                )
                return
        self._analysis.open_source(source)


def _listing(folder: Path) -> tuple[list[dict[str, Any]], dict[str, FieldSource]]:
    """Entries of a folder for the panel, and its fields by name; what can't be used is left out."""
    from organelle_widgets.io import discover_fields
    from organelle_widgets.io.readers import is_image_folder

    folders = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and not is_image_folder(entry)
    )
    problems: list[InputError] = []
    try:
        found = discover_fields(folder, recursive=False, on_problem=problems.append)
    except InputError:  # there is no image in this folder, only folders perhaps
        found = []
    fields = {source.name: source for source in found}
    entries = [_folder_entry(folder / name) for name in folders]
    entries += [
        {"kind": "field", "name": name, "detail": _detail(source)}
        for name, source in fields.items()
    ]
    return entries[:_MOST_ENTRIES], fields


def _folder_entry(folder: Path) -> dict[str, Any]:
    """A folder for the panel; one with results of a run is not looked into."""
    if is_results(folder):
        return {"kind": "run", "name": folder.name, "detail": listed_run(read_status(folder))}
    return {"kind": "folder", "name": folder.name, "detail": ""}


def _detail(source: FieldSource) -> str:
    """A few words on a field that is not read yet."""
    count = len(source.paths)
    return "one file" if count == 1 else f"{count} channels"
