"""The project's own files agree with each other."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {
    "dask": "dask-core",
    "duckdb": "python-duckdb",
    "matplotlib": "matplotlib-base",
    "torch": "pytorch",
}


def names(requirements: list[str]) -> dict[str, str]:
    """Requirement by bare name."""
    return {re.split(r"[ <>=@\[;]", text)[0].lower(): text for text in requirements}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_environment_yml_names_what_pyproject_requires() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    conda = names([entry for entry in environment["dependencies"] if isinstance(entry, str)])
    required = {CONDA_NAMES.get(name, name) for name in names(project()["dependencies"])}
    assert set(conda) - {"python", "pip"} == required


def test_environment_yml_asks_for_the_same_lowest_versions() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    conda = names([entry for entry in environment["dependencies"] if isinstance(entry, str)])
    for name, requirement in names(project()["dependencies"]).items():
        wanted = conda[CONDA_NAMES.get(name, name)]
        assert wanted.split(">=")[1] == requirement.split(">=")[1], name


def test_environment_yml_takes_hpacellseg_from_its_archive() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert any(re.match(r"hpacellseg @ https://github\.com/.+\.zip$", line) for line in pip)


def test_constraints_hold_every_requirement() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    held = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    extras = project()["optional-dependencies"]["test"]
    assert set(names(project()["dependencies"])) | set(names(extras)) <= held


def test_notebooks_hold_no_outputs() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.ipynb"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "dashboard.ipynb" in listed.stdout.split("\n")
    for name in filter(None, listed.stdout.split("\n")):
        for cell in json.loads((ROOT / name).read_text("utf-8"))["cells"]:
            assert not cell.get("outputs"), name


def test_dashboard_notebook_is_three_short_cells() -> None:
    cells = json.loads((ROOT / "dashboard.ipynb").read_text("utf-8"))["cells"]
    code = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    assert len(cells) == 3
    assert not re.search(r"\b(def|class|for|while)\b", code)
    assert len(code.splitlines()) <= 5


def test_no_tracked_file_is_too_large() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    sizes = {
        name: (ROOT / name).stat().st_size
        for name in listed.stdout.decode().split("\0")
        if name and (ROOT / name).is_file()
    }
    assert max(sizes.values()) < 15_000_000


def test_version_is_the_citations() -> None:
    import organelle_widgets

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == organelle_widgets.__version__


def test_import_contracts_hold() -> None:
    program = str(Path(sys.executable).with_name("lint-imports"))
    ran = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
