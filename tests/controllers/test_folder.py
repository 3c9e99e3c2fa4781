"""The folder picker never leaves its root."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import MagicMock

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.controllers import AnalysisController, FolderController
from organelle_widgets.controllers.folder import confined
from organelle_widgets.errors import InputError
from organelle_widgets.state import PageState
from organelle_widgets.widgets import SamplePanel


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a field, a folder below it with another, and a neighbour that must stay unseen."""
    rng = np.random.default_rng(0)
    for folder, name in (("pictures", "one"), ("pictures/plate 1", "two"), ("secret", "three")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for channel in ("red", "green", "blue", "yellow"):
            image = rng.integers(0, 255, (64, 80), dtype=np.uint8)
            iio.imwrite(tmp_path / folder / f"{name}_{channel}.png", image)
    return tmp_path / "pictures"


@pytest.fixture
def picker(root: Path) -> FolderController:
    analysis = MagicMock(spec=AnalysisController)
    return FolderController(PageState(), SamplePanel(), analysis, root)


def test_folders_and_fields_are_listed(picker: FolderController) -> None:
    picker.open_folder("")
    entries = [(entry["kind"], entry["name"]) for entry in picker._panel.folder_entries]
    assert entries == [("folder", "plate 1"), ("field", "one")]
    picker.open_folder("plate 1")
    assert picker._panel.folder_path == "plate 1"
    assert [entry["name"] for entry in picker._panel.folder_entries] == ["two"]


def test_the_folder_is_looked_at_again_when_a_person_comes_back(
    picker: FolderController, root: Path
) -> None:
    picker.open_folder("")
    (root / "new folder").mkdir()
    picker._panel.tab = "folder"
    assert [entry["name"] for entry in picker._panel.folder_entries] == [
        "new folder", "plate 1", "one",
    ]  # fmt: skip
    picker.open_folder("new folder")
    (root / "new folder").rmdir()
    picker._panel.tab = "files"
    picker._panel.tab = "folder"
    assert picker._panel.folder_path == "new folder"
    assert picker._state.failure is None


def test_results_of_a_run_are_no_folder_to_look_into(picker: FolderController, root: Path) -> None:
    (root / "results").mkdir()
    for name in ("run.json", "manifest.json"):
        (root / "results" / name).write_text("{}")
    picker.open_folder("")
    assert picker._panel.folder_entries[1] == {
        "kind": "run", "name": "results", "detail": "results",
    }  # fmt: skip


def test_a_field_is_opened_by_its_path(picker: FolderController) -> None:
    picker.open_folder("plate 1")
    picker.open_field("plate 1/two")
    source = picker._analysis.open_source.call_args.args[0]
    assert source.name == "two"
    assert source.read().shape == (64, 80)


@pytest.mark.parametrize("path", ["..", "../secret", "plate 1/../../secret", "/etc"])
def test_paths_out_of_the_root_are_refused(picker: FolderController, path: str) -> None:
    picker.open_folder(path)
    assert picker._panel.folder_entries == []
    assert picker._state.failure is not None
    assert "leads out" in picker._state.failure.message


def test_links_out_of_the_root_are_refused(picker: FolderController, root: Path) -> None:
    (root / "way out").symlink_to(root.parent / "secret")
    picker.open_folder("way out")
    assert "leads out" in picker._state.failure.message
    for channel in ("red", "green", "blue", "yellow"):
        (root / f"link_{channel}.png").symlink_to(root.parent / "secret" / f"three_{channel}.png")
    picker.open_folder("")
    picker.open_field("link")
    assert "link that leads out" in picker._state.failure.message
    picker._analysis.open_source.assert_not_called()


def test_a_field_that_is_gone_is_said(picker: FolderController) -> None:
    picker.open_folder("")
    picker.open_field("nothing")
    assert "no field 'nothing'" in picker._state.failure.message


def test_confined_names_what_is_missing(root: Path) -> None:
    with pytest.raises(InputError, match="none called 'absent'"):
        confined(root, "absent")
    assert confined(root, "plate 1") == (root / "plate 1").resolve()
