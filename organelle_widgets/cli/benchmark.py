"""``organelle-widgets benchmark``: seconds and memory of each stage on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.cli._console import say, say_json

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "benchmark",
        help="seconds and memory of each stage for one field, cold and warm",
        description="Analyse a virtual field in a fresh process, twice, and print what each stage took.",
    )
    parser.add_argument("--size", type=int, default=2048, help="side of the field in pixels (2048)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(function=benchmark)


def benchmark(options: argparse.Namespace) -> int:
    """Measure and print."""
    from organelle_widgets.evaluation.speed import measure_stages

    figures = measure_stages(options.size)
    if options.json:
        say_json(figures)
        return 0
    say(f"{figures['field']}, {figures['cells']} cells; {figures['machine']}\n")
    say("| stage | cold, s | warm, s | memory after, MiB |")
    say("|---|---:|---:|---:|")
    for row in figures["stages"]:
        say(
            f"| {row['stage']} | {row['cold_s']:.2f} | {row['warm_s']:.2f} | {row['memory_mib']:.0f} |"
        )
    return 0
