"""``organelle-widgets doctor``: what is installed, what is missing, and how to get it."""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

import organelle_widgets
from organelle_widgets import weights
from organelle_widgets.classification import CLASSIFIERS
from organelle_widgets.cli._console import say, say_json
from organelle_widgets.segmentation import SEGMENTERS

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor", help="what is installed, what is missing, how to get it"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(function=doctor)


def doctor(options: argparse.Namespace) -> int:
    """Report; exit code 1 if something that every use needs is missing."""
    packages = {name: _installed(name) for name in _required()}
    backends = {
        registry.kind: {
            name: {"title": entry.title, "missing": list(entry.missing), "install": entry.install}
            for name, entry in registry.entries().items()
        }
        for registry in (SEGMENTERS, CLASSIFIERS)
    }
    report = {
        "organelle_widgets": organelle_widgets.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "free_disk_gb": round(shutil.disk_usage(".").free / 1e9, 1),
        "packages": packages,
        "backends": backends,
        "weights_folder": str(weights.cache_folder()),
        "weights": {name: weights.is_here(name) for name in weights.catalogue()},
    }
    missing = [name for name, found in packages.items() if found is None]
    if options.json:
        say_json(report)
    else:
        _print(report, packages, missing)
    return 1 if missing else 0


def _required() -> list[str]:
    """Names of the packages that this one requires, extras left out."""
    try:
        lines = requires("organelle-widgets") or []
    except PackageNotFoundError:
        lines = []
    names = [line.split(";")[0] for line in lines if "extra ==" not in line]
    return sorted(
        name.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip() for name in names
    )


def _installed(name: str) -> str | None:
    """The installed version, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _print(report: dict[str, object], packages: dict[str, str | None], missing: list[str]) -> None:
    """The report as text."""
    say(
        f"organelle-widgets {report['organelle_widgets']}, Python {report['python']}, {report['platform']}"
    )
    say(f"{report['free_disk_gb']} GB of disk free here\n")
    for name, found in packages.items():
        say(f"  {'ok     ' if found else 'MISSING'}  {name} {found or ''}")
    for registry in (SEGMENTERS, CLASSIFIERS):
        say(f"\n{registry.kind}s")
        for name, entry in registry.entries().items():
            state = "ok     " if not entry.missing else "absent "
            say(f"  {state}  {name} ({entry.title})")
            if entry.missing:
                say(f"           needs {', '.join(entry.missing)}: {entry.install}")
    say(f"\nweights in {weights.cache_folder()}")
    for file in weights.catalogue().values():
        state = "here   " if weights.is_here(file.name) else "absent "
        say(f"  {state}  {file.name} ({file.title})")
    say("  Download: organelle-widgets models download NAME")
    if missing:
        say(f"\nInstall what is missing: python -m pip install {' '.join(missing)}")
