"""``organelle-widgets run`` on files, and on what is wrong with files."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile

from organelle_widgets.classification._keras import quiet_start
from organelle_widgets.cli._analysis_options import channel_map
from organelle_widgets.cli.run import _folders
from organelle_widgets.errors import SettingsError
from organelle_widgets.io import FieldSource
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER

Command = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.tensorflow


def test_every_result_file_is_written(command: Command, field_folder: Path, tmp_path: Path) -> None:
    code, out, err = command(
        "run", field_folder, "--out", tmp_path, "--pixel-size-um", "0.32", "--json"
    )
    assert (code, err) == (0, "")
    summary = json.loads(out)["fields"][0]
    assert summary["pixel_size_source"] == "given"
    assert {"read", "segmentation", "classification", "write"} <= set(summary["seconds"])
    folder = tmp_path / "well B2"
    cells = pd.read_csv(folder / "cells.csv")
    labels = tifffile.imread(folder / "cells.tif")
    assert len(cells) == summary["cells"] > 0
    assert labels.shape == (256, 320)
    assert set(labels[labels > 0].tolist()) == set(cells["cell_id"])
    assert tifffile.imread(folder / "nuclei.tif").shape == (256, 320)
    assert iio.imread(folder / "overview.png").shape[2] >= 3
    result = json.loads((folder / "result.json").read_text("utf-8"))
    assert result["n_cells"] == summary["cells"]


def test_one_channel_file_stands_for_its_field(
    command: Command, field_folder: Path, tmp_path: Path
) -> None:
    code, out, err = command("run", field_folder / "well B2_green.png", "--out", tmp_path)
    assert code == 0, err
    assert out.startswith("well B2: ")
    assert (tmp_path / "well B2" / "cells.csv").is_file()


def test_cells_are_left_out_and_warnings_stand_below_the_field(
    command: Command, field_folder: Path, tmp_path: Path
) -> None:
    words = ("run", field_folder, "--out", tmp_path, "--pixel-size-um")
    _, out, _ = command(*words, "0.32", "--json")
    whole = json.loads(out)["fields"][0]
    assert len(whole["warnings"]) == 1
    assert "cells are cut by the edge of the field" in whole["warnings"][0]
    assert whole["quality"]["n_cells"] == whole["cells"]
    _, out, _ = command(*words, "0.32", "--json", "--leave-out", "border")
    inner = json.loads(out)["fields"][0]
    assert inner["cells"] < inner["quality"]["n_cells"] == whole["cells"]
    assert "left out: at the edge of the field." in inner["notes"][-1]
    cells = pd.read_csv(tmp_path / "well B2" / "cells.csv")
    assert not cells["touches_border"].any()
    code, out, _ = command(*words, "0.06")
    assert code == 0
    assert "\n  Warning: Nuclei are about " in out
    assert "0.06 µm (given) is probably wrong" in out
    result = json.loads((tmp_path / "well B2" / "result.json").read_text("utf-8"))
    assert "is probably wrong" in result["warnings"][-1]


def test_a_bad_field_does_not_stop_the_others(
    command: Command, field_folder: Path, tmp_path: Path
) -> None:
    fields = tmp_path / "in"
    shutil.copytree(field_folder, fields)
    for channel in ("red", "green", "blue", "yellow"):
        content = (fields / f"well B2_{channel}.png").read_bytes()
        (fields / f"cut_{channel}.png").write_bytes(content[: len(content) // 2])
    code, out, err = command("run", fields, "--out", tmp_path / "out", "--json")
    report = json.loads(out)
    assert code == 1
    assert [field["id"] for field in report["fields"]] == ["well B2"]
    assert len(report["failures"]) == 1
    assert "cut" in report["failures"][0]["source"]
    assert "organelle-widgets: " in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "{folder}", "--out", "x", "--segmenter", "magic"], "found 'magic'"),
        (["run", "{folder}", "--out", "x", "--threshold", "7"], "threshold from 0 to 1"),
        (["run", "{folder}", "--out", "x", "--threshold", "nan"], "found 'nan'"),
        (["run", "{folder}", "--out", "x", "--leave-out", "edges"], "nothing, fragments, border"),
        (["run", "{folder}", "--out", "x", "--pixel-size-um", "-1"], "from 0.001 to 100"),
        (["run", "{folder}", "--out", "x", "--pixel-size-um", "1e-9"], "found '1e-9'"),
        (["run", "{folder}", "--out", "x", "--channels", "0=blue,0=green"], "once in --channels"),
        (["run", "{folder}", "--out", "x", "--channels", "what"], "--channels as SUFFIX=COLOUR"),
    ],
)
def test_wrong_words_are_explained(
    command: Command,
    field_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = command(*[word.format(folder=field_folder) for word in words])
    assert code == 2
    assert said in err
    assert err.count("found") == 1
    assert not (tmp_path / "x").exists()


def test_an_absent_source_is_an_error_of_the_run(command: Command, tmp_path: Path) -> None:
    code, _, err = command("run", tmp_path / "absent", "--out", tmp_path / "x")
    assert code == 1
    assert "found nothing at this path" in err


def test_many_other_images_are_not_all_listed(command: Command, tmp_path: Path) -> None:
    for number in range(30):
        iio.imwrite(tmp_path / f"picture{number:02}.png", np.eye(40, dtype=np.uint8))
    code, _, err = command("run", tmp_path, "--out", tmp_path / "x")
    assert code == 1
    assert err.count("\n") == 21
    assert "10 more files or fields can't be used" in err
    code, out, _ = command("run", tmp_path, "--out", tmp_path / "x", "--json")
    assert len(json.loads(out)["failures"]) == 30


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_text_is_a_problem_of_its_field(
    command: Command, field_folder: Path, tmp_path: Path
) -> None:
    fields = tmp_path / "in"
    shutil.copytree(field_folder, fields)
    for channel in ("red", "green", "blue", "yellow"):
        shutil.copy(
            fields / f"well B2_{channel}.png",
            os.fsencode(fields) + b"/\xff_%s.png" % channel.encode(),
        )
    code, out, err = command("run", fields, "--out", tmp_path / "out", "--json")
    report = json.loads(out)
    assert code == 1
    assert [field["id"] for field in report["fields"]] == ["well B2"]
    assert len(report["failures"]) == 1
    assert "Expected a path in UTF-8" in err


def test_names_that_the_font_lacks_are_drawn_in_silence(
    command: Command, field_folder: Path, tmp_path: Path
) -> None:
    for channel in ("red", "green", "blue", "yellow"):
        shutil.copy(field_folder / f"well B2_{channel}.png", tmp_path / f"细胞_{channel}.png")
    code, _, err = command("run", tmp_path, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert (tmp_path / "out" / "细胞" / "overview.png").is_file()


def test_without_an_output_folder_usage_is_shown(command: Command, field_folder: Path) -> None:
    code, _, err = command("run", field_folder)
    assert code == 2
    assert "--out" in err


def test_channel_map_takes_suffixes_and_numbers() -> None:
    assert channel_map("_ch00=blue, 1=green") == {"_ch00": "blue", 1: "green"}
    assert channel_map(None) is None
    with pytest.raises(SettingsError, match="_ch00=blue,_ch01=green"):
        channel_map("_ch00")


def test_every_field_has_a_folder_of_its_own_below_the_output(tmp_path: Path) -> None:
    names = ["a", "a", "a_2", "plate/a", "../b", "/c"]
    folders = _folders([FieldSource(name, tmp_path / "x.tif") for name in names], tmp_path)
    shown = [folder.relative_to(tmp_path).as_posix() for folder in folders]
    assert shown == ["a", "a_2", "a_2_2", "plate/a", "b", "c"]


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    """A Keras model of a person's own: the mean of the protein becomes two classes."""
    path = tmp_path / "own" / "mine.keras"
    path.parent.mkdir()
    with quiet_start(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Keras as it saves
        import keras

        layers = [keras.Input((16, 16, 1)), keras.layers.GlobalAveragePooling2D()]
        keras.Sequential([*layers, keras.layers.Dense(2, activation="sigmoid")]).save(path)
    card = {"classes": ["Nucleoplasm", "Cytosol"], "channels": ["green"], "size_px": 16}
    path.with_suffix(".json").write_text(json.dumps({**card, "output": "sigmoid"}))
    return path


def test_classifiers_answer_together_by_name_and_path(
    command: Command, field_folder: Path, own_model: Path, tmp_path: Path
) -> None:
    words = ("run", field_folder, "--out", tmp_path, "--segmenter", "watershed")
    words = (*words, "--pixel-size-um", "0.32", "--classifier")
    said = {}
    for name in (DEFAULT_CLASSIFIER, str(own_model), f"{DEFAULT_CLASSIFIER}+{own_model}"):
        code, _, err = command(*words, name, "--json")
        assert (code, err) == (0, "")
        result = json.loads((tmp_path / "well B2" / "result.json").read_text("utf-8"))
        name = result["provenance"]["classifier"]["name"]
        said[name] = pd.read_csv(tmp_path / "well B2" / "cells.csv")
    assert list(said) == [DEFAULT_CLASSIFIER, "keras_file", f"{DEFAULT_CLASSIFIER}+keras_file"]
    first, own, both = said.values()
    mean = (first["p_nucleoplasm"] + own["p_nucleoplasm"]) / 2
    np.testing.assert_allclose(both["p_nucleoplasm"], mean, atol=2e-3)
    np.testing.assert_allclose(both["p_mitochondria"], first["p_mitochondria"], atol=2e-3)
    assert not own["p_mitochondria"].any()


@pytest.mark.parametrize(
    ("name", "expected", "words"),
    [
        ("hpa_inceptionv3+", 2, "both sides of every +"),
        (f"{DEFAULT_CLASSIFIER}+{DEFAULT_CLASSIFIER}", 2, "twice"),
        ("no/such.keras", 1, "Expected a Keras model at no/such.keras; found no file"),
        (f"{DEFAULT_CLASSIFIER}+no/such.keras", 1, "Expected a Keras model at no/such.keras"),
    ],
)
def test_a_classifier_that_can_not_answer_is_told_before_any_work(
    command: Command, field_folder: Path, tmp_path: Path, name: str, expected: int, words: str
) -> None:
    code, out, err = command("run", field_folder, "--out", tmp_path / "out", "--classifier", name)
    assert (code, out) == (expected, "")
    assert err.count(words) == 1
    assert not (tmp_path / "out").exists()
