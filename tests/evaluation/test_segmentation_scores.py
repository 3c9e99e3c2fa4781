"""Scoring a segmenter on a small folder laid out like the real one."""

from dataclasses import dataclass

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.core.channels import CHANNEL_KEYS
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.evaluation.segmentation import evaluate_segmentation
from organelle_widgets.segmentation import Segmenter

HEADER = "id,folder,height,width,pixel_size_um,labels,has_cellmask,source,note"


@dataclass(frozen=True)
class Answer(Segmenter):
    """Gives back the masks it was made with."""

    masks: Masks | None = None

    def _segment(self, field):
        return self.masks


@pytest.fixture
def folder(tmp_path, disc_field, disc_masks):
    """Two scored fields in `a`, one without a mask, one scored field in `b`."""
    lines = [HEADER]
    for sub, name, scored in [
        ("a", "one", 1),
        ("a", "bare", 0),
        ("a", "two", 1),
        ("b", "three", 1),
    ]:
        (tmp_path / sub).mkdir(exist_ok=True)
        for key in CHANNEL_KEYS:
            iio.imwrite(tmp_path / sub / f"{name}_{key}.png", disc_field.channel(key))
        if scored:
            cells = disc_masks.cells.astype(np.uint16)
            iio.imwrite(tmp_path / sub / f"{name}_cellmask.png", cells)
        lines.append(f"{name},{sub},160,240,0.32,0|16,{scored},here,")
    (tmp_path / "fields.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_a_perfect_segmenter_scores_one(folder, disc_masks):
    result = evaluate_segmentation(folder, segmenter=Answer(disc_masks))
    assert [row["id"] for row in result["fields"]] == ["one", "two", "three"]
    assert set(result) == {"segmenter", "fields", "mean"}
    row = result["fields"][0]
    assert row.pop("seconds") >= 0
    assert row == {
        "id": "one",
        "cells_true": 3,
        "cells_found": 3,
        **dict.fromkeys(("ap50", "ap60", "ap75", "ap90", "f1_50", "mean_iou"), 1.0),
    }
    assert set(result["mean"]) == set(result["fields"][1]) - {"id"}


def test_a_lost_cell_costs_its_share(folder, disc_masks):
    cells = np.where(disc_masks.cells == 5, 0, disc_masks.cells)
    nuclei = np.where(disc_masks.nuclei == 5, 0, disc_masks.nuclei)
    mean = evaluate_segmentation(folder, segmenter=Answer(Masks(nuclei, cells)))["mean"]
    assert mean["ap50"] == mean["ap90"] == pytest.approx(2 / 3)
    assert mean["f1_50"] == pytest.approx(0.8)
    assert (mean["cells_true"], mean["cells_found"], mean["mean_iou"]) == (3, 2, 1)


def test_the_named_segmenter_is_scored(folder):
    result = evaluate_segmentation(folder, segmenter="watershed")
    assert result["segmenter"] == "watershed"
    assert result["mean"]["ap50"] == 1


def test_folders_and_limit_choose_the_fields(folder, disc_masks):
    answer = Answer(disc_masks)
    ids = lambda **chosen: [  # noqa: E731
        row["id"] for row in evaluate_segmentation(folder, segmenter=answer, **chosen)["fields"]
    ]
    assert ids(folders=["b"]) == ["three"]
    assert ids(folders=["a"]) == ["one", "two"]
    assert ids(limit=2) == ["one", "two"]


def test_progress_is_told_after_every_field(folder, disc_masks):
    told = []
    evaluate_segmentation(folder, segmenter=Answer(disc_masks), progress=told.append)
    assert told == pytest.approx([1 / 3, 2 / 3, 1])


def test_a_folder_without_masks_is_refused(folder):
    table = folder / "fields.csv"
    table.write_text(table.read_text().replace(",1,here", ",0,here"), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"has_cellmask 1 in fields\.csv; found none in any folder"
    ):
        evaluate_segmentation(folder)


def test_a_lost_mask_file_is_named(folder):
    (folder / "a" / "two_cellmask.png").unlink()
    with pytest.raises(InputError, match=r"Expected the mask two_cellmask\.png") as caught:
        evaluate_segmentation(folder)
    assert caught.value.step == "evaluation"


def test_wrong_arguments_are_refused(folder):
    with pytest.raises(SettingsError, match="Expected a segmenter out of"):
        evaluate_segmentation(folder, segmenter="nothing")
    with pytest.raises(InputError, match="limit of at least 1 field; found 0"):
        evaluate_segmentation(folder, limit=0)
