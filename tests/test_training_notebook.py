"""The notebook of the training runs from its first cell to its last, on a small setting."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "training.ipynb"


@pytest.mark.tensorflow
def test_the_training_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANELLE_WIDGETS_NOTEBOOK", "small")
    monkeypatch.setenv("ORGANELLE_WIDGETS_NOTEBOOK_FOLDER", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    cards = [
        json.loads((tmp_path / n / "classifier.json").read_text()) for n in ("scratch", "tuned")
    ]
    assert cards[0]["started_from"] is None
    assert cards[1]["started_from"]["weights"] == "embedded"
    assert all(card["scores"]["fields"]["n_fields"] == 3 for card in cards)


def test_the_notebook_explains_each_step() -> None:
    kinds = [cell["cell_type"] for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]]
    assert all("markdown" in pair for pair in itertools.pairwise(kinds))
