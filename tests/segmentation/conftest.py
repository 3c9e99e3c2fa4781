"""Stand-ins for packages of other segmenters, so that our side of them is tested where they are not installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Install = Callable[..., ModuleType]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Writes a package (modules by file name) with its version and puts it in front of any real one."""
    site = tmp_path / "site"
    site.mkdir()
    names: list[str] = []

    def write(name: str, dist: str, version: str, files: dict[str, str]) -> ModuleType:
        (site / name).mkdir()
        for file, text in files.items():
            (site / name / file).write_text(text, "utf-8")
        info = site / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        names.append(name)
        _forget(name, monkeypatch)
        return importlib.import_module(name)

    monkeypatch.syspath_prepend(site)
    yield write
    for name in names:
        for module in _modules(name):
            del sys.modules[module]  # for good: monkeypatch would bring them back


def _forget(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drop a package's modules, so that the next import reads it anew."""
    for module in _modules(name):
        monkeypatch.delitem(sys.modules, module)


def _modules(name: str) -> list[str]:
    """Names of a package's modules that are loaded."""
    return [module for module in sys.modules if module.split(".")[0] == name]
