"""``evaluate classification`` with its files, and ``evaluate kaggle``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from organelle_widgets.classification import Classifier
from organelle_widgets.io.coco_rle import encode_mask
from organelle_widgets.synthetic import write_sample


@dataclass(frozen=True)
class Bright(Classifier):
    """Says Nucleoplasm as sure as the protein is bright."""

    def _predict(self, crops):
        said = np.zeros((len(crops), 19), np.float32)
        said[:, 0] = crops[:, 1].max(axis=(1, 2))
        return said


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    write_sample(folder, n_fields=2, seed=2, shape=(160, 160), pixel_size_um=0.32)
    return folder


@pytest.fixture
def score(command, sample, monkeypatch):
    """Runs ``evaluate classification`` on the sample with a classifier that needs no weights."""
    monkeypatch.setattr("organelle_widgets.classification.make_classifier", lambda name: Bright())
    base = ("evaluate", "classification", sample, "--segmenter", "watershed")
    return lambda *words: command(*base, *words)


def test_every_figure_as_json(score) -> None:
    code, out, err = score("--json", "--resamples", "10", "--seed", "3")
    assert (code, err) == (0, "")
    scores = json.loads(out)
    assert (scores["n_resamples"], scores["seed"]) == (10, 3)
    assert scores["intervals"]["field_top1"] == [None, None]  # two fields bear no interval
    assert set(scores["details"]) >= {"confusion", "reliability", "precision_recall"}
    assert scores["provenance"]["segmenter"]["name"] == "watershed"


def test_nothing_tells_where_the_data_lie(score, sample) -> None:
    out = score("--json", "--resamples", "0")[1]
    assert json.loads(out)["provenance"]["data"] == sample.name
    assert str(sample.parent) not in out
    assert "intervals" not in json.loads(out)


def test_files_are_written(score, tmp_path) -> None:
    report, table = tmp_path / "report.html", tmp_path / "cells.csv"
    code, out, err = score("--report", report, "--predictions", table, "--resamples", "5")
    assert (code, err) == (0, "")
    assert report.read_text("utf-8").startswith("<!doctype html>")
    cells = pd.read_csv(table)
    assert f"2 fields, {len(cells)} cells" in out
    assert cells["p_nucleoplasm"].between(0, 1).all()
    assert "fields: hit at 1" in out
    assert "Fewer than 5 fields, so no claim" in out


def test_only_some_fields(score, sample, tmp_path) -> None:
    names = pd.read_csv(sample / "fields.csv", dtype=str)["id"].tolist()
    chosen = tmp_path / "ids.txt"
    chosen.write_text(f"{names[1]}\n\nnobody\n", "utf-8")
    code, out, _ = score("--ids", chosen, "--json", "--resamples", "0")
    assert code == 0
    assert json.loads(out)["n_fields"] == 1


def test_wrong_places_are_told_before_the_work(score, tmp_path) -> None:
    code, _, err = score("--report", tmp_path / "none" / "report.html")
    assert code == 1
    assert "the folder does not exist" in err
    code, _, err = score("--ids", tmp_path / "none.txt")
    assert code == 1
    assert "Expected a text file with one id a line" in err
    assert score("--resamples", "-1")[0] == 2


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    mask = np.zeros((20, 30), bool)
    mask[:9, :11] = True
    path = tmp_path / "submission.csv"
    path.write_text(
        f"ImageID,ImageWidth,ImageHeight,PredictionString\na,30,20,0 0.9 {encode_mask(mask)}\n",
        "utf-8",
    )
    return path


def test_a_submission_is_scored(command, submission) -> None:
    code, out, err = command("evaluate", "kaggle", submission, submission)
    assert (code, err) == (0, "")
    assert "mAP at mask IoU 0.6: 1.000" in out
    assert "1 images, 1 objects, 1 predictions; 0 images without a prediction" in out
    scores = json.loads(command("evaluate", "kaggle", submission, submission, "--json")[1])
    assert scores["map"] == 1.0
    assert scores["per_class"]["Negative"]["ap"] is None


def test_a_damaged_submission_is_told(command, submission, tmp_path) -> None:
    damaged = tmp_path / "damaged.csv"
    damaged.write_text(submission.read_text("utf-8").replace("0 0.9", "0"), "utf-8")
    code, _, err = command("evaluate", "kaggle", damaged, submission)
    assert code == 1
    assert "found 2 words, no multiple of 3" in err
    assert command("evaluate", "kaggle", submission, submission, "--iou", "2")[0] == 2
