"""Matrices, curves and the table of cells behind the scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from organelle_widgets.errors import ExportError
from organelle_widgets.evaluation.classification_details import (
    PREDICTION_COLUMNS,
    predictions_table,
    score_details,
    write_predictions,
)
from organelle_widgets.evaluation.classification_scores import ScoredField


@pytest.fixture
def fields():
    """Two fields: one label with two cells, told of in full; two labels with one cell, told of in part."""
    first, second = np.zeros((2, 19), np.float32), np.zeros((1, 19), np.float32)
    first[0, 2], first[1, [2, 7]] = 0.9, (0.2, 0.6)
    second[0, 16] = 0.8
    return [
        ScoredField(
            (2,),
            first,
            np.array([False, True]),
            np.array([False, True]),
            np.array([0.4, 1.7], np.float32),
            np.array([3, 8]),
            "a",
            "plate",
        ),
        ScoredField((0, 16), second, np.array([False]), id="b", folder="other"),
    ]


def test_kinds_of_cells(fields):
    kinds = score_details(fields)["cells_by_kind"]
    assert {name: row["n_cells"] for name, row in kinds.items()} == {
        "all": 3,
        "whole": 2,
        "border": 1,
        "fragment": 1,
        "unusual": 1,
        "sure": 2,
    }
    assert kinds["all"]["top1"] == pytest.approx(2 / 3)
    assert kinds["sure"]["top1"] == 1.0
    assert (kinds["border"]["top1"], kinds["border"]["top3"]) == (0.0, 1.0)


def test_what_is_not_told_is_not_listed(fields):
    assert set(score_details(fields[1:])["cells_by_kind"]) == {"all", "whole", "border", "sure"}


def test_folders_apart(fields):
    folders = score_details(fields)["folders"]
    assert list(folders) == ["plate", "other"]
    assert (folders["plate"]["n_fields"], folders["plate"]["n_cells"]) == (1, 2)
    assert (folders["plate"]["cell_top1"], folders["other"]["cell_top1"]) == (0.5, 1.0)


def test_confusion_leaves_several_labels_out(fields):
    confusion = score_details(fields)["confusion"]
    cells = np.array(confusion["cells"])
    assert cells.shape == (19, 20)
    assert np.argwhere(cells).tolist() == [[2, 2], [2, 7]]
    assert (confusion["n_cells_left_out"], confusion["n_fields_left_out"]) == (1, 1)


def test_reliability_counts_every_answer(fields):
    reliability = score_details(fields)["reliability"]
    assert sum(reliability["all_classes"]["n"]) == 3 * 19
    assert sum(reliability["top_class"]["n"]) == 3
    assert sum(reliability["per_class"]["Cytosol"]["n"]) == 3


def test_curves_of_the_classes_that_occur(fields):
    curves = score_details(fields)["precision_recall"]
    assert curves["fields"]["Nucleoli"]["recall"][0] == 1.0
    assert curves["cells"]["Negative"]["recall"] == []


def test_the_table_of_cells(fields, tmp_path):
    table = predictions_table(fields)
    assert list(table) == list(PREDICTION_COLUMNS)
    write_predictions(fields, tmp_path / "cells.csv")
    read = pd.read_csv(tmp_path / "cells.csv", dtype={"labels": str})
    assert read["field"].tolist() == ["a", "a", "b"]
    assert read["cell_id"].tolist() == [3, 8, 1]
    assert read["labels"].tolist() == ["2", "2", "0|16"]
    assert read["touches_border"].tolist() == [False, True, False]
    assert read["is_fragment"].tolist()[:2] == [False, True]
    assert read["is_fragment"].isna().tolist() == [False, False, True]
    assert read["strangeness"].isna().tolist() == [False, False, True]
    np.testing.assert_allclose(read["p_golgi_apparatus"], [0, 0.6, 0], rtol=1e-6)


def test_a_folder_that_is_not_there(fields, tmp_path):
    with pytest.raises(ExportError, match="the folder does not exist"):
        write_predictions(fields, tmp_path / "none" / "cells.csv")
