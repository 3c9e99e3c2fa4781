"""``organelle-widgets models``: the weights that can be downloaded, and those that are here."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from organelle_widgets import weights
from organelle_widgets.cli._console import progress_line, say, say_error, say_json
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import SettingsError, WeightsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from organelle_widgets.weights import WeightFile


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its five kinds."""
    parser = subparsers.add_parser(
        "models",
        help="list, download and verify weights of published networks",
        description="Nothing is downloaded unless you ask for it; each licence is shown first.",
    )
    kinds = parser.add_subparsers(title="what to do", dest="kind", required=True)
    one = _kind(kinds, "list", models_list, "what can be downloaded and what is here")
    one.add_argument("--json", action="store_true", help="print it as JSON")
    one = _kind(kinds, "info", models_info, "model card, licence and checksums of one")
    one.add_argument("name", metavar="NAME")
    one = _kind(kinds, "download", models_download, "download and verify; goes on where it stopped")
    one.add_argument(
        "name", nargs="*", metavar="NAME", help=f"a file, or all of {', '.join(_bundles())}"
    )
    one.add_argument("--all", action="store_true", help="everything in the list")
    one.add_argument("--yes", action="store_true", help="accept the licences without being asked")
    one = _kind(kinds, "verify", models_verify, "hash what is here again")
    one.add_argument("name", nargs="*", metavar="NAME", help="default: all that are here")
    one = _kind(kinds, "path", models_path, "the cache folder, or the file of one")
    one.add_argument("name", nargs="?", metavar="NAME")


def _kind(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    function: Callable[[argparse.Namespace], int],
    words: str,
) -> argparse.ArgumentParser:
    """One of the kinds."""
    parser = kinds.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    parser.set_defaults(function=function)
    return parser


def models_list(options: argparse.Namespace) -> int:
    """Name, title, size, licence and state of each."""
    rows = [_row(file) for file in weights.catalogue().values()]
    if options.json:
        say_json({"folder": str(weights.cache_folder()), "models": rows})
        return 0
    columns = ("name", "title", "size", "state", "licence")
    widths = {key: max(len(row[key]) for row in rows) for key in columns}
    for row in rows:
        say("  ".join(f"{row[key]:<{widths[key]}}" for key in columns).rstrip())
    return 0


def _row(file: WeightFile) -> dict[str, Any]:
    """One line of the list."""
    return {
        "name": file.name,
        "title": file.title,
        "size": file.size_text,
        "size_bytes": file.size_bytes,
        "licence": file.licence,
        "state": weights.state(file.name),
        "used_by": file.used_by,
        "url": file.url,
    }


def models_info(options: argparse.Namespace) -> int:
    """All that is known of one."""
    path = weights.path(options.name)
    file = weights.catalogue()[options.name]
    for key, value in asdict(file).items():
        if value and key not in ("name", "about_bytes"):
            say(f"{key.replace('_', ' ') + ':':<12} {value}")
    say(f"{'size:':<12} {file.size_text}")
    say(f"{'file:':<12} {path}")
    say(f"{'state:':<12} {weights.state(file.name)}")
    return 0


def models_download(options: argparse.Namespace) -> int:
    """Show the licences, ask, download."""
    names = list(weights.catalogue()) if options.all else _names(options.name)
    if not names:
        message = "Expected the names of models to download, or --all; found neither."
        raise SettingsError(message, hint="organelle-widgets models list names them.")
    wanted = [name for name in names if weights.state(name) != "here"]
    for name in (name for name in names if name not in wanted):
        say(f"{name} is here: {weights.path(name)}")
    if wanted and not _agreed([weights.catalogue()[name] for name in wanted], yes=options.yes):
        say("Nothing was downloaded.")
        return 1
    return _each(wanted, _download)


def _bundles() -> dict[str, list[str]]:
    """The names of files that belong together, by the name of their bundle."""
    bundles: dict[str, list[str]] = {}
    for file in weights.catalogue().values():
        if file.bundle:
            bundles.setdefault(file.bundle, []).append(file.name)
    return bundles


def _names(given: list[str]) -> list[str]:
    """Names of files, each once, with those of a bundle in its place."""
    bundles = _bundles()
    return list(dict.fromkeys(name for one in given for name in bundles.get(one, [one])))


def _agreed(files: list[WeightFile], *, yes: bool) -> bool:
    """Show what is about to come and ask for a yes; without a terminal only ``--yes`` is one."""
    for file in files:
        say(f"{file.name}: {file.title}, {file.size_text}")
        say(f"  licence  {file.licence} ({file.licence_url})")
        say(f"  source   {file.source}, {file.record_url}")
        say(f"  {file.card}")
        if file.unverified:
            say(f"  Not verified: {file.unverified}")
    if yes:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        message = "Expected a yes to these licences; found no terminal to ask at."
        raise SettingsError(message, hint="Add --yes if you accept them.")
    say("Accept and download? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _download(name: str) -> None:
    """Download one."""
    with progress_line("Models") as progress:
        path = weights.download(name, monitor=Monitor(progress))
    say(f"{name}: {path}")


def models_verify(options: argparse.Namespace) -> int:
    """Hash files again; without names all that are here."""
    here = [name for name in weights.catalogue() if weights.path(name).is_file()]
    names = _names(options.name) or here
    if not names:
        say(f"No weights are here yet ({weights.cache_folder()}).")
    return _each(names, lambda name: say(f"{name}: {weights.verify(name)} is what it should be"))


def models_path(options: argparse.Namespace) -> int:
    """Where things lie."""
    say(str(weights.locate(options.name) if options.name else weights.cache_folder()))
    return 0


def _each(names: list[str], function: Callable[[str], None]) -> int:
    """Do it for every name; one that fails is said and the others go on."""
    failed = 0
    for name in names:
        try:
            function(name)
        except WeightsError as error:
            failed += 1
            say_error(error)
    return 1 if failed else 0
