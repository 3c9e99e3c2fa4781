"""Fixtures shared by all tests: where the real images are, and small fields with a known answer."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.channels import CHANNEL_KEYS
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.results import FieldResult
from organelle_widgets.results import ResultsWriter
from organelle_widgets.results.records import FailureRecord, record_of

ROOT = Path(__file__).resolve().parents[1]
CI = os.environ.get("CI", "").lower() == "true"


def absent(reason: str) -> None:
    """Skip on a developer's machine, fail where everything must be there."""
    if CI:
        pytest.fail(f"{reason} (CI=true: this may not be skipped)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real images."""
    folder = Path(os.environ.get("ORGANELLE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "fields.csv").is_file():
        absent(f"no real images at {folder}; set ORGANELLE_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def disc_masks() -> Masks:
    """Three round cells in a non-square field, ids with gaps, the last one cut by the border."""
    rows, cols = np.mgrid[:160, :240]
    cells = np.zeros((160, 240), np.int32)
    nuclei = np.zeros((160, 240), np.int32)
    for cell, (row, col) in {2: (60, 60), 5: (90, 150), 9: (80, 236)}.items():
        distance = np.hypot(rows - row, cols - col)
        cells[(distance < 32) & (cells == 0)] = cell
        nuclei[distance < 14] = cell
    return Masks(nuclei, cells)


@pytest.fixture(scope="session")
def disc_field(disc_masks: Masks) -> Field:
    """A uint8 field to `disc_masks`: bright nuclei, a dim cytoplasm, protein in the nuclei; 0.32 um/px."""
    rng = np.random.default_rng(0)
    inside, nucleus = disc_masks.cells > 0, disc_masks.nuclei > 0
    planes = [
        inside * 90.0,
        nucleus * 140.0 + inside * 12,
        nucleus * 180.0,
        (inside & ~nucleus) * 110.0,
    ]
    noisy = np.stack(planes) + rng.normal(6, 3, (4, *disc_masks.shape))
    return Field(np.clip(noisy, 0, 255).astype(np.uint8), "discs", 0.32, "given")


@pytest.fixture(scope="session")
def disc_result(disc_field: Field, disc_masks: Masks) -> FieldResult:
    """Cell 2: Nucleoplasm and Nucleoli; cell 5: not sure; cell 9 (on the border): Negative."""
    probabilities = np.full((3, 19), 0.01, np.float32)
    probabilities[0, [0, 2]] = 0.9, 0.6
    probabilities[1, 7] = 0.4
    probabilities[2, 18] = 0.8
    return FieldResult(disc_field, disc_masks, probabilities, {"segmentation": 1.0})


@pytest.fixture(scope="session")
def empty_result(disc_field: Field) -> FieldResult:
    """The same field without a cell."""
    nothing = np.zeros(disc_field.shape, np.int32)
    return FieldResult(disc_field, Masks(nothing, nothing), np.zeros((0, 19), np.float32))


@pytest.fixture(scope="session")
def run_folder(
    disc_result: FieldResult, empty_result: FieldResult, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Results of a run: B2/discs and B3/discs with images, B4 without cells, B5 whose images are gone; B6 failed.

    Extra columns: well, dose (a whole number, missing of B5) and "share/%". Cells have an embedding of 5 numbers.
    """
    home = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(3)
    files = {}
    for key, plane in zip(CHANNEL_KEYS, disc_result.field.pixels, strict=True):
        files[key] = str(home / f"discs_{key}.png")
        iio.imwrite(files[key], plane)
    facts = {"extra": {"well": "string", "dose": "int", "share/%": "float"}}
    settings = {"settings": {"threshold": 0.5}, "provenance": {"threshold": 0.5, "python": "3"}}
    with ResultsWriter.create(home / "results", {**facts, **settings, "source": "here"}) as writer:
        for number, well in enumerate(("B2", "B3", "B4", "B5")):
            kept = empty_result if well == "B4" else disc_result
            extra = {"well": well, "dose": "" if well == "B5" else str(number), "share/%": "0.5"}
            sources = dict.fromkeys(CHANNEL_KEYS, "gone.png") if well == "B5" else files
            field = dataclasses.replace(
                kept.field, name=f"{well}/discs", sources=sources, extra=extra
            )
            answers = CellAnswers(
                kept.probabilities,
                rng.normal(size=(kept.n_cells, 5)),
                rng.uniform(0, 0.9, kept.n_cells),
            )
            writer.commit([record_of(dataclasses.replace(kept, field=field, answers=answers))])
        writer.commit([], [FailureRecord("B6/discs", message="No nuclei.", extra={"well": "B6"})])
    return home / "results"
