"""Scores of nuclei on pictures of nuclei."""

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.evaluation.nuclei import evaluate_nuclei
from organelle_widgets.segmentation.watershed import Watershed


@pytest.fixture
def folder(tmp_path):
    """Eleven pictures of two discs; the labels of the last held-out one miss a disc."""
    rows, cols = np.mgrid[:96, :120]
    discs = [np.hypot(rows - 40, cols - c) < 14 for c in (30, 85)]
    labels = (discs[0] + 2 * discs[1]).astype(np.uint16)
    picture = np.where(labels > 0, 120, 6).astype(np.uint8)
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    names = [f"{i:02d}" for i in range(11)]
    for name in names:
        iio.imwrite(tmp_path / "images" / f"{name}.png", picture)
        known = labels * (labels < 2) if name == "10" else labels
        iio.imwrite(tmp_path / "labels" / f"{name}.png", known.astype(np.uint16))
    (tmp_path / "index.csv").write_text("\n".join(["id", *names]) + "\n", encoding="utf-8")
    return tmp_path


def test_scores_are_those_of_the_held_out_pictures(folder):
    done = []
    scores = evaluate_nuclei(folder, segmenter=Watershed(), pixel_size_um=0.5, progress=done.append)
    assert (scores["pictures"], scores["nuclei"]) == (2, 3)
    assert [row["f1_50"] for row in scores["per_picture"]] == pytest.approx([1, 2 / 3])
    assert scores["f1_50"] == pytest.approx((1 + 2 / 3) / 2)
    assert scores["pooled_f1_50"] == pytest.approx(2 * 3 / 7)
    assert done == [0.5, 1.0]


def test_all_pictures_can_be_scored(folder):
    scores = evaluate_nuclei(folder, segmenter="watershed", pixel_size_um=0.5, held_out=False)
    assert (scores["segmenter"], scores["pictures"]) == ("watershed", 11)


def test_what_can_not_be_scored_is_told(folder, tmp_path):
    with pytest.raises(InputError, match="pixel size from"):
        evaluate_nuclei(folder, segmenter="watershed", pixel_size_um=0)
    (folder / "index.csv").write_text("id\n", encoding="utf-8")
    with pytest.raises(InputError, match="found none"):
        evaluate_nuclei(folder, segmenter="watershed")
