"""``organelle-widgets sample``: write virtual fields with their ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.cli._console import say
from organelle_widgets.core.labels import class_index

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "sample",
        help="write virtual four-channel fields with masks and labels",
        description="Write virtual fields: four channel images, cell and nucleus masks, labels and a fields.csv.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--fields", type=int, default=4, help="how many (4)")
    parser.add_argument("--size", type=int, default=1024, help="side in pixels (1024)")
    parser.add_argument(
        "--pixel-size-um", type=float, default=0.16, help="micrometres per pixel (0.16)"
    )
    parser.add_argument(
        "--classes",
        metavar="A,B",
        help="classes of every cell, by name, code or number; random without it",
    )
    parser.add_argument("--seed", type=int, default=0, help="same seed, same fields (0)")
    parser.set_defaults(function=sample)


def sample(options: argparse.Namespace) -> int:
    """Write the fields and name the files."""
    from organelle_widgets.synthetic import write_sample

    names = [name for name in (options.classes or "").split(",") if name.strip()]
    paths = write_sample(
        options.folder,
        n_fields=options.fields,
        seed=options.seed,
        shape=(options.size, options.size),
        pixel_size_um=options.pixel_size_um,
        classes=[class_index(name) for name in names] or None,
    )
    say(f"{options.fields} virtual fields, {len(paths)} files in {options.folder}")
    return 0
