"""``organelle-widgets export``: a results folder, or some of its fields, as a file that other programs read."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.cli._console import progress_line, say, say_json
from organelle_widgets.cli._settings import parse_settings
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.errors import ExportError, SettingsError

if TYPE_CHECKING:
    import argparse

    from organelle_widgets.core.settings import Setting
    from organelle_widgets.export import Exported, Exporter
    from organelle_widgets.results import Results

_SHOWN = 20
_EXPORTS = "exports"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "export",
        help="write a results folder as CSV, Parquet, h5ad, ROIs, figures, a report and more",
        description=(
            "Write the results of a batch run in one format. Formats that join all fields give one file, the others "
            "a folder with one file a field; --list says which do what."
        ),
    )
    parser.add_argument("results", nargs="?", type=Path, metavar="RESULTS", help="a results folder")
    parser.add_argument("--to", metavar="FORMAT", help="the format; see --list")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file or folder to write")
    parser.add_argument(
        "--field",
        action="append",
        default=[],
        metavar="NAME",
        help="only this field, as one file of its own; given several times: only these fields",
    )
    parser.add_argument(
        "--where",
        metavar="SQL",
        help="only fields that fit a condition on the table of fields: \"well = 'B2' AND n_cells > 5\"",
    )
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the format; may be given several times",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what an earlier export wrote"
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.add_argument("--list", action="store_true", help="list the formats and their settings")
    parser.set_defaults(function=export)


def export(options: argparse.Namespace) -> int:
    """Write the file and say what is in it."""
    if options.list:
        _list_formats(as_json=options.json)
        return 0
    from organelle_widgets.results import open_results

    _check_given(options)
    exporter = _exporter(options)
    with open_results(options.results) as results:
        _check_target(options)
        where = _where(results, options)
        with progress_line("Exporting") as progress:
            done = _written(exporter, results, options, where, Monitor(progress))
    if options.json:
        say_json(
            {
                "path": str(done.path),
                "format": options.to,
                "n_fields": done.n_fields,
                "n_cells": done.n_cells,
                "skipped": list(done.skipped),
            }
        )
    else:
        _say_done(done)
    return 0


def _check_given(options: argparse.Namespace) -> None:
    """Refuse a call without the three words that it needs."""
    given = {"RESULTS": options.results, "--to FORMAT": options.to, "--out FILE": options.out}
    missing = [name for name, value in given.items() if value is None]
    if missing:
        message = f"Expected RESULTS --to FORMAT --out FILE; missing: {', '.join(missing)}."
        raise SettingsError(message, hint="organelle-widgets export --list shows the formats.")


def _exporter(options: argparse.Namespace) -> Exporter:
    """The format with its settings."""
    from organelle_widgets.export import EXPORTERS

    entries = EXPORTERS.entries()
    if options.to not in entries:
        known = "\n".join(f"  {name}: {entry.title}" for name, entry in entries.items())
        message = f"Expected a format; found {options.to!r}. The formats are:\n{known}"
        raise SettingsError(message)
    settings = parse_settings(options.setting, entries[options.to].cls, "--setting")
    return EXPORTERS.create(options.to, **settings)


def _check_target(options: argparse.Namespace) -> None:
    """Refuse to write over anything unasked, and into the results themselves."""
    out, home = options.out.resolve(), options.results.resolve()
    if out == home or (home in out.parents and home / _EXPORTS not in out.parents):
        where = f"outside of the results folder, or within its folder {_EXPORTS}"
        message = f"Expected a place {where}; found {options.out}."
        raise SettingsError(message, hint="The rest of the folder is the run's own.")
    taken = any(out.iterdir()) if out.is_dir() else out.exists()
    if taken and not options.overwrite:
        message = f"Expected a new file or folder; {options.out} is there already."
        raise ExportError(message, hint="Choose another name, or add --overwrite.")


def _where(results: Results, options: argparse.Namespace) -> str | None:
    """The fields as a condition; None for all."""
    known = results.field_names() if options.field else []
    for name in options.field:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3)
            hint = (
                f"Perhaps {' or '.join(close)}?"
                if close
                else f"The first is {known[0]}."
                if known
                else None
            )
            message = (
                f"Expected --field with the name of one of the {len(known)} fields; found {name!r}."
            )
            raise SettingsError(message, hint=hint)
    texts = ", ".join("'" + name.replace("'", "''") + "'" for name in options.field)
    parts = [f"({options.where})"] if options.where else []
    return " AND ".join([*parts, *([f"field IN ({texts})"] if texts else [])]) or None


def _written(
    exporter: Exporter,
    results: Results,
    options: argparse.Namespace,
    where: str | None,
    monitor: Monitor,
) -> Exported:
    """One field as a result of its own, all else as a run."""
    from organelle_widgets.export import Exported

    names = list(dict.fromkeys(options.field))
    if len(names) != 1 or options.where:
        return exporter.write_run(results, options.out, monitor, where)
    monitor.report(names[0], 0.0)
    result = results.result(names[0], pixels=exporter.needs_pixels)
    path = exporter.write(result, options.out)
    return Exported(path, 1, result.n_cells)


def _say_done(done: Exported) -> None:
    """What is in the file, and what is not."""
    say(f"{done.path}: {_counted(done.n_fields, 'field')}, {_counted(done.n_cells, 'cell')}")
    for sentence in done.skipped[:_SHOWN]:
        say(f"  Left out: {sentence}")
    if len(done.skipped) > _SHOWN:
        say(f"  and {len(done.skipped) - _SHOWN} more; --json lists all.")


def _counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _list_formats(*, as_json: bool) -> None:
    """Every format: its name, title, what it makes of a run, and its settings."""
    from organelle_widgets.export import EXPORTERS

    formats = [_format(name, entry) for name, entry in EXPORTERS.entries().items()]
    if as_json:
        say_json(formats)
        return
    width = max(len(item["name"]) for item in formats)
    for item in formats:
        missing = f"; needs {', '.join(item['missing'])}" if item["missing"] else ""
        say(f"{item['name']:{width}}  {item['title']}: {item['run']}{missing}")
        for text in item["settings"]:
            say(f"{'':{width}}    {text}")


def _format(name: str, entry: Any) -> dict[str, Any]:
    """One format of the list."""
    what = "folder" if entry.cls.is_folder else "file"
    return {
        "name": name,
        "title": entry.title,
        "run": "one file" if entry.cls.one_file else f"a folder with one {what} a field",
        "missing": list(entry.missing),
        "settings": [_setting_text(spec) for spec in describe_settings(entry.cls)],
    }


def _setting_text(spec: Setting) -> str:
    """A setting with its default and what it may be."""
    if spec.choices:
        allowed = ", ".join(spec.choices)
    elif isinstance(spec.default, bool):
        allowed = "true, false"
    elif spec.minimum is not None and spec.maximum is not None:
        allowed = f"{spec.minimum:g} to {spec.maximum:g}"
    else:
        allowed = ""
    unit = f" {spec.unit}" if spec.unit else ""
    return f"--setting {spec.name}={spec.default} ({allowed}{unit}): {spec.help}"
