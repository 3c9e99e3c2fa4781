"""``organelle-widgets train classification``: its words become the arguments of a training, its outcome is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from organelle_widgets.cli.train import _Words
from organelle_widgets.errors import InputError

Command = Callable[..., tuple[int, str, str]]
REPORT = {
    "weights": "run/classifier.keras",
    "history": [{"epoch": 1.0, "loss": 0.5}],
    "scores": {"fields": {"n_fields": 4, "field_top1": 0.75, "field_top3": 1.0}},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command asks of the training, which is not done."""
    seen: dict[str, Any] = {}

    def train(data: Path, out: Path, **settings: Any) -> dict[str, Any]:
        seen.update(data=data, out=out, **settings)
        settings["progress"](0.5)
        settings["on_epoch"]({"epoch": 1.0, "loss": 0.5, "val_loss": 0.25})
        return REPORT

    monkeypatch.setattr("organelle_widgets.training.train_classifier", train)
    return seen


def test_words_become_settings(command: Command, asked: dict[str, Any], tmp_path: Path) -> None:
    code, _, _ = command(
        *("train", "classification", "--data", "images", "--out", tmp_path, "--start", "embedded"),
        *("--objective", "focal", "--epochs", "3", "--learning-rate", "0.001", "--patience", "2"),
        *("--labels", "mine.csv", "--virtual-fields", "0", "--mixed-precision", "--seed", "5"),
        *("--segmenter", "watershed", "--provenance", "our lab, CC0", "--pixel-size-um", "0.1"),
    )
    assert code == 0
    assert asked["data"] == Path("images")
    assert asked["segmenter"].provenance()["name"] == "watershed"
    wanted = {
        "start": "embedded",
        "objective": "focal",
        "epochs": 3,
        "learning_rate": 0.001,
        "patience": 2,
        "labels": "mine.csv",
        "virtual_fields": 0,
        "mixed_precision": True,
        "seed": 5,
        "provenance": "our lab, CC0",
        "pixel_size_um": 0.1,
    }
    assert {name: asked[name] for name in wanted} == wanted


def test_what_is_not_said_is_left_to_the_training(
    command: Command, asked: dict[str, Any], tmp_path: Path
) -> None:
    command("train", "classification", "--out", tmp_path)
    assert set(asked) == {"data", "out", "seed", "start", "segmenter", "progress", "on_epoch"}


def test_the_outcome_is_told_in_words(
    command: Command, asked: dict[str, Any], tmp_path: Path
) -> None:
    code, out, err = command("train", "classification", "--out", tmp_path)
    assert code == 0
    assert f"scores are in {tmp_path}" in out
    assert "fields: 4 held out" in out
    assert "75%, among the first three in 100%" in out
    assert err == "epoch 1, loss 0.5000, on tuning fields 0.2500\n"


def test_the_outcome_is_told_as_json(
    command: Command, asked: dict[str, Any], tmp_path: Path
) -> None:
    _, out, _ = command("train", "classification", "--out", tmp_path, "--json")
    assert json.loads(out) == REPORT


def test_nothing_scored_is_said(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "organelle_widgets.training.train_classifier", lambda *_, **__: {"scores": {}}
    )
    _, out, _ = command("train", "classification", "--out", tmp_path)
    assert "Nothing was scored" in out


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--objective", "hinge"], 2, "objective: expected one of binary"),
        (["--epochs", "0"], 2, "epochs: expected 1 to inf; found 0"),
        (["--data", "nowhere"], 1, "nowhere: Expected a folder with labelled images"),
    ],
)
def test_what_can_not_be_done_is_an_error(
    command: Command, tmp_path: Path, words: list[str], code: int, text: str
) -> None:
    found, _, err = command("train", "classification", "--out", tmp_path, *words)
    assert found == code
    assert text in err


def test_an_error_of_the_training_is_a_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def train(*_: Any, **__: Any) -> None:
        message = "Expected cells; found none."
        raise InputError(message)

    monkeypatch.setattr("organelle_widgets.training.train_classifier", train)
    code, _, err = command("train", "classification", "--out", tmp_path)
    assert (code, err) == (1, "organelle-widgets: Expected cells; found none.\n")


def test_the_progress_tells_epoch_loss_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("organelle_widgets.cli.train.time.monotonic", lambda: now[0])
    words = _Words()
    assert words.at(0.1) == ""
    words.end_epoch({"epoch": 2.0, "loss": 0.12345})
    assert words.at(0.1) == "epoch 2, loss 0.1235"
    for passed, left in ((60, "60 s"), (100, "2 min"), (1000, "17 min"), (10000, "2.8 h")):
        now[0] = 100.0 + passed
        assert words.at(0.55) == f"epoch 2, loss 0.1235, {left} left"
