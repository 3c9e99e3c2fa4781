"""A package of somebody else brings a segmenter, as README describes it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from organelle_widgets.segmentation import SEGMENTERS

ROOT = Path(__file__).resolve().parents[2]
USE = """
import json, numpy as np
from organelle_widgets.core.field import Field
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.segmentation import SEGMENTERS, make_segmenter

entry = SEGMENTERS.get("bright_nuclei")
pixels = np.zeros((4, 40, 60), np.uint8)
pixels[2, 5:15, 5:15], pixels[2, 20:35, 30:50] = 200, 80
field = Field(pixels)
print(json.dumps({
    "title": entry.title,
    "settings": [spec.name for spec in describe_settings(entry.cls)],
    "cells": [make_segmenter("bright_nuclei", threshold=t).segment(field).n_cells for t in (0.2, 0.5)],
    "provenance": make_segmenter("bright_nuclei").provenance(),
}))
"""


DOCTOR = "from organelle_widgets.cli import main; raise SystemExit(main(['doctor', '--json']))"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with README's package as an installer leaves it: the module and its dist-info."""
    blocks = re.findall(
        r"```(?:python|toml)\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S
    )
    module = next(block for block in blocks if block.startswith("# my_segmenter.py"))
    groups = next(tomllib.loads(block) for block in blocks if block.startswith("# its pyproject"))
    folder = tmp_path_factory.mktemp("site")
    (folder / "my_segmenter.py").write_text(module, "utf-8")
    info = folder / "my_segmenter-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-segmenter\nVersion: 1.0\n")
    points = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items())
        for group, entries in groups["project"]["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(points))
    return folder


def python(site: Path, *words: str) -> str:
    """What a fresh Python prints that has that folder on its path."""
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_found_and_works_with_its_settings(site: Path) -> None:
    said = json.loads(python(site, "-c", USE))
    assert said["title"] == "Bright nuclei"
    assert said["settings"] == ["threshold"]
    assert said["cells"] == [2, 1]
    assert said["provenance"] == {"name": "bright_nuclei", "settings": {"threshold": 0.2}}


def test_the_command_line_lists_it(site: Path) -> None:
    report = json.loads(python(site, "-c", DOCTOR))
    assert report["backends"]["segmenter"]["bright_nuclei"]["missing"] == []


def test_without_its_package_it_is_unknown() -> None:
    assert "bright_nuclei" not in SEGMENTERS.names()
