"""The competition's submission, read back by our reader and decoded by pycocotools."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pandas as pd
import pytest
from pycocotools import mask as coco

from organelle_widgets.errors import SettingsError
from organelle_widgets.evaluation.kaggle_table import read_kaggle_table
from organelle_widgets.export.kaggle import KAGGLE_COLUMNS, KaggleExporter
from organelle_widgets.io.coco_rle import decode_mask
from organelle_widgets.results import open_results


def triples(text):
    """Class, confidence and mask of every object."""
    words = text.split()
    return list(zip(map(int, words[::3]), map(float, words[1::3]), words[2::3], strict=True))


def test_every_cell_has_all_classes(disc_result, tmp_path):
    path = KaggleExporter().write(disc_result, tmp_path / "submission.csv")
    table = pd.read_csv(path)
    assert tuple(table.columns) == KAGGLE_COLUMNS
    assert table.loc[0, ["ImageID", "ImageWidth", "ImageHeight"]].tolist() == ["discs", 240, 160]
    found = triples(table.loc[0, "PredictionString"])
    assert [c for c, _, _ in found] == list(range(19)) * 3
    np.testing.assert_allclose(
        np.reshape([p for _, p, _ in found], (3, 19)), disc_result.probabilities, rtol=1e-5
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
def test_masks_by_pycocotools(disc_result, tmp_path):
    path = KaggleExporter().write(disc_result, tmp_path / "submission.csv")
    found = triples(pd.read_csv(path).loc[0, "PredictionString"])
    for number, cell_id in enumerate((2, 5, 9)):
        counts = zlib.decompress(base64.b64decode(found[19 * number][2]))
        mask = coco.decode({"size": [160, 240], "counts": counts})
        np.testing.assert_array_equal(mask > 0, disc_result.masks.cells == cell_id)
        np.testing.assert_array_equal(decode_mask(found[19 * number][2], (160, 240)), mask > 0)


def test_least_confidence(disc_result, tmp_path):
    image = read_kaggle_table(
        KaggleExporter(least_confidence=0.4).write(disc_result, tmp_path / "submission.csv")
    )["discs"]
    assert image.classes.tolist() == [0, 2, 7, 18]
    assert image.confidences.tolist() == pytest.approx([0.9, 0.6, 0.4, 0.8])
    assert image.mask_of.tolist() == [0, 0, 1, 2]
    areas = np.bincount(disc_result.masks.cells.ravel())[[2, 5, 9]]
    assert [mask.area for mask in image.masks] == areas.tolist()
    with pytest.raises(SettingsError, match=r"least_confidence: expected 0 to 1; found 2"):
        KaggleExporter(least_confidence=2)


def test_no_cells_give_an_empty_prediction(empty_result, tmp_path):
    path = KaggleExporter().write(empty_result, tmp_path / "submission.csv")
    assert path.read_text() == ",".join(KAGGLE_COLUMNS) + "\ndiscs,240,160,\n"
    assert read_kaggle_table(path)["discs"].classes.size == 0


def test_a_run_has_a_row_a_field_and_reads_no_image(run_folder, tmp_path):
    with open_results(run_folder) as results:
        done = KaggleExporter().write_run(results, tmp_path / "submission.csv")
    images = read_kaggle_table(done.path)
    assert list(images) == ["B2/discs", "B3/discs", "B4/discs", "B5/discs"]
    assert [len(image.classes) for image in images.values()] == [57, 57, 0, 57]
    assert (done.n_fields, done.n_cells) == (4, 9)
    assert done.skipped == ("B6/discs: it has no result: No nuclei.",)
