"""The other commands, and what all commands have in common."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import organelle_widgets
from organelle_widgets.pipeline import DEFAULT_SEGMENTER

Command = Callable[..., tuple[int, str, str]]
PROGRAM = Path(sys.executable).with_name("organelle-widgets")


def test_without_a_command_help_is_shown(command: Command) -> None:
    code, out, err = command()
    assert code == 2
    assert out == ""
    for name in ("dashboard", "run", "evaluate", "train", "sample", "benchmark", "doctor"):
        assert name in err


def test_version(command: Command) -> None:
    assert command("--version")[:2] == (0, f"organelle-widgets {organelle_widgets.__version__}\n")


def test_doctor_finds_what_is_installed(command: Command) -> None:
    code, out, _ = command("doctor", "--json")
    report = json.loads(out)
    assert code == 0
    assert all(report["packages"].values())
    assert {"numpy", "tensorflow", "torch", "voila"} <= set(report["packages"])
    assert report["backends"]["segmenter"]["watershed"]["missing"] == []
    assert "watershed (Watershed)" in command("doctor")[1]


def test_doctor_says_what_is_missing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from organelle_widgets.cli import doctor

    monkeypatch.setattr(doctor, "_required", lambda: ["numpy", "no-such-package"])
    code, out, _ = command("doctor")
    assert code == 1
    assert "MISSING  no-such-package" in out
    assert "python -m pip install no-such-package" in out


def test_sample_writes_fields_that_evaluate_reads(command: Command, tmp_path: Path) -> None:
    words = (
        "--fields",
        "2",
        "--size",
        "256",
        "--pixel-size-um",
        "0.32",
        "--classes",
        "NO,Nucleoplasm",
    )
    code, _, err = command("sample", tmp_path, *words)
    assert code == 0, err
    table = pd.read_csv(tmp_path / "fields.csv", dtype=str)
    assert table["labels"].tolist() == ["0|2", "0|2"]
    code, out, err = command("evaluate", "segmentation", tmp_path, "--json")
    assert code == 0, err
    scores = json.loads(out)
    assert scores["segmenter"] == DEFAULT_SEGMENTER
    assert len(scores["fields"]) == 2
    assert 0.3 < scores["mean"]["ap50"] <= 1
    assert "mean" in command("evaluate", "segmentation", tmp_path, "--limit", "1")[1]


@pytest.mark.tensorflow
def test_evaluate_classification_gives_every_figure(command: Command, tmp_path: Path) -> None:
    command("sample", tmp_path, "--fields", "1", "--size", "256", "--pixel-size-um", "0.32")
    code, out, err = command("evaluate", "classification", tmp_path, "--json")
    assert code == 0, err
    scores = json.loads(out)
    expected = """classifier segmenter n_fields n_cells field_top1 field_top3 field_map cell_top1 cell_top3
        macro_map macro_f1 categorical_accuracy categorical_crossentropy ece per_class"""
    assert set(expected.split()) <= set(scores)
    assert command("evaluate", "classification", tmp_path)[0] == 0


def test_sample_refuses_unknown_classes(command: Command, tmp_path: Path) -> None:
    code, _, err = command("sample", tmp_path, "--classes", "Nukleus")
    assert code == 1
    assert "found 'Nukleus'" in err


def test_evaluate_explains_a_folder_without_answers(command: Command, tmp_path: Path) -> None:
    code, _, err = command("evaluate", "segmentation", tmp_path)
    assert code == 1
    assert "fields.csv" in err


def test_the_program_imports_no_framework_for_its_help() -> None:
    script = (
        "import sys; from organelle_widgets.cli import make_parser; make_parser();"
        "print([m for m in ('torch', 'tensorflow', 'keras', 'matplotlib') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_dashboard_refuses_a_root_that_is_not_there(command: Command, tmp_path: Path) -> None:
    code, _, err = command("dashboard", "--no-browser", "--root", tmp_path / "absent")
    assert code == 1
    assert "--root to be a folder" in err


def test_dashboard_refuses_a_number_of_workers_below_none(command: Command) -> None:
    code, _, err = command("dashboard", "--no-browser", "--workers", "-1")
    assert code == 2
    assert "Expected --workers to be 0 or more; found -1." in err


def test_dashboard_serves_and_stops_with_ctrl_c(tmp_path: Path) -> None:
    words = [str(PROGRAM), "dashboard", "--no-browser", "--port", "0", "--root", str(tmp_path)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        found = re.search(r"http://\S+", server.stdout.readline())
        deadline = time.monotonic() + 60
        status = 0
        while status != 200 and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(found.group(), timeout=30) as answer:
                    status = answer.status
            except OSError:
                time.sleep(0.3)
        time.sleep(5)  # the kernel that is started ahead complains where it is ended half-way
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        said = server.stderr.read()
    assert status == 200
    assert "Traceback" not in said
