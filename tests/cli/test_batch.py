"""The command ``batch``: plan, run, go on, and what it says."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from functools import partialmethod
from pathlib import Path

import imageio.v3 as iio
import pytest

from organelle_widgets.batch import read_status
from organelle_widgets.cli import main
from organelle_widgets.core.channels import CHANNEL_KEYS
from organelle_widgets.engine import DaskEngine
from organelle_widgets.results import open_results
from organelle_widgets.synthetic import virtual_field

WATERSHED = ["--segmenter", "watershed", "--pixel-size-um", "0.32"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small virtual fields under names of their own."""
    folder = tmp_path_factory.mktemp("images")
    for seed in range(3):
        pixels = virtual_field((192, 192), seed=seed, pixel_size_um=0.32).field.pixels
        for key, plane in zip(CHANNEL_KEYS, pixels, strict=True):
            iio.imwrite(folder / f"v{seed}_{key}.png", plane)
    return folder


def test_dry_run_says_what_would_be_done_and_does_nothing(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", str(images), str(tmp_path / "out"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "3 fields to analyse" in said
    assert "v1" in said
    assert not (tmp_path / "out").exists()


def test_dry_run_as_json_lists_fields_and_problems(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "plate.csv"
    table.write_text(f"path,well\n{images / 'v0_green.png'},A01\n{images / 'gone_green.png'},A02\n")
    assert main(["batch", str(table), str(tmp_path / "out"), "--dry-run", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [field["well"] for field in said["fields"]] == ["A01"]
    assert "line 3" in said["problems"][0]["source"]


@pytest.mark.tensorflow
def test_a_run_with_the_models_that_come_along(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "images", tmp_path / "out"
    shutil.copytree(images, source)
    cut = source / "v2_blue.png"
    cut.write_bytes(cut.read_bytes()[:300])
    words = ["batch", str(source), str(out), "--pixel-size-um", "0.32"]
    done = subprocess.run(
        [sys.executable, "-m", "organelle_widgets", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "2 fields with" in done.stdout
    assert "1 field failed" in done.stdout
    with open_results(out) as results:
        assert (results.n_fields, results.n_failures) == (2, 1)
        assert results.run["settings"]["pixel_size_um"] == 0.32
        assert len(results.run["settings"]["classifier"]["weights"]["sha256"]) == 64
        assert results.cells()["embedding"].map(len).eq(192).all()
    assert main([*words, "--resume", "--threshold", "0.2"]) == 1
    assert "threshold was 0.5, is 0.2" in capsys.readouterr().err


@pytest.mark.tensorflow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["this process", "workers"])
def test_terminate_stops_in_order(images: Path, tmp_path: Path, workers: tuple[str, ...]) -> None:
    out = tmp_path / "out"
    source = tmp_path / "images"
    source.mkdir()
    for number in range(30):
        for path in images.glob("v0_*"):
            (source / path.name.replace("v0", f"f{number:02d}")).symlink_to(path)
    words = [sys.executable, "-m", "organelle_widgets", "batch", str(source), str(out), *WATERSHED]
    with subprocess.Popen(
        [*words, *workers], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as client:
        deadline = time.monotonic() + 120
        while (status := read_status(out)) is None or status.n_done < 2:
            assert client.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        client.send_signal(signal.SIGTERM)
        said, complained = client.communicate(timeout=60)
    assert client.returncode == 130
    assert "Go on with --resume" in said
    assert "Traceback" not in complained
    status = read_status(out)
    assert status is not None
    assert (status.state, status.n_workers) == ("stopped", 2 if workers else 1)
    assert 2 <= status.n_done < 30


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rerun"], "--rerun together with --resume"),
        (["--retry-failures"], "--retry-failures together with --resume"),
        (["--limit", "0"], "--limit of 1 or more"),
        (["--workers", "0"], "1 to 1024 workers"),
        (["--segmenter", "nothing"], "segmenter out of"),
    ],
)
def test_wrong_words_are_refused(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["batch", str(images), str(tmp_path / "out"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_scheduler_is_said(
    images: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patient = DaskEngine.__init__
    monkeypatch.setattr(DaskEngine, "__init__", partialmethod(patient, wait_s=1))
    words = ["--scheduler", "tcp://127.0.0.1:9", *WATERSHED]
    assert main(["batch", str(images), str(tmp_path / "out"), *words]) == 1
    assert "Expected a Dask scheduler at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_an_empty_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["batch", str(tmp_path / "empty"), str(tmp_path / "out")]) == 1
    assert "Expected images" in capsys.readouterr().err
