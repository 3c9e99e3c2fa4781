"""Fields, results and failures in a few words."""

from __future__ import annotations

import dataclasses

from organelle_widgets.controllers.words import (
    failure_entry,
    field_chip,
    header_notes,
    result_summary,
)
from organelle_widgets.core.quality import measure_quality
from organelle_widgets.core.results import FieldResult
from organelle_widgets.state import Download, Failure, Shown


def test_the_chip_says_what_was_assumed(disc_result: FieldResult) -> None:
    field = disc_result.field
    assert field_chip(field) == "discs · 240 × 160 · 0.32 µm/px"
    long = dataclasses.replace(field, name="a" * 40, pixel_size_source="assumed")
    assert field_chip(long) == f"{'a' * 24}… · 240 × 160 · 0.32 µm/px assumed"


def test_a_summary_without_quality_or_cells(
    disc_result: FieldResult, empty_result: FieldResult
) -> None:
    assert result_summary(disc_result) == "3 cells · analysed in 1.0 s"
    quality = measure_quality(empty_result.field, empty_result.masks, empty_result.cells)
    empty = dataclasses.replace(empty_result, quality=quality)
    assert result_summary(empty) == "0 cells · analysed in 0.0 s"


def test_notes_are_told_apart_from_what_looks_wrong(disc_result: FieldResult) -> None:
    assert header_notes(None) == ([], [])
    field = dataclasses.replace(disc_result.field, notes=("No pixel size.", "Dim."))
    quality = measure_quality(field, disc_result.masks, disc_result.cells)
    quality = dataclasses.replace(quality, warnings=("Dim.",))
    notes = ("No pixel size.", "One cell is left out.")
    result = dataclasses.replace(disc_result, field=field, quality=quality, notes=notes)
    shown = Shown(field, result, None)
    assert header_notes(shown) == (["Dim."], ["No pixel size.", "One cell is left out."])
    assert header_notes(Shown(field, None, None)) == ([], ["No pixel size.", "Dim."])


def test_a_failure_becomes_plain_lists() -> None:
    assert failure_entry(None) == {}
    entry = failure_entry(Failure("No.", "Try.", (Download("x", "X", 5),), "By hand."))
    assert (entry["message"], entry["hint"], entry["otherwise"]) == ("No.", "Try.", "By hand.")
    assert [(one["title"], one["size_bytes"]) for one in entry["downloads"]] == [("X", 5)]
