"""The competition's score on cases that can be done by hand, and every kind of damage to its tables."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.evaluation.kaggle import evaluate_kaggle, interpolated_precision, mask_ious
from organelle_widgets.io.coco_rle import encode_mask, read_runs

SHAPE = (20, 30)  # rows, columns


def box(row: int, col: int, rows: int = 10, cols: int = 10) -> str:
    mask = np.zeros(SHAPE, bool)
    mask[row : row + rows, col : col + cols] = True
    return encode_mask(mask)


LEFT, MIDDLE, RIGHT = box(0, 0), box(0, 10), box(0, 20)


def words(*objects: tuple[object, object, str]) -> str:
    return " ".join(f"{label} {confidence} {mask}" for label, confidence, mask in objects)


@pytest.fixture
def table(tmp_path):
    """Writes a table; gives its path."""

    def write(name, rows, columns="ImageID,ImageWidth,ImageHeight,PredictionString"):
        path = tmp_path / f"{name}.csv"
        lines = [columns, *(f"{key},{SHAPE[1]},{SHAPE[0]},{text}" for key, text in rows)]
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return write


@pytest.fixture
def score(table):
    """Scores rows against rows."""
    return lambda said, true: evaluate_kaggle(table("said", said), table("true", true))


TRUTH = [("a", words((0, 1, LEFT), (0, 1, MIDDLE), (16, 1, MIDDLE)))]


def test_perfect(score) -> None:
    scores = score(TRUTH, TRUTH)
    assert scores["map"] == 1.0
    assert (scores["n_images"], scores["n_objects"], scores["n_predictions"]) == (1, 3, 3)
    assert scores["per_class"]["Cytosol"] == {
        "n_objects": 1,
        "n_predictions": 1,
        "n_found": 1,
        "ap": 1.0,
    }
    assert np.isnan(scores["per_class"]["Nucleoli"]["ap"])  # none in the truth: not in the mean


def test_half_found(score) -> None:
    # Nucleoplasm: one of two found at precision 1, so area 1/2. Cytosol: nothing named, 0. Mean 1/4.
    assert score([("a", words((0, 0.9, LEFT)))], TRUTH)["map"] == pytest.approx(1 / 4)


def test_a_second_match_of_one_object_is_wrong(score) -> None:
    # LEFT right, LEFT again wrong, MIDDLE right: precision 1, 1/2, 2/3; area 1/2 * 1 + 1/2 * 2/3 = 5/6.
    said = words((0, 0.9, LEFT), (0, 0.8, LEFT), (0, 0.7, MIDDLE))
    row = score([("a", said)], TRUTH)["per_class"]["Nucleoplasm"]
    assert (row["n_predictions"], row["n_found"]) == (3, 2)
    assert row["ap"] == pytest.approx(5 / 6)


def test_a_duplicate_below_all_that_is_right_costs_nothing(score) -> None:
    # recall is 1 before the duplicate comes
    said = words((0, 0.9, LEFT), (0, 0.8, MIDDLE), (0, 0.7, LEFT))
    assert score([("a", said)], TRUTH)["per_class"]["Nucleoplasm"]["ap"] == 1.0


def test_a_wrong_class_finds_nothing(score) -> None:
    scores = score([("a", words((2, 0.9, LEFT), (2, 0.9, MIDDLE)))], TRUTH)
    assert scores["map"] == 0.0
    assert scores["per_class"]["Nucleoli"]["n_found"] == 0


@pytest.mark.parametrize(("cols", "found"), [(6, 1), (5, 0)])
def test_overlap_around_the_limit(score, cols: int, found: int) -> None:
    # 6 of 10 columns: IoU 60 / 100, exactly 0.6, counts; 5 of 10: 0.5 does not
    said = [("a", words((16, 0.9, box(0, 10, 10, cols))))]
    assert score(said, TRUTH)["per_class"]["Cytosol"]["n_found"] == found


def test_just_below_the_limit(score) -> None:
    # 100 pixels each, 74 shared: 74 / 126 = 0.587; with 75: 75 / 125 = 0.6
    mask = np.zeros(SHAPE, bool)
    mask[:10, 10:20] = True
    for shared, found in ((74, 0), (75, 1)):
        said = mask.copy().ravel()
        said[np.flatnonzero(said)[shared:]] = False
        said[np.flatnonzero(~mask.ravel())[: 100 - shared]] = True
        row = score([("a", words((16, 1, encode_mask(said.reshape(SHAPE)))))], TRUTH)
        assert row["per_class"]["Cytosol"]["n_found"] == found


def test_an_image_without_prediction(score) -> None:
    true = [*TRUTH, ("b", words((16, 1, RIGHT))), ("c", "")]
    scores = score([*TRUTH, ("c", "")], true)
    assert scores["n_images_without_prediction"] == 2
    assert scores["per_class"]["Cytosol"]["ap"] == pytest.approx(1 / 2)  # one of two found
    assert scores["map"] == pytest.approx(3 / 4)


def test_the_surer_one_comes_first_in_all_images(score) -> None:
    # Two images, one object each. Surest is a miss in b (wrong), then a (right), then b (right):
    # precision 0, 1/2, 2/3. The best at recall 1/2 or above is 2/3: area 2/3.
    true = [("a", words((16, 1, LEFT))), ("b", words((16, 1, LEFT)))]
    said = [
        ("a", words((16, 0.6, LEFT))),
        ("b", words((16, 0.2, LEFT), (16, 0.9, RIGHT))),
    ]
    assert score(said, true)["map"] == pytest.approx(2 / 3)


def test_the_surer_one_takes_the_object(score) -> None:
    # The less sure one fits better but comes second: wrong. Precision 1, 1/2 with all found at once: area 1.
    said = [("a", words((16, 0.3, MIDDLE), (16, 0.8, box(0, 10, 10, 7))))]
    row = score(said, [("a", words((16, 1, MIDDLE)))])["per_class"]["Cytosol"]
    assert (row["n_found"], row["ap"]) == (1, 1.0)
    # the other way round, the worse one first and alone at the top: still right
    said = [("a", words((16, 0.9, box(0, 10, 10, 5)), (16, 0.8, MIDDLE)))]
    row = score(said, [("a", words((16, 1, MIDDLE)))])["per_class"]["Cytosol"]
    assert row["ap"] == pytest.approx(1 / 2)  # 0.5 of IoU is no match: precision 0, 1/2


def test_interpolation_by_hand() -> None:
    right = np.array([True, False, False, True])
    # precision 1, 1/2, 1/3, 2/4 at recall 1/3, 1/3, 1/3, 2/3: 1/3 * 1 + 1/3 * 1/2
    assert interpolated_precision(right, np.arange(4)[::-1], 3) == pytest.approx(1 / 2)
    assert np.isnan(interpolated_precision(right, np.arange(4), 0))
    assert interpolated_precision(right[:0], np.zeros(0), 2) == 0.0


def test_overlaps_are_those_of_pixels() -> None:
    rng = np.random.default_rng(0)
    masks = rng.random((6, 17, 23)) < 0.5
    masks[2], masks[4] = False, True
    runs = [read_runs(encode_mask(mask), (17, 23)) for mask in masks]
    both = (masks[:3, None] & masks[None, 2:]).sum(axis=(2, 3))
    either = (masks[:3, None] | masks[None, 2:]).sum(axis=(2, 3))
    expected = np.where(either > 0, both / np.maximum(either, 1), 0)
    np.testing.assert_allclose(mask_ious(runs[:3], runs[2:]), expected, rtol=1e-12)


def test_the_sample_files_column_is_known(table) -> None:
    said = table("said", TRUTH, "ID,ImageWidth,ImageHeight,PredictionString")
    assert evaluate_kaggle(said, table("true", TRUTH))["map"] == 1.0


def test_a_stricter_overlap(table) -> None:
    said, true = table("said", [("a", words((16, 1, box(0, 10, 10, 7))))]), table("true", TRUTH)
    for iou, found in ((0.7, 1), (0.75, 0)):
        assert evaluate_kaggle(said, true, iou=iou)["per_class"]["Cytosol"]["n_found"] == found
    with pytest.raises(SettingsError, match="above 0 and up to 1; found 0"):
        evaluate_kaggle(said, true, iou=0)


DAMAGES = {
    "two words": ([("a", "0 0.9")], r"row 2 \(a\).*found 2 words, no multiple of 3"),
    "class": ([("a", words((19, 0.9, LEFT)))], "a class from 0 to 18; found '19'"),
    "class name": ([("a", words(("x", 0.9, LEFT)))], "a class from 0 to 18; found 'x'"),
    "confidence": ([("a", words((0, "nan", LEFT)))], "a finite number; found 'nan'"),
    "base64": ([("a", words((0, 0.9, "%%%")))], "a mask in base64; found '%%%'"),
    "size": (
        [("a", words((0, 0.9, encode_mask(np.ones((4, 4))))))],
        "30 x 20 = 600 pixels; found one of 16",
    ),
    "twice": ([("a", ""), ("a", "")], r"row 3 \(a\): The image stands there twice"),
    "no id": ([("", "")], "No id"),
    "not in the truth": ([("z", "")], "Image z is not in the truth"),
}


@pytest.mark.parametrize(("rows", "message"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_told(score, rows, message) -> None:
    with pytest.raises(InputError, match=message):
        score(rows, TRUTH)


def test_all_damage_is_told_at_once(score) -> None:
    rows = [(f"i{n}", "0 1") for n in range(10)]
    with pytest.raises(InputError, match=r"found 10: row 2 .*row 9 .*And 2 more"):
        score(rows, TRUTH)


def test_missing_columns_are_named(table) -> None:
    path = table("said", TRUTH, "Image,ImageWidth,Height,PredictionString")
    with pytest.raises(InputError, match=r"missing: ImageID \(or ID\), ImageHeight"):
        evaluate_kaggle(path, path)


def test_an_unreadable_table(tmp_path) -> None:
    with pytest.raises(InputError, match="a readable CSV table; found"):
        evaluate_kaggle(tmp_path / "none.csv", tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(InputError, match="a readable CSV table; found: No columns"):
        evaluate_kaggle(tmp_path / "empty.csv", tmp_path / "empty.csv")


def test_a_row_that_ends_early(tmp_path) -> None:
    path = tmp_path / "said.csv"
    path.write_text("ID,ImageWidth,ImageHeight,PredictionString\na,20\n", "utf-8")
    with pytest.raises(InputError, match=r"row 2 \(a\).*ImageHeight .*; found ''"):
        evaluate_kaggle(path, path)


@pytest.mark.parametrize("side", ["0", "-3", "2.5", ""])
def test_sides_are_whole_numbers(tmp_path, side) -> None:
    path = tmp_path / "said.csv"
    path.write_text(f"ID,ImageWidth,ImageHeight,PredictionString\na,{side},20,\n", "utf-8")
    with pytest.raises(InputError, match=f"ImageWidth as a whole number of pixels; found '{side}'"):
        evaluate_kaggle(path, path)


def test_other_sizes_and_empty_masks_are_refused(table, tmp_path) -> None:
    path = tmp_path / "small.csv"
    path.write_text("ID,ImageWidth,ImageHeight,PredictionString\na,20,20,\n", "utf-8")
    with pytest.raises(InputError, match="30 x 20 pixels in the truth; found 20 x 20"):
        evaluate_kaggle(path, table("true", TRUTH))
    nothing = table("nothing", [("a", words((0, 1, encode_mask(np.zeros(SHAPE)))))])
    with pytest.raises(InputError, match="Image a has a mask without a pixel"):
        evaluate_kaggle(nothing, nothing)
    # in a submission such a mask is only wrong
    scores = evaluate_kaggle(nothing, table("true", TRUTH))
    assert scores["per_class"]["Nucleoplasm"]["n_found"] == 0
