"""``organelle-widgets export`` on a run, and on what is wrong with words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import tifffile

from organelle_widgets.export import EXPORTERS
from organelle_widgets.export.csv import CSV_COLUMNS

Command = Callable[..., tuple[int, str, str]]


def test_a_run_as_one_table(command: Command, run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "cells.csv"
    code, said, err = command("export", run_folder, "--to", "csv", "--out", out)
    assert (code, err) == (0, "")
    assert said.splitlines() == [
        f"{out}: 4 fields, 9 cells",
        "  Left out: B4/discs: no cells were found, so it has no rows.",
        "  Left out: B6/discs: it has no result: No nuclei.",
    ]
    assert len(pd.read_csv(out)) == 9


def test_a_folder_with_one_file_a_field(command: Command, run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "masks"
    words = ("export", run_folder, "--to", "cells_tiff", "--out", out, "--where", "dose = 1")
    code, said, _ = command(*words)
    assert (code, said) == (0, f"{out}: 1 field, 3 cells\n")
    assert [path.name for path in out.iterdir()] == ["B3_discs_cells.tif"]
    assert tifffile.imread(out / "B3_discs_cells.tif").max() == 9


def test_one_field_is_a_result_of_its_own(
    command: Command, run_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "cells.csv"
    code, said, _ = command(
        "export", run_folder, "--to", "csv", "--out", out, "--field", "B3/discs"
    )
    assert (code, said) == (0, f"{out}: 1 field, 3 cells\n")
    assert list(pd.read_csv(out)) == list(CSV_COLUMNS)


def test_some_fields_by_name_and_condition(
    command: Command, run_folder: Path, tmp_path: Path
) -> None:
    words = ("export", run_folder, "--to", "csv", "--out", tmp_path / "c.csv", "--json")
    names = ("--field", "B2/discs", "--field", "B3/discs")
    code, said, _ = command(*words, *names)
    assert (code, json.loads(said)["n_fields"]) == (0, 2)
    code, said, _ = command(*words, *names, "--where", "dose = 0 OR well = 'B4'", "--overwrite")
    assert (code, json.loads(said)["n_fields"]) == (0, 1)
    assert set(pd.read_csv(tmp_path / "c.csv")["field"]) == {"B2/discs"}


def test_settings_of_the_format(command: Command, run_folder: Path, tmp_path: Path) -> None:
    words = ("export", run_folder, "--to", "kaggle", "--out", tmp_path / "s.csv")
    code, _, _ = command(*words, "--setting", "least_confidence=0.7")
    assert code == 0
    predictions = pd.read_csv(tmp_path / "s.csv").fillna("")["PredictionString"]
    assert [len(text.split()) // 3 for text in predictions] == [2, 2, 0, 2]
    code, _, err = command(*words, "--setting", "least_confidence=7", "--overwrite")
    assert (code, "expected 0 to 1; found 7" in err) == (2, True)
    code, _, err = command(*words, "--setting", "least_confidence", "--overwrite")
    assert (code, "Expected --setting NAME=VALUE; found 'least_confidence'" in err) == (2, True)


def test_nothing_is_overwritten_unasked(command: Command, run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "cells.csv"
    out.write_text("mine")
    words = ("export", run_folder, "--to", "csv", "--out", out)
    code, _, err = command(*words)
    assert code == 1
    assert "is there already. Choose another name, or add --overwrite." in err
    assert out.read_text() == "mine"
    assert command(*words, "--overwrite")[0] == 0
    assert out.read_text().startswith("field,well")


def test_a_folder_with_something_in_it(command: Command, run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    words = ("export", run_folder, "--to", "nuclei_tiff", "--out", tmp_path)
    assert command(*words)[0] == 1
    assert command(*words, "--overwrite")[0] == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "B2_discs_nuclei.tif").is_file()


def test_not_into_the_results(command: Command, run_folder: Path) -> None:
    for out in (run_folder, run_folder / "cells.csv"):
        code, _, err = command("export", run_folder, "--to", "csv", "--out", out, "--overwrite")
        assert code == 2
        assert "Expected a place outside of the results folder" in err
        assert not (run_folder / "cells.csv").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--to", "csv"), 2, "missing: --out FILE."),
        (
            ("--to", "docx", "--out", "x"),
            2,
            "found 'docx'. The formats are:\n  cells_tiff: Mask of",
        ),
        (("--to", "csv", "--out", "x", "--field", "B3/disc"), 2, "Perhaps B3/discs"),
        (("--to", "csv", "--out", "x", "--where", "wall = 1"), 1, "wall"),
        (("--to", "csv", "--out", "x", "--where", "well = 'H9'"), 1, "found none among 4"),
        (("--to", "csv", "--out", "no/x.csv"), 1, "the folder does not exist. Make the folder"),
    ],
)
def test_wrong_words(
    words: tuple[str, ...],
    code: int,
    message: str,
    command: Command,
    run_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    found, _, err = command("export", run_folder, *words)
    assert found == code
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_results(command: Command, tmp_path: Path) -> None:
    code, _, err = command("export", tmp_path, "--to", "csv", "--out", tmp_path / "x" / "y")
    assert code == 1
    assert str(tmp_path) in err
    assert "esults" in err


def test_the_list(command: Command) -> None:
    code, said, _ = command("export", "--list")
    assert code == 0
    assert "Table of cells (CSV): one file" in said
    assert "Mask of the cells (TIFF): a folder with one file a field" in said
    assert "--setting least_confidence=0.0 (0 to 1): Classes" in said
    code, said, _ = command("export", "--list", "--json")
    assert [item["name"] for item in json.loads(said)] == EXPORTERS.names()


def test_into_the_folder_that_the_page_uses(
    command: Command, run_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(run_folder, tmp_path / "run")
    (tmp_path / "run" / "exports").mkdir()
    out = tmp_path / "run" / "exports" / "cells.csv"
    words = ("--where", "well = 'B2'")
    code, said, _ = command("export", tmp_path / "run", "--to", "csv", "--out", out, *words)
    assert (code, said) == (0, f"{out}: 1 field, 3 cells\n")
